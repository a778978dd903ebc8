//! What recipients have asked for, and nobody has decided: a release or a denial of the unit is the answer.

use api_types::quarantine::RequestView;
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/quarantine/requests`: releases that recipients ask for, of mail that is held still, the longest waiting
/// first. A release for that recipient is a yes, a denial a no.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "quarantine.requests",
    path = "/api/v1/quarantine/requests",
    responses((status = 200, body = [RequestView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<RequestView>> {
    Ok(Json(service::quarantine::request::list(&service, &operator).await?))
}
