//! How often detections hit, by the hour, and how often people said that they were wrong, over HTTP.

use api_types::hits::{HitsQuery, HitsView};
use axum::extract::{Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/hits`: how often detections hit, by the hour.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "detection.hits",
    path = "/api/v1/hits",
    params(HitsQuery),
    responses((status = 200, body = HitsView), Refusal),
)]
pub async fn hits(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<HitsQuery>,
) -> ApiResult<HitsView> {
    Ok(Json(service::hits::hits(&service, &operator, ask).await?))
}
