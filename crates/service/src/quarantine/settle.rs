//! Deny, delete, and taking a deletion back: decisions of people that move units without sending anything.

use api_types::quarantine::{DecideAsk, ReleasedUnit, ReleasedView};
use domain::UnitId;
use domain::ledger::Move;
use store::mail::moves::UnitMove;

use super::{chosen, one};
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::ServiceResult;
use crate::hold;

/// A person decided that it stays. It can still be released by another decision.
///
/// # Errors
/// When it is not known, a recipient is not among its own, or the store fails.
pub async fn deny(service: &Service, operator: &Operator, id: &str, ask: DecideAsk) -> ServiceResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    settle(service, operator, id, ask, Move::Denied).await
}

/// It is gone for people; its bytes stay until retention removes them.
///
/// # Errors
/// As [`deny`].
pub async fn delete(service: &Service, operator: &Operator, id: &str, ask: DecideAsk) -> ServiceResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    settle(service, operator, id, ask, Move::Deleted).await
}

/// What was deleted or expired is held again, as long as its bytes are there: a
/// day.
///
/// # Errors
/// As [`deny`]; it is not known any more when its bytes are gone.
pub async fn recover(service: &Service, operator: &Operator, id: &str, ask: DecideAsk) -> ServiceResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    settle(service, operator, id, ask, Move::Recovered).await
}

async fn settle(
    service: &Service,
    operator: &Operator,
    id: &str,
    ask: DecideAsk,
    by: Move,
) -> ServiceResult<ReleasedView> {
    let store = service.store()?;
    let held = one(store, id, &operator.scope).await?;
    let actor = operator.actor(&ask.actor);
    if by == Move::Deleted {
        hold::refuse_deletion(service, held.mail_id).await?;
    }
    if !ask.what_if {
        service.record(actor.clone(), &format!("quarantine.{}", by.as_str()), id, &ask.reason).await?;
    }
    let mut units = Vec::new();
    for unit in chosen(&held, &ask.recipients)? {
        let (state, reply) = match unit.account.on(by) {
            Err(_) => (unit.account, format!("cannot be {} from here", done(by))),
            Ok(_) if ask.what_if => (unit.account, format!("would be {}", done(by))),
            Ok(to) => {
                let step = UnitMove {
                    unit: UnitId { mail: held.mail_id, number: unit.number },
                    from: unit.account,
                    by,
                    at: service.clock.now(),
                    actor: actor.clone(),
                    reason: ask.reason.clone(),
                };
                store.mail.move_units(vec![step]).await?;
                (to, String::new())
            }
        };
        let (recipient, state) = (unit.recipient.clone(), state.as_str().to_owned());
        units.push(ReleasedUnit { recipient, state, release_id: None, reply });
    }
    Ok(ReleasedView { id: held.mail_id.to_string(), what_if: ask.what_if, units })
}

/// What has been done to a unit that was moved so, as people say it.
fn done(by: Move) -> &'static str {
    match by {
        Move::Deleted => "deleted",
        Move::Recovered => "held again",
        _ => "denied",
    }
}
