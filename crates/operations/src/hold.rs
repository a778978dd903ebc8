//! The hold reconciler: looks for mail that is on a legal hold, behind live mail, so that it is counted and retention
//! passes it over. That none of it is removed does not depend on it (`store::upkeep::hold`).

use std::sync::Arc;
use std::time::Duration;

use store::UpkeepStore;
use tokio::sync::watch;

use platform::clock::Clock;
use platform::priority::Priority;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks, when it is through: what has come since is looked at.
const PERIOD: Duration = Duration::from_secs(300);
/// Between two pieces of the record: the disk belongs to live mail.
const REST: Duration = Duration::from_millis(50);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct HoldWorker {
    /// Holds, and what is on them.
    pub upkeep: UpkeepStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes it when there is a new hold.
    pub signals: Signals,
    /// Live mail comes first.
    pub priority: Priority,
}

impl Reconciler for HoldWorker {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "legal holds", "mail that is on hold could not be looked for")
            .resting(REST)
            .or_when(&self.signals.hold)
    }

    /// One round.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        self.priority.give().await;
        Ok(self.upkeep.look_for_held(self.clock.now()).await?)
    }
}
