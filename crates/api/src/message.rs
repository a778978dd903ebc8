//! The life of messages over HTTP.

use api_types::message::{TraceQuery, TraceView};
use axum::extract::{Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/messages`: units (one message for one recipient) that fit what is given, the newest first, each with
/// its life.
///
/// # Errors
/// When nothing is asked for, or the store fails.
#[utoipa::path(
    get,
    operation_id = "message.trace",
    path = "/api/v1/messages",
    params(TraceQuery),
    responses((status = 200, body = [TraceView]), Refusal),
)]
pub async fn trace(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<TraceQuery>,
) -> ApiResult<Vec<TraceView>> {
    Ok(Json(service::message::trace(&service, &operator, query).await?))
}
