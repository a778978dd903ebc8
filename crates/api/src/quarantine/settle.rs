//! Deny, delete, and taking a deletion back: decisions of people that move units without sending anything.

use api_types::quarantine::{DecideAsk, ReleasedView};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/quarantine/{id}/deny`: decides that a held message stays. It can still be released by another
/// decision.
///
/// # Errors
/// When it is not known, a recipient is not among its own, or the store fails.
#[utoipa::path(
    post,
    operation_id = "quarantine.deny",
    path = "/api/v1/quarantine/{id}/deny",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = DecideAsk,
    responses((status = 200, body = ReleasedView), Refusal),
)]
pub async fn deny(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<DecideAsk>,
) -> ApiResult<ReleasedView> {
    Ok(Json(service::quarantine::settle::deny(&service, &operator, &id, ask).await?))
}

/// `POST /api/v1/quarantine/{id}/delete`: takes a held message out of people's sight. Its bytes stay for a day, in
/// which `recover` takes it back.
///
/// # Errors
/// As [`deny`].
#[utoipa::path(
    post,
    operation_id = "quarantine.delete",
    path = "/api/v1/quarantine/{id}/delete",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = DecideAsk,
    responses((status = 200, body = ReleasedView), Refusal),
)]
pub async fn delete(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<DecideAsk>,
) -> ApiResult<ReleasedView> {
    Ok(Json(service::quarantine::settle::delete(&service, &operator, &id, ask).await?))
}

/// `POST /api/v1/quarantine/{id}/recover`: holds again what was deleted or expired, as long as its bytes are there: a
/// day.
///
/// # Errors
/// As [`deny`]; it is not known any more when its bytes are gone.
#[utoipa::path(
    post,
    operation_id = "quarantine.recover",
    path = "/api/v1/quarantine/{id}/recover",
    params(("id" = String, Path, description = "The id of a message that was deleted or expired")),
    request_body = DecideAsk,
    responses((status = 200, body = ReleasedView), Refusal),
)]
pub async fn recover(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<DecideAsk>,
) -> ApiResult<ReleasedView> {
    Ok(Json(service::quarantine::settle::recover(&service, &operator, &id, ask).await?))
}
