//! Allow and block entries over HTTP: what people know better than any detection, for whom, until when.

use api_types::entry::{EntryAsk, EntryView, RemoveAsk};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/entries`: the entries in force, newest first; for operators of some domains those that count for them.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "entry.list",
    path = "/api/v1/entries",
    responses((status = 200, body = [EntryView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<EntryView>> {
    Ok(Json(service::entry::list(&service, &operator).await?))
}

/// `POST /api/v1/entries`: makes an entry. It counts within a second.
///
/// # Errors
/// When something about it is wrong, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "entry.add",
    path = "/api/v1/entries",
    request_body = EntryAsk,
    responses((status = 200, body = EntryView), Refusal),
)]
pub async fn add(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<EntryAsk>,
) -> ApiResult<EntryView> {
    Ok(Json(service::entry::add(&service, &operator, ask).await?))
}

/// `POST /api/v1/entries/{id}/remove`: ends an entry. It counts no more within a second.
///
/// # Errors
/// When it is not in force, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "entry.remove",
    path = "/api/v1/entries/{id}/remove",
    params(("id" = u64, Path, description = "The number of an entry")),
    request_body = RemoveAsk,
    responses((status = 200, body = EntryView), Refusal),
)]
pub async fn remove(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<u64>,
    Json(ask): Json<RemoveAsk>,
) -> ApiResult<EntryView> {
    Ok(Json(service::entry::remove(&service, &operator, id, ask).await?))
}
