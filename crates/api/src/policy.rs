//! The policy in force over HTTP: it is a file of the operator's, and read here.

use api_types::policy::PolicyView;
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/policy`: the policy in force: its rules in order, and what is done without an engine.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(get, operation_id = "policy.show", path = "/api/v1/policy", responses((status = 200, body = PolicyView),
    Refusal))]
pub async fn show(State(service): State<Service>, Extension(operator): Extension<Operator>) -> ApiResult<PolicyView> {
    Ok(Json(service::policy::show(&service, &operator).await?))
}
