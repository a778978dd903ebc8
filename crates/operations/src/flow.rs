//! The flow reconciler: hours that are over get their sums, and those of which something has changed get new ones, so
//! that a chart over everything is there in a moment (`store::explorer::flow`).

use std::sync::Arc;
use std::time::Duration;

use store::ExplorerStore;
use tokio::sync::watch;

use platform::clock::Clock;
use platform::priority::Priority;
use platform::reconciler::{Beat, Reconciler, RoundError};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(30);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct FlowSummer {
    /// All mail by queries.
    pub explorer: ExplorerStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Live mail comes first.
    pub priority: Priority,
}

impl Reconciler for FlowSummer {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "flow of mail", "the flow of mail could not be summed up")
    }

    /// One round.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        self.priority.give().await;
        Ok(self.explorer.sum_finished_hours(self.clock.now()).await?)
    }
}
