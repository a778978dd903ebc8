//! Events over HTTP.

use api_types::events::{EventSinkView, EventsQuery, EventsView};
use axum::extract::{Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/events`: what was recorded (verdicts, releases, incidents, entries of the audit log) from an entry of
/// the audit log on, in the order in which it was committed. It says no more than a log may say.
///
/// # Errors
/// When the operator may not, the kind is none, or the store fails.
#[utoipa::path(
    get,
    operation_id = "events.list",
    path = "/api/v1/events",
    params(EventsQuery),
    responses((status = 200, body = EventsView), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<EventsQuery>,
) -> ApiResult<EventsView> {
    Ok(Json(service::events::list(&service, &operator, query).await?))
}

/// `GET /api/v1/events/sinks`: who is told events, and how far.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "events.sinks",
    path = "/api/v1/events/sinks",
    responses((status = 200, body = [EventSinkView]), Refusal),
)]
pub async fn sinks(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<EventSinkView>> {
    Ok(Json(service::events::sinks(&service, &operator).await?))
}
