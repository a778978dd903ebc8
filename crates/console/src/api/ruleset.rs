//! Rulesets over HTTP: built from files, compared, published through the gates, taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use detect::lookalike;
use detect::ruleset::diff::{Change, Kind, diff};
use detect::ruleset::{LoadErrors, Ruleset, lint, load};
use domain::detection::{Detection, DetectionCode, RulesetId};
use domain::rollout::{GateReport, RolloutTrigger};
use serde::{Deserialize, Serialize};
use store::rollout::{NewRollout, Rollout, RolloutMove, RolloutStep};
use store::version::KeptRuleset;
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::access::{Operator, Permission};
use platform::ruleset_store::keep;

/// Bytes of an upload at most, base64 and JSON included.
pub const UPLOAD_BYTES_MAX: usize = 64 << 20;

/// A ruleset in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RulesetRow {
    pub(crate) id: String,
    pub(crate) first_seen: String,
    pub(crate) detections: usize,
    /// When it was last put in force, if ever.
    pub(crate) in_force_since: Option<String>,
    pub(crate) in_force: bool,
    /// Where its roll-out stands, if it is under way.
    pub(crate) stage: Option<String>,
}

/// What a gate said.
#[derive(Debug, Serialize, ToSchema)]
pub struct GateView {
    pub(crate) gate: String,
    pub(crate) passed: bool,
    pub(crate) summary: String,
    pub(crate) faults: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// A detection of a ruleset.
#[derive(Debug, Serialize, ToSchema)]
pub struct DetectionRow {
    pub(crate) code: String,
    pub(crate) version: String,
    pub(crate) title: String,
    pub(crate) engine: String,
    pub(crate) category: String,
    pub(crate) effect: String,
    pub(crate) target: String,
    pub(crate) scope: String,
    pub(crate) mode: String,
    pub(crate) owner: String,
}

/// A ruleset.
#[derive(Debug, Serialize, ToSchema)]
pub struct RulesetView {
    pub(crate) id: String,
    pub(crate) detections: Vec<DetectionRow>,
    pub(crate) gates: Vec<GateView>,
}

fn gate_view(report: GateReport) -> GateView {
    GateView {
        gate: report.gate.as_str().to_owned(),
        passed: report.passed,
        summary: report.summary,
        faults: report.faults,
        notes: report.notes,
    }
}

pub(super) fn detection_row(detection: &Detection) -> DetectionRow {
    DetectionRow {
        code: detection.code.to_string(),
        version: detection.version.to_string(),
        title: detection.title.clone(),
        engine: detection.engine.clone(),
        category: detection.category.as_str().to_owned(),
        effect: detection.effect.as_str().to_owned(),
        target: detection.target.to_string(),
        scope: format!("{:?}", detection.scope).to_lowercase(),
        mode: format!("{:?}", detection.mode),
        owner: detection.owner.clone(),
    }
}

/// `GET /api/v1/rulesets`: every version that was ever kept, newest first.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "ruleset.list",
    path = "/api/v1/rulesets",
    responses((status = 200, body = [RulesetRow]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<RulesetRow>> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let live = store.ruleset_in_force().await?;
    let under_way = store.rollout_under_way().await?;
    let row = |one: store::version::ListedRuleset| RulesetRow {
        in_force: live.as_ref() == Some(&one.id),
        stage: under_way.as_ref().filter(|way| way.ruleset == one.id).map(|way| way.stage.as_str().to_owned()),
        id: one.id.to_string(),
        first_seen: one.first_seen.to_string(),
        detections: one.detections,
        in_force_since: one.in_force_since.map(|at| at.to_string()),
    };
    Ok(Json(store.rulesets().await?.into_iter().map(row).collect()))
}

/// `GET /api/v1/rulesets/{id}`: a version with its detections, and what the gates said when it was built.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "ruleset.show",
    path = "/api/v1/rulesets/{id}",
    params(("id" = String, Path, description = "A ruleset version, or `live`")),
    responses((status = 200, body = RulesetView), Refusal),
)]
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<RulesetView> {
    operator.may(Permission::Look)?;
    let kept = console.kept(&id).await?;
    Ok(Json(RulesetView {
        id: kept.id.to_string(),
        detections: kept.detections.iter().map(|(detection, _)| detection_row(detection)).collect(),
        gates: kept.gates.into_iter().map(gate_view).collect(),
    }))
}

/// What to build.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildAsk {
    /// The files of the ruleset's folder by path, each in base64. Plain YARA files alone are added to what is in force.
    pub(crate) files: BTreeMap<String, String>,
    /// Add them to what is in force, whatever they are.
    #[serde(default)]
    pub(crate) add: bool,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
    /// Only say what the gates say.
    #[serde(default)]
    pub(crate) what_if: bool,
}

/// What was built.
#[derive(Debug, Serialize, ToSchema)]
pub struct BuiltView {
    pub(crate) id: String,
    /// Whether it is kept now.
    pub(crate) kept: bool,
    /// The version in force that its plain rules were added to.
    pub(crate) added_to: Option<String>,
    pub(crate) detections: usize,
    pub(crate) gates: Vec<GateView>,
}

/// `POST /api/v1/rulesets`: builds a version from files, and runs the gates that need them. It acts on nothing until it
/// is published.
///
/// # Errors
/// When the files do not load, all that is wrong with them; or the operator may not.
#[utoipa::path(
    post,
    operation_id = "ruleset.build",
    path = "/api/v1/rulesets",
    request_body = BuildAsk,
    responses((status = 200, body = BuiltView), Refusal),
)]
pub async fn build(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<BuildAsk>,
) -> ApiResult<BuiltView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let mut files = BTreeMap::new();
    for (path, text) in ask.files {
        let bytes = STANDARD.decode(text).map_err(|error| ApiError::Bad(format!("{path}: no base64: {error}")))?;
        files.insert(path, bytes);
    }
    let base = if ask.add || load::is_plain(&files) { Some(console.kept("live").await?) } else { None };
    let added_to = base.as_ref().map(|kept| kept.id.to_string());
    let made = tokio::task::spawn_blocking(move || make(files, base)).await;
    let (whole, gates) = made.map_err(|panic| ApiError::Internal(panic.to_string()))?.map_err(ApiError::Bad)?;
    let view = BuiltView {
        id: whole.id.to_string(),
        kept: !ask.what_if,
        added_to,
        detections: whole.detections.len(),
        gates: gates.iter().cloned().map(gate_view).collect(),
    };
    if !ask.what_if {
        console.record(operator.actor(&ask.actor), "ruleset.build", &view.id, "").await?;
        keep(console.store()?, &whole, gates, false, console.clock.now()).await?;
    }
    Ok(Json(view))
}

/// A ruleset, and what the gates say of it.
type Made = (Arc<Ruleset>, Vec<GateReport>);

/// Loads files, adds them to `base` where there is one, and runs the gates that need files.
fn make(files: BTreeMap<String, Vec<u8>>, base: Option<KeptRuleset>) -> Result<Made, String> {
    let own = load::from_files(files.clone()).map_err(|errors| errors.to_string())?;
    let codes: BTreeSet<DetectionCode> = own.detections.keys().cloned().collect();
    let whole = match base {
        Some(base) => {
            let mut live = load::all_of(base.detections).map_err(|errors| format!("what is in force: {errors}"))?;
            live.pages = base.pages;
            live.with(&own).map_err(|errors| errors.to_string())?
        }
        None => own,
    };
    let whole: Arc<Ruleset> = Arc::new(whole);
    let gates = vec![lint::lint(&files, &whole, &codes), lookalike::gate(&whole, &codes)];
    Ok((whole, gates))
}

/// What to compare with.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct DiffQuery {
    /// The earlier version; what is in force without.
    pub(crate) against: Option<String>,
}

/// One difference.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    pub(crate) code: String,
    /// added, removed or changed.
    pub(crate) kind: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    /// The lines that differ, as a unified diff.
    pub(crate) lines: String,
}

/// `GET /api/v1/rulesets/{id}/diff`: what is different in a version.
///
/// # Errors
/// When one of them is not known, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "ruleset.diff",
    path = "/api/v1/rulesets/{id}/diff",
    params(("id" = String, Path, description = "The later version, or `live`"), DiffQuery),
    responses((status = 200, body = [ChangeView]), Refusal),
)]
pub async fn compare(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Query(query): Query<DiffQuery>,
) -> ApiResult<Vec<ChangeView>> {
    operator.may(Permission::Look)?;
    let before = console.kept(query.against.as_deref().unwrap_or("live")).await?;
    let after = console.kept(&id).await?;
    let compared = tokio::task::spawn_blocking(move || {
        Ok(diff(&load::all_of(before.detections)?, &load::all_of(after.detections)?))
    });
    let compared = compared.await.map_err(|panic| ApiError::Internal(panic.to_string()))?;
    let changes = compared.map_err(|errors: LoadErrors| ApiError::Conflict(errors.to_string()))?;
    Ok(Json(changes.into_iter().map(change_view).collect()))
}

fn change_view(change: Change) -> ChangeView {
    let kind = match change.kind {
        Kind::Added => "added",
        Kind::Removed => "removed",
        Kind::Changed => "changed",
    };
    ChangeView {
        code: change.code.to_string(),
        kind: kind.to_owned(),
        before: change.before.map(|version| version.to_string()),
        after: change.after.map(|version| version.to_string()),
        lines: change.lines,
    }
}

/// How to publish.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublishAsk {
    /// Put it in force at once, whatever the gates say. Needs a reason.
    pub(crate) force: bool,
    /// Through the gates, but without shadow and canary; after a day it must stand them. Needs a reason.
    pub(crate) fast: bool,
    /// Why, for the record.
    pub(crate) reason: String,
    /// Who asks, for the record.
    pub(crate) actor: String,
    /// Only say what would be done.
    pub(crate) what_if: bool,
}

/// A roll-out.
#[derive(Debug, Serialize, ToSchema)]
pub struct RolloutView {
    pub(crate) rollout: u32,
    pub(crate) ruleset: String,
    /// What was in force when it began, and is again when it is taken back.
    pub(crate) before: String,
    /// checking, refused, shadow, canary-1, canary-10, canary-50, live, rolled-back or superseded.
    pub(crate) stage: String,
    pub(crate) since: String,
    pub(crate) started: String,
    pub(crate) started_by: String,
    pub(crate) reason: String,
    pub(crate) forced: bool,
    pub(crate) fast: bool,
    /// Why it stands where it stands, or what it waits for.
    pub(crate) note: String,
    pub(crate) gates: Vec<GateView>,
    pub(crate) steps: Vec<StepView>,
}

/// One step of a roll-out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepView {
    pub(crate) at: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) actor: String,
    pub(crate) reason: String,
}

fn rollout_view(rollout: Rollout, steps: Vec<RolloutStep>) -> RolloutView {
    let step = |step: RolloutStep| StepView {
        at: step.at.to_string(),
        from: step.from.as_str().to_owned(),
        to: step.to.as_str().to_owned(),
        actor: step.actor,
        reason: step.reason,
    };
    RolloutView {
        rollout: rollout.number,
        ruleset: rollout.ruleset.to_string(),
        before: rollout.before.to_string(),
        stage: rollout.stage.as_str().to_owned(),
        since: rollout.since.to_string(),
        started: rollout.started.to_string(),
        started_by: rollout.started_by,
        reason: rollout.reason,
        forced: rollout.is_forced,
        fast: rollout.is_fast,
        note: rollout.note,
        gates: rollout.gates.into_iter().map(gate_view).collect(),
        steps: steps.into_iter().map(step).collect(),
    }
}

/// `POST /api/v1/rulesets/{id}/publish`: begins the roll-out of a version; one that is under way is superseded.
///
/// # Errors
/// When it is in force already, a reason is missing, going past the gates takes a second person, or the operator may
/// not.
#[utoipa::path(
    post,
    operation_id = "ruleset.publish",
    path = "/api/v1/rulesets/{id}/publish",
    params(("id" = String, Path, description = "A ruleset version")),
    request_body = PublishAsk,
    responses((status = 200, body = RolloutView), Refusal),
)]
pub async fn publish(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<PublishAsk>,
) -> ApiResult<RolloutView> {
    operator.may(if ask.force || ask.fast { Permission::Force } else { Permission::Rules })?;
    operator.must_see_all()?;
    if (ask.force || ask.fast) && ask.reason.trim().is_empty() {
        return Err(ApiError::Bad("going past the gates or the stages needs a reason: it is for the record".into()));
    }
    let store = console.store()?;
    let ruleset = console.kept(&id).await?.id;
    let before = store.ruleset_in_force().await?.ok_or_else(|| ApiError::Conflict("nothing is in force yet".into()))?;
    if before == ruleset {
        return Err(ApiError::Conflict(format!("ruleset {ruleset} is in force already")));
    }
    let (at, by) = (console.clock.now(), operator.actor(&ask.actor));
    if ask.what_if {
        let rollout = Rollout {
            number: 0,
            ruleset,
            before,
            stage: domain::rollout::Stage::Checking,
            since: at,
            started: at,
            started_by: by,
            reason: ask.reason,
            is_forced: ask.force,
            is_fast: ask.fast,
            note: "would be published".into(),
            gates: Vec::new(),
        };
        return Ok(Json(rollout_view(rollout, Vec::new())));
    }
    let mut how = if ask.force { "forced: ".to_owned() } else { String::new() };
    if ask.force || ask.fast {
        let way = if ask.force { "ruleset.force" } else { "ruleset.fast" };
        let first = console.second_person(way, ruleset.as_str(), &by, &ask.reason, at).await?;
        how.extend(first.map(|first| format!("agreed with {first}: ")));
    }
    console.record(by.clone(), "ruleset.publish", ruleset.as_str(), &format!("{how}{}", ask.reason)).await?;
    let new = NewRollout { ruleset, by, reason: ask.reason, force: ask.force, fast: ask.fast, at };
    let number = store.begin_rollout(new).await?;
    console.signals.rollout.notify_one();
    console.signals.plan.notify_one();
    Ok(Json(rollout_view(store.rollout(number).await?, Vec::new())))
}

/// `GET /api/v1/rollouts`: all roll-outs, newest first, without their steps.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "rollout.list",
    path = "/api/v1/rollouts",
    responses((status = 200, body = [RolloutView]), Refusal),
)]
pub async fn rollouts(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<RolloutView>> {
    operator.may(Permission::Look)?;
    let rollouts = console.store()?.rollouts().await?;
    Ok(Json(rollouts.into_iter().map(|rollout| rollout_view(rollout, Vec::new())).collect()))
}

/// `GET /api/v1/rollouts/{number}`: a roll-out with its steps.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "rollout.show",
    path = "/api/v1/rollouts/{number}",
    params(("number" = u32, Path, description = "The number of a roll-out")),
    responses((status = 200, body = RolloutView), Refusal),
)]
pub async fn rollout(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<u32>,
) -> ApiResult<RolloutView> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let rollout = store.rollout(number).await?;
    Ok(Json(rollout_view(rollout, store.rollout_steps(number).await?)))
}

/// Why to take a version back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RollbackAsk {
    /// Why, for the record.
    pub(crate) reason: String,
    /// Who asks, for the record.
    pub(crate) actor: String,
    /// Only say what would be taken back.
    pub(crate) what_if: bool,
}

/// `POST /api/v1/rollouts/rollback`: takes back the version that is being rolled out; without one, the version in
/// force, and what was in force before it is again.
///
/// # Errors
/// When nothing was published, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "rollout.rollback",
    path = "/api/v1/rollouts/rollback",
    request_body = RollbackAsk,
    responses((status = 200, body = RolloutView), Refusal),
)]
pub async fn rollback(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<RollbackAsk>,
) -> ApiResult<RolloutView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let store = console.store()?;
    let candidate = store.rollout_under_way().await?.filter(|one| one.stage.is_candidate());
    let rollout = match candidate {
        Some(candidate) => candidate,
        None => store.rollout_in_force().await?.ok_or_else(|| {
            ApiError::Conflict("nothing that was published is in force; publish another version instead".into())
        })?,
    };
    if ask.what_if {
        return Ok(Json(rollout_view(rollout, Vec::new())));
    }
    let actor = operator.actor(&ask.actor);
    let reason = if ask.reason.is_empty() { "taken back by a person".to_owned() } else { ask.reason };
    console.record(actor.clone(), "ruleset.rollback", rollout.ruleset.as_str(), &reason).await?;
    let (number, from, at) = (rollout.number, rollout.stage, console.clock.now());
    store
        .move_rollout(RolloutMove { number, from, by: RolloutTrigger::TakenBack, at, actor, reason, gates: None })
        .await?;
    console.signals.plan.notify_one();
    Ok(Json(rollout_view(store.rollout(number).await?, store.rollout_steps(number).await?)))
}

impl Console {
    /// A ruleset as it was kept; `live` is the one in force.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn kept(&self, id: &str) -> Result<KeptRuleset, ApiError> {
        let store = self.store()?;
        let id = if id == "live" {
            store.ruleset_in_force().await?.ok_or_else(|| ApiError::NotFound("nothing is in force yet".into()))?
        } else {
            RulesetId::from_text(id)
        };
        let kept = store.ruleset(&id).await?;
        kept.ok_or_else(|| {
            ApiError::NotFound(format!("ruleset {id}; `reprieve ruleset list` shows those that are kept"))
        })
    }
}
