//! The entry reconciler: what every message is compared with becomes what the store says is in force, within a second; and what was used
//! is written down.

use std::sync::Arc;
use std::time::Duration;

use domain::entry::EntryBook;
use store::{Store, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::entries::Entries;
use platform::reconciler::{Beat, Rounds};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(1);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct EntryKeeper {
    /// The store.
    pub store: Store,
    /// Where messages find them.
    pub entries: Entries,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop.
    pub signals: Signals,
}

impl EntryKeeper {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat = Beat::every(PERIOD, "lists", "allow and block entries could not be brought to what is in force")
            .or_when(&self.signals.entries);
        let mut turns = rounds.turns(beat, stop);
        let mut known = None;
        loop {
            let ended = self.round(known).await.map(|stamp| {
                known = Some(stamp);
                false
            });
            if !turns.after(ended).await {
                return;
            }
        }
    }

    /// One round; returns the stamp of what is in force now. `known` is that of the last round.
    ///
    /// # Errors
    /// When the store fails; then what was in force before goes on.
    pub async fn round(&self, known: Option<[i64; 3]>) -> Result<[i64; 3], StoreError> {
        let now = self.clock.now();
        let used = self.entries.take_used();
        if !used.is_empty()
            && let Err(error) = self.store.entries_used(used.clone()).await
        {
            self.entries.put_back_used(used);
            return Err(error);
        }
        let stamp = self.store.entries_stamp(now).await?;
        if known != Some(stamp) {
            self.entries.put(EntryBook::new(self.store.entries(now).await?), stamp);
            tracing::info!(entries = stamp[0], "allow and block entries in force");
        }
        Ok(stamp)
    }
}
