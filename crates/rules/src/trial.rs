//! The trial of suspects: which are due, and what they hit of what is known to be good.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use detect::backtest;
use detect::ruleset::{Ruleset, load};
use domain::Timestamp;
use domain::detection::{Detection, DetectionCode, DetectionVersion, Mode};
use domain::sentinel::group::Group;
use domain::sentinel::suspicion::TRIP_AFTER_CHANGE;
use domain::sentinel::{Event, Settings, Suspect, Suspicion};
use store::StoreError;
use store::evidence::sentinel::NewLine;

use crate::conviction::{ConvictionMemory, ConvictionWorker};
use crate::in_force::{FRESH, InForceNow, engine_of};
use crate::retrospective_scan::{self, Exhibits, Found};

/// Time until a suspect that nothing could be tried on is tried again.
const EMPTY_AGAIN: Duration = Duration::from_secs(60);

impl ConvictionWorker {
    /// A ruleset that has just come into force: what is new in it is tried before it can do much a change is a reason
    /// to look.
    pub(super) async fn try_what_changed(
        &self,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let [(live, since), (before, _), ..] = in_force.rulesets.as_slice() else { return Ok(()) };
        if now.since(*since) >= FRESH || mind.tried.contains(&live.id) {
            return Ok(());
        }
        let before: BTreeMap<&DetectionCode, &DetectionVersion> =
            before.detections.iter().map(|(one, _)| (&one.code, &one.version)).collect();
        let changed = live.detections.iter().filter(|(one, _)| {
            let suspect = Suspect { code: one.code.clone(), version: one.version.clone() };
            one.effect.acts()
                && one.mode == Mode::Enforce
                && before.get(&one.code).is_none_or(|version| **version != one.version)
                && mind.belief.suspicions.get(&suspect).is_none_or(|known| known.last_probe().is_none())
        });
        let changed: Vec<(Detection, String)> = changed.cloned().collect();
        if changed.is_empty() {
            mind.tried.insert(live.id.clone());
            return Ok(());
        }
        tracing::info!(ruleset = %live.id, detections = changed.len(), "what is new is tried on what is known to be \
            good");
        let together =
            Suspect { code: Group::ChangedInRuleset.code(), version: DetectionVersion::external(live.id.as_str()) };
        let mut found = self.try_detections(changed, Some(&together), TRIP_AFTER_CHANGE).await?;
        if found.len() < 3 {
            // One detection and what changed with it: the same.
            found.remove(&together);
        }
        // Those that hit nothing are asked again when they hit mail.
        let lines = found.into_iter().filter(|(_, found)| found.hits > 0);
        let lines = lines.map(|(suspect, found)| probed(suspect, &found, now)).collect();
        self.append(mind, in_force, lines).await?;
        // Only now: what could not be tried, or not be written down, is tried again.
        mind.tried.insert(live.id.clone());
        Ok(())
    }

    /// Suspects whose turn it is.
    pub(super) async fn try_suspects(
        &self,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let suspected =
            mind.belief.suspicions.iter().filter(|(_, one)| one.wants_probe(now)).map(|(suspect, _)| suspect);
        let accused = mind.accused.iter().filter(|(suspect, said)| {
            let probed = mind.belief.suspicions.get(suspect).and_then(Suspicion::last_probe);
            probed.is_none_or(|at| at < **said && now.since(at) >= Settings::default().probe_every)
        });
        let due: BTreeSet<Suspect> = suspected
            .chain(accused.map(|(suspect, _)| suspect))
            .filter(|suspect| in_force.since(suspect).is_some())
            .filter(|suspect| mind.nothing_to_try.get(suspect).is_none_or(|at| now.since(*at) >= EMPTY_AGAIN))
            .cloned()
            .collect();
        for suspect in due {
            let item = format!("trial of {} {}", suspect.code, suspect.version);
            self.items.alone(&item, now, self.try_suspect(&suspect, mind, in_force, now)).await?;
        }
        Ok(())
    }

    async fn try_suspect(
        &self,
        suspect: &Suspect,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let known = mind.belief.suspicions.get(suspect).filter(|known| known.is_opened());
        let trip = known.map_or_else(|| in_force.settings(suspect, now).trip, Suspicion::threshold);
        let found = match (Group::parse(&suspect.code), engine_of(&suspect.code)) {
            (Some(group), _) => self.try_group(&group, suspect, in_force, trip).await?,
            (None, Some(engine)) => self.try_outside(engine, |code| *code == suspect.code, trip).await?,
            (None, None) => {
                let source = in_force
                    .rulesets
                    .first()
                    .and_then(|(live, _)| live.detections.iter().find(|(one, _)| one.code == suspect.code).cloned());
                let Some(source) = source else { return Ok(()) };
                self.try_detections(vec![source], None, trip).await?.remove(suspect)
            }
        };
        // No content to try it on proves nothing, and is not remembered as a probe.
        let Some(found) = found.filter(|found| found.seen > 0) else {
            mind.nothing_to_try.insert(suspect.clone(), now);
            return Ok(());
        };
        tracing::warn!(code = %suspect.code, hits = found.hits, seen = found.seen, value = found.value, "probe");
        self.append(mind, in_force, vec![probed(suspect.clone(), &found, now)]).await
    }

    /// Tries detections, each for itself and, if that is wanted, all of them as one suspect.
    pub(super) async fn try_detections(
        &self,
        detections: Vec<(Detection, String)>,
        together: Option<&Suspect>,
        trip: f64,
    ) -> Result<BTreeMap<Suspect, Found>, StoreError> {
        let Some(vault) = self.vault.clone() else { return Ok(BTreeMap::new()) };
        let loaded = tokio::task::spawn_blocking(move || load::all_of(detections)).await;
        let ruleset: Ruleset = loaded
            .map_err(|panic| StoreError::Unreadable(panic.to_string()))?
            .map_err(|errors| StoreError::Unreadable(errors.to_string()))?;
        let rule = self.sentinel.establish;
        let exhibits = Exhibits::for_ruleset(&self.store.known_good, &ruleset, &rule, self.clock.as_ref()).await?;
        let versions: BTreeMap<DetectionCode, DetectionVersion> =
            ruleset.versions().map(|(code, version)| (code.clone(), version.clone())).collect();
        let border = self.border.clone();
        let enough = (trip, Settings::default().probe_hits_min);
        let trying = tokio::task::spawn_blocking(move || {
            retrospective_scan::try_ruleset(&backtest::of(Arc::new(ruleset)), &exhibits, &vault, &border, enough)
        });
        let (found, all) = trying.await.map_err(|panic| StoreError::Unreadable(panic.to_string()))?;
        let named = found.into_iter().filter_map(|(code, found)| {
            let version = versions.get(&code)?.clone();
            Some((Suspect { code, version }, found))
        });
        Ok(named.chain(together.map(|suspect| (suspect.clone(), all))).collect())
    }

    /// Tries those of an engine's detections that are meant, as one suspect.
    pub(super) async fn try_outside(
        &self,
        engine: &str,
        is_meant: impl Fn(&DetectionCode) -> bool,
        trip: f64,
    ) -> Result<Option<Found>, StoreError> {
        let Some(vault) = &self.vault else { return Ok(None) };
        let rule = self.sentinel.establish;
        let (families, wants_mails) = match engine {
            "clamd" => (None, false),
            _ => (Some(BTreeSet::new()), true),
        };
        let exhibits =
            Exhibits::of(&self.store.known_good, families.as_ref(), wants_mails, &rule, self.clock.as_ref()).await?;
        let enough = (trip, Settings::default().probe_hits_min);
        let (engines, border) = (&self.external_engines, &self.border);
        Ok(retrospective_scan::try_outside(engines, engine, is_meant, &exhibits, vault, border, enough).await)
    }
}

/// What a trial found, as a line of the journal.
fn probed(suspect: Suspect, found: &Found, at: Timestamp) -> NewLine {
    let key = format!("probe/{}/{}/{}", suspect.code, suspect.version, at.as_micros());
    let Found { hits, seen, value, .. } = found;
    NewLine::new(key, suspect, Event::Probed { at, hits: *hits, seen: *seen, value: *value })
}
