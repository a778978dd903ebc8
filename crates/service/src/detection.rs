//! Detections: what is in force, what it has done, and the mode that people give it.

use std::time::Duration;

use api_types::detection::{
    ActiveDetection, DetectionView, EngineRow, FixturesView, ModeAsk, ModeView, RecordView, VersionRow,
};
use detect::ruleset::{diff, lint};
use domain::Timestamp;
use domain::detection::{Detection, DetectionCode, Mode};
use domain::sentinel::evidence::rate_at_most;
use platform::belief::Belief;
use store::evidence::hits::hour_of;
use store::rules::rollout::SetMode;
use store::rules::version::KeptFixtures;

use super::ruleset::detection_row;
use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Days of hits and reports that say how right a detection is.
const RECORD_DAYS: u64 = 30;

/// Hours that a mode may be set for.
const HOURS_MAX: u64 = 24 * 366;

fn mode_view(set: SetMode) -> ModeView {
    ModeView {
        code: set.code.to_string(),
        mode: format!("{:?}", set.mode),
        reason: set.reason,
        by: set.by,
        since: set.at.to_string(),
        until: set.until.to_string(),
    }
}

/// The detections in force.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<ActiveDetection>> {
    operator.may(Permission::Look)?;
    let kept = service.kept("live").await?;
    let mut modes = service.store()?.rules.modes(service.clock.now()).await?;
    let rows = kept.detections.iter().map(|(detection, _)| {
        let at = modes.iter().position(|set| set.code == detection.code);
        ActiveDetection { detection: detection_row(detection), set: at.map(|at| mode_view(modes.swap_remove(at))) }
    });
    Ok(rows.collect())
}

/// A detection in force, with its page, its source and its history.
///
/// # Errors
/// When it is not in force, or the operator may not.
pub async fn show(service: &Service, operator: &Operator, code: &str) -> ServiceResult<DetectionView> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let code = word::detection(store, code).await?;
    let kept = service.kept("live").await?;
    let found = kept.detections.into_iter().find(|(detection, _)| detection.code == code);
    let (detection, source) = found.ok_or_else(|| not_in_force(&code))?;
    let set = store.rules.modes(service.clock.now()).await?.into_iter().find(|set| set.code == code).map(mode_view);
    let fixtures = store.rules.fixtures_of(&code, &detection.version).await?;
    let record = match operator.must_see_all() {
        Ok(()) => Some(record_of(service, &detection).await?),
        Err(_) => None,
    };
    let cost = cost_of(service, &detection, &source).await?;
    Ok(DetectionView {
        active: ActiveDetection { detection: detection_row(&detection), set },
        page: kept.pages.get(&code).cloned().unwrap_or_default(),
        source,
        versions: history(store.rules.versions_of(&code).await?),
        fixtures: fixtures.map(|KeptFixtures { hit, miss, .. }| FixturesView { hit, miss }),
        cost_ms: cost,
        record,
    })
}

/// The code of a detection as it is kept, whatever the case in which it was written.
///
/// # Errors
/// [`ServiceError::NotFound`] when no detection is or was called so, or could be; or when the operator may not.
pub async fn code(service: &Service, operator: &Operator, text: &str) -> ServiceResult<DetectionCode> {
    operator.may(Permission::Look)?;
    DetectionCode::parse(text).map_err(|_| ServiceError::NotFound(format!("there is no detection {text}")))?;
    word::detection(service.store()?, text).await
}

/// What a version costs: measured when somebody first asks.
async fn cost_of(service: &Service, detection: &Detection, source: &str) -> Result<Option<f64>, ServiceError> {
    let known = service.costs.lock().expect("nobody panics while holding this").get(&detection.version).copied();
    if let Some(cost) = known {
        return Ok(cost);
    }
    let timed = (detection.clone(), source.to_owned());
    let cost = tokio::task::spawn_blocking(move || lint::cost(&timed.0, &timed.1)).await;
    let cost = cost.map_err(|panic| ServiceError::Internal(panic.to_string()))?.map_err(ServiceError::Internal)?;
    service.costs.lock().expect("nobody panics while holding this").insert(detection.version.clone(), cost);
    Ok(cost)
}

/// Versions, newest first, each with what changed in it.
fn history(versions: Vec<(Timestamp, Detection, String)>) -> Vec<VersionRow> {
    let row = |(at, (first_seen, one, source)): (usize, &(Timestamp, Detection, String))| VersionRow {
        version: one.version.to_string(),
        first_seen: first_seen.to_string(),
        changes: versions.get(at + 1).map_or_else(String::new, |(_, before, earlier)| {
            diff::between((before, earlier.as_str()), (one, source.as_str()))
        }),
    };
    versions.iter().enumerate().map(row).collect()
}

async fn record_of(service: &Service, detection: &Detection) -> Result<RecordView, ServiceError> {
    let store = service.store()?;
    let since = service.clock.now().before(Duration::from_secs(RECORD_DAYS * 24 * 3600));
    // The present hour is counted now; those before it have been.
    let present = hour_of(service.clock.now());
    let before =
        store.evidence.hours_of_hits(Some(&detection.code), since).await?.into_iter().filter(|one| one.hour < present);
    let now = store.evidence.count_hits(present).await?.into_iter().filter(|one| one.suspect.code == detection.code);
    let acted: u64 = before.chain(now).map(|one| one.acted).sum();
    let contradicted = store.submissions.contradictions(since).await?;
    let contradicted =
        contradicted.iter().find(|(code, _)| *code == detection.code).map_or(0, |(_, messages)| *messages);
    // One that it could only tag can be called wrong as well.
    let wrong = contradicted.min(acted);
    let belief = Belief::about(&store.evidence, &detection.code).await?;
    let own = belief.suspicions.iter().find(|(suspect, _)| suspect.version == detection.version);
    let (_, probe_hits, probe_seen) = own.map_or((1.0, 0, 0), |(_, suspicion)| suspicion.probe());
    Ok(RecordView {
        days: RECORD_DAYS,
        acted,
        contradicted,
        precision: (acted > 0).then(|| 1.0 - wrong as f64 / acted as f64),
        precision_least: (acted > 0).then(|| 1.0 - rate_at_most(wrong, acted)),
        probe_seen,
        probe_hits,
        false_positives_most: (probe_seen > 0).then(|| rate_at_most(probe_hits.into(), probe_seen.into())),
    })
}

/// Sets the mode of a detection for a time. It holds within a second.
///
/// # Errors
/// When it is not in force, a reason is missing, or the operator may not.
pub async fn mode(service: &Service, operator: &Operator, code: &str, ask: ModeAsk) -> ServiceResult<ActiveDetection> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let code = word::detection(service.store()?, code).await?;
    let mode = match word::one_of("mode", &ask.mode, &["enforce", "shadow", "off", "own"])? {
        "enforce" => Some(Mode::Enforce),
        "shadow" => Some(Mode::Shadow),
        "off" => Some(Mode::Off),
        _ => None,
    };
    if !(1..=HOURS_MAX).contains(&ask.hours) || (mode.is_some() && ask.reason.trim().is_empty()) {
        return Err(ServiceError::Bad(format!("give a reason, and 1 to {HOURS_MAX} hours")));
    }
    let kept = service.kept("live").await?;
    let (detection, _) =
        kept.detections.into_iter().find(|(one, _)| one.code == code).ok_or_else(|| not_in_force(&code))?;
    let (by, at) = (operator.actor(&ask.actor), service.clock.now());
    let until = at.after(Duration::from_secs(ask.hours * 3600));
    let set =
        mode.map(|mode| SetMode { code: code.clone(), mode, reason: ask.reason.clone(), by: by.clone(), at, until });
    if !ask.what_if {
        let what = format!("{} for {} h: {}", ask.mode, ask.hours, ask.reason);
        service.record(by, "detection.mode", code.as_str(), &what).await?;
        match &set {
            Some(set) => service.store()?.rules.set_mode(set.clone()).await?,
            None => service.store()?.rules.reset_mode(&code).await?,
        }
        service.signals.plan.notify_one();
    }
    Ok(ActiveDetection { detection: detection_row(&detection), set: set.map(mode_view) })
}

fn not_in_force(code: &DetectionCode) -> ServiceError {
    ServiceError::NotFound(format!("{code} is not in force; `reprieve detection list` shows what is"))
}

/// The versions that engines have said they are, newest first.
///
/// # Errors
/// When the operator may not.
pub async fn engines(service: &Service, operator: &Operator) -> ServiceResult<Vec<EngineRow>> {
    operator.may(Permission::Look)?;
    let row = |one: store::rules::version::EngineVersion| EngineRow {
        engine: one.engine,
        version: one.version,
        data_version: one.data_version,
        first_seen: one.first_seen.to_string(),
    };
    Ok(service.store()?.rules.engine_versions().await?.into_iter().map(row).collect())
}
