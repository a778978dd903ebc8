//! The quarantine. Names after Exchange's verbs where they exist. One verb a file: [`list`], [`show`],
//! [`read`] (somebody's mail), [`copy`] (to somebody else), [`close`] (to what lets a recipient in), [`request`] (what
//! recipients ask for), [`release`], [`settle`] (deny, delete).

pub mod close;
pub mod copy;
pub mod list;
pub mod read;
pub mod release;
pub mod request;
pub mod settle;
pub mod show;

use api_types::quarantine::{HeldView, PartView, RecipientView};
use domain::MailId;
use domain::held::{ReleaseStatus, status_of_all};
use store::quarantine::{HeldMessage, HeldUnit};
use store::{Scope, Store};

use super::word;
use crate::error::ServiceError;

fn mail_id(text: &str) -> Result<MailId, ServiceError> {
    text.parse().map_err(|error: domain::id::BadMailId| ServiceError::Bad(error.to_string()))
}

fn view(held: &HeldMessage) -> HeldView {
    let (detection, detection_version) = held.cause().unzip();
    let status = status_of_all(held.units.iter().map(|unit| unit.account));
    HeldView {
        id: held.mail_id.to_string(),
        mail_id: held.mail_id.to_string(),
        received: held.received.to_string(),
        direction: held.units.first().map_or("", |unit| unit.direction.as_str()).to_owned(),
        sender: held.sender.clone(),
        subject: held.subject.clone(),
        message_id: held.message_id.clone(),
        category: held.category.clone(),
        detection,
        detection_version,
        status: status.map_or("", ReleaseStatus::as_str).to_owned(),
        size: held.size,
        sha256: held.sha256.clone(),
        recipients: held
            .units
            .iter()
            .map(|unit| RecipientView { address: unit.recipient.clone(), state: unit.account.as_str().to_owned() })
            .collect(),
    }
}

async fn one(store: &Store, id: &str, scope: &Scope) -> Result<HeldMessage, ServiceError> {
    let held = store.quarantine.held_one(mail_id(id)?, scope).await?;
    held.ok_or_else(|| not_held(id))
}

/// Held messages by their ids, all of them or none.
async fn some(store: &Store, ids: &[String], scope: &Scope) -> Result<Vec<HeldMessage>, ServiceError> {
    let wanted = ids.iter().map(|id| mail_id(id)).collect::<Result<Vec<MailId>, _>>()?;
    let held = store.quarantine.held_some(&wanted, scope).await?;
    let missing = wanted.iter().find(|id| !held.iter().any(|held| held.mail_id == **id));
    match missing {
        None => Ok(held),
        Some(id) => Err(not_held(&id.to_string())),
    }
}

fn not_held(id: &str) -> ServiceError {
    ServiceError::NotFound(format!("no held message {id}; `reprieve quarantine list` shows them"))
}

pub(super) fn part_view(part: domain::message::Part) -> PartView {
    PartView {
        number: part.number,
        name: part.name,
        declared: part.declared,
        content_type: part.content_type,
        family: part.family.as_str().to_owned(),
        size: part.size,
        sha256: part.sha256.hex(),
    }
}

/// The units that a request means: those of the named recipients, or all.
fn chosen<'h>(held: &'h HeldMessage, recipients: &[String]) -> Result<Vec<&'h HeldUnit>, ServiceError> {
    if let Some(unknown) = recipients.iter().find(|wanted| !held.units.iter().any(|unit| is(unit, wanted))) {
        return Err(ServiceError::Bad(format!("{unknown} is not a recipient of {}", held.mail_id)));
    }
    let wanted = |unit: &&HeldUnit| recipients.is_empty() || recipients.iter().any(|wanted| is(unit, wanted));
    Ok(held.units.iter().filter(wanted).collect())
}

fn is(unit: &HeldUnit, address: &str) -> bool {
    domain::address::normal(&unit.recipient) == domain::address::normal(address)
}
