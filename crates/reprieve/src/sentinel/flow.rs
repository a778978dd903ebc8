//! The flow reconciler: hours that are over get their sums, and those of which something has changed get new ones, so that a chart over everything
//! is there in a moment (`store::flow`).

use std::sync::Arc;
use std::time::Duration;

use store::Store;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::right_of_way::RightOfWay;

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
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            self.way.give().await;
            match self.store.roll_flow(self.clock.now()).await {
                Ok(true) if !*stop.borrow() => continue,
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the flow of mail could not be summed up"),
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }
}
