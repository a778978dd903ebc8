//! The rounds of this room's tasks one after the other, for a drill, whose driver owns the clock.

use platform::reconciler::{Reconciler, RoundError};
use tokio::sync::watch;

use crate::contain::ContainmentLoader;
use crate::conviction::ConvictionWorker;
use crate::entries::EntryLoader;
use crate::plan::PlanLoader;
use crate::rate::RateWatcher;
use crate::rollout::RolloutWorker;

/// The tasks that mail is decided by, each with what it has read so far.
#[derive(Debug)]
pub struct InTurn {
    entries: (EntryLoader, <EntryLoader as Reconciler>::Memory),
    rollouts: RolloutWorker,
    plan: (PlanLoader, <PlanLoader as Reconciler>::Memory),
    convictions: (ConvictionWorker, <ConvictionWorker as Reconciler>::Memory),
    containments: ContainmentLoader,
    rates: (RateWatcher, <RateWatcher as Reconciler>::Memory),
}

impl InTurn {
    pub(crate) fn new(
        entries: EntryLoader,
        rollouts: RolloutWorker,
        plan: PlanLoader,
        convictions: ConvictionWorker,
        containments: ContainmentLoader,
        rates: RateWatcher,
    ) -> Self {
        Self {
            entries: (entries, Default::default()),
            rollouts,
            plan: (plan, Default::default()),
            convictions: (convictions, Default::default()),
            containments,
            rates: (rates, Default::default()),
        }
    }

    /// One round of each, on the heap, since they are many and a thread's stack is small; whether there may be more to
    /// do at this moment.
    ///
    /// # Errors
    /// When a round has to be made again.
    pub async fn round(&mut self, stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let (entries, known) = &mut self.entries;
        Box::pin(entries.round(known, stop)).await?;
        let mut has_more = Box::pin(self.rollouts.round(&mut (), stop)).await?;
        let (plan, known) = &mut self.plan;
        has_more |= Box::pin(plan.round(known, stop)).await?;
        let (convictions, mind) = &mut self.convictions;
        has_more |= Box::pin(convictions.round(mind, stop)).await?;
        self.containments.round(&mut (), stop).await?;
        let (rates, counted) = &mut self.rates;
        has_more |= Box::pin(rates.round(counted, stop)).await?;
        Ok(has_more)
    }
}
