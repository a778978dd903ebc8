//! The rounds of this room's tasks one after the other, for a drill, whose driver owns the clock.

use platform::reconciler::{Reconciler, RoundError};
use tokio::sync::watch;

use crate::contain::ContainmentLoader;
use crate::conviction::ConvictionWorker;
use crate::entries::EntryLoader;
use crate::plan::PlanLoader;
use crate::rollout::RolloutWorker;

/// The tasks that mail is decided by, each with what it has read so far.
#[derive(Debug)]
pub struct InTurn {
    entries: (EntryLoader, <EntryLoader as Reconciler>::Memory),
    rollouts: RolloutWorker,
    plan: (PlanLoader, <PlanLoader as Reconciler>::Memory),
    convictions: (ConvictionWorker, <ConvictionWorker as Reconciler>::Memory),
    containments: ContainmentLoader,
}

impl InTurn {
    pub(crate) fn new(
        entries: EntryLoader,
        rollouts: RolloutWorker,
        plan: PlanLoader,
        convictions: ConvictionWorker,
        containments: ContainmentLoader,
    ) -> Self {
        Self {
            entries: (entries, Default::default()),
            rollouts,
            plan: (plan, Default::default()),
            convictions: (convictions, Default::default()),
            containments,
        }
    }

    /// One round of each; whether there may be more to do at this moment.
    ///
    /// # Errors
    /// When a round has to be made again.
    pub async fn round(&mut self, stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let (entries, known) = &mut self.entries;
        entries.round(known, stop).await?;
        let mut has_more = self.rollouts.round(&mut (), stop).await?;
        let (plan, known) = &mut self.plan;
        has_more |= plan.round(known, stop).await?;
        let (convictions, mind) = &mut self.convictions;
        convictions.round(mind, stop).await?;
        self.containments.round(&mut (), stop).await?;
        Ok(has_more)
    }
}
