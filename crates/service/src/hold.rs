//! Legal hold: mail that neither expires nor is deleted until the hold is lifted.

use std::time::Duration;

use api_types::hold::{HoldAsk, HoldQuery, HoldView, LiftAsk, OnHoldView};
use domain::MailId;
use domain::audit::Entry;
use domain::hold::{Hold, Kind, Lifted};
use store::Scope;

use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Holds that are listed at most.
const LISTED_MAX: i64 = 1_000;
/// What the audit log calls it that a hold is made.
const ADD: &str = "hold.add";
/// How long it is counted what a hold would be about.
const COUNT_BUDGET: Duration = Duration::from_secs(2);
/// The width of a column over time, where nobody looks at any: a hundred years, in microseconds.
const ALL_TIME: i64 = 100 * 366 * 86_400 * 1_000_000;

/// A hold as its entry of the audit log names it.
fn object(hold: &Hold) -> String {
    format!("{} {}", hold.kind.as_str(), hold.what)
}

fn view(hold: Hold, mails: u64) -> HoldView {
    let (lifted, lifted_by, lifted_reason) = match hold.lifted {
        Some(lifted) => (Some(lifted.at.to_string()), lifted.by, lifted.reason),
        None => (None, String::new(), String::new()),
    };
    HoldView {
        number: hold.number,
        kind: hold.kind.as_str().to_owned(),
        what: hold.what,
        reason: hold.reason,
        by: hold.by,
        made: hold.at.to_string(),
        mails,
        lifted,
        lifted_by,
        lifted_reason,
    }
}

/// The holds, newest first.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator, ask: HoldQuery) -> ServiceResult<Vec<HoldView>> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let upkeep = &service.store()?.upkeep;
    let found = upkeep.mails_on_holds().await?;
    let holds = upkeep.holds(ask.lifted, LISTED_MAX).await?;
    Ok(holds
        .into_iter()
        .map(|hold| (found.get(&hold.number).copied().unwrap_or(0), hold))
        .map(|(n, hold)| view(hold, n))
        .collect())
}

/// Makes a hold: from now on nothing that it is about expires, is deleted or is purged, whatever came before it and
/// whatever comes later.
///
/// # Errors
/// When something about it is wrong, or the operator may not.
pub async fn add(service: &Service, operator: &Operator, ask: HoldAsk) -> ServiceResult<HoldView> {
    operator.may(Permission::Hold)?;
    operator.must_see_all()?;
    let kind = Kind::parse(word::one_of("kind", &ask.kind, &Kind::ALL.map(Kind::as_str))?);
    let kind = kind.ok_or_else(|| ServiceError::Internal("a kind without its name".into()))?;
    let what = match ask.what.trim().parse::<MailId>() {
        // As it is kept.
        Ok(mail) if kind == Kind::Mail => mail.to_string(),
        _ => ask.what.trim().to_owned(),
    };
    let mut hold = Hold {
        number: 0,
        kind,
        what,
        reason: ask.reason.trim().to_owned(),
        by: operator.actor(&ask.actor),
        at: service.clock.now(),
        lifted: None,
    };
    let query = hold.query().map_err(ServiceError::Bad)?;
    if ask.what_if {
        let explorer = &service.store()?.explorer;
        let sum = explorer.summarise(&query, &Scope::All, None, ALL_TIME, COUNT_BUDGET).await?;
        return Ok(view(hold, sum.units));
    }
    if hold.reason.is_empty() {
        return Err(ServiceError::Bad("say why: it goes into the record".into()));
    }
    let upkeep = &service.store()?.upkeep;
    // What is refused anyway is not on record as done.
    upkeep.may_add_hold(&hold).await?;
    service.record(hold.by.clone(), ADD, &object(&hold), &hold.reason).await?;
    hold.number = upkeep.add_hold(hold.clone()).await?;
    service.signals.hold.notify_one();
    let mails = u64::from(hold.kind == Kind::Mail);
    Ok(view(hold, mails))
}

/// Lifts a hold: what it was about goes its way again, a day later at the earliest.
///
/// # Errors
/// When no reason is given, there is no open hold of this number, or the operator may not.
pub async fn lift(service: &Service, operator: &Operator, number: u64, ask: LiftAsk) -> ServiceResult<HoldView> {
    operator.may(Permission::Hold)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad("say why: it goes into the record".into()));
    }
    let upkeep = &service.store()?.upkeep;
    let open = upkeep.holds(false, i64::MAX).await?.into_iter().find(|hold| hold.number == number);
    let unknown = || ServiceError::NotFound(format!("hold {number} is not open; `reprieve hold list` shows what is"));
    let hold = open.ok_or_else(unknown)?;
    let found = upkeep.mails_on_holds().await?.get(&number).copied().unwrap_or(0);
    let by = operator.actor(&ask.actor);
    service.record(by.clone(), "hold.lift", &format!("{number}: {}", object(&hold)), &ask.reason).await?;
    let lifted = Lifted { at: service.clock.now(), by, reason: ask.reason.trim().to_owned() };
    upkeep.lift_hold(number, lifted.clone()).await?;
    service.signals.hold.notify_one();
    Ok(view(Hold { lifted: Some(lifted), ..hold }, found))
}

/// The holds that a message is on.
pub(crate) async fn of_mail(service: &Service, mail: MailId) -> ServiceResult<Vec<OnHoldView>> {
    let view = |hold: Hold| OnHoldView {
        number: hold.number,
        kind: hold.kind.as_str().to_owned(),
        reason: hold.reason,
        by: hold.by,
        made: hold.at.to_string(),
    };
    Ok(service.store()?.upkeep.holds_of(mail).await?.into_iter().map(view).collect())
}

/// Refuses to erase the entry of the audit log by which a hold was made that is open: why it is there, and for whom, is
/// what it rests on.
pub(crate) async fn refuse_erasure(service: &Service, entry: &Entry) -> ServiceResult<()> {
    if entry.action != ADD {
        return Ok(());
    }
    let open = service.store()?.upkeep.holds(false, i64::MAX).await?;
    match open.iter().find(|hold| object(hold) == entry.object) {
        None => Ok(()),
        Some(Hold { number, .. }) => Err(ServiceError::Conflict(format!(
            "entry {} is why hold {number} is open: it is not erased until that is lifted",
            entry.seq
        ))),
    }
}

/// Refuses to delete a message that is on hold, before anything is said to have been done.
pub(crate) async fn refuse_deletion(service: &Service, mail: MailId) -> ServiceResult<()> {
    let holds = service.store()?.upkeep.holds_of(mail).await?;
    if holds.is_empty() {
        return Ok(());
    }
    let numbers: Vec<String> = holds.iter().map(|hold| hold.number.to_string()).collect();
    let numbers = numbers.join(", ");
    Err(ServiceError::Conflict(format!("{mail} is on hold {numbers}: it is not deleted until that is lifted")))
}
