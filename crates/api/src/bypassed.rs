//! Mail that passed unexamined while the panic switch said `bypass`, over HTTP.

use api_types::bypassed::{BypassedQuery, BypassedView};
use axum::extract::{Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/bypassed`: mail that passed unexamined while the panic switch said `bypass`, the newest first.
///
/// # Errors
/// When the episode is no moment, the list cannot be read, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "bypassed.list",
    path = "/api/v1/bypassed",
    params(BypassedQuery),
    responses((status = 200, body = BypassedView), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<BypassedQuery>,
) -> ApiResult<BypassedView> {
    Ok(Json(service::bypassed::list(&service, &operator, query).await?))
}
