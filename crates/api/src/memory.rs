//! The memory over HTTP: how strong it is, and mail of an archive that it is made of.

use api_types::memory::{ImportAsk, ImportQuery, ImportView, MemoryView};
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/memory`: how strong the memory of senders and of clean content is.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "memory.status",
    path = "/api/v1/memory",
    responses((status = 200, body = MemoryView), Refusal),
)]
pub async fn status(State(service): State<Service>, Extension(operator): Extension<Operator>) -> ApiResult<MemoryView> {
    Ok(Json(service::memory::status(&service, &operator).await?))
}

/// `POST /api/v1/memory/mails`: takes one mail of an archive, as `message/rfc822`. It is examined first, and nothing
/// bad enters.
///
/// # Errors
/// When the time makes no sense, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "memory.import",
    path = "/api/v1/memory/mails",
    params(ImportQuery),
    request_body(content = Vec<u8>, content_type = "message/rfc822"),
    responses((status = 200, body = ImportView), Refusal),
)]
pub async fn import(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> ApiResult<ImportView> {
    Ok(Json(service::memory::import(&service, &operator, query, body.to_vec()).await?))
}

/// `POST /api/v1/memory/imports`: writes the beginning or the end of an import into the audit log, and answers when all
/// that was learned until now is stored.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    post,
    operation_id = "memory.import_step",
    path = "/api/v1/memory/imports",
    request_body = ImportAsk,
    responses((status = 200, body = MemoryView), Refusal),
)]
pub async fn import_step(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<ImportAsk>,
) -> ApiResult<MemoryView> {
    Ok(Json(service::memory::import_step(&service, &operator, ask).await?))
}
