//! What operators are called for.

use api_types::alert::{AlertQuery, AlertView, SeenAsk};
use store::notices::alert::Alert;

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::ServiceResult;

/// Alerts of one answer at most.
const LISTED_MAX: i64 = 500;

fn view(alert: Alert) -> AlertView {
    let (seen, seen_by) = alert.seen.map(|(at, by)| (at.to_string(), by)).unzip();
    AlertView {
        number: alert.number,
        at: alert.at.to_string(),
        kind: alert.kind.as_str().to_owned(),
        subject: alert.subject,
        text: alert.text,
        seen,
        seen_by,
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
