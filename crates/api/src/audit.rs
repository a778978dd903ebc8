//! The audit log over HTTP.

use api_types::audit::{AuditQuery, EntryView, EraseAsk, ProofQuery, VerifiedView, VerifyQuery};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use platform::audit_signer::Bundle;
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/audit`: entries of the log, 1,000 at most: from a number on, the oldest first, or before a number, the
/// newest first.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "audit.list",
    path = "/api/v1/audit",
    params(AuditQuery),
    responses((status = 200, body = [EntryView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<AuditQuery>,
) -> ApiResult<Vec<EntryView>> {
    Ok(Json(service::audit::list(&service, &operator, query).await?))
}

/// `GET /api/v1/audit/verify`: computes the tree anew, and compares it with its sealed head, the ledger and the
/// recorded verdicts.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "audit.verify",
    path = "/api/v1/audit/verify",
    params(VerifyQuery),
    responses((status = 200, body = VerifiedView), Refusal),
)]
pub async fn verify(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<VerifyQuery>,
) -> ApiResult<VerifiedView> {
    Ok(Json(service::audit::verify(&service, &operator, query).await?))
}

/// `POST /api/v1/audit/{seq}/erase`: destroys what of an entry may be about people, as they may ask for. The log stays
/// intact and says that it was done.
///
/// # Errors
/// When a reason is missing, there is nothing (any more), or the operator may not.
#[utoipa::path(
    post,
    operation_id = "audit.erase",
    path = "/api/v1/audit/{seq}/erase",
    params(("seq" = u64, Path, description = "The number of an entry")),
    request_body = EraseAsk,
    responses((status = 200, body = EntryView), Refusal),
)]
pub async fn erase(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(seq): Path<u64>,
    Json(ask): Json<EraseAsk>,
) -> ApiResult<EntryView> {
    Ok(Json(service::audit::erase(&service, &operator, seq, ask).await?))
}

/// `GET /api/v1/audit/proof`: a bundle that proves an entry of the log, or how a message came to us, to somebody who
/// has nothing of ours: `reprieve audit check` checks it offline.
///
/// # Errors
/// When it was pruned or never was there, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "audit.prove",
    path = "/api/v1/audit/proof",
    params(ProofQuery),
    responses((status = 200, body = serde_json::Value), Refusal),
)]
pub async fn prove(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ProofQuery>,
) -> ApiResult<Bundle> {
    Ok(Json(service::audit::prove(&service, &operator, query).await?))
}
