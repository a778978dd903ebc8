//! How often detections hit, by the hour, and how often people said that they were wrong, over HTTP.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::word;
use crate::access::{Operator, Permission};

/// Days that one answer goes back at most.
const DAYS_MAX: u64 = 90;

/// Of which detection, and for how long.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct HitsQuery {
    /// The code of a detection; all without.
    pub(crate) detection: Option<String>,
    /// Days back from now: 7, or another number up to 90.
    pub(crate) days: Option<u64>,
}

/// How often detections hit.
#[derive(Debug, Serialize, ToSchema)]
pub struct HitsView {
    /// By hour and detection version, oldest first. The present hour is counted every minute.
    pub(crate) hours: Vec<HourView>,
    /// Distinct messages of the same time that people have called a false positive or an incident has cleared, by
    /// detection.
    pub(crate) contradictions: Vec<ContradictedView>,
}

/// What a detection version hit in one hour.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HourView {
    pub(crate) hour: String,
    pub(crate) detection: String,
    pub(crate) detection_version: String,
    /// Messages.
    pub(crate) hits: u64,
    /// Those of them on which it could act: it was enforced, and its effect is to hold or to block. What was held is
    /// policy's to say, and what is held still is found with `detection:CODE state:held`.
    pub(crate) acted: u64,
}

/// How often a detection was wrong, by what people and incidents say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContradictedView {
    pub(crate) detection: String,
    pub(crate) messages: u64,
}

/// `GET /api/v1/hits`: how often detections hit, by the hour.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "detection.hits",
    path = "/api/v1/hits",
    params(HitsQuery),
    responses((status = 200, body = HitsView), Refusal),
)]
pub async fn hits(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<HitsQuery>,
) -> ApiResult<HitsView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let days = ask.days.unwrap_or(7);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ApiError::Bad(format!("days is 1 to {DAYS_MAX}")));
    }
    let code = match &ask.detection {
        Some(code) => Some(word::detection(console.store()?, code).await?),
        None => None,
    };
    let since = console.clock.now().before(Duration::from_secs(days * 24 * 3600));
    let store = console.store()?;
    let hours = store.hours_of_hits(code.as_ref(), since).await?.into_iter().map(|one| HourView {
        hour: one.hour.to_string(),
        detection: one.suspect.code.to_string(),
        detection_version: one.suspect.version.to_string(),
        hits: one.hits,
        acted: one.acted,
    });
    let hours = hours.collect();
    let said = store.contradictions(since).await?.into_iter();
    let said = said.filter(|(detection, _)| code.as_ref().is_none_or(|code| code == detection));
    let said = said.map(|(detection, messages)| ContradictedView { detection: detection.to_string(), messages });
    Ok(Json(HitsView { hours, contradictions: said.collect() }))
}
