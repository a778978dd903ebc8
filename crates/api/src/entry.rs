//! Allow and block entries over HTTP: what people know better than any detection, for whom, until when.

use api_types::entry::{BlockLikeAsk, BlockLikeView, EntryAsk, EntryView, RemoveAsk};
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

/// `POST /api/v1/messages/{id}/block-like`: blocks mail that looks like this one: that shows its pictures, or says its
/// text. With `what_if` it only says which of it can be blocked, and what that would have held in the last days.
///
/// # Errors
/// When what is chosen cannot be blocked, known-good mail shows or says it as well, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "entry.block_like",
    path = "/api/v1/messages/{id}/block-like",
    params(("id" = String, Path, description = "The id of a message")),
    request_body = BlockLikeAsk,
    responses((status = 200, body = BlockLikeView), Refusal),
)]
pub async fn block_like(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<BlockLikeAsk>,
) -> ApiResult<BlockLikeView> {
    Ok(Json(service::block_like::block_like(&service, &operator, &id, ask).await?))
}
