//! Release: a row for each unit, found by the reconciler. Asking twice is asking once.

use api_types::quarantine::{ReleaseAsk, ReleaseManyAsk, ReleasedView};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/quarantine/{id}/release`: asks for the release of some or all recipients. Asking twice is asking once.
///
/// # Errors
/// When it is not known, a recipient is not among its own, a reason is missing for what is harmful, or the store fails.
#[utoipa::path(
    post,
    operation_id = "quarantine.release",
    path = "/api/v1/quarantine/{id}/release",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = ReleaseAsk,
    responses((status = 200, body = ReleasedView), Refusal),
)]
pub async fn release(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<ReleaseAsk>,
) -> ApiResult<ReleasedView> {
    Ok(Json(service::quarantine::release::release(&service, &operator, &id, ask).await?))
}

/// `POST /api/v1/quarantine/release`: asks for the release of many messages. Where one of them is not known, nothing is
/// done.
///
/// # Errors
/// When one is not known, a recipient is not among its own, or the store fails.
#[utoipa::path(
    post,
    operation_id = "quarantine.release_many",
    path = "/api/v1/quarantine/release",
    request_body = ReleaseManyAsk,
    responses((status = 200, body = [ReleasedView]), Refusal),
)]
pub async fn release_many(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(many): Json<ReleaseManyAsk>,
) -> ApiResult<Vec<ReleasedView>> {
    Ok(Json(service::quarantine::release::release_many(&service, &operator, many).await?))
}
