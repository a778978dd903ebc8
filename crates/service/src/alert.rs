//! What operators are called for.

use api_types::alert::{AlertQuery, AlertView, ChooseAsk, SeenAsk};
use api_types::detection::ModeAsk;
use api_types::sentinel::{ContainAsk, PinAsk};
use store::notices::alert::{Alert, AlertKind};

use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};
use crate::{Service, detection, sentinel, word};

/// Alerts of one answer at most.
const LISTED_MAX: i64 = 500;
/// What can be done at once about a detection that people are called for.
const CHOICES: [&str; 3] = ["contain", "off", "confirm"];
/// Hours that a choice holds, where it ends by itself.
const CHOICE_HOURS: u64 = 24;

/// Whether it is about one detection of our own, for which something can be chosen.
fn has_choices(alert: &Alert) -> bool {
    use AlertKind as K;
    let is_of_detection = matches!(alert.kind, K::Rate | K::Reports | K::Undecided | K::Pardoned | K::Forced);
    // Codes of engines outside, and of what changed together, have a colon.
    is_of_detection && !alert.subject.contains(':') && alert.seen.is_none()
}

fn view(alert: Alert) -> AlertView {
    let choices = if has_choices(&alert) { CHOICES.map(str::to_owned).to_vec() } else { Vec::new() };
    let (seen, seen_by) = alert.seen.map(|(at, by)| (at.to_string(), by)).unzip();
    AlertView {
        number: alert.number,
        at: alert.at.to_string(),
        kind: alert.kind.as_str().to_owned(),
        subject: alert.subject,
        text: alert.text,
        seen,
        seen_by,
        choices,
    }
}

/// What operators are called for, newest first, 500 at most.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator, query: AlertQuery) -> ServiceResult<Vec<AlertView>> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let alerts = service.store()?.notices.alerts(query.seen, LISTED_MAX).await?;
    Ok(alerts.into_iter().map(view).collect())
}

/// Somebody has seen it; nobody is called for it any more.
///
/// # Errors
/// When there is none of this number, or the operator may not.
pub async fn seen(service: &Service, operator: &Operator, number: i64, ask: SeenAsk) -> ServiceResult<AlertView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let (store, at, by) = (service.store()?, service.clock.now(), operator.actor(&ask.actor));
    let mut alert = store.notices.alert(number).await?;
    if alert.seen.is_none() {
        service.record(by.clone(), "alert.seen", &number.to_string(), &ask.reason).await?;
        store.notices.mark_alert_seen(number, at, &by).await?;
        alert.seen = Some((at, by));
    }
    Ok(view(alert))
}

/// Does at once what somebody has chosen about the detection of an alert, and counts the alert as seen.
///
/// # Errors
/// When there is none of this number or no such choice, the detection is not in force, or the operator may not.
pub async fn choose(service: &Service, operator: &Operator, number: i64, ask: ChooseAsk) -> ServiceResult<AlertView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let choice = word::one_of("choice", &ask.choice, &CHOICES)?;
    let alert = service.store()?.notices.alert(number).await?;
    if !has_choices(&alert) {
        return Err(ServiceError::Conflict(format!("alert {number} has nothing to choose, or somebody has seen it")));
    }
    let (code, actor) = (alert.subject, ask.actor);
    let said = ask.reason.trim();
    let reason = if said.is_empty() { format!("chosen at alert {number}") } else { said.to_owned() };
    let hours = Some(CHOICE_HOURS);
    match choice {
        "contain" => {
            let (detection, reason, actor) = (code.clone(), reason.clone(), actor.clone());
            let ask = ContainAsk { detection, version: None, reason, hours, release: false, actor, what_if: false };
            sentinel::contain(service, operator, ask).await.map(drop)?;
        }
        "off" => {
            let (mode, reason, actor) = ("off".to_owned(), reason.clone(), actor.clone());
            let ask = ModeAsk { mode, reason, hours: CHOICE_HOURS, actor, what_if: false };
            detection::mode(service, operator, &code, ask).await.map(drop)?;
        }
        _ => {
            let ask = PinAsk { pinned: true, reason: reason.clone(), actor: actor.clone() };
            sentinel::pin(service, operator, &code, ask).await.map(drop)?;
        }
    }
    seen(service, operator, number, SeenAsk { reason: format!("{choice}: {reason}"), actor }).await
}
