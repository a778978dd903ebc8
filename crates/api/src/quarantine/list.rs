//! The list, by filters.

use api_types::quarantine::{HeldView, ListQuery};
use axum::extract::{Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/quarantine`: messages that are held, the newest first; with `state` or `status` those that were.
///
/// # Errors
/// When a filter makes no sense, or the store fails.
#[utoipa::path(
    get,
    operation_id = "quarantine.list",
    path = "/api/v1/quarantine",
    params(ListQuery),
    responses((status = 200, body = [HeldView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Vec<HeldView>> {
    Ok(Json(service::quarantine::list::list(&service, &operator, query).await?))
}
