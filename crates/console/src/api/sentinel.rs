//! The sentinel over HTTP: what is suspected, why; what is contained; and what people contain, give back and pin.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::Timestamp;
use domain::containment::Level;
use domain::detection::{DetectionCode, DetectionVersion};
use domain::sentinel::state::SuspicionStep;
use domain::sentinel::{Event, Suspicion};
use serde::{Deserialize, Serialize};
use store::sentinel::{ContainmentChange, JournalLine, NewLine, Pin, Suspect};
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::word;
use crate::access::{Operator, Permission};
use platform::belief::Belief;
use platform::config::ContainmentMode;

/// Hours that a containment by hand may last.
const HOURS_MAX: u64 = 24 * 366;
/// Lines of the journal that an explanation shows.
const LINES_MAX: i64 = 200;

/// How the sentinel stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct SentinelView {
    /// automatic or recommend.
    pub(crate) containment: String,
    /// Whether it would act by itself now.
    pub(crate) acts: bool,
    pub(crate) memory: super::memory::MemoryView,
    pub(crate) suspects: Vec<SuspicionView>,
    pub(crate) contained: Vec<ContainmentView>,
    pub(crate) pinned: Vec<PinView>,
}

/// What is known against a detection version.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuspicionView {
    pub(crate) detection: String,
    pub(crate) detection_version: String,
    /// live, suspect, pardon, contained or probation.
    pub(crate) state: String,
    pub(crate) since: Option<String>,
    /// What is compared with the threshold: live evidence times the probe's.
    pub(crate) evidence: f64,
    /// The evidence that convicts it.
    pub(crate) threshold: f64,
    pub(crate) live_evidence: f64,
    pub(crate) probe_evidence: f64,
    /// Contents known to be good that the last probe hit, and looked at.
    pub(crate) probe_hits: u32,
    pub(crate) probe_seen: u32,
    pub(crate) last_probe: Option<String>,
    /// Hits on mail of known senders; those senders; those of them whose content vouches against the detection.
    pub(crate) hits: u64,
    pub(crate) senders: usize,
    pub(crate) witnesses: usize,
}

fn suspicion_view(suspect: &Suspect, suspicion: &Suspicion) -> SuspicionView {
    let (probe_evidence, probe_hits, probe_seen) = suspicion.probe();
    let (hits, senders, witnesses) = suspicion.counts();
    SuspicionView {
        detection: suspect.code.to_string(),
        detection_version: suspect.version.to_string(),
        state: suspicion.state().as_str().to_owned(),
        since: suspicion.since().map(|at| at.to_string()),
        evidence: suspicion.evidence(),
        threshold: suspicion.threshold(),
        live_evidence: suspicion.live(),
        probe_evidence,
        probe_hits,
        probe_seen,
        last_probe: suspicion.last_probe().map(|at| at.to_string()),
        hits,
        senders,
        witnesses,
    }
}

/// What is held back.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContainmentView {
    pub(crate) detection: String,
    pub(crate) detection_version: String,
    /// pardon, contained, probation; none when it was given back.
    pub(crate) level: Option<String>,
    pub(crate) since: String,
    pub(crate) until: Option<String>,
    pub(crate) by: String,
    pub(crate) reason: String,
}

fn containment_view(change: &ContainmentChange) -> ContainmentView {
    ContainmentView {
        detection: change.suspect.code.to_string(),
        detection_version: change.suspect.version.to_string(),
        level: change.level.map(|level| level.as_str().to_owned()),
        since: change.at.to_string(),
        until: change.until.map(|at| at.to_string()),
        by: change.actor.clone(),
        reason: change.reason.clone(),
    }
}

/// A detection that nothing contains by itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct PinView {
    pub(crate) detection: String,
    pub(crate) since: String,
    pub(crate) by: String,
    pub(crate) reason: String,
}

/// `GET /api/v1/sentinel`: how the sentinel stands.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "sentinel.status",
    path = "/api/v1/sentinel",
    responses((status = 200, body = SentinelView), Refusal),
)]
pub async fn status(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<SentinelView> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let now = console.clock.now();
    let belief = Belief::of_all(store).await?;
    let suspects = belief.suspicions.iter().map(|(suspect, suspicion)| suspicion_view(suspect, suspicion));
    let sentinel = &console.config.sentinel;
    let strength = store.memory_strength(&sentinel.establish, now).await?;
    let is_automatic = sentinel.containment == ContainmentMode::Automatic;
    let pin = |pin: Pin| PinView {
        detection: pin.code.to_string(),
        since: pin.at.to_string(),
        by: pin.by,
        reason: pin.reason,
    };
    Ok(Json(SentinelView {
        containment: if is_automatic { "automatic" } else { "recommend" }.into(),
        acts: is_automatic && (sentinel.trusts_weak_memory || strength.is_strong()),
        memory: super::memory::view(&strength),
        suspects: suspects.collect(),
        contained: store.containments(now).await?.iter().map(containment_view).collect(),
        pinned: store.pins().await?.into_iter().map(pin).collect(),
    }))
}

/// Why the sentinel believes what it believes of a detection.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplanationView {
    /// Each version that was ever suspected.
    pub(crate) versions: Vec<SuspicionView>,
    /// What was heard, the newest 200 lines, newest first.
    pub(crate) journal: Vec<LineView>,
}

/// A line of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    pub(crate) at: String,
    pub(crate) detection_version: String,
    /// opened, hit, probed, moved or waited.
    pub(crate) event: String,
    pub(crate) text: String,
}

fn line_view(line: &JournalLine) -> LineView {
    let (event, text) = match &line.event {
        Event::Hit(hit) => {
            let content = hit.content.as_deref().map_or("content without a key", |content| &content[..12]);
            let class = match hit.class {
                domain::finding::MemoryClass::Unknown => "new".to_owned(),
                class => format!("{class:?}, carried by {}", hit.carriers.len()),
            };
            ("hit", format!("mail of sender {}: {content}, {class}", hit.identity))
        }
        Event::Opened { settings, .. } => (
            "opened",
            format!("evidence of {} convicts it, with {} hits of a trial", settings.trip, settings.probe_hits_min),
        ),
        Event::Probed { hits, seen, value, .. } => {
            ("probed", format!("hits {hits} of {seen} contents known to be good: evidence {value:.3e}"))
        }
        Event::Moved { by, .. } => ("moved", format!("{by:?}")),
        Event::Waited { .. } => ("waited", "nothing more came".to_owned()),
    };
    LineView {
        at: line.event.at().to_string(),
        detection_version: line.suspect.version.to_string(),
        event: event.into(),
        text,
    }
}

/// `GET /api/v1/sentinel/{detection}`: why the sentinel believes what it believes of a detection.
///
/// # Errors
/// When no detection was ever called so, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "sentinel.explain",
    path = "/api/v1/sentinel/{detection}",
    params(("detection" = String, Path, description = "The code of a detection")),
    responses((status = 200, body = ExplanationView), Refusal),
)]
pub async fn explain(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
) -> ApiResult<ExplanationView> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let code = word::detection(store, &code).await?;
    let journal = store.evidence_about(&code, LINES_MAX).await?.iter().map(line_view).collect();
    let belief = Belief::about(store, &code).await?;
    let versions = belief.suspicions.iter().map(|(suspect, suspicion)| suspicion_view(suspect, suspicion));
    Ok(Json(ExplanationView { versions: versions.collect(), journal }))
}

/// A detection to act on: one that is known, or one of an engine outside, of which nothing may have been heard yet.
///
/// # Errors
/// When it is none of these.
async fn meant(console: &Console, text: &str) -> Result<DetectionCode, ApiError> {
    match word::detection(console.store()?, text).await {
        Err(ApiError::NotFound(_)) if text.contains(':') => {
            DetectionCode::parse(text.trim()).map_err(|error| ApiError::Bad(error.to_string()))
        }
        known => known,
    }
}

/// A detection in the version that is named, or in the one in force.
///
/// # Errors
/// When it is not in force and no version is named.
pub async fn suspect(console: &Console, code: &str, version: Option<&str>) -> Result<Suspect, ApiError> {
    let code = meant(console, code).await?;
    if let Some(version) = version {
        return Ok(Suspect { code, version: DetectionVersion::external(version) });
    }
    let kept = console.kept("live").await?;
    let found = kept.detections.into_iter().find(|(detection, _)| detection.code == code);
    let (detection, _) = found.ok_or_else(|| {
        ApiError::NotFound(format!("{code} is not in force; name the version, as `quarantine list` shows it"))
    })?;
    Ok(Suspect { code, version: detection.version })
}

/// What to contain, or to give back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainAsk {
    /// The detection.
    pub(crate) detection: String,
    /// Its version; none for the one in force.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// Why, for the record.
    pub(crate) reason: String,
    /// Hours after which it ends by itself; none: until somebody ends it.
    #[serde(default)]
    pub(crate) hours: Option<u64>,
    /// Give it back: it acts again as policy says.
    #[serde(default)]
    pub(crate) release: bool,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
    /// Only say what would be done.
    #[serde(default)]
    pub(crate) what_if: bool,
}

/// `POST /api/v1/containment`: contains a detection version, or gives it back. It holds within a second.
///
/// # Errors
/// When a reason is missing, it is not in force, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "sentinel.contain",
    path = "/api/v1/containment",
    request_body = ContainAsk,
    responses((status = 200, body = ContainmentView), Refusal),
)]
pub async fn contain(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<ContainAsk>,
) -> ApiResult<ContainmentView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() || ask.hours.is_some_and(|hours| !(1..=HOURS_MAX).contains(&hours)) {
        return Err(ApiError::Bad(format!("give a reason, and 1 to {HOURS_MAX} hours if any")));
    }
    let store = console.store()?;
    let at = console.clock.now();
    let suspect = match (&ask.version, ask.release) {
        (None, true) => {
            let code = meant(&console, &ask.detection).await?;
            let held = store.containments(at).await?.into_iter().find(|change| change.suspect.code == code);
            held.ok_or_else(|| ApiError::NotFound(format!("{code} is not contained")))?.suspect
        }
        (version, _) => suspect(&console, &ask.detection, version.as_deref()).await?,
    };
    let actor = operator.actor(&ask.actor);
    let change = ContainmentChange {
        epoch: 0,
        at,
        suspect: suspect.clone(),
        level: (!ask.release).then_some(Level::Contained),
        until: ask.hours.map(|hours| at.after(Duration::from_secs(hours * 3600))),
        actor: actor.clone(),
        reason: ask.reason.clone(),
    };
    if !ask.what_if {
        let what = if ask.release { "containment.release" } else { "containment.contain" };
        let object = format!("{} {}", suspect.code, suspect.version);
        console.record(actor, what, &object, &ask.reason).await?;
        store.change_containment(change.clone()).await?;
        let by = if ask.release { SuspicionStep::Restored } else { SuspicionStep::Convicted };
        store.append_evidence(vec![moved(suspect, by, at)]).await?;
        console.signals.containment.notify_one();
        console.signals.sentinel.notify_one();
        console.signals.incident.notify_one();
    }
    Ok(Json(containment_view(&change)))
}

/// That a person moved it, for the journal: what is believed stays a function of it.
fn moved(suspect: Suspect, by: SuspicionStep, at: Timestamp) -> NewLine {
    let key = format!("by-hand/{by:?}/{}/{}/{}", suspect.code, suspect.version, at.as_micros());
    NewLine::new(key, suspect, Event::Moved { at, by })
}

/// Whether to pin a detection, or to let go of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinAsk {
    /// Whether it is pinned.
    pub(crate) pinned: bool,
    /// Why, for the record.
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// `POST /api/v1/detections/{code}/pin`: a pinned detection is never contained by itself; the same evidence only calls
/// people.
///
/// # Errors
/// When a reason is missing, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "detection.pin",
    path = "/api/v1/detections/{code}/pin",
    params(("code" = String, Path, description = "The code of a detection")),
    request_body = PinAsk,
    responses((status = 200, body = PinView), Refusal),
)]
pub async fn pin(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
    Json(ask): Json<PinAsk>,
) -> ApiResult<PinView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() {
        return Err(ApiError::Bad("give a reason".into()));
    }
    let (code, at, by) = (meant(&console, &code).await?, console.clock.now(), operator.actor(&ask.actor));
    let what = if ask.pinned { "detection.pin" } else { "detection.unpin" };
    console.record(by.clone(), what, code.as_str(), &ask.reason).await?;
    let pin = Pin { code: code.clone(), at, by: by.clone(), reason: ask.reason.clone() };
    console.store()?.pin(pin, ask.pinned).await?;
    Ok(Json(PinView { detection: code.to_string(), since: at.to_string(), by, reason: ask.reason }))
}
