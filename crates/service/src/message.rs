//! The life of messages.

use api_types::message::{EventView, TraceQuery, TraceView};
use domain::MailId;
use store::mail::trace::{TraceFilter, TracedUnit};

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// The units that fit, newest first.
///
/// # Errors
/// When nothing is asked for, or the store fails.
pub async fn trace(service: &Service, operator: &Operator, query: TraceQuery) -> ServiceResult<Vec<TraceView>> {
    operator.may(Permission::Look)?;
    let mail_id = query.mail_id.map(|text| text.parse::<MailId>()).transpose();
    let filter = TraceFilter {
        mail_id: mail_id.map_err(|error| ServiceError::Bad(error.to_string()))?,
        message_id: query.message_id,
        sender: query.sender,
        recipient: query.recipient,
    };
    let units = service.store()?.mail.trace(&filter, &operator.scope).await?;
    Ok(units.into_iter().map(view).collect())
}

fn view(unit: TracedUnit) -> TraceView {
    let event = |event: store::mail::trace::Event| EventView {
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
