//! How often detections hit, by the hour, and how often people said that they were wrong.

use std::time::Duration;

use api_types::hits::{ContradictedView, HitsQuery, HitsView, HourView};

use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Days that one answer goes back at most.
const DAYS_MAX: u64 = 90;

/// How often detections hit, by the hour.
///
/// # Errors
/// When the operator may not.
pub async fn hits(service: &Service, operator: &Operator, ask: HitsQuery) -> ServiceResult<HitsView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let days = ask.days.unwrap_or(7);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ServiceError::Bad(format!("days is 1 to {DAYS_MAX}")));
    }
    let code = match &ask.detection {
        Some(code) => Some(word::detection(service.store()?, code).await?),
        None => None,
    };
    let since = service.clock.now().before(Duration::from_secs(days * 24 * 3600));
    let store = service.store()?;
    let hours = store.evidence.hours_of_hits(code.as_ref(), since).await?.into_iter().map(|one| HourView {
        hour: one.hour.to_string(),
        detection: one.suspect.code.to_string(),
        detection_version: one.suspect.version.to_string(),
        hits: one.hits,
        acted: one.acted,
    });
    let hours = hours.collect();
    let said = store.submissions.contradictions(since).await?.into_iter();
    let said = said.filter(|(detection, _)| code.as_ref().is_none_or(|code| code == detection));
    let said = said.map(|(detection, messages)| ContradictedView { detection: detection.to_string(), messages });
    Ok(HitsView { hours, contradictions: said.collect() })
}
