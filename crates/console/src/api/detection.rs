//! Detections over HTTP: what is in force, what it has done, and the mode that people give it.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use detect::ruleset::{diff, lint};
use domain::Timestamp;
use domain::detection::{Detection, DetectionCode, Mode};
use domain::sentinel::evidence::rate_at_most;
use serde::{Deserialize, Serialize};
use store::hits::hour_of;
use store::rollout::SetMode;
use store::version::KeptFixtures;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::ruleset::{DetectionRow, detection_row};
use super::word;
use crate::access::{Operator, Permission};
use platform::belief::Belief;

/// Days of hits and reports that say how right a detection is.
const RECORD_DAYS: u64 = 30;
/// Hours that a mode may be set for.
const HOURS_MAX: u64 = 24 * 366;

/// A mode that a person has set.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModeView {
    pub(crate) code: String,
    /// Enforce, Shadow or Off.
    pub(crate) mode: String,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) since: String,
    /// Then its own mode holds again.
    pub(crate) until: String,
}

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

/// A detection in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveDetection {
    #[serde(flatten)]
    pub(crate) detection: DetectionRow,
    /// The mode that a person has set over its own.
    pub(crate) set: Option<ModeView>,
}

/// `GET /api/v1/detections`: the detections in force.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "detection.list",
    path = "/api/v1/detections",
    responses((status = 200, body = [ActiveDetection]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<ActiveDetection>> {
    operator.may(Permission::Look)?;
    let kept = console.kept("live").await?;
    let mut modes = console.store()?.modes(console.clock.now()).await?;
    let rows = kept.detections.iter().map(|(detection, _)| {
        let at = modes.iter().position(|set| set.code == detection.code);
        ActiveDetection { detection: detection_row(detection), set: at.map(|at| mode_view(modes.swap_remove(at))) }
    });
    Ok(Json(rows.collect()))
}

/// Everything about a detection.
#[derive(Debug, Serialize, ToSchema)]
pub struct DetectionView {
    #[serde(flatten)]
    pub(crate) active: ActiveDetection,
    /// Its page of documentation, in Markdown; empty for a plain rule.
    pub(crate) page: String,
    /// Its source as it was kept.
    pub(crate) source: String,
    /// Every version that was ever kept, newest first.
    pub(crate) versions: Vec<VersionRow>,
    /// The mails that show what it must hit and must miss, as text; none for a plain rule.
    pub(crate) fixtures: Option<FixturesView>,
    /// Milliseconds that it adds to the scan of one MiB of what costs it most, measured once on this host; none for a
    /// check, since all checks are made in one pass over a mail whatever detections ask for.
    pub(crate) cost_ms: Option<f64>,
    /// How right it has been; none for somebody of some domains.
    pub(crate) record: Option<RecordView>,
}

/// Mails that a detection was tried on when it was built.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FixturesView {
    pub(crate) hit: String,
    pub(crate) miss: String,
}

/// How right a detection has been, by what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordView {
    /// The days that are looked at.
    pub(crate) days: u64,
    /// Messages that it could act on, in all its versions.
    pub(crate) acted: u64,
    /// Those of them that somebody called a false positive, or that the replay of an incident cleared.
    pub(crate) contradicted: u64,
    /// The share that nobody contradicted; none when it did not act.
    pub(crate) precision: Option<f64>,
    /// What the precision is at least, with 95 % confidence, if people contradict all that is wrong.
    pub(crate) precision_least: Option<f64>,
    /// Contents known to be good that the last probe of this version looked at, and how many it hit.
    pub(crate) probe_seen: u32,
    pub(crate) probe_hits: u32,
    /// How many good contents it hits at most, as a share, with 95 % confidence; none before a probe.
    pub(crate) false_positives_most: Option<f64>,
}

/// A version of a detection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionRow {
    pub(crate) version: String,
    pub(crate) first_seen: String,
    /// What changed since the version before, as a unified diff; empty for the first.
    pub(crate) changes: String,
}

/// `GET /api/v1/detections/{code}`: a detection in force, with its page, its source and its history.
///
/// # Errors
/// When it is not in force, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "detection.show",
    path = "/api/v1/detections/{code}",
    params(("code" = String, Path, description = "The code of a detection")),
    responses((status = 200, body = DetectionView), Refusal),
)]
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
) -> ApiResult<DetectionView> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let code = word::detection(store, &code).await?;
    let kept = console.kept("live").await?;
    let found = kept.detections.into_iter().find(|(detection, _)| detection.code == code);
    let (detection, source) = found.ok_or_else(|| not_in_force(&code))?;
    let set = store.modes(console.clock.now()).await?.into_iter().find(|set| set.code == code).map(mode_view);
    let fixtures = store.fixtures_of(&code, &detection.version).await?;
    let record = match operator.must_see_all() {
        Ok(()) => Some(record_of(&console, &detection).await?),
        Err(_) => None,
    };
    let cost = cost_of(&console, &detection, &source).await?;
    Ok(Json(DetectionView {
        active: ActiveDetection { detection: detection_row(&detection), set },
        page: kept.pages.get(&code).cloned().unwrap_or_default(),
        source,
        versions: history(store.versions_of(&code).await?),
        fixtures: fixtures.map(|KeptFixtures { hit, miss, .. }| FixturesView { hit, miss }),
        cost_ms: cost,
        record,
    }))
}

/// What a version costs: measured when somebody first asks.
async fn cost_of(console: &Console, detection: &Detection, source: &str) -> Result<Option<f64>, ApiError> {
    let known = console.costs.lock().expect("nobody panics while holding this").get(&detection.version).copied();
    if let Some(cost) = known {
        return Ok(cost);
    }
    let timed = (detection.clone(), source.to_owned());
    let cost = tokio::task::spawn_blocking(move || lint::cost(&timed.0, &timed.1)).await;
    let cost = cost.map_err(|panic| ApiError::Internal(panic.to_string()))?.map_err(ApiError::Internal)?;
    console.costs.lock().expect("nobody panics while holding this").insert(detection.version.clone(), cost);
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

async fn record_of(console: &Console, detection: &Detection) -> Result<RecordView, ApiError> {
    let store = console.store()?;
    let since = console.clock.now().before(Duration::from_secs(RECORD_DAYS * 24 * 3600));
    // The present hour is counted now; those before it have been.
    let present = hour_of(console.clock.now());
    let before = store.hours_of_hits(Some(&detection.code), since).await?.into_iter().filter(|one| one.hour < present);
    let now = store.count_hits(present).await?.into_iter().filter(|one| one.suspect.code == detection.code);
    let acted: u64 = before.chain(now).map(|one| one.acted).sum();
    let contradicted = store.contradictions(since).await?;
    let contradicted =
        contradicted.iter().find(|(code, _)| *code == detection.code).map_or(0, |(_, messages)| *messages);
    // One that it could only tag can be called wrong as well.
    let wrong = contradicted.min(acted);
    let belief = Belief::about(store, &detection.code).await?;
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

/// What mode to set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeAsk {
    /// enforce, shadow or off; `own` gives it its own mode back.
    pub(crate) mode: String,
    /// Why, for the record.
    #[serde(default)]
    pub(crate) reason: String,
    /// Hours after which its own mode holds again.
    #[serde(default = "a_day")]
    pub(crate) hours: u64,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
    /// Only say what would be set.
    #[serde(default)]
    pub(crate) what_if: bool,
}

fn a_day() -> u64 {
    24
}

/// `POST /api/v1/detections/{code}/mode`: sets the mode of a detection for a time. It holds within a second.
///
/// # Errors
/// When it is not in force, a reason is missing, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "detection.mode",
    path = "/api/v1/detections/{code}/mode",
    params(("code" = String, Path, description = "The code of a detection")),
    request_body = ModeAsk,
    responses((status = 200, body = ActiveDetection), Refusal),
)]
pub async fn mode(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
    Json(ask): Json<ModeAsk>,
) -> ApiResult<ActiveDetection> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let code = word::detection(console.store()?, &code).await?;
    let mode = match word::one_of("mode", &ask.mode, &["enforce", "shadow", "off", "own"])? {
        "enforce" => Some(Mode::Enforce),
        "shadow" => Some(Mode::Shadow),
        "off" => Some(Mode::Off),
        _ => None,
    };
    if !(1..=HOURS_MAX).contains(&ask.hours) || (mode.is_some() && ask.reason.trim().is_empty()) {
        return Err(ApiError::Bad(format!("give a reason, and 1 to {HOURS_MAX} hours")));
    }
    let kept = console.kept("live").await?;
    let (detection, _) =
        kept.detections.into_iter().find(|(one, _)| one.code == code).ok_or_else(|| not_in_force(&code))?;
    let (by, at) = (operator.actor(&ask.actor), console.clock.now());
    let until = at.after(Duration::from_secs(ask.hours * 3600));
    let set =
        mode.map(|mode| SetMode { code: code.clone(), mode, reason: ask.reason.clone(), by: by.clone(), at, until });
    if !ask.what_if {
        let what = format!("{} for {} h: {}", ask.mode, ask.hours, ask.reason);
        console.record(by, "detection.mode", code.as_str(), &what).await?;
        match &set {
            Some(set) => console.store()?.set_mode(set.clone()).await?,
            None => console.store()?.reset_mode(&code).await?,
        }
        console.signals.plan.notify_one();
    }
    Ok(Json(ActiveDetection { detection: detection_row(&detection), set: set.map(mode_view) }))
}

fn not_in_force(code: &DetectionCode) -> ApiError {
    ApiError::NotFound(format!("{code} is not in force; `reprieve detection list` shows what is"))
}

/// A version that an engine has said it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct EngineRow {
    pub(crate) engine: String,
    pub(crate) version: String,
    /// Empty for engines that bring no data of their own.
    pub(crate) data_version: String,
    pub(crate) first_seen: String,
}

/// `GET /api/v1/engines`: the versions that engines have said they are, newest first.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "engine.list",
    path = "/api/v1/engines",
    responses((status = 200, body = [EngineRow]), Refusal),
)]
pub async fn engines(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<EngineRow>> {
    operator.may(Permission::Look)?;
    let row = |one: store::version::EngineVersion| EngineRow {
        engine: one.engine,
        version: one.version,
        data_version: one.data_version,
        first_seen: one.first_seen.to_string(),
    };
    Ok(Json(console.store()?.engine_versions().await?.into_iter().map(row).collect()))
}
