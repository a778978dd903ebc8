//! A copy of a held message to somebody of ours who is no recipient of it: who has to look into it. No unit moves by
//! that, and the books know nothing of it; the audit log does.

use api_types::quarantine::{CopiedView, CopyAsk};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/quarantine/{id}/copy`: sends a copy of a held message to somebody else of ours, behind Resent fields
/// (RFC 5322 section 3.6.6). Nothing else happens to it.
///
/// # Errors
/// When it is not known, its bytes are gone, no reason is given, the address is not one of ours, it takes two persons,
/// or the mailbox server does not take it.
#[utoipa::path(
    post,
    operation_id = "quarantine.copy",
    path = "/api/v1/quarantine/{id}/copy",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = CopyAsk,
    responses((status = 200, body = CopiedView), Refusal),
)]
pub async fn copy(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<CopyAsk>,
) -> ApiResult<CopiedView> {
    Ok(Json(service::quarantine::copy::copy(&service, &operator, &id, ask).await?))
}
