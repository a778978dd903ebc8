//! How the program fares, over HTTP: background tasks, books and engines, and whether there is room.

use api_types::health::{HealthView, SectionView};
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/health`: how background tasks, books and engines fare, and whether there is room.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "health",
    path = "/api/v1/health",
    responses((status = 200, body = HealthView), Refusal),
)]
pub async fn show(State(service): State<Service>, Extension(operator): Extension<Operator>) -> ApiResult<HealthView> {
    Ok(Json(service::health::show(&service, &operator).await?))
}

/// `GET /api/v1/settings`: the configuration in force, defaults included. No secret is in it. It is changed in the
/// file.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "settings",
    path = "/api/v1/settings",
    responses((status = 200, body = [SectionView]), Refusal),
)]
pub async fn settings(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<SectionView>> {
    Ok(Json(service::health::settings(&service, &operator).await?))
}
