//! Suspects that are many: what a change of a ruleset or of an engine's data brought, and an engine as a whole. What changed together and is wrong
//! together is contained together; an engine that is wrong whatever its data is for people to judge.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::containment::Level;
use domain::detection::{Detection, DetectionCode, DetectionVersion, Mode};
use domain::sentinel::State;
use domain::sentinel::group::{Group, is_explained};
use store::StoreError;
use store::alert::AlertKind;
use store::sentinel::Suspect;

use super::probe::Found;
use super::watch::{Done, InForceNow, Mind, Watcher, day, engine_of};

impl InForceNow {
    /// What of the ruleset in force is new or changed since the one before it, and acts.
    fn changed(&self) -> Vec<&(Detection, String)> {
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

impl Watcher {
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
            && !self.store.said_before(engine, version).await?.contains(&suspect.code)
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
                let old = self.store.said_before(engine, suspect.version.as_str()).await?;
                self.try_outside(engine, |code| !old.contains(code), trip).await
            }
            Group::Engine(engine) => self.try_outside(engine, |_| true, trip).await,
        }
    }

    /// A group that is convicted, and that no single member explains: what changed is contained, member by member, those too that are heard
    /// of later.
    pub(super) async fn act_on_groups(
        &self,
        mind: &mut Mind,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let convicted: Vec<Suspect> = mind
            .suspicions
            .iter()
            .filter(|(suspect, one)| one.state() == State::Contained && in_force.since(suspect).is_some())
            .map(|(suspect, _)| suspect.clone())
            .collect();
        for suspect in convicted {
            match Group::parse(&suspect.code) {
                None => {}
                Some(Group::Engine(engine)) => {
                    let is_news = mind.told.insert((suspect.clone(), State::Contained));
                    let why = self.cause(&suspect, &mind.suspicions[&suspect]).await?;
                    let text = format!(
                        "Engine {engine} hits known-good mail, whatever its data: switch it off or pin its version. {why}"
                    );
                    if is_news {
                        let key = format!("engine/{engine}/{}", day(now));
                        self.call(key, AlertKind::Engine, engine, text, now).await?;
                    }
                }
                Some(group) => self.act_on_change(&group, &suspect, mind, in_force, now).await?,
            }
        }
        Ok(())
    }

    async fn act_on_change(
        &self,
        group: &Group,
        suspect: &Suspect,
        mind: &mut Mind,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let members = self.members(group, suspect, mind, in_force).await?;
        // What it hits live, and what it was seen to hit when it was tried.
        let hits = |one: &Suspect| {
            let seen = mind.suspicions.get(one).map(|one| (one.counts().0 + u64::from(one.probe().1), one.state()));
            seen.map_or((0, false), |(hits, state)| (hits, state == State::Contained))
        };
        let each: Vec<(u64, bool)> = members.iter().map(hits).collect();
        if members.len() < 2 || is_explained(hits(suspect).0, &each) {
            return Ok(());
        }
        let contained = self.store.containment(now).await?;
        let pins: BTreeSet<DetectionCode> = self.store.pins().await?.into_iter().map(|pin| pin.code).collect();
        let is_free = |one: &&Suspect| contained.level(&one.code, &one.version).is_none() && !pins.contains(&one.code);
        let free: Vec<&Suspect> = members.iter().filter(is_free).collect();
        let telling = (suspect.clone(), State::Contained);
        if free.is_empty() || mind.told.contains(&telling) {
            return Ok(());
        }
        let why = format!(
            "It is one of {} detections that changed together ({}), and together they are wrong. {}",
            members.len(),
            suspect.version,
            self.cause(suspect, &mind.suspicions[suspect]).await?
        );
        if !self.may_act(now).await? {
            let key = format!("together/{}/{}/{}", suspect.code, suspect.version, day(now));
            let text = format!("These should be contained: `reprieve contain` does it. {why}");
            self.call(key, AlertKind::Undecided, suspect.code.to_string(), text, now).await?;
            mind.told.insert(telling);
            return Ok(());
        }
        let mut accused = Vec::new();
        for member in free {
            let Some(since) = in_force.since(member) else { continue };
            self.contain(member, Level::Contained, &why, now).await?;
            accused.push((member, since, self.store.has_held(member).await?));
        }
        // An incident for each that has held mail; where none has yet, one that says so. What the others hold later opens its own when the
        // change is taken back.
        let has_held = accused.iter().any(|(.., has_held)| *has_held);
        let told = accused.into_iter().enumerate().filter(|(at, (.., held))| *held || (!has_held && *at == 0));
        for (_, (member, (began, ruleset), _)) in told {
            self.open_incident(member, began, ruleset, &why, Done::Contained, now).await?;
        }
        Ok(())
    }

    /// Who belongs to a change: all of a ruleset's; of an engine's data those that were heard of.
    async fn members(
        &self,
        group: &Group,
        suspect: &Suspect,
        mind: &Mind,
        in_force: &InForceNow,
    ) -> Result<BTreeSet<Suspect>, StoreError> {
        let Group::ChangedIn(engine) = group else {
            return Ok(in_force.changed().into_iter().map(|(one, _)| suspect_of(one)).collect());
        };
        let old = self.store.said_before(engine, suspect.version.as_str()).await?;
        let is_member = |one: &&Suspect| {
            engine_of(&one.code) == Some(engine.as_str()) && one.version == suspect.version && !old.contains(&one.code)
        };
        Ok(mind.suspicions.keys().filter(is_member).cloned().collect())
    }
}
