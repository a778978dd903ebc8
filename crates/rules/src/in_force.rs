//! What is in force and what was: since when a detection version acts without a break, and by what it is judged
//! therefore.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::detection::{Detection, DetectionCode, RulesetId};
use domain::sentinel::group::Group;
use domain::sentinel::suspicion::{TRIP, TRIP_AFTER_CHANGE};
use domain::sentinel::{Settings, Suspect};
use store::rules::version::KeptRuleset;
use store::{RuleStore, StoreError};

/// A version that has come into force within this time needs less evidence against it.
pub(super) const FRESH: Duration = Duration::from_secs(24 * 3600);
/// Rulesets that are looked back.
const RULESETS: usize = 10;

/// What is in force, and what was.
pub(super) struct InForceNow {
    /// Newest first.
    pub(super) rulesets: Vec<(Arc<KeptRuleset>, Timestamp)>,
    /// The data versions of outside engines, newest first.
    pub(super) engines: Vec<(String, String, Timestamp)>,
}

impl InForceNow {
    /// As the store has it. `known` are rulesets that were read before, by id.
    pub(super) async fn load(
        rules: &RuleStore,
        known: &mut HashMap<RulesetId, Arc<KeptRuleset>>,
    ) -> Result<Self, StoreError> {
        let mut rulesets = Vec::new();
        for (id, since) in rules.in_force_since().await?.into_iter().take(RULESETS) {
            if !known.contains_key(&id) {
                let Some(kept) = rules.ruleset(&id).await? else { continue };
                known.insert(id.clone(), Arc::new(kept));
            }
            rulesets.push((known[&id].clone(), since));
        }
        let engines = rules.engine_versions().await?.into_iter();
        let engines = engines.map(|one| (one.engine, one.data_version, one.first_seen)).collect();
        Ok(Self { rulesets, engines })
    }

    /// What a detection version is judged by whose journal begins at `at`: less evidence convicts it while it is fresh.
    pub(super) fn settings(&self, suspect: &Suspect, at: Timestamp) -> Settings {
        let is_fresh = self.since(suspect).is_some_and(|(since, _)| at.since(since) < FRESH);
        // What came with the first ruleset of all has not changed anything.
        let changed = self.rulesets.len() > 1 || engine_of(&suspect.code).is_some();
        Settings { trip: if is_fresh && changed { TRIP_AFTER_CHANGE } else { TRIP }, ..Settings::default() }
    }

    pub(super) fn detection(&self, code: &DetectionCode) -> Option<&Detection> {
        let (live, _) = self.rulesets.first()?;
        live.detections.iter().map(|(detection, _)| detection).find(|detection| detection.code == *code)
    }

    /// The data version of an engine outside that is in force, since when, and whether there was another before it.
    pub(super) fn data_of(&self, engine: &str) -> Option<(&str, Timestamp, bool)> {
        let mut of_engine = self.engines.iter().filter(|(name, ..)| name == engine);
        let (_, version, since) = of_engine.next()?;
        Some((version, *since, of_engine.any(|(_, other, _)| other != version)))
    }

    /// Since when this version has been in force without a break; none when it is not.
    pub(super) fn since(&self, suspect: &Suspect) -> Option<(Timestamp, RulesetId)> {
        if let Some(group) = Group::parse(&suspect.code) {
            let (live, since) = self.rulesets.first()?;
            let since = match group {
                Group::ChangedInRuleset => (live.id.as_str() == suspect.version.as_str()).then_some(*since),
                Group::ChangedIn(engine) => self
                    .data_of(&engine)
                    .filter(|(version, ..)| *version == suspect.version.as_str())
                    .map(|(_, since, _)| since),
                Group::Engine(engine) => {
                    self.engines.iter().filter(|(name, ..)| *name == engine).map(|one| one.2).min()
                }
            };
            return since.map(|since| (since, live.id.clone()));
        }
        if let Some((_, version, since)) =
            engine_of(&suspect.code).and_then(|engine| self.engines.iter().find(|(name, ..)| name == engine))
        {
            let live = self.rulesets.first()?.0.id.clone();
            return (version == suspect.version.as_str() || suspect.code.as_str().starts_with("rspamd:"))
                .then_some((*since, live));
        }
        let mut found = None;
        for (ruleset, since) in &self.rulesets {
            let has = ruleset
                .detections
                .iter()
                .any(|(detection, _)| detection.code == suspect.code && detection.version == suspect.version);
            if !has {
                break;
            }
            found = Some((*since, ruleset.id.clone()));
        }
        found
    }
}

/// The outside engine that brings a code, by its name.
pub(super) fn engine_of(code: &DetectionCode) -> Option<&str> {
    let (engine, _) = code.as_str().split_once(':')?;
    ["clamd", "rspamd", "dnsbl"].into_iter().find(|known| *known == engine)
}
