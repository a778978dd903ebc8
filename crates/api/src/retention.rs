//! Retention over HTTP: whether the clock is believed, that it is right, and taking back what was deleted or expired.

use api_types::retention::{ClockView, ConfirmAsk, RecoverAsk, RecoveredView};
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/retention/clock`: whether the clock is believed, so that what is over goes.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "retention.clock",
    path = "/api/v1/retention/clock",
    responses((status = 200, body = ClockView), Refusal),
)]
pub async fn clock(State(service): State<Service>, Extension(operator): Extension<Operator>) -> ApiResult<ClockView> {
    Ok(Json(service::retention::clock(&service, &operator).await?))
}

/// `POST /api/v1/retention/confirm-clock`: says that the clock is right, although it is doubted. What is over goes from
/// now on, little by little.
///
/// # Errors
/// When no reason is given, the clock is not doubted, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "retention.confirm_clock",
    path = "/api/v1/retention/confirm-clock",
    request_body = ConfirmAsk,
    responses((status = 200, body = ClockView), Refusal),
)]
pub async fn confirm_clock(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<ConfirmAsk>,
) -> ApiResult<ClockView> {
    Ok(Json(service::retention::confirm_clock(&service, &operator, ask).await?))
}

/// `POST /api/v1/retention/recover`: takes back into the quarantine what expired (and what was deleted) since a moment,
/// as long as its bytes are there: that is a day. 5,000 units at once; it has its whole time in the quarantine anew.
///
/// # Errors
/// When the moment makes no sense, no reason is given, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "retention.recover",
    path = "/api/v1/retention/recover",
    request_body = RecoverAsk,
    responses((status = 200, body = RecoveredView), Refusal),
)]
pub async fn recover(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<RecoverAsk>,
) -> ApiResult<RecoveredView> {
    Ok(Json(service::retention::recover(&service, &operator, ask).await?))
}
