//! The sentinel over HTTP: what is suspected, why; what is contained; and what people contain, give back and pin.

use api_types::sentinel::{ContainAsk, ContainmentView, ExplanationView, PinAsk, PinView, SentinelView};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/sentinel`: what the sentinel suspects, what is contained and pinned, and whether it would act by
/// itself.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "sentinel.status",
    path = "/api/v1/sentinel",
    responses((status = 200, body = SentinelView), Refusal),
)]
pub async fn status(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<SentinelView> {
    Ok(Json(service::sentinel::status(&service, &operator).await?))
}

/// `GET /api/v1/sentinel/{detection}`: why the sentinel believes what it believes of a detection.
///
/// # Errors
/// When no detection was ever called so, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "sentinel.explain",
    path = "/api/v1/sentinel/{detection}",
    params(("detection" = String, Path, description = "The code of a detection")),
    responses((status = 200, body = ExplanationView), Refusal),
)]
pub async fn explain(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
) -> ApiResult<ExplanationView> {
    Ok(Json(service::sentinel::explain(&service, &operator, &code).await?))
}

/// `POST /api/v1/containment`: contains a detection version, or gives it back. It holds within a second.
///
/// # Errors
/// When a reason is missing, it is not in force, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "sentinel.contain",
    path = "/api/v1/containment",
    request_body = ContainAsk,
    responses((status = 200, body = ContainmentView), Refusal),
)]
pub async fn contain(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<ContainAsk>,
) -> ApiResult<ContainmentView> {
    Ok(Json(service::sentinel::contain(&service, &operator, ask).await?))
}

/// `POST /api/v1/detections/{code}/pin`: a pinned detection is never contained by itself; the same evidence only calls
/// people.
///
/// # Errors
/// When a reason is missing, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "detection.pin",
    path = "/api/v1/detections/{code}/pin",
    params(("code" = String, Path, description = "The code of a detection")),
    request_body = PinAsk,
    responses((status = 200, body = PinView), Refusal),
)]
pub async fn pin(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
    Json(ask): Json<PinAsk>,
) -> ApiResult<PinView> {
    Ok(Json(service::sentinel::pin(&service, &operator, &code, ask).await?))
}
