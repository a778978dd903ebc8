//! What follows from what is believed is done: the decisions are `domain::sentinel::diagnosis`, here they are loaded
//! for and carried out. Each suspect's are carried out by themselves, the containment last, and may be carried out
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::Timestamp;
use domain::containment::Level;
use domain::detection::{DetectionCode, RulesetId};
use domain::sentinel::diagnosis::{Action, Call, Diagnosis, Snapshot, diagnose};
use domain::sentinel::group::Group;
use domain::sentinel::state::SuspicionStep;
use domain::sentinel::{Event, State, Suspect, Suspicion};
use store::audit::Act;
use store::evidence::sentinel::{ContainmentChange, NewLine};
use store::incident::NewIncident;
use store::notices::alert::{AlertKind, NewAlert};
use store::{StoreError, failpoint};

use crate::conviction::{ConvictionMemory, ConvictionWorker, day};
use crate::in_force::InForceNow;
use platform::config::ContainmentMode;

/// A corrected form is watched for this long, or for this many messages.
const PROBATION: Duration = Duration::from_secs(2 * 3600);
const PROBATION_MESSAGES: u64 = 300;
/// When an incident's public text is to be renewed.
const NEXT_UPDATE: Duration = Duration::from_secs(3600);
/// Held hits on which the previous form is asked.
const COUNTERFACTUALS_MAX: i64 = 1000;
/// Who acts, in the audit log.
const ACTOR: &str = "sentinel";

/// What has been done about a detection when its incident opens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Done {
    Contained,
    Asked,
    TakenBack,
}

impl ConvictionWorker {
    /// What is convicted is contained, or recommended to be.
    pub(super) async fn act(
        &self,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let contained = self.store.containments.containment(now).await?;
        let pinned: BTreeSet<DetectionCode> =
            self.store.containments.pins().await?.into_iter().map(|pin| pin.code).collect();
        let may_act = self.may_act(now).await?;
        let suspicions = &mind.belief.suspicions;
        let in_force_now: BTreeSet<Suspect> =
            suspicions.keys().filter(|suspect| in_force.since(suspect).is_some()).cloned().collect();
        let mut members = BTreeMap::new();
        for (suspect, one) in suspicions.iter().filter(|(suspect, _)| in_force_now.contains(suspect)) {
            if let (Some(group), State::Contained) = (Group::parse(&suspect.code), one.state()) {
                let item = format!("members of {} {}", suspect.code, suspect.version);
                let found = self.items.alone(&item, now, self.members(&group, suspect, mind, in_force)).await?;
                members.extend(found.map(|found| (suspect.clone(), found)));
            }
        }
        let diagnoses = diagnose(&Snapshot {
            suspicions,
            in_force: &in_force_now,
            contained: &contained,
            pinned: &pinned,
            members: &members,
            may_act,
            told: &mind.told,
        });
        for diagnosis in diagnoses {
            let Diagnosis { suspect, told, .. } = &diagnosis;
            let item = format!("diagnosis of {} {}", suspect.code, suspect.version);
            let done = self.carry_out(&diagnosis, mind, in_force, may_act, now);
            // Only then: what failed half way is done again.
            if self.items.alone(&item, now, done).await?.is_some() {
                mind.told.extend(told.clone());
            }
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        diagnosis: &Diagnosis,
        mind: &ConvictionMemory,
        in_force: &InForceNow,
        may_act: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let suspect = &diagnosis.suspect;
        let (Some(suspicion), Some((began, ruleset))) = (mind.belief.suspicions.get(suspect), in_force.since(suspect))
        else {
            return Ok(());
        };
        let why = self.cause(suspect, suspicion).await?;
        for action in &diagnosis.actions {
            match action {
                Action::Call(call) => self.call_about(*call, suspect, suspicion, &why, now).await?,
                Action::OpenIncident => {
                    let done = if may_act { Done::Contained } else { Done::Asked };
                    self.open_incident(suspect, began, ruleset.clone(), &why, done, now).await?;
                    failpoint::step("sentinel-incident");
                }
                Action::Contain(level) => self.change(suspect, Some(*level), &why, now).await?,
                Action::ContainTogether(members) => {
                    self.contain_together(suspect, members, mind, in_force, &why, now).await?;
                }
            }
        }
        Ok(())
    }

    async fn call_about(
        &self,
        call: Call,
        suspect: &Suspect,
        suspicion: &Suspicion,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Suspect { code, version } = suspect;
        let (state, today) = (suspicion.state().as_str(), day(now));
        let about = format!("{state}/{code}/{version}/{today}");
        let (key, kind, subject, text) = match call {
            Call::Pinned => {
                let text = format!("{code} is pinned and left as it is, but it seems to be wrong. {why}");
                (about, AlertKind::Undecided, code.to_string(), text)
            }
            Call::Undecided => {
                let text = format!("This detection should be contained: `reprieve contain {code}` does it. {why}");
                (about, AlertKind::Undecided, code.to_string(), text)
            }
            Call::Pardoned => {
                let text = format!(
                    "Content that everybody knows passes {code} from now on; what else it hits is held. Live witnesses \
                        speak against it, and no \
                     probe has convicted it: decide, with `reprieve contain` or `reprieve release-containment`. {why}"
                );
                (about, AlertKind::Pardoned, code.to_string(), text)
            }
            Call::Engine => {
                let engine = code.as_str().split_once(':').map_or(code.as_str(), |(_, engine)| engine).to_owned();
                let text = format!(
                    "Engine {engine} hits known-good mail, whatever its data: switch it off or pin its version. {why}"
                );
                (format!("engine/{engine}/{today}"), AlertKind::Engine, engine, text)
            }
            Call::Together => {
                let text = format!(
                    "These should be contained: `reprieve contain` does it. They changed together ({version}). {why}"
                );
                (format!("together/{code}/{version}/{today}"), AlertKind::Undecided, code.to_string(), text)
            }
        };
        self.call(key, kind, subject, text, now).await
    }

    /// Calls people, once for each `key`: what lasts is named with its [`day`], so that after a restart it calls again
    /// on another day.
    pub(super) async fn call(
        &self,
        key: String,
        kind: AlertKind,
        subject: String,
        text: String,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if self
            .store
            .notices
            .raise_alert(NewAlert { key, at, kind, subject: subject.clone(), text: text.clone() })
            .await?
        {
            tracing::error!(about = subject, text, "people are called");
            self.signals.operators.notify_one();
        }
        Ok(())
    }

    /// Whether it acts by itself: it is to, and the memory is strong enough to be trusted with it.
    pub(super) async fn may_act(&self, now: Timestamp) -> Result<bool, StoreError> {
        if self.sentinel.containment == ContainmentMode::Recommend {
            return Ok(false);
        }
        let trusts = self.sentinel.trusts_weak_memory;
        Ok(trusts || self.store.known_good.memory_strength(&self.sentinel.establish, now).await?.is_strong())
    }

    /// Written to the audit log before it is done.
    pub(super) async fn change(
        &self,
        suspect: &Suspect,
        level: Option<Level>,
        why: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let act = Act {
            at,
            actor: ACTOR.into(),
            action: "containment.change".into(),
            object: format!("{} {}", suspect.code, suspect.version),
            reason: why.to_owned(),
            detail: level.map_or("given back", Level::as_str).to_owned(),
        };
        self.store.audit.record_acts(vec![act]).await?;
        let (actor, reason) = (ACTOR.to_owned(), why.to_owned());
        let change = ContainmentChange { epoch: 0, at, suspect: suspect.clone(), level, until: None, actor, reason };
        self.store.containments.change_containment(change).await?;
        self.signals.containment.notify_one();
        Ok(())
    }

    /// Why a detection is believed to be wrong, with the numbers.
    pub(super) async fn cause(&self, suspect: &Suspect, suspicion: &Suspicion) -> Result<String, StoreError> {
        let (hits, identities, witnesses) = suspicion.counts();
        let (_, probe_hits, seen) = suspicion.probe();
        let held = self.store.evidence.hits_of(suspect, COUNTERFACTUALS_MAX).await?;
        let previous: Vec<bool> = held.iter().filter_map(|one| one.previous.as_ref()).map(|one| !one.hit).collect();
        let clears = previous.iter().filter(|clears| **clears).count();
        let mut why = format!(
            "Tried on {seen} contents that are known to be good, it hits {probe_hits}, each of another sender: \
                evidence {}; {} convicts it. \
             Live it has hit mail of known senders {hits} times ({identities} senders, {witnesses} of them with \
             content that was known): evidence {}.",
            whole(suspicion.evidence()),
            whole(suspicion.threshold()),
            whole(suspicion.live()),
        );
        if let Some(past) = suspicion.past() {
            why.push_str(&format!(
                " It was forced past a gate: of all {} contents that were known to be good before it was drafted it \
                    hits {}, which {} unrelated domains have carried, and {} domains converse with one of them: \
                 evidence {}.",
                past.seen,
                past.contents.len(),
                past.votes,
                past.domains,
                whole(past.value())
            ));
        }
        if !previous.is_empty() {
            why.push_str(&format!(" Its previous form clears {clears} of {} hits.", previous.len()));
        }
        Ok(why)
    }

    pub(super) async fn open_incident(
        &self,
        suspect: &Suspect,
        began: Timestamp,
        ruleset: RulesetId,
        why: &str,
        done: Done,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let new = NewIncident {
            at,
            by: ACTOR.into(),
            in_force: Some(began),
            // Of what a person or a roll-out has taken back nobody knows yet whether it was wrong about mail.
            is_convicted: !matches!(done, Done::TakenBack),
            suspect: suspect.clone(),
            ruleset,
            cause: why.to_owned(),
            // The public is told what the record says, and no more: `domain::incident::told`.
            public_text: String::new(),
            next_update: at.after(NEXT_UPDATE),
        };
        match self.store.incidents.open(new).await {
            Ok(id) => {
                tracing::warn!(incident = id, code = %suspect.code, "an incident was opened");
                self.signals.incident.notify_one();
                self.signals.status.notify_one();
                Ok(())
            }
            // One is open already.
            Err(StoreError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What was contained and is corrected is watched for a while; what has stood that is free again.
    pub(super) async fn correct(
        &self,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for change in self.store.containments.containments(now).await? {
            let item = format!("containment of {} {}", change.suspect.code, change.suspect.version);
            self.items.alone(&item, now, self.correct_one(&change, mind, in_force, now)).await?;
        }
        // What was convicted and has gone without a containment of its own (a person was asked, and corrected it) is
        // over as well.
        let mut lines = Vec::new();
        for (suspect, suspicion) in &mind.belief.suspicions {
            if suspicion.state() == State::Probation
                || (suspicion.state() == State::Suspect && in_force.since(suspect).is_none())
            {
                lines.push(moved(suspect, SuspicionStep::Restored, now));
            }
        }
        self.append(mind, in_force, lines).await
    }

    async fn correct_one(
        &self,
        change: &ContainmentChange,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Suspect { code, version } = &change.suspect;
        if change.level.is_some_and(Level::holds_as_before) {
            // A probation that a person has begun by force ends by rules of its own.
            return Ok(());
        }
        if change.level == Some(Level::Probation) {
            let is_over = now.since(change.at) >= PROBATION
                || self.store.evidence.messages_since(change.at).await? >= PROBATION_MESSAGES;
            if is_over {
                self.change(&change.suspect, None, "it has stood its probation", now).await?;
            }
            return Ok(());
        }
        if in_force.since(&change.suspect).is_some() || in_force.rulesets.is_empty() {
            return Ok(());
        }
        let corrected = in_force.detection(code).map(|one| one.version.clone());
        let next = Suspect { code: code.clone(), version: corrected.clone().unwrap_or(version.clone()) };
        let level = corrected.is_some().then_some(Level::Probation);
        let why = match &corrected {
            Some(corrected) => format!("{corrected} is in force in place of {version}: it is watched for a while"),
            None => format!("{version} is in force no more"),
        };
        // The change comes last: it is what shows that this was done. A correction that is said twice is one.
        self.append(mind, in_force, vec![moved(&change.suspect, SuspicionStep::Corrected, now)]).await?;
        self.change(&next, level, &why, now).await?;
        self.signals.incident.notify_one();
        Ok(())
    }
}

/// A weight of evidence as people read it: 1,000,000 or 0.76.
fn whole(weight: f64) -> String {
    if weight < 100.0 {
        return format!("{weight:.2}");
    }
    let digits = format!("{weight:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// That something moved a suspect, as a line of the journal.
fn moved(suspect: &Suspect, by: SuspicionStep, at: Timestamp) -> NewLine {
    let key = format!("moved/{by:?}/{}/{}/{}", suspect.code, suspect.version, at.as_micros());
    NewLine::new(key, suspect.clone(), Event::Moved { at, by })
}
