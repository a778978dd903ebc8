//! What takes two persons, where that is configured: the first one's request waits, and somebody else's same request
//! does it.

use api_types::agreement::WishView;
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/agreements`: what waits for a second person: it is done when somebody else asks for the same within the
/// hour.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "agreement.list",
    path = "/api/v1/agreements",
    responses((status = 200, body = [WishView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<WishView>> {
    Ok(Json(service::agreement::list(&service, &operator).await?))
}
