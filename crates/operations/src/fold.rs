//! The fold reconciler: mail that came before texts were kept as they are searched gets them, a batch at a time behind
//! live mail, the newest first (`store::explorer::fold`). When it is through there is nothing left to do, ever.

use std::time::Duration;

use store::ExplorerStore;
use tokio::sync::watch;

use platform::priority::Priority;
use platform::reconciler::{Beat, Reconciler, RoundError};

/// How often it looks, when it is through.
const PERIOD: Duration = Duration::from_secs(3600);
/// Between two batches: the disk belongs to live mail.
const REST: Duration = Duration::from_millis(50);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct SearchTextWorker {
    /// All mail by queries.
    pub explorer: ExplorerStore,
    /// Live mail comes first.
    pub priority: Priority,
}

impl Reconciler for SearchTextWorker {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "search of older mail", "older mail could not be made ready for searching without case")
            .resting(REST)
    }

    /// One round.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        self.priority.give().await;
        Ok(self.explorer.fold_older_texts().await?)
    }
}
