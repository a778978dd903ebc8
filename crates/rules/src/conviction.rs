//! The sentinel: what acts on mail is heard, what the past says of it is asked, and a detection that the past convicts
//! is contained.
//!
//! Evidence is a journal in the store; what is believed of a detection version is a pure function of it
//! (`platform::belief`), and what follows from that is one of what is believed (`domain::sentinel::diagnosis`). This
//! room loads, asks, stores and carries out. Nothing is remembered here that cannot be read again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::detection::{DetectionCode, DetectionVersion, RulesetId};
use domain::envelope::Border;
use domain::rollout::Stage;
use domain::sentinel::diagnosis::StateOfSuspect;
use domain::sentinel::{Event, Suspect};
use domain::token::TokenKey;
use store::StoreError;
use store::evidence::sentinel::NewLine;
use store::known_good::vault::Vault;
use store::rules::rollout::Rollout;
use store::rules::version::KeptRuleset;
use tokio::sync::watch;

use crate::act::Done;
use crate::in_force::{FRESH, InForceNow};
use crate::recall::Recall;
use crate::tasks::StoreParts;
use examiner::external_engines::ExternalEngines;
use platform::belief::Belief;
use platform::clock::Clock;
use platform::config::SentinelConfig;
use platform::items::Items;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(2);
/// How often it is counted how many are established.
const SIZED_EVERY: Duration = Duration::from_secs(3600);
/// What its rounds are called.
const NAME: &str = "sentinel";

/// The reconciler.
#[derive(Clone, Debug)]
pub struct ConvictionWorker {
    /// How the sentinel acts.
    pub sentinel: SentinelConfig,
    /// Our domains and networks.
    pub border: Border,
    /// What it reads and writes.
    pub store: StoreParts,
    /// The bytes of known-good content, if they are kept.
    pub vault: Option<Vault>,
    /// The engines outside.
    pub external_engines: ExternalEngines,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Seals identities.
    pub key: TokenKey,
    /// Wakes the loop, and others.
    pub signals: Signals,
    /// What of its work fails.
    pub items: Items,
}

/// What was read so far: all of it is in the store.
#[derive(Debug, Default)]
pub struct ConvictionMemory {
    /// What is believed.
    pub(super) belief: Belief,
    /// Rulesets that were in force, by id.
    rulesets: HashMap<RulesetId, Arc<KeptRuleset>>,
    /// Roll-outs that were taken back and whose held mail was looked for.
    followed: BTreeSet<u32>,
    /// Rulesets whose changes have been tried.
    pub(super) tried: BTreeSet<RulesetId>,
    /// The trial on the whole memory that is under way.
    pub(super) recall: Option<Box<Recall>>,
    /// Rulesets for which it is over, or has no reason.
    pub(super) recalled: BTreeSet<RulesetId>,
    /// When there was last nothing to try a suspect on.
    pub(super) nothing_to_try: BTreeMap<Suspect, Timestamp>,
    /// When it was last counted how many are established.
    sized: Option<Timestamp>,
    /// Suspects that several people speak against, and when the last did.
    pub(super) accused: BTreeMap<Suspect, Timestamp>,
    /// What people have been told of.
    pub(super) told: BTreeSet<StateOfSuspect>,
}

impl Reconciler for ConvictionWorker {
    type Memory = ConvictionMemory;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, NAME, "a round of the sentinel failed").or_when(&self.signals.sentinel)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: hear, try, act. What fails of it is tried again, and the rest is done.
    async fn round(&self, mind: &mut ConvictionMemory, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        if mind.sized.is_none_or(|at| now.since(at) >= SIZED_EVERY) {
            self.store.known_good.count_established_carriers(&self.sentinel.establish, now).await?;
            mind.sized = Some(now);
        }
        // Each on the heap: they are many, and a thread's stack is small.
        let in_force = &InForceNow::load(&self.store.rules, &mut mind.rulesets).await?;
        self.catch_up(mind).await?;
        let items = &self.items;
        items.alone("what changed", now, Box::pin(self.try_what_changed(mind, in_force, now))).await?;
        let recalled = items.alone("the whole memory", now, Box::pin(self.recall(mind, in_force, now))).await?;
        items.alone("mail", now, Box::pin(self.hear(mind, in_force, now))).await?;
        items.alone("what people report", now, self.hear_people(mind, now)).await?;
        items.alone("suspects", now, Box::pin(self.try_suspects(mind, in_force, now))).await?;
        items.alone("what nothing came of", now, self.wait(mind, in_force, now)).await?;
        items.alone("diagnoses", now, Box::pin(self.act(mind, in_force, now))).await?;
        items.alone("containments", now, Box::pin(self.correct(mind, in_force, now))).await?;
        items.alone("probations", now, Box::pin(self.keep_probations(mind, in_force, now))).await?;
        items.alone("roll-outs that were taken back", now, Box::pin(self.follow_rollbacks(mind, now))).await?;
        Ok(recalled == Some(true))
    }
}

impl ConvictionWorker {
    /// What a person, or a roll-out, has taken back may have held mail meanwhile, whatever the sentinel has made of it:
    /// an incident opens, and what it held is examined again (a rollback re-evaluates everything
    /// that was held since).
    async fn follow_rollbacks(&self, mind: &mut ConvictionMemory, now: Timestamp) -> Result<(), StoreError> {
        for rollout in self.store.rules.rollouts().await? {
            let is_new = rollout.stage == Stage::RolledBack && now.since(rollout.since) < FRESH;
            if !is_new || mind.followed.contains(&rollout.number) {
                continue;
            }
            let item = format!("roll-out {} that was taken back", rollout.number);
            if self.items.alone(&item, now, self.follow_rollback(&rollout, now)).await?.is_some() {
                mind.followed.insert(rollout.number);
            }
        }
        Ok(())
    }

    async fn follow_rollback(&self, rollout: &Rollout, now: Timestamp) -> Result<(), StoreError> {
        let (Some(taken), Some(before)) =
            (self.store.rules.ruleset(&rollout.ruleset).await?, self.store.rules.ruleset(&rollout.before).await?)
        else {
            return Ok(());
        };
        let before: BTreeMap<&DetectionCode, &DetectionVersion> =
            before.detections.iter().map(|(one, _)| (&one.code, &one.version)).collect();
        let known = self.store.incidents.all().await?;
        for (one, _) in taken.detections.iter().filter(|(one, _)| before.get(&one.code) != Some(&&one.version)) {
            let suspect = Suspect { code: one.code.clone(), version: one.version.clone() };
            if known.iter().any(|incident| incident.suspect == suspect)
                || !self.store.evidence.has_held_mail(&suspect).await?
            {
                continue;
            }
            let why = format!("ruleset {} was taken back: {}", rollout.ruleset, rollout.note);
            self.open_incident(&suspect, rollout.started, rollout.ruleset.clone(), &why, Done::TakenBack, now).await?;
        }
        Ok(())
    }

    /// Takes up what was added to the journal.
    pub(super) async fn catch_up(&self, mind: &mut ConvictionMemory) -> Result<(), StoreError> {
        let passed = mind.belief.catch_up(&self.store.evidence).await?;
        for (suspect, state) in passed {
            let evidence = mind.belief.suspicions.get(&suspect).map(|one| one.evidence());
            let Suspect { code, version } = &suspect;
            tracing::warn!(%code, %version, state = state.as_str(), evidence, "sentinel");
        }
        match mind.belief.unreadable.first() {
            Some(first) => self.items.failed("the journal", self.clock.now(), first),
            None => self.items.succeeded("the journal"),
        }
        Ok(())
    }

    pub(super) async fn append(
        &self,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        lines: Vec<NewLine>,
    ) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let lines = self.opened(mind, in_force, lines);
        self.store.evidence.append_evidence(lines).await?;
        self.catch_up(mind).await
    }

    /// Suspicions that nothing came of.
    async fn wait(&self, mind: &mut ConvictionMemory, in_force: &InForceNow, now: Timestamp) -> Result<(), StoreError> {
        let stale = mind.belief.suspicions.iter().filter(|(_, one)| one.is_stale(now));
        let line = |(suspect, _): (&Suspect, _)| {
            let key = format!("waited/{}/{}/{}", suspect.code, suspect.version, now.as_micros());
            NewLine::new(key, suspect.clone(), Event::Waited { at: now })
        };
        let lines = stale.map(line).collect();
        self.append(mind, in_force, lines).await
    }
}

/// The number of the day that a moment is in, of UTC since 1970.
pub(super) fn day(at: Timestamp) -> i64 {
    at.as_seconds() / 86_400
}
