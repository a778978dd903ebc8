//! The life of messages over HTTP.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::MailId;
use serde::{Deserialize, Serialize};
use store::trace::{TraceFilter, TracedUnit};
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::access::{Operator, Permission};

/// What to trace.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct TraceQuery {
    /// Our id.
    pub mail_id: Option<String>,
    /// The header `Message-ID`.
    pub message_id: Option<String>,
    /// The reverse path.
    pub sender: Option<String>,
    /// A recipient.
    pub recipient: Option<String>,
}

/// One unit with its life.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceView {
    pub(crate) mail_id: String,
    pub(crate) message_id: Option<String>,
    pub(crate) received: String,
    pub(crate) sender: String,
    pub(crate) subject: String,
    pub(crate) recipient: String,
    pub(crate) direction: String,
    pub(crate) category: String,
    pub(crate) disposition: String,
    pub(crate) enforced: bool,
    pub(crate) account: String,
    pub(crate) reply: String,
    pub(crate) events: Vec<EventView>,
}

/// One event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    pub(crate) at: String,
    pub(crate) what: String,
    pub(crate) account: String,
    pub(crate) actor: String,
    pub(crate) reason: String,
}

/// `GET /api/v1/messages`: the units that fit, newest first.
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
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<TraceQuery>,
) -> ApiResult<Vec<TraceView>> {
    operator.may(Permission::Look)?;
    let mail_id = query.mail_id.map(|text| text.parse::<MailId>()).transpose();
    let filter = TraceFilter {
        mail_id: mail_id.map_err(|error| ApiError::Bad(error.to_string()))?,
        message_id: query.message_id,
        sender: query.sender,
        recipient: query.recipient,
    };
    let units = console.store()?.trace(&filter, &operator.scope).await?;
    Ok(Json(units.into_iter().map(view).collect()))
}

fn view(unit: TracedUnit) -> TraceView {
    let event = |event: store::trace::Event| EventView {
        at: event.at.to_string(),
        what: event.what,
        account: event.account,
        actor: event.actor,
        reason: event.reason,
    };
    TraceView {
        mail_id: unit.mail_id.to_string(),
        message_id: unit.message_id,
        received: unit.received.to_string(),
        sender: unit.sender,
        subject: unit.subject,
        recipient: unit.recipient,
        direction: unit.direction.as_str().to_owned(),
        category: unit.category,
        disposition: unit.disposition,
        enforced: unit.enforced,
        account: unit.account.as_str().to_owned(),
        reply: unit.reply,
        events: unit.events.into_iter().map(event).collect(),
    }
}
