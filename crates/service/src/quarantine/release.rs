//! Release: a row for each unit, found by the reconciler. Asking twice is asking once.

use std::collections::HashMap;

use api_types::quarantine::{ReleaseAsk, ReleaseManyAsk, ReleasedUnit, ReleasedView};
use domain::detection::Category;
use domain::ledger::Move;
use domain::release::ReleaseState;
use domain::{MailId, UnitId};
use store::quarantine::{HeldMessage, HeldUnit};
use store::release::Requested;

use super::{chosen, some};
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Messages of one request at most.
const IDS_MAX: usize = 500;

/// Asks for the release of some or all recipients. Asking twice is asking once.
///
/// # Errors
/// When it is not known, a recipient is not among its own, a reason is missing for what is harmful, or the store fails.
pub async fn release(service: &Service, operator: &Operator, id: &str, ask: ReleaseAsk) -> ServiceResult<ReleasedView> {
    let ids = vec![id.to_owned()];
    let released = release_all(service, operator, ids, ask).await?;
    let one = released.into_iter().next();
    one.ok_or_else(|| ServiceError::Internal("a release without an answer".into()))
}

/// Asks for the release of many messages. One that is not known lets nothing be
/// done.
///
/// # Errors
/// When one is not known, a recipient is not among its own, or the store fails.
pub async fn release_many(
    service: &Service,
    operator: &Operator,
    many: ReleaseManyAsk,
) -> ServiceResult<Vec<ReleasedView>> {
    if many.ids.is_empty() || many.ids.len() > IDS_MAX {
        return Err(ServiceError::Bad(format!("give 1 to {IDS_MAX} ids at once, not {}", many.ids.len())));
    }
    let ReleaseManyAsk { ids, recipients, reason, actor, what_if, confirm_refused } = many;
    let ask = ReleaseAsk { recipients, reason, actor, what_if, confirm_refused };
    release_all(service, operator, ids, ask).await
}

async fn release_all(
    service: &Service,
    operator: &Operator,
    ids: Vec<String>,
    ask: ReleaseAsk,
) -> Result<Vec<ReleasedView>, ServiceError> {
    operator.may(Permission::Decide)?;
    let store = service.store()?;
    let held = some(store, &ids, &operator.scope).await?;
    if !ask.what_if {
        takes_two_persons(service, &held)?;
        takes_a_reason(&held, &ask.reason)?;
    }
    let actor = operator.actor(&ask.actor);
    let mut wanted = Vec::new();
    for message in &held {
        for unit in chosen(message, &ask.recipients)? {
            wanted.push((message.mail_id, unit));
        }
    }
    let is_refused = |unit: &HeldUnit| unit.account == domain::Account::Refused && !ask.confirm_refused;
    let mut requested = HashMap::new();
    if !ask.what_if {
        let objects = held.iter().map(|message| message.mail_id.to_string());
        service.record_all(&actor, "quarantine.release", objects, &ask.reason).await?;
        let units: Vec<UnitId> = wanted
            .iter()
            .filter(|(_, unit)| !is_refused(unit))
            .map(|(mail, unit)| UnitId { mail: *mail, number: unit.number })
            .collect();
        let answers = store.releases.request_releases(&units, &actor, &ask.reason, service.clock.now()).await?;
        requested.extend(units.into_iter().zip(answers));
        service.signals.release.notify_one();
    }
    let mut views: Vec<ReleasedView> = Vec::new();
    for message in &held {
        let unit_view =
            |(mail, unit): &(MailId, &HeldUnit)| match requested.get(&UnitId { mail: *mail, number: unit.number }) {
                Some(answer) => answered(unit, answer),
                None => as_it_is(unit, is_refused(unit)),
            };
        let units = wanted.iter().filter(|(mail, _)| *mail == message.mail_id).map(unit_view).collect();
        views.push(ReleasedView { id: message.mail_id.to_string(), what_if: ask.what_if, units });
    }
    Ok(views)
}

/// Whether mail of this category harms whoever opens it: nobody releases it by a slip.
pub fn is_harmful(category: &str) -> bool {
    [Category::Malware, Category::HighConfidencePhish].map(Category::as_str).contains(&category)
}

/// What is harmful is released for a reason that is said.
fn takes_a_reason(held: &[HeldMessage], reason: &str) -> Result<(), ServiceError> {
    match held.iter().find(|one| is_harmful(&one.category)) {
        Some(one) if reason.trim().is_empty() => Err(ServiceError::Bad(format!(
            "{} was held as {}: give a reason for its release",
            one.mail_id, one.category
        ))),
        _ => Ok(()),
    }
}

/// Where that is configured, what is harmful reaches nobody by the word of one person.
pub(super) fn takes_two_persons<'h>(
    service: &Service,
    held: impl IntoIterator<Item = &'h HeldMessage>,
) -> Result<(), ServiceError> {
    let found = held.into_iter().find(|one| is_harmful(&one.category));
    let Some(one) = found.filter(|_| service.config.api.two_persons_above.is_some()) else { return Ok(()) };
    let how = format!(
        "ask for its release as a job (POST /api/v1/bulk with q = \"id:{}\", or /bulk), to which somebody else agrees",
        one.mail_id
    );
    Err(ServiceError::Conflict(format!("{} takes two persons: {how}", one.category)))
}

fn as_it_is(unit: &HeldUnit, refused: bool) -> ReleasedUnit {
    let can = unit.account.on(Move::ReleaseRequested).is_ok();
    let reply = match (refused, can) {
        (true, _) => "the sender was told that it failed; confirm_refused releases it all the same",
        (false, true) => "would be released",
        (false, false) => "would stay as it is: it cannot be released from here",
    };
    ReleasedUnit {
        recipient: unit.recipient.clone(),
        state: unit.account.as_str().into(),
        release_id: None,
        reply: reply.into(),
    }
}

fn answered(unit: &HeldUnit, answer: &Requested) -> ReleasedUnit {
    let (state, release_id, reply) = match answer {
        Requested::Queued(release) => ("releasing".to_owned(), Some(release), String::new()),
        Requested::Already(release, ReleaseState::Released) => {
            ("released".to_owned(), Some(release), unit.reply.clone())
        }
        Requested::Already(release, _) => (unit.account.as_str().to_owned(), Some(release), unit.reply.clone()),
        Requested::Impossible(account) => {
            (account.as_str().to_owned(), None, "cannot be released from here".to_owned())
        }
    };
    let (recipient, release_id) = (unit.recipient.clone(), release_id.map(ToString::to_string));
    ReleasedUnit { recipient, state, release_id, reply }
}
