//! Detections over HTTP: what is in force, what it has done, and the mode that people give it.

use api_types::detection::{
    ActiveDetection, DetectionDryRunAsk, DetectionDryRunView, DetectionView, EngineRow, ModeAsk,
};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/detections`: the detections in force.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "detection.list",
    path = "/api/v1/detections",
    responses((status = 200, body = [ActiveDetection]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<ActiveDetection>> {
    Ok(Json(service::detection::list(&service, &operator).await?))
}

/// `GET /api/v1/detections/{code}`: a detection in force, with its page, its source and its history.
///
/// # Errors
/// When it is not in force, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "detection.show",
    path = "/api/v1/detections/{code}",
    params(("code" = String, Path, description = "The code of a detection")),
    responses((status = 200, body = DetectionView), Refusal),
)]
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
) -> ApiResult<DetectionView> {
    Ok(Json(service::detection::show(&service, &operator, &code).await?))
}

/// `POST /api/v1/detections/{code}/mode`: sets the mode of a detection for a time. It holds within a second.
///
/// # Errors
/// When it is not in force, a reason is missing, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "detection.mode",
    path = "/api/v1/detections/{code}/mode",
    params(("code" = String, Path, description = "The code of a detection")),
    request_body = ModeAsk,
    responses((status = 200, body = ActiveDetection), Refusal),
)]
pub async fn mode(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
    Json(ask): Json<ModeAsk>,
) -> ApiResult<ActiveDetection> {
    Ok(Json(service::detection::mode(&service, &operator, &code, ask).await?))
}

/// `POST /api/v1/detections/{code}/dry-run`: tries a detection on what is kept of the mail of the last days. Nothing is
/// changed; it takes a minute at most.
///
/// # Errors
/// When it is in no such ruleset, another dry run is under way, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "detection.dry_run",
    path = "/api/v1/detections/{code}/dry-run",
    params(("code" = String, Path, description = "The code of a detection")),
    request_body = DetectionDryRunAsk,
    responses((status = 200, body = DetectionDryRunView), Refusal),
)]
pub async fn dry_run(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
    Json(ask): Json<DetectionDryRunAsk>,
) -> ApiResult<DetectionDryRunView> {
    Ok(Json(service::dry_run::dry_run(&service, &operator, &code, ask).await?))
}

/// `GET /api/v1/engines`: the versions that engines have said they are, newest first.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "engine.list",
    path = "/api/v1/engines",
    responses((status = 200, body = [EngineRow]), Refusal),
)]
pub async fn engines(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<EngineRow>> {
    Ok(Json(service::detection::engines(&service, &operator).await?))
}
