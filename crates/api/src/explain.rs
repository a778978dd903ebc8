//! A verdict explained: every finding with its version and evidence, every engine, the rule of the policy that decided,
//! what would be without each detection, and what today's ruleset makes of what was recorded.

use api_types::explain::ExplainedView;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/messages/{id}`: a message, explained.
///
/// # Errors
/// When it is not known or out of scope, or the store fails.
#[utoipa::path(
    get,
    operation_id = "message.show",
    path = "/api/v1/messages/{id}",
    params(("id" = String, Path, description = "Our id of a message")),
    responses((status = 200, body = ExplainedView), Refusal),
)]
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<ExplainedView> {
    Ok(Json(service::explain::show(&service, &operator, &id).await?))
}
