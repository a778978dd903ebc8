//! Closing the portal to what lets a recipient in now: a link that was forwarded, a session on a machine that is
//! somebody else's.

use api_types::quarantine::{CloseAsk, ClosedView};
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/portal/close`: closes the portal to the links and sessions that a recipient has now. They can ask for
/// a new link.
///
/// # Errors
/// When no reason is given, or the address is of no domain of the operator's.
#[utoipa::path(
    post,
    operation_id = "portal.close",
    path = "/api/v1/portal/close",
    request_body = CloseAsk,
    responses((status = 200, body = ClosedView), Refusal),
)]
pub async fn close(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<CloseAsk>,
) -> ApiResult<ClosedView> {
    Ok(Json(service::quarantine::close::close(&service, &operator, ask).await?))
}
