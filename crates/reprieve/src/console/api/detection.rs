//! Detections over HTTP: what is in force, what it has done, and the mode that people give it.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::detection::{DetectionCode, Mode};
use serde::{Deserialize, Serialize};
use store::rollout::SetMode;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::ruleset::{DetectionRow, detection_row};
use crate::console::access::{Operator, Permission};

/// Hours that a mode may be set for.
const HOURS_MAX: u64 = 24 * 366;

/// A mode that a person has set.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModeView {
    code: String,
    /// Enforce, Shadow or Off.
    mode: String,
    reason: String,
    by: String,
    since: String,
    /// Then its own mode holds again.
    until: String,
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
    detection: DetectionRow,
    /// The mode that a person has set over its own.
    set: Option<ModeView>,
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
    active: ActiveDetection,
    /// Its page of documentation, in Markdown; empty for a plain rule.
    page: String,
    /// Its source as it was kept.
    source: String,
    /// Every version that was ever kept, newest first.
    versions: Vec<VersionRow>,
}

/// A version of a detection.
#[derive(Debug, Serialize, ToSchema)]
struct VersionRow {
    version: String,
    first_seen: String,
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
    let code = parse(&code)?;
    let store = console.store()?;
    let kept = console.kept("live").await?;
    let found = kept.detections.into_iter().find(|(detection, _)| detection.code == code);
    let (detection, source) = found.ok_or_else(|| not_in_force(&code))?;
    let set = store.modes(console.clock.now()).await?.into_iter().find(|set| set.code == code).map(mode_view);
    let versions = store.versions_of(&code).await?.into_iter().map(|(first_seen, one, _)| VersionRow {
        version: one.version.to_string(),
        first_seen: first_seen.to_string(),
    });
    Ok(Json(DetectionView {
        active: ActiveDetection { detection: detection_row(&detection), set },
        page: kept.pages.get(&code).cloned().unwrap_or_default(),
        source,
        versions: versions.collect(),
    }))
}

/// What mode to set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeAsk {
    /// enforce, shadow or off; `own` gives it its own mode back.
    mode: String,
    /// Why, for the record.
    #[serde(default)]
    reason: String,
    /// Hours after which its own mode holds again.
    #[serde(default = "a_day")]
    hours: u64,
    /// Who asks, for the record.
    #[serde(default)]
    actor: String,
    /// Only say what would be set.
    #[serde(default)]
    what_if: bool,
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
    let code = parse(&code)?;
    let mode = match ask.mode.as_str() {
        "enforce" => Some(Mode::Enforce),
        "shadow" => Some(Mode::Shadow),
        "off" => Some(Mode::Off),
        "own" => None,
        other => return Err(ApiError::Bad(format!("mode '{other}' is none of enforce, shadow, off, own"))),
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

fn parse(code: &str) -> Result<DetectionCode, ApiError> {
    DetectionCode::parse(code).map_err(|error| ApiError::Bad(error.to_string()))
}

fn not_in_force(code: &DetectionCode) -> ApiError {
    ApiError::NotFound(format!("{code} is not in force; `reprieve detection list` shows what is"))
}

/// A version that an engine has said it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct EngineRow {
    engine: String,
    version: String,
    /// Empty for engines that bring no data of their own.
    data_version: String,
    first_seen: String,
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
