//! The fold reconciler: mail that came before texts were kept as they are searched gets them, a batch at a time behind live mail, the newest first
//! (`store::fold`). When it is through there is nothing left to do, ever.

use std::time::Duration;

use store::Store;
use tokio::sync::watch;

use platform::priority::RightOfWay;
use platform::reconciler::{Beat, Rounds};

/// How often it looks, when it is through.
const PERIOD: Duration = Duration::from_secs(3600);
/// Between two batches: the disk belongs to live mail.
const REST: Duration = Duration::from_millis(50);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The store.
    pub store: Store,
    /// Live mail comes first.
    pub way: RightOfWay,
}

impl Folder {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let fails = "older mail could not be made ready for searching without case";
        let mut turns = rounds.turns(Beat::every(PERIOD, "search of older mail", fails).resting(REST), stop);
        self.way.give().await;
        while turns.after(self.store.fold_older().await).await {
            self.way.give().await;
        }
    }
}
