//! Allow and block entries: what people know better than any detection, for whom, until when.

use std::time::Duration;

use api_types::entry::{EntryAsk, EntryView, RemoveAsk};
use domain::entry::{Entry, Reach, Subject};
use domain::{Address, DomainName, MailId};
use store::people::scope::Scope;

use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::block_like;
use crate::error::{ServiceError, ServiceResult};

/// Hours that a block holds without a word: long enough for an emergency, short enough to be thought about.
const BLOCK_HOURS: u64 = 24;

/// Hours that an allow holds without a word.
const ALLOW_HOURS: u64 = 30 * 24;

/// Hours that an allow which clears malware holds without a word, and at most.
const MALWARE_HOURS: u64 = 7 * 24;

const MALWARE_HOURS_MAX: u64 = 30 * 24;

/// Hours that any entry may hold.
const HOURS_MAX: u64 = 366 * 24;

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

/// The entries in force, newest first; for operators of some domains those that count for them.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<EntryView>> {
    operator.may(Permission::Look)?;
    let entries = service.store()?.entries.entries(service.clock.now()).await?.into_iter();
    let seen = entries.filter(|entry| entry.reach == Reach::Everyone || is_covered(&operator.scope, &entry.reach));
    Ok(seen.map(view).collect())
}

/// Makes an entry. It counts within a second.
///
/// # Errors
/// When something about it is wrong, or the operator may not.
pub async fn add(service: &Service, operator: &Operator, ask: EntryAsk) -> ServiceResult<EntryView> {
    operator.may(Permission::Rules)?;
    let now = service.clock.now();
    let allow = word::one_of("action", &ask.action, &["allow", "block"])? == "allow";
    let subject =
        Subject::parse(&ask.kind.to_lowercase(), &ask.value).map_err(|error| ServiceError::Bad(error.to_string()))?;
    let reach = reach(&ask)?;
    if !is_covered(&operator.scope, &reach) {
        return Err(ServiceError::Forbidden("this entry would count for others than your domains".into()));
    }
    if ask.clears_malware && !(allow && matches!(subject, Subject::File(_))) {
        return Err(ServiceError::Bad("only an allow entry for a file may clear malware".into()));
    }
    if allow && subject.is_likeness() {
        let why = "what looks like something can be made by anybody: pictures and texts are only blocked";
        return Err(ServiceError::Bad(why.into()));
    }
    block_like::refuse_known_good(service, &subject).await?;
    let (usual, most) = match (allow, ask.clears_malware) {
        (_, true) => (MALWARE_HOURS, MALWARE_HOURS_MAX),
        (true, false) => (ALLOW_HOURS, HOURS_MAX),
        (false, false) => (BLOCK_HOURS, HOURS_MAX),
    };
    let hours = ask.hours.unwrap_or(usual);
    if !(1..=most).contains(&hours) || ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad(format!("give a reason, and 1 to {most} hours for an entry of this kind")));
    }
    let caused_by = ask.caused_by.as_deref().map(|mail| {
        mail.parse::<MailId>().map_err(|_| ServiceError::Bad(format!("'{mail}' is not the id of a message")))
    });
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
        service.record(entry.owner.clone(), &format!("entry.{action}"), &format!("{kind} {value}"), &what).await?;
        entry.id = service.store()?.entries.add_entry(entry.clone()).await?;
        service.signals.entries.notify_one();
    }
    Ok(view(entry))
}

fn reach(ask: &EntryAsk) -> Result<Reach, ServiceError> {
    match (&ask.domain, &ask.recipient) {
        (Some(_), Some(_)) => Err(ServiceError::Bad("give a domain or a recipient, not both".into())),
        (Some(domain), None) => Ok(Reach::Domain(domain.trim().into())),
        (None, Some(recipient)) => {
            let address = Address::parse(recipient.trim());
            let address = address.map_err(|error| ServiceError::Bad(format!("recipient '{recipient}': {error}")))?;
            Ok(Reach::Recipient(address.normal()))
        }
        (None, None) => Ok(Reach::Everyone),
    }
}

/// Ends an entry. It counts no more within a second.
///
/// # Errors
/// When it is not in force, or the operator may not.
pub async fn remove(service: &Service, operator: &Operator, id: u64, ask: RemoveAsk) -> ServiceResult<EntryView> {
    operator.may(Permission::Rules)?;
    let unknown = || ServiceError::NotFound(format!("entry {id} is not in force; `reprieve entry list` shows what is"));
    let now = service.clock.now();
    let entry =
        service.store()?.entries.entries(now).await?.into_iter().find(|entry| entry.id == id).ok_or_else(unknown)?;
    if !is_covered(&operator.scope, &entry.reach) {
        return Err(unknown());
    }
    if !ask.what_if {
        let by = operator.actor(&ask.actor);
        service.record(by.clone(), "entry.remove", &id.to_string(), &ask.reason).await?;
        service.store()?.entries.remove_entry(id, by, now).await?;
        service.signals.entries.notify_one();
    }
    Ok(view(entry))
}
