//! Rulesets: built from files, compared, published through the gates, taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api_types::ruleset::{
    BuildAsk, BuiltView, ChangeView, DetectionRow, DiffQuery, GateView, PublishAsk, RollbackAsk, RolloutView,
    RulesetRow, RulesetView, StepView,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use detect::lookalike;
use detect::ruleset::diff::{Change, Kind, diff};
use detect::ruleset::{LoadErrors, Ruleset, lint, load};
use domain::Digest;
use domain::detection::{Detection, DetectionCode, RulesetId};
use domain::rollout::{GateReport, RolloutTrigger};
use platform::ruleset_store::keep;
use store::rules::rollout::{NewRollout, Rollout, RolloutMove, RolloutStep};
use store::rules::version::KeptRuleset;

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Bytes of an upload at most, base64 and JSON included.
pub const UPLOAD_BYTES_MAX: usize = 64 << 20;
/// Contents that one publication calls bad, at most.
const BAD_MAX: usize = 200;
/// Digits of a hash that name a content, at least.
const BAD_DIGITS_MIN: usize = 12;

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

/// Every version that was ever kept, newest first.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<RulesetRow>> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let live = store.rules.ruleset_in_force().await?;
    let under_way = store.rules.rollout_under_way().await?;
    let row = |one: store::rules::version::ListedRuleset| RulesetRow {
        in_force: live.as_ref() == Some(&one.id),
        stage: under_way.as_ref().filter(|way| way.ruleset == one.id).map(|way| way.stage.as_str().to_owned()),
        id: one.id.to_string(),
        first_seen: one.first_seen.to_string(),
        detections: one.detections,
        in_force_since: one.in_force_since.map(|at| at.to_string()),
    };
    Ok(store.rules.rulesets().await?.into_iter().map(row).collect())
}

/// A version with its detections, and what the gates said when it was built.
///
/// # Errors
/// When there is none, or the operator may not.
pub async fn show(service: &Service, operator: &Operator, id: &str) -> ServiceResult<RulesetView> {
    operator.may(Permission::Look)?;
    let kept = service.kept(id).await?;
    Ok(RulesetView {
        id: kept.id.to_string(),
        detections: kept.detections.iter().map(|(detection, _)| detection_row(detection)).collect(),
        gates: kept.gates.into_iter().map(gate_view).collect(),
    })
}

/// Builds a version from files, and runs the gates that need them. It acts on nothing until it
/// is published.
///
/// # Errors
/// When the files do not load, all that is wrong with them; or the operator may not.
pub async fn build(service: &Service, operator: &Operator, ask: BuildAsk) -> ServiceResult<BuiltView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let mut files = BTreeMap::new();
    for (path, text) in ask.files {
        let bytes = STANDARD.decode(text).map_err(|error| ServiceError::Bad(format!("{path}: no base64: {error}")))?;
        files.insert(path, bytes);
    }
    let base = if ask.add || load::is_plain(&files) { Some(service.kept("live").await?) } else { None };
    let added_to = base.as_ref().map(|kept| kept.id.to_string());
    let made = tokio::task::spawn_blocking(move || make(files, base)).await;
    let (whole, gates) = made.map_err(|panic| ServiceError::Internal(panic.to_string()))?.map_err(ServiceError::Bad)?;
    let view = BuiltView {
        id: whole.id.to_string(),
        kept: !ask.what_if,
        added_to,
        detections: whole.detections.len(),
        gates: gates.iter().cloned().map(gate_view).collect(),
    };
    if !ask.what_if {
        service.record(operator.actor(&ask.actor), "ruleset.build", &view.id, "").await?;
        keep(&service.store()?.rules, &whole, gates, false, service.clock.now()).await?;
    }
    Ok(view)
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

/// What is different in a version.
///
/// # Errors
/// When one of them is not known, or the operator may not.
pub async fn compare(
    service: &Service,
    operator: &Operator,
    id: &str,
    query: DiffQuery,
) -> ServiceResult<Vec<ChangeView>> {
    operator.may(Permission::Look)?;
    let before = service.kept(query.against.as_deref().unwrap_or("live")).await?;
    let after = service.kept(id).await?;
    let compared = tokio::task::spawn_blocking(move || {
        Ok(diff(&load::all_of(before.detections)?, &load::all_of(after.detections)?))
    });
    let compared = compared.await.map_err(|panic| ServiceError::Internal(panic.to_string()))?;
    let changes = compared.map_err(|errors: LoadErrors| ServiceError::Conflict(errors.to_string()))?;
    Ok(changes.into_iter().map(change_view).collect())
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

/// The contents of the memory that somebody who forces a version says are bad.
async fn bad_contents(service: &Service, ask: &PublishAsk) -> ServiceResult<Vec<Digest>> {
    if ask.bad.is_empty() {
        return Ok(Vec::new());
    }
    if !ask.force || ask.bad.len() > BAD_MAX {
        return Err(ServiceError::Bad(format!(
            "only who forces a version says what is bad, {BAD_MAX} contents at most"
        )));
    }
    let mut contents = Vec::new();
    for text in &ask.bad {
        let text = text.trim().to_ascii_lowercase();
        let is_hash = (BAD_DIGITS_MIN..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err(ServiceError::Bad(format!(
                "'{text}' is not {BAD_DIGITS_MIN} to 64 hexadecimal digits of a hash"
            )));
        }
        let mut found = service.store()?.known_good.contents_beginning(&text).await?.into_iter();
        match (found.next(), found.next()) {
            (Some(content), None) => contents.push(content),
            (None, _) => return Err(ServiceError::NotFound(format!("no content that is known to be good is {text}"))),
            _ => return Err(ServiceError::Bad(format!("more than one content begins with {text}"))),
        }
    }
    Ok(contents)
}

/// Begins the roll-out of a version; one that is under way is superseded.
///
/// # Errors
/// When it is in force already, a reason is missing, going past the gates takes a second person, or the operator may
/// not.
pub async fn publish(service: &Service, operator: &Operator, id: &str, ask: PublishAsk) -> ServiceResult<RolloutView> {
    operator.may(if ask.force || ask.fast { Permission::Force } else { Permission::Rules })?;
    operator.must_see_all()?;
    if (ask.force || ask.fast) && ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad(
            "going past the gates or the stages needs a reason: it is for the record".into(),
        ));
    }
    let store = service.store()?;
    let bad = bad_contents(service, &ask).await?;
    let ruleset = service.kept(id).await?.id;
    let before = store
        .rules
        .ruleset_in_force()
        .await?
        .ok_or_else(|| ServiceError::Conflict("nothing is in force yet".into()))?;
    if before == ruleset {
        return Err(ServiceError::Conflict(format!("ruleset {ruleset} is in force already")));
    }
    let (at, by) = (service.clock.now(), operator.actor(&ask.actor));
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
        return Ok(rollout_view(rollout, Vec::new()));
    }
    let mut how = if ask.force { "forced: ".to_owned() } else { String::new() };
    if ask.force || ask.fast {
        let way = if ask.force { "ruleset.force" } else { "ruleset.fast" };
        let first = service.second_person(way, ruleset.as_str(), &by, &ask.reason, at).await?;
        how.extend(first.map(|first| format!("agreed with {first}: ")));
    }
    service.record(by.clone(), "ruleset.publish", ruleset.as_str(), &format!("{how}{}", ask.reason)).await?;
    // Before it is in force: the whole memory is asked then, and these must not testify.
    for content in &bad {
        service.record(by.clone(), "known-good.call-bad", &content.hex(), &ask.reason).await?;
    }
    if !bad.is_empty() {
        store.known_good.mark_bad(bad, at).await?;
    }
    let new = NewRollout { ruleset, by, reason: ask.reason, force: ask.force, fast: ask.fast, at };
    let number = store.rules.begin_rollout(new).await?;
    service.signals.rollout.notify_one();
    service.signals.plan.notify_one();
    Ok(rollout_view(store.rules.rollout(number).await?, Vec::new()))
}

/// All roll-outs, newest first, without their steps.
///
/// # Errors
/// When the operator may not.
pub async fn rollouts(service: &Service, operator: &Operator) -> ServiceResult<Vec<RolloutView>> {
    operator.may(Permission::Look)?;
    let rollouts = service.store()?.rules.rollouts().await?;
    Ok(rollouts.into_iter().map(|rollout| rollout_view(rollout, Vec::new())).collect())
}

/// A roll-out with its steps.
///
/// # Errors
/// When there is none, or the operator may not.
pub async fn rollout(service: &Service, operator: &Operator, number: u32) -> ServiceResult<RolloutView> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let rollout = store.rules.rollout(number).await?;
    Ok(rollout_view(rollout, store.rules.rollout_steps(number).await?))
}

/// Takes back the version that is being rolled out; without one, the version in
/// force, and what was in force before it is again.
///
/// # Errors
/// When nothing was published, or the operator may not.
pub async fn rollback(service: &Service, operator: &Operator, ask: RollbackAsk) -> ServiceResult<RolloutView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let store = service.store()?;
    let candidate = store.rules.rollout_under_way().await?.filter(|one| one.stage.is_candidate());
    let rollout = match candidate {
        Some(candidate) => candidate,
        None => store.rules.rollout_in_force().await?.ok_or_else(|| {
            ServiceError::Conflict("nothing that was published is in force; publish another version instead".into())
        })?,
    };
    if ask.what_if {
        return Ok(rollout_view(rollout, Vec::new()));
    }
    let actor = operator.actor(&ask.actor);
    let reason = if ask.reason.is_empty() { "taken back by a person".to_owned() } else { ask.reason };
    service.record(actor.clone(), "ruleset.rollback", rollout.ruleset.as_str(), &reason).await?;
    let (number, from, at) = (rollout.number, rollout.stage, service.clock.now());
    store
        .rules
        .move_rollout(RolloutMove { number, from, by: RolloutTrigger::TakenBack, at, actor, reason, gates: None })
        .await?;
    service.signals.plan.notify_one();
    Ok(rollout_view(store.rules.rollout(number).await?, store.rules.rollout_steps(number).await?))
}

impl Service {
    /// A ruleset as it was kept; `live` is the one in force.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn kept(&self, id: &str) -> Result<KeptRuleset, ServiceError> {
        let store = self.store()?;
        let id = if id == "live" {
            store
                .rules
                .ruleset_in_force()
                .await?
                .ok_or_else(|| ServiceError::NotFound("nothing is in force yet".into()))?
        } else {
            RulesetId::from_text(id)
        };
        let kept = store.rules.ruleset(&id).await?;
        kept.ok_or_else(|| {
            ServiceError::NotFound(format!("ruleset {id}; `reprieve ruleset list` shows those that are kept"))
        })
    }
}
