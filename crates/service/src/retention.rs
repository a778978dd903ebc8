//! Retention: whether the clock is believed, that it is right, and taking back what was deleted or expired.

use api_types::retention::{ClockView, ConfirmAsk, RecoverAsk, RecoveredView};
use platform::removal::Looked;
use store::quarantine::recovery::Ended;

use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Units that one request takes back at most.
const RECOVERED_MAX: i64 = 5000;

/// Units of one write.
const BATCH: usize = 100;

/// The clock as it was found.
pub(super) fn clock_view(looked: &Looked) -> ClockView {
    let why = looked.doubt.map(|doubt| {
        format!(
            "{doubt}; nothing is removed until it is set right, `reprieve retention confirm-clock` says that it is \
                right, or as much time has run"
        )
    });
    ClockView {
        state: if why.is_some() { "doubted" } else { "believed" }.to_owned(),
        now: looked.now.to_string(),
        certain: looked.reached.to_string(),
        why: why.unwrap_or_default(),
        confirmed: looked.confirmed.map(|at| at.to_string()),
    }
}

/// Whether the clock is believed, so that what is over goes.
///
/// # Errors
/// When the operator may not.
pub async fn clock(service: &Service, operator: &Operator) -> ServiceResult<ClockView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    Ok(clock_view(&service.removal.look(&service.store()?.upkeep).await?))
}

/// The clock is right, although it is doubted. What is over goes from now on,
/// little by little.
///
/// # Errors
/// When no reason is given, the clock is not doubted, or the operator may not.
pub async fn confirm_clock(service: &Service, operator: &Operator, ask: ConfirmAsk) -> ServiceResult<ClockView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad("say how you know that the clock is right: it goes into the record".into()));
    }
    let store = service.store()?;
    let looked = service.removal.look(&store.upkeep).await?;
    if looked.doubt.is_none() {
        return Err(ServiceError::Conflict(format!("the clock is believed: it says {}", looked.now)));
    }
    service.record(operator.actor(&ask.actor), "retention.confirm-clock", &looked.now.to_string(), &ask.reason).await?;
    let confirmed = service.removal.confirm(&store.upkeep).await?;
    service.signals.retention.notify_one();
    Ok(clock_view(&confirmed))
}

/// Takes back into the quarantine what expired (and what was deleted) since a moment,
/// as long as its bytes are there: that is a day. 5,000 units at once; it has its whole time in the quarantine anew.
///
/// # Errors
/// When the moment makes no sense, no reason is given, or the operator may not.
pub async fn recover(service: &Service, operator: &Operator, ask: RecoverAsk) -> ServiceResult<RecoveredView> {
    operator.may(Permission::Decide)?;
    if !ask.what_if && ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad("say why: it goes into the record".into()));
    }
    let since = word::beginning("since", &ask.since, service.clock.now())?;
    let ended = Ended { since, expired: true, deleted: ask.deleted };
    let store = service.store()?;
    let (count, units) = store.quarantine.recoverable(&ended, &operator.scope, RECOVERED_MAX).await?;
    if ask.what_if {
        return Ok(RecoveredView { what_if: true, units: count, remain: 0 });
    }
    let actor = operator.actor(&ask.actor);
    let object = format!("{} units that ended since {since}", units.len());
    service.record(actor.clone(), "retention.recover", &object, &ask.reason).await?;
    let mut back = 0;
    for batch in units.chunks(BATCH) {
        back += store.quarantine.recover(batch.to_vec(), service.clock.now(), &actor, &ask.reason).await?.len() as u64;
    }
    Ok(RecoveredView { what_if: false, units: back, remain: count.saturating_sub(units.len() as u64) })
}
