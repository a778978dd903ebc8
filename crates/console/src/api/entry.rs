//! Allow and block entries over HTTP: what people know better than any detection, for whom, until when.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::entry::{Entry, Reach, Subject};
use domain::{Address, DomainName, MailId};
use serde::{Deserialize, Serialize};
use store::scope::Scope;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::word;
use crate::access::{Operator, Permission};

/// Hours that a block holds without a word: long enough for an emergency, short enough to be thought about.
const BLOCK_HOURS: u64 = 24;
/// Hours that an allow holds without a word.
const ALLOW_HOURS: u64 = 30 * 24;
/// Hours that an allow which clears malware holds without a word, and at most.
const MALWARE_HOURS: u64 = 7 * 24;
const MALWARE_HOURS_MAX: u64 = 30 * 24;
/// Hours that any entry may hold.
const HOURS_MAX: u64 = 366 * 24;

/// An entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    pub(crate) id: u64,
    /// allow or block.
    pub(crate) action: String,
    /// sender, domain, url, file or ip.
    pub(crate) kind: String,
    pub(crate) value: String,
    /// everyone, domain or recipient.
    pub(crate) reach: String,
    /// The domain or the recipient; empty for everyone.
    pub(crate) whom: String,
    pub(crate) clears_malware: bool,
    pub(crate) owner: String,
    pub(crate) reason: String,
    /// The message because of whose verdict it was made: an incident that takes the verdict back ends the entry.
    pub(crate) caused_by: Option<String>,
    pub(crate) made: String,
    pub(crate) expires: String,
    pub(crate) last_used: Option<String>,
}

fn view(entry: Entry) -> EntryView {
    let (reach, whom) = match entry.reach {
        Reach::Everyone => ("everyone", String::new()),
        Reach::Domain(domain) => ("domain", domain.into()),
        Reach::Recipient(address) => ("recipient", address),
    };
    EntryView {
        id: entry.id,
        action: if entry.allow { "allow" } else { "block" }.to_owned(),
        kind: entry.subject.kind().to_owned(),
        value: entry.subject.value(),
        reach: reach.to_owned(),
        whom,
        clears_malware: entry.clears_malware,
        owner: entry.owner,
        reason: entry.reason,
        caused_by: entry.caused_by.map(|mail| mail.to_string()),
        made: entry.made.to_string(),
        expires: entry.expires.to_string(),
        last_used: entry.last_used.map(|at| at.to_string()),
    }
}

/// Whether an operator may see and touch an entry: what counts for everyone is for operators of all domains to touch.
fn is_covered(scope: &Scope, reach: &Reach) -> bool {
    match reach {
        Reach::Everyone => *scope == Scope::All,
        Reach::Domain(domain) => scope.covers(domain),
        Reach::Recipient(address) => {
            address.rsplit_once('@').is_some_and(|(_, domain)| scope.covers(&DomainName::of(domain)))
        }
    }
}

/// `GET /api/v1/entries`: the entries in force, newest first; for operators of some domains those that count for them.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "entry.list",
    path = "/api/v1/entries",
    responses((status = 200, body = [EntryView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<EntryView>> {
    operator.may(Permission::Look)?;
    let entries = console.store()?.entries(console.clock.now()).await?.into_iter();
    let seen = entries.filter(|entry| entry.reach == Reach::Everyone || is_covered(&operator.scope, &entry.reach));
    Ok(Json(seen.map(view).collect()))
}

/// What entry to make.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryAsk {
    /// allow or block.
    pub(crate) action: String,
    /// sender, domain, url, file or ip.
    pub(crate) kind: String,
    /// An address; a domain; a host with the beginning of a path; the SHA-256 of a file; an address or a network.
    pub(crate) value: String,
    /// Why, for the record.
    pub(crate) reason: String,
    /// The message because of whose verdict it is made.
    pub(crate) caused_by: Option<String>,
    /// Only for units of this accepted domain.
    pub(crate) domain: Option<String>,
    /// Only for this recipient.
    pub(crate) recipient: Option<String>,
    /// How long it holds: a day for a block, 30 days for an allow, 7 for one that clears malware, unless it is given.
    pub(crate) hours: Option<u64>,
    /// An allow entry for a file: malware as well.
    #[serde(default)]
    pub(crate) clears_malware: bool,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
    /// Only say what would be made.
    #[serde(default)]
    pub(crate) what_if: bool,
}

/// `POST /api/v1/entries`: makes an entry. It counts within a second.
///
/// # Errors
/// When something about it is wrong, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "entry.add",
    path = "/api/v1/entries",
    request_body = EntryAsk,
    responses((status = 200, body = EntryView), Refusal),
)]
pub async fn add(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<EntryAsk>,
) -> ApiResult<EntryView> {
    operator.may(Permission::Rules)?;
    let now = console.clock.now();
    let allow = word::one_of("action", &ask.action, &["allow", "block"])? == "allow";
    let subject =
        Subject::parse(&ask.kind.to_lowercase(), &ask.value).map_err(|error| ApiError::Bad(error.to_string()))?;
    let reach = reach(&ask)?;
    if !is_covered(&operator.scope, &reach) {
        return Err(ApiError::Forbidden("this entry would count for others than your domains".into()));
    }
    if ask.clears_malware && !(allow && matches!(subject, Subject::File(_))) {
        return Err(ApiError::Bad("only an allow entry for a file may clear malware".into()));
    }
    let (usual, most) = match (allow, ask.clears_malware) {
        (_, true) => (MALWARE_HOURS, MALWARE_HOURS_MAX),
        (true, false) => (ALLOW_HOURS, HOURS_MAX),
        (false, false) => (BLOCK_HOURS, HOURS_MAX),
    };
    let hours = ask.hours.unwrap_or(usual);
    if !(1..=most).contains(&hours) || ask.reason.trim().is_empty() {
        return Err(ApiError::Bad(format!("give a reason, and 1 to {most} hours for an entry of this kind")));
    }
    let caused_by = ask
        .caused_by
        .as_deref()
        .map(|mail| mail.parse::<MailId>().map_err(|_| ApiError::Bad(format!("'{mail}' is not the id of a message"))));
    let mut entry = Entry {
        caused_by: caused_by.transpose()?,
        id: 0,
        allow,
        subject,
        reach,
        clears_malware: ask.clears_malware,
        owner: operator.actor(&ask.actor),
        reason: ask.reason.trim().to_owned(),
        made: now,
        expires: now.after(Duration::from_secs(hours * 3600)),
        last_used: None,
    };
    if !ask.what_if {
        let EntryView { action, kind, value, reach, whom, .. } = view(entry.clone());
        let malware = if entry.clears_malware { ", malware as well" } else { "" };
        let what = format!("{reach} {whom} for {hours} h{malware}: {}", entry.reason);
        console.record(entry.owner.clone(), &format!("entry.{action}"), &format!("{kind} {value}"), &what).await?;
        entry.id = console.store()?.add_entry(entry.clone()).await?;
        console.signals.entries.notify_one();
    }
    Ok(Json(view(entry)))
}

fn reach(ask: &EntryAsk) -> Result<Reach, ApiError> {
    match (&ask.domain, &ask.recipient) {
        (Some(_), Some(_)) => Err(ApiError::Bad("give a domain or a recipient, not both".into())),
        (Some(domain), None) => Ok(Reach::Domain(domain.trim().into())),
        (None, Some(recipient)) => {
            let address = Address::parse(recipient.trim());
            let address = address.map_err(|error| ApiError::Bad(format!("recipient '{recipient}': {error}")))?;
            Ok(Reach::Recipient(address.normal()))
        }
        (None, None) => Ok(Reach::Everyone),
    }
}

/// Why to end it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAsk {
    /// Why, for the record.
    #[serde(default)]
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
    /// Only say what would be ended.
    #[serde(default)]
    pub(crate) what_if: bool,
}

/// `POST /api/v1/entries/{id}/remove`: ends an entry. It counts no more within a second.
///
/// # Errors
/// When it is not in force, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "entry.remove",
    path = "/api/v1/entries/{id}/remove",
    params(("id" = u64, Path, description = "The number of an entry")),
    request_body = RemoveAsk,
    responses((status = 200, body = EntryView), Refusal),
)]
pub async fn remove(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<u64>,
    Json(ask): Json<RemoveAsk>,
) -> ApiResult<EntryView> {
    operator.may(Permission::Rules)?;
    let unknown = || ApiError::NotFound(format!("entry {id} is not in force; `reprieve entry list` shows what is"));
    let now = console.clock.now();
    let entry = console.store()?.entries(now).await?.into_iter().find(|entry| entry.id == id).ok_or_else(unknown)?;
    if !is_covered(&operator.scope, &entry.reach) {
        return Err(unknown());
    }
    if !ask.what_if {
        let by = operator.actor(&ask.actor);
        console.record(by.clone(), "entry.remove", &id.to_string(), &ask.reason).await?;
        console.store()?.remove_entry(id, by, now).await?;
        console.signals.entries.notify_one();
    }
    Ok(Json(view(entry)))
}
