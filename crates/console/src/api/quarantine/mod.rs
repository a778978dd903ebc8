//! The quarantine over HTTP. Names after Exchange's verbs where they exist. One verb a file: [`list`], [`show`],
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

use domain::MailId;
use domain::held::{ReleaseStatus, status_of_all};
use serde::Serialize;
use store::quarantine::{HeldMessage, HeldUnit};
use store::{Scope, Store};
use utoipa::ToSchema;

use super::Console;
use super::error::{self, ApiError};
use super::word;

fn mail_id(text: &str) -> Result<MailId, ApiError> {
    text.parse().map_err(|error: domain::id::BadMailId| ApiError::Bad(error.to_string()))
}

/// One row of the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldView {
    pub(crate) id: String,
    pub(crate) mail_id: String,
    pub(crate) received: String,
    pub(crate) direction: String,
    pub(crate) sender: String,
    pub(crate) subject: String,
    pub(crate) message_id: Option<String>,
    pub(crate) category: String,
    pub(crate) detection: Option<String>,
    pub(crate) detection_version: Option<String>,
    pub(crate) status: String,
    pub(crate) size: i64,
    pub(crate) sha256: String,
    pub(crate) recipients: Vec<RecipientView>,
}

/// One recipient of a row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecipientView {
    pub(crate) address: String,
    pub(crate) state: String,
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

async fn one(store: &Store, id: &str, scope: &Scope) -> Result<HeldMessage, ApiError> {
    let held = store.held_one(mail_id(id)?, scope).await?;
    held.ok_or_else(|| not_held(id))
}

/// Held messages by their ids, all of them or none.
async fn some(store: &Store, ids: &[String], scope: &Scope) -> Result<Vec<HeldMessage>, ApiError> {
    let wanted = ids.iter().map(|id| mail_id(id)).collect::<Result<Vec<MailId>, _>>()?;
    let held = store.held_some(&wanted, scope).await?;
    let missing = wanted.iter().find(|id| !held.iter().any(|held| held.mail_id == **id));
    match missing {
        None => Ok(held),
        Some(id) => Err(not_held(&id.to_string())),
    }
}

fn not_held(id: &str) -> ApiError {
    ApiError::NotFound(format!("no held message {id}; `reprieve quarantine list` shows them"))
}

/// A decoded part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartView {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) content_type: String,
    pub(crate) family: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
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
fn chosen<'h>(held: &'h HeldMessage, recipients: &[String]) -> Result<Vec<&'h HeldUnit>, ApiError> {
    if let Some(unknown) = recipients.iter().find(|wanted| !held.units.iter().any(|unit| is(unit, wanted))) {
        return Err(ApiError::Bad(format!("{unknown} is not a recipient of {}", held.mail_id)));
    }
    let wanted = |unit: &&HeldUnit| recipients.is_empty() || recipients.iter().any(|wanted| is(unit, wanted));
    Ok(held.units.iter().filter(wanted).collect())
}

fn is(unit: &HeldUnit, address: &str) -> bool {
    domain::address::normal(&unit.recipient) == domain::address::normal(address)
}

/// What became of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedView {
    pub(crate) id: String,
    pub(crate) what_if: bool,
    pub(crate) units: Vec<ReleasedUnit>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleasedUnit {
    pub(crate) recipient: String,
    pub(crate) state: String,
    pub(crate) release_id: Option<String>,
    pub(crate) reply: String,
}
