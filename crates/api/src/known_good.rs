//! Known-good content over HTTP: how much there is, and its keys.

use api_types::known_good::{KnownGoodView, RotateAsk};
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/known-good`: how much is known to be good.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "known_good.status",
    path = "/api/v1/known-good",
    responses((status = 200, body = KnownGoodView), Refusal),
)]
pub async fn status(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<KnownGoodView> {
    Ok(Json(service::known_good::status(&service, &operator).await?))
}

/// `POST /api/v1/known-good/rotate-key`: makes a new key. What is kept is encrypted anew in the background, then the
/// old key goes.
///
/// # Errors
/// When nothing is kept, the keys are systemd's, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "known_good.rotate_key",
    path = "/api/v1/known-good/rotate-key",
    request_body = RotateAsk,
    responses((status = 200, body = KnownGoodView), Refusal),
)]
pub async fn rotate_key(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<RotateAsk>,
) -> ApiResult<KnownGoodView> {
    Ok(Json(service::known_good::rotate_key(&service, &operator, ask).await?))
}
