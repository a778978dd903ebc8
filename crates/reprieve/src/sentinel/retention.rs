//! The retention reconciler: ends what is over, in small batches, behind everything else.

use std::sync::Arc;
use std::time::Duration;

use store::arrival::RETRY_MEMORY;
use store::{Store, StoreError};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Config;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(600);
/// Pause between two batches, so that live mail comes first.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the bytes of what was released, deleted or expired are kept, so that a slip can be mended from a backup of the day.
const ENDED_BYTES_KEPT: Duration = Duration::from_secs(24 * 3600);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store.
    pub store: Store,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
}

impl Keeper {
    /// Runs until `stop` says so.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                tracing::error!(%error, "a round of retention failed");
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    /// One round: expire, drop bytes, purge records.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let kept = &self.config.retention;
        let mut ended = [0; 3];
        while self.count(&mut ended[0], self.store.expire_held(now.before(kept.held), now).await?).await {}
        while self.count(&mut ended[1], self.store.drop_blobs(now.before(ENDED_BYTES_KEPT)).await?).await {}
        while self
            .count(&mut ended[2], self.store.purge_records(now.before(kept.records), self.clock.now()).await?)
            .await
        {}
        self.store.forget_retries(now.before(RETRY_MEMORY)).await?;
        if ended.iter().any(|count| *count > 0) {
            tracing::info!(expired = ended[0], bytes_dropped = ended[1], purged = ended[2], "retention");
        }
        Ok(())
    }

    /// Adds a batch, rests, and says whether there may be another.
    async fn count(&self, sum: &mut usize, batch: usize) -> bool {
        *sum += batch;
        tokio::time::sleep(PAUSE).await;
        batch > 0
    }
}
