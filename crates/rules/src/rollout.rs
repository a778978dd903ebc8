//! The roll-out reconciler: a published version goes through the gates, is seen in shadow, acts on a growing share of
//! conversations, and goes on or back by what was seen. Every step is a row; nothing is remembered
//! here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use detect::backtest::{self, Backtest};
use detect::ruleset::Ruleset;
use domain::detection::{DetectionCode, DetectionVersion, RulesetId, Target};
use domain::finding::MemoryClass;
use domain::message::Family;
use domain::rollout::{FAST_LANE_SPAN, Gate, GateReport, Pace, RolloutTrigger, Stage, due};
use domain::{Digest, Timestamp};
use store::audit::Act;
use store::known_good::Retained;
use store::known_good::vault::Vault;
use store::rules::rollout::{Rollout, RolloutMove};
use store::{AuditStore, KnownGoodStore, RuleStore, StoreError};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::plan::load_kept;
use platform::clock::Clock;
use platform::items::Items;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(5);
/// Contents and mails that a backtest looks at.
const CONTENTS_MAX: usize = domain::rollout::BACKTEST_CONTENTS;
/// Who moves a roll-out by itself, in the audit log.
const ACTOR: &str = "roll-out";

/// The reconciler.
#[derive(Clone, Debug)]
pub struct RolloutWorker {
    /// How long a ruleset stands in each stage of its roll-out.
    pub pace: Pace,
    /// The audit log.
    pub audit: AuditStore,
    /// Content of clean mail, and who sends mail.
    pub known_good: KnownGoodStore,
    /// Rulesets and their roll-outs.
    pub rules: RuleStore,
    /// The bytes of known-good content, if it is kept.
    pub vault: Option<Vault>,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop, and the plan's.
    pub signals: Signals,
    /// What of its work fails.
    pub items: Items,
}

impl Reconciler for RolloutWorker {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "roll-outs", "a round of roll-outs failed").or_when(&self.signals.rollout)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: the fast lane's end, the gates, or the next stage. Returns whether anything moved.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        if self.items.alone("what is in force", now, self.end_fast_lane(now)).await? == Some(true) {
            return Ok(true);
        }
        let moved = self.items.alone("the roll-out under way", now, self.go_on(now)).await?;
        Ok(moved.unwrap_or(false))
    }
}

impl RolloutWorker {
    async fn end_fast_lane(&self, now: Timestamp) -> Result<bool, StoreError> {
        let is_over = |live: &Rollout| live.is_fast && now.since(live.since) >= FAST_LANE_SPAN && !live.is_forced;
        let Some(live) = self.rules.rollout_in_force().await?.filter(is_over) else { return Ok(false) };
        let why = "the fast lane's day is over: it needs to be seen in shadow".to_owned();
        self.step(&live, RolloutTrigger::FastLaneEnded, why, None).await
    }

    async fn go_on(&self, now: Timestamp) -> Result<bool, StoreError> {
        let Some(rollout) = self.rules.rollout_under_way().await? else { return Ok(false) };
        if rollout.stage == Stage::Checking { self.check(&rollout).await } else { self.advance(&rollout, now).await }
    }

    async fn check(&self, rollout: &Rollout) -> Result<bool, StoreError> {
        let gates = match self.ask_gates(rollout).await {
            Ok(gates) => gates,
            Err(StoreError::Unreadable(why) | StoreError::NotFound(why)) => {
                let summary = "it does not load".to_owned();
                vec![GateReport { gate: Gate::Static, passed: false, summary, faults: vec![why], notes: Vec::new() }]
            }
            Err(error) => return Err(error),
        };
        let failed: Vec<&str> = gates.iter().filter(|gate| !gate.passed).map(|gate| gate.gate.as_str()).collect();
        let loads = gates.iter().any(|gate| gate.gate == Gate::Backtest);
        let (by, why) = match (failed.as_slice(), rollout.is_forced) {
            ([], true) => {
                (RolloutTrigger::Forced, "all gates let it through, and it was to be in force at once".to_owned())
            }
            ([], false) if rollout.is_fast => {
                (RolloutTrigger::PassedFast, "all gates let it through; the fast lane".to_owned())
            }
            ([], false) => (RolloutTrigger::Passed, "all gates let it through".to_owned()),
            (failed, true) if loads => {
                (RolloutTrigger::Forced, format!("forced past the gates that say no: {}", failed.join(", ")))
            }
            (failed, _) => (RolloutTrigger::Failed, format!("the gates say no: {}", failed.join(", "))),
        };
        self.step(rollout, by, why, Some(gates)).await
    }

    /// All gates, whatever the first says: a person who forces a version sees all that speaks against it. What the
    /// first two said was kept when the version was built; they need its files, and nothing that changes.
    async fn ask_gates(&self, rollout: &Rollout) -> Result<Vec<GateReport>, StoreError> {
        let kept = self.rules.ruleset(&rollout.ruleset).await?;
        let mut gates = kept.map(|kept| kept.gates).unwrap_or_default();
        let whole = load_kept(&self.rules, &rollout.ruleset, &Handle::current()).await?;
        let live = load_kept(&self.rules, &rollout.before, &Handle::current()).await?;
        let changed = whole.changed_since(&live).map_err(|errors| StoreError::Unreadable(errors.to_string()))?;
        let changed = Arc::new(changed);
        let sample = self.sample(&changed).await?;
        let vault = self.vault.clone();
        let backtest = tokio::task::spawn_blocking(move || backtest_gate(changed, sample, vault.as_ref()));
        gates.push(backtest.await.map_err(|panic| StoreError::Unreadable(panic.to_string()))?);
        Ok(gates)
    }

    async fn sample(&self, changed: &Ruleset) -> Result<Sample, StoreError> {
        let families = backtest::reads_families(changed);
        let now = self.clock.now();
        let from = Digest::of(&now.as_micros().to_be_bytes());
        let parts = self.known_good.good_sample(families.as_ref(), CONTENTS_MAX, from, now).await?;
        let mails =
            if backtest::reads_mails(changed) { self.known_good.good_mails(CONTENTS_MAX).await? } else { Vec::new() };
        Ok(Sample { parts, mails: mails.into_iter().map(|(digest, mail)| (digest, mail.to_string())).collect() })
    }

    async fn advance(&self, rollout: &Rollout, now: Timestamp) -> Result<bool, StoreError> {
        let whole = load_versions(&self.rules, &rollout.ruleset).await?;
        let before = load_versions(&self.rules, &rollout.before).await?;
        let changed: Vec<_> = whole.iter().filter(|(code, one)| before.get(*code) != Some(one)).collect();
        let versions: Vec<DetectionVersion> = changed.iter().map(|(_, (version, _))| version.clone()).collect();
        let families = families(changed.iter().map(|(_, (_, target))| *target));
        let evidence = self.rules.evidence(rollout.since, now, &versions, families.as_ref()).await?;
        match due(rollout.stage, now.since(rollout.since), &evidence, &self.pace) {
            Ok((by, why)) => self.step(rollout, by, why, None).await,
            Err(waits) if waits != rollout.note => {
                self.rules.note_rollout(rollout.number, &waits).await?;
                Ok(false)
            }
            Err(_) => Ok(false),
        }
    }

    /// Written to the audit log before it is done; somebody who was quicker wins.
    async fn step(
        &self,
        rollout: &Rollout,
        by: RolloutTrigger,
        reason: String,
        gates: Option<Vec<GateReport>>,
    ) -> Result<bool, StoreError> {
        let at = self.clock.now();
        let act = Act {
            at,
            actor: ACTOR.into(),
            action: "rollout.step".into(),
            object: rollout.ruleset.to_string(),
            reason: reason.clone(),
            detail: format!("{by:?} from {}", rollout.stage.as_str()),
        };
        self.audit.record_acts(vec![act]).await?;
        let (number, from, actor) = (rollout.number, rollout.stage, ACTOR.to_owned());
        tracing::info!(rollout = number, ruleset = %rollout.ruleset, ?by, reason, "roll-out");
        match self.rules.move_rollout(RolloutMove { number, from, by, at, actor, reason, gates }).await {
            Ok(()) => self.signals.plan.notify_one(),
            Err(StoreError::Refused(why)) => tracing::warn!(rollout = number, why, "a roll-out was moved by another"),
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

/// What a backtest looks at.
struct Sample {
    parts: Vec<Retained>,
    mails: Vec<(Digest, String)>,
}

fn backtest_gate(changed: Arc<Ruleset>, sample: Sample, vault: Option<&Vault>) -> GateReport {
    let in_force = backtest::of(changed);
    let mut run = Backtest::new(&in_force);
    let mut unread = 0;
    let mut read = |digest: Digest| {
        let bytes = vault.and_then(|vault| vault.get(digest).ok().flatten());
        unread += usize::from(bytes.is_none());
        bytes
    };
    for part in sample.parts {
        if let Some(bytes) = read(part.sha256) {
            run.part(&bytes, &part.name, &part.declared, part.class);
        }
    }
    for (digest, label) in sample.mails {
        if let Some(bytes) = read(digest) {
            run.mail_alone(&bytes, MemoryClass::Unknown, &format!("mail {label}"));
        }
    }
    let mut report = run.end();
    if unread > 0 {
        report.notes.push(format!("the bytes of {unread} contents could not be read"));
    }
    report
}

type Versions = BTreeMap<DetectionCode, (DetectionVersion, Target)>;

async fn load_versions(rules: &RuleStore, id: &RulesetId) -> Result<Versions, StoreError> {
    let kept = rules.ruleset(id).await?.ok_or_else(|| StoreError::NotFound(format!("ruleset {id}")))?;
    Ok(kept.detections.into_iter().map(|(one, _)| (one.code, (one.version, one.target))).collect())
}

/// The families that these targets read; none if any of them reads all, or whole mails.
fn families(mut targets: impl Iterator<Item = Target>) -> Option<BTreeSet<Family>> {
    targets.try_fold(BTreeSet::new(), |mut families, target| match target {
        Target::Part(Some(family)) => {
            families.insert(family);
            Some(families)
        }
        _ => None,
    })
}
