//! One held message with all that is known about it.

use api_types::quarantine::ShownView;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/quarantine/{id}`: one held message with all that is known about it.
///
/// # Errors
/// When it is not known, or the store fails.
#[utoipa::path(
    get,
    operation_id = "quarantine.show",
    path = "/api/v1/quarantine/{id}",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = ShownView), Refusal),
)]
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<ShownView> {
    Ok(Json(service::quarantine::show::show(&service, &operator, &id).await?))
}
