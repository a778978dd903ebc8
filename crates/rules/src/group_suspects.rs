//! Suspects that are many: what a change of a ruleset or of an engine's data brought, and an engine as a whole. What
//! changed together and is wrong together is contained together; an engine that is wrong whatever its data is for
//! people to judge.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::containment::Level;
use domain::detection::{Detection, DetectionCode, DetectionVersion, Mode};
use domain::sentinel::Suspect;
use domain::sentinel::group::Group;
use store::StoreError;

use crate::act::Done;
use crate::conviction::{ConvictionMemory, ConvictionWorker};
use crate::in_force::{InForceNow, engine_of};
use crate::retrospective_scan::Found;

impl InForceNow {
    /// What of the ruleset in force is new or changed since the one before it, and acts.
    pub(super) fn changed(&self) -> Vec<&(Detection, String)> {
        let [(live, _), (before, _), ..] = self.rulesets.as_slice() else { return Vec::new() };
        let before: BTreeMap<&DetectionCode, &DetectionVersion> =
            before.detections.iter().map(|(one, _)| (&one.code, &one.version)).collect();
        let is_changed = |(one, _): &&(Detection, String)| {
            one.effect.acts()
                && one.mode == Mode::Enforce
                && before.get(&one.code).is_none_or(|version| **version != one.version)
        };
        live.detections.iter().filter(is_changed).collect()
    }
}

fn suspect_of(detection: &Detection) -> Suspect {
    Suspect { code: detection.code.clone(), version: detection.version.clone() }
}

impl ConvictionWorker {
    /// The groups that a detection belongs to.
    pub(super) async fn groups_of(&self, suspect: &Suspect, in_force: &InForceNow) -> Result<Vec<Suspect>, StoreError> {
        let Some(engine) = engine_of(&suspect.code) else {
            let is_changed = in_force.changed().iter().any(|(one, _)| suspect_of(one) == *suspect);
            let live = in_force.rulesets.first().filter(|_| is_changed);
            let group = |version: &str| Suspect {
                code: Group::ChangedInRuleset.code(),
                version: DetectionVersion::external(version),
            };
            return Ok(live.map(|(live, _)| group(live.id.as_str())).into_iter().collect());
        };
        let mut groups = vec![Suspect { code: Group::Engine(engine.to_owned()).code(), version: Group::any_version() }];
        if let Some((version, _, true)) = in_force.data_of(engine)
            && version == suspect.version.as_str()
            && !self.store.evidence.acted_with_other_engine_versions(engine, version).await?.contains(&suspect.code)
        {
            let code = Group::ChangedIn(engine.to_owned()).code();
            groups.push(Suspect { code, version: suspect.version.clone() });
        }
        Ok(groups)
    }

    /// Tries a group on what is known to be good: a content is hit when any of them hits it.
    pub(super) async fn try_group(
        &self,
        group: &Group,
        suspect: &Suspect,
        in_force: &InForceNow,
        trip: f64,
    ) -> Result<Option<Found>, StoreError> {
        match group {
            Group::ChangedInRuleset => {
                let changed: Vec<(Detection, String)> = in_force.changed().into_iter().cloned().collect();
                if changed.is_empty() {
                    return Ok(None);
                }
                Ok(self.try_detections(changed, Some(suspect), trip).await?.remove(suspect))
            }
            Group::ChangedIn(engine) => {
                let old =
                    self.store.evidence.acted_with_other_engine_versions(engine, suspect.version.as_str()).await?;
                self.try_outside(engine, |code| !old.contains(code), trip).await
            }
            Group::Engine(engine) => self.try_outside(engine, |_| true, trip).await,
        }
    }

    /// What changed together is contained, member by member. Incidents come first, so that none is missing when we die
    /// between two of them.
    pub(super) async fn contain_together(
        &self,
        suspect: &Suspect,
        members: &[Suspect],
        mind: &ConvictionMemory,
        in_force: &InForceNow,
        cause: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let group = Group::parse(&suspect.code);
        let all = match &group {
            Some(group) => self.members(group, suspect, mind, in_force).await?.len(),
            None => members.len(),
        };
        let why = format!(
            "It is one of {all} detections that changed together ({}), and together they are wrong. {cause}",
            suspect.version
        );
        let mut accused = Vec::new();
        for member in members {
            let Some(since) = in_force.since(member) else { continue };
            accused.push((member, since, self.store.evidence.has_held_mail(member).await?));
        }
        // An incident for each that has held mail; where none has yet, one that says so. What the others hold later
        // opens its own when the change is taken back.
        let has_held = accused.iter().any(|(.., has_held)| *has_held);
        for (at, (member, (began, ruleset), held)) in accused.iter().enumerate() {
            if *held || (!has_held && at == 0) {
                self.open_incident(member, *began, ruleset.clone(), &why, Done::Contained, now).await?;
            }
        }
        for (member, ..) in accused {
            self.change(member, Some(Level::Contained), &why, now).await?;
        }
        Ok(())
    }

    /// Who belongs to a change: all of a ruleset's; of an engine's data those that were heard of.
    pub(super) async fn members(
        &self,
        group: &Group,
        suspect: &Suspect,
        mind: &ConvictionMemory,
        in_force: &InForceNow,
    ) -> Result<BTreeSet<Suspect>, StoreError> {
        let Group::ChangedIn(engine) = group else {
            return Ok(in_force.changed().into_iter().map(|(one, _)| suspect_of(one)).collect());
        };
        let old = self.store.evidence.acted_with_other_engine_versions(engine, suspect.version.as_str()).await?;
        let is_member = |one: &&Suspect| {
            engine_of(&one.code) == Some(engine.as_str()) && one.version == suspect.version && !old.contains(&one.code)
        };
        Ok(mind.belief.suspicions.keys().filter(is_member).cloned().collect())
    }
}
