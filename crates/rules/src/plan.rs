//! The plan reconciler: what examines mail becomes what the store says is in force: the ruleset, the candidate of a
//! roll-out and how far it acts, and the modes that people have set.

use std::time::Duration;

use std::sync::Arc;

use detect::in_force::{Candidate, InForce};
use detect::ruleset::{LoadErrors, Ruleset, load};
use domain::detection::RulesetId;
use domain::token::TokenKey;
use store::rules::rollout::Plan;
use store::{RuleStore, StoreError};
use tokio::runtime::Handle;
use tokio::sync::watch;

use examiner::ExaminerPool;
use platform::clock::Clock;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(1);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct PlanLoader {
    /// Rulesets and their roll-outs.
    pub rules: RuleStore,
    /// The examining threads.
    pub examiner: ExaminerPool,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop.
    pub signals: Signals,
    /// What makes the buckets of a canary.
    pub key: TokenKey,
    /// Where rules are compiled, so that live mail does not feel it.
    pub background: Handle,
}

impl Reconciler for PlanLoader {
    type Memory = Option<Plan>;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "what examines", "what examines mail could not be brought to what is in force")
            .or_when(&self.signals.plan)
    }

    /// One round; returns the plan if it was another than `known`.
    async fn round(&self, known: &mut Option<Plan>, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let Some(plan) = self.rules.plan(self.clock.now()).await? else { return Ok(false) };
        if known.as_ref() == Some(&plan) {
            return Ok(false);
        }
        let now = self.examiner.in_force();
        // What a start puts in force is not put there once more: it would begin all examining processes anew.
        let is_as_started = plan.candidate.is_none() && now.candidate.is_none() && now.modes == plan.modes;
        if known.is_none() && is_as_started && now.live.id == plan.live {
            *known = Some(plan);
            return Ok(false);
        }
        let live =
            if now.live.id == plan.live { now.live.clone() } else { Arc::new(self.load_live(&plan.live).await?) };
        let candidate = match &plan.candidate {
            Some((id, stage)) => match self.candidate(id, &live, stage.buckets()).await {
                Ok(candidate) => Some(candidate),
                Err(error) => {
                    // The roll-out's own reconciler finds it standing still; mail is examined all the same.
                    tracing::error!(ruleset = %id, %error, "the candidate cannot be run beside what is in force");
                    None
                }
            },
            None => None,
        };
        tracing::info!(live = %plan.live, candidate = ?plan.candidate, modes = plan.modes.len(), "in force");
        self.examiner.put_in_force(InForce { live, candidate, modes: plan.modes.clone() });
        self.signals.replay.notify_one();
        *known = Some(plan);
        Ok(true)
    }
}

impl PlanLoader {
    async fn load_live(&self, id: &RulesetId) -> Result<Ruleset, StoreError> {
        let live = load_kept(&self.rules, id, &self.background).await?;
        with_earlier_forms(&self.rules, live).await
    }

    async fn candidate(&self, id: &RulesetId, live: &Arc<Ruleset>, buckets: u16) -> Result<Candidate, StoreError> {
        let whole = load_kept(&self.rules, id, &self.background).await?;
        let (live, key) = (live.clone(), self.key.clone());
        let made = self.background.spawn_blocking(move || Candidate::new(whole, &live, buckets, key)).await;
        match made {
            Ok(Ok(candidate)) => Ok(candidate),
            Ok(Err(errors)) => Err(StoreError::Unreadable(errors.to_string())),
            Err(panic) => Err(StoreError::Unreadable(panic.to_string())),
        }
    }
}

/// The ruleset that the store says is in force; none when it is the one that is offered.
pub(crate) async fn in_force_instead(rules: &RuleStore, offered: &RulesetId) -> Result<Option<Ruleset>, StoreError> {
    let Some(live) = rules.ruleset_in_force().await?.filter(|live| live != offered) else { return Ok(None) };
    tracing::info!(%live, %offered, "a published ruleset is in force; `reprieve ruleset publish` offers the other one \
        to the gates");
    load_kept(rules, &live, &Handle::current()).await.map(Some)
}

/// The same ruleset with the earlier forms of what it has changed beside it.
///
/// # Errors
/// When the store fails.
pub async fn with_earlier_forms(rules: &RuleStore, mut live: Ruleset) -> Result<Ruleset, StoreError> {
    for fault in live.remember_previous(rules.ruleset_before(&live.id).await?) {
        tracing::warn!(fault, "the earlier form of a changed detection cannot be run beside it");
    }
    Ok(live)
}

/// A ruleset as it was kept, loaded again.
pub(crate) async fn load_kept(rules: &RuleStore, id: &RulesetId, background: &Handle) -> Result<Ruleset, StoreError> {
    let kept = rules.ruleset(id).await?.ok_or_else(|| StoreError::NotFound(format!("ruleset {id}")))?;
    // Compiling hundreds of rules takes a second.
    let loaded = background.spawn_blocking(move || {
        let mut ruleset = load::all_of(kept.detections)?;
        ruleset.pages = kept.pages;
        Ok(ruleset)
    });
    let loaded = loaded.await.map_err(|panic| StoreError::Unreadable(panic.to_string()))?;
    let ruleset = loaded.map_err(|errors: LoadErrors| StoreError::Unreadable(format!("ruleset {id}: {errors}")))?;
    if ruleset.id == *id { Ok(ruleset) } else { Err(StoreError::Unreadable(format!("ruleset {id} is not whole"))) }
}
