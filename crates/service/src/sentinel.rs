//! The sentinel: what is suspected, why; what is contained; and what people contain, give back and pin.

use std::collections::BTreeMap;
use std::time::Duration;

use api_types::sentinel::{
    ContainAsk, ContainmentView, ExplanationView, LineView, PinAsk, PinView, ProbationView, SentinelView, SuspicionView,
};
use domain::Timestamp;
use domain::containment::Level;
use domain::detection::{DetectionCode, DetectionVersion};
use domain::sentinel::probation::{LET_OUT_MAX, Stage};
use domain::sentinel::state::SuspicionStep;
use domain::sentinel::{Event, Suspicion};
use platform::belief::Belief;
use platform::config::ContainmentMode;
use store::Store;
use store::evidence::sentinel::{ContainmentChange, JournalLine, NewLine, Pin, Suspect};

use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Hours that a containment by hand may last.
const HOURS_MAX: u64 = 24 * 366;

/// Lines of the journal that an explanation shows.
const LINES_MAX: i64 = 200;

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

/// Versions on probation, and those that were and have delayed mail.
async fn probations(store: &Store, changes: &[ContainmentChange]) -> ServiceResult<Vec<ProbationView>> {
    let mut since: BTreeMap<Suspect, Option<Timestamp>> =
        store.containments.versions_that_delayed().await?.into_iter().map(|suspect| (suspect, None)).collect();
    let on = changes.iter().filter(|change| change.level == Some(Level::Delay));
    since.extend(on.map(|change| (change.suspect.clone(), Some(change.at))));
    let mut views = Vec::with_capacity(since.len());
    for (suspect, since) in since {
        let counts = store.containments.probation_counts(&suspect).await?;
        views.push(ProbationView {
            detection: suspect.code.to_string(),
            detection_version: suspect.version.to_string(),
            since: since.map(|at| at.to_string()),
            delayed: counts.all(),
            waiting: counts.of(Stage::Delayed),
            let_out: counts.of(Stage::LetOut),
            let_out_most: LET_OUT_MAX.into(),
            kept: counts.of(Stage::Kept),
            settled: counts.of(Stage::Settled),
        });
    }
    Ok(views)
}

/// How the sentinel stands.
///
/// # Errors
/// When the operator may not.
pub async fn status(service: &Service, operator: &Operator) -> ServiceResult<SentinelView> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let now = service.clock.now();
    let belief = Belief::of_all(&store.evidence).await?;
    let suspects = belief.suspicions.iter().map(|(suspect, suspicion)| suspicion_view(suspect, suspicion));
    let sentinel = &service.config.sentinel;
    let strength = store.known_good.memory_strength(&sentinel.establish, now).await?;
    let is_automatic = sentinel.containment == ContainmentMode::Automatic;
    let pin = |pin: Pin| PinView {
        detection: pin.code.to_string(),
        since: pin.at.to_string(),
        by: pin.by,
        reason: pin.reason,
    };
    let changes = store.containments.containments(now).await?;
    Ok(SentinelView {
        probations: probations(store, &changes).await?,
        containment: if is_automatic { "automatic" } else { "recommend" }.into(),
        acts: is_automatic && (sentinel.trusts_weak_memory || strength.is_strong()),
        memory: super::memory::view(&strength),
        suspects: suspects.collect(),
        contained: changes.iter().map(containment_view).collect(),
        pinned: store.containments.pins().await?.into_iter().map(pin).collect(),
    })
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
        Event::Recalled { past, .. } => (
            "recalled",
            format!(
                "of all {} contents known to be good before it was drafted it hits those of {} unrelated domains; {} \
                    domains converse with one of them: evidence {:.3e}",
                past.seen,
                past.votes,
                past.domains,
                past.value()
            ),
        ),
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

/// Why the sentinel believes what it believes of a detection.
///
/// # Errors
/// When no detection was ever called so, or the operator may not.
pub async fn explain(service: &Service, operator: &Operator, code: &str) -> ServiceResult<ExplanationView> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let code = word::detection(store, code).await?;
    let journal = store.evidence.evidence_about(&code, LINES_MAX).await?.iter().map(line_view).collect();
    let belief = Belief::about(&store.evidence, &code).await?;
    let versions = belief.suspicions.iter().map(|(suspect, suspicion)| suspicion_view(suspect, suspicion));
    let changes = store.containments.containments(service.clock.now()).await?;
    let mut probations = probations(store, &changes).await?;
    probations.retain(|one| one.detection == code.as_str());
    Ok(ExplanationView { versions: versions.collect(), journal, probations })
}

/// A detection to act on: one that is known, or one of an engine outside, of which nothing may have been heard yet.
///
/// # Errors
/// When it is none of these.
async fn meant(service: &Service, text: &str) -> Result<DetectionCode, ServiceError> {
    match word::detection(service.store()?, text).await {
        Err(ServiceError::NotFound(_)) if text.contains(':') => {
            DetectionCode::parse(text.trim()).map_err(|error| ServiceError::Bad(error.to_string()))
        }
        known => known,
    }
}

/// A detection in the version that is named, or in the one in force.
///
/// # Errors
/// When it is not in force and no version is named.
pub async fn suspect(service: &Service, code: &str, version: Option<&str>) -> Result<Suspect, ServiceError> {
    let code = meant(service, code).await?;
    if let Some(version) = version {
        return Ok(Suspect { code, version: DetectionVersion::external(version) });
    }
    let kept = service.kept("live").await?;
    let found = kept.detections.into_iter().find(|(detection, _)| detection.code == code);
    let (detection, _) = found.ok_or_else(|| {
        ServiceError::NotFound(format!("{code} is not in force; name the version, as `quarantine list` shows it"))
    })?;
    Ok(Suspect { code, version: detection.version })
}

/// Contains a detection version, or gives it back. It holds within a second.
///
/// # Errors
/// When a reason is missing, it is not in force, or the operator may not.
pub async fn contain(service: &Service, operator: &Operator, ask: ContainAsk) -> ServiceResult<ContainmentView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() || ask.hours.is_some_and(|hours| !(1..=HOURS_MAX).contains(&hours)) {
        return Err(ServiceError::Bad(format!("give a reason, and 1 to {HOURS_MAX} hours if any")));
    }
    let store = service.store()?;
    let at = service.clock.now();
    let suspect = match (&ask.version, ask.release) {
        (None, true) => {
            let code = meant(service, &ask.detection).await?;
            let held =
                store.containments.containments(at).await?.into_iter().find(|change| change.suspect.code == code);
            held.ok_or_else(|| ServiceError::NotFound(format!("{code} is not contained")))?.suspect
        }
        (version, _) => suspect(service, &ask.detection, version.as_deref()).await?,
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
        service.record(actor, what, &object, &ask.reason).await?;
        store.containments.change_containment(change.clone()).await?;
        let by = if ask.release { SuspicionStep::Restored } else { SuspicionStep::Convicted };
        store.evidence.append_evidence(vec![moved(suspect, by, at)]).await?;
        service.signals.containment.notify_one();
        service.signals.sentinel.notify_one();
        service.signals.incident.notify_one();
    }
    Ok(containment_view(&change))
}

/// That a person moved it, for the journal: what is believed stays a function of it.
fn moved(suspect: Suspect, by: SuspicionStep, at: Timestamp) -> NewLine {
    let key = format!("by-hand/{by:?}/{}/{}/{}", suspect.code, suspect.version, at.as_micros());
    NewLine::new(key, suspect, Event::Moved { at, by })
}

/// A pinned detection is never contained by itself; the same evidence only calls
/// people.
///
/// # Errors
/// When a reason is missing, or the operator may not.
pub async fn pin(service: &Service, operator: &Operator, code: &str, ask: PinAsk) -> ServiceResult<PinView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad("give a reason".into()));
    }
    let (code, at, by) = (meant(service, code).await?, service.clock.now(), operator.actor(&ask.actor));
    let what = if ask.pinned { "detection.pin" } else { "detection.unpin" };
    service.record(by.clone(), what, code.as_str(), &ask.reason).await?;
    let pin = Pin { code: code.clone(), at, by: by.clone(), reason: ask.reason.clone() };
    service.store()?.containments.pin(pin, ask.pinned).await?;
    service.signals.sentinel.notify_one();
    Ok(PinView { detection: code.to_string(), since: at.to_string(), by, reason: ask.reason })
}
