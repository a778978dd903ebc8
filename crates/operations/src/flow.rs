//! The flow reconciler: hours that are over get their sums, and those of which something has changed get new ones, so that a chart over everything
//! is there in a moment (`store::flow`).

use std::sync::Arc;
use std::time::Duration;

use store::Store;
use tokio::sync::watch;

use platform::clock::Clock;
use platform::priority::RightOfWay;
use platform::reconciler::{Beat, Rounds};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(30);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct FlowRoller {
    /// The store.
    pub store: Store,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Live mail comes first.
    pub way: RightOfWay,
}

impl FlowRoller {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat = Beat::every(PERIOD, "flow of mail", "the flow of mail could not be summed up");
        let mut turns = rounds.turns(beat, stop);
        self.way.give().await;
        while turns.after(self.store.roll_flow(self.clock.now()).await).await {
            self.way.give().await;
        }
    }
}
