//! The entry reconciler: what every message is compared with becomes what the store says is in force, within a second;
//! and what was used is written down.

use std::sync::Arc;
use std::time::Duration;

use domain::entry::EntryBook;
use store::EntryStore;
use tokio::sync::watch;

use platform::clock::Clock;
use platform::entries::Entries;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(1);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct EntryLoader {
    /// Allow and block entries.
    pub stored: EntryStore,
    /// Where messages find them.
    pub entries: Entries,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop.
    pub signals: Signals,
}

impl Reconciler for EntryLoader {
    type Memory = Option<[i64; 3]>;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "lists", "allow and block entries could not be brought to what is in force")
            .or_when(&self.signals.entries)
    }

    /// One round; returns the stamp of what is in force now. `known` is that of the last round.
    async fn round(&self, known: &mut Option<[i64; 3]>, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        let used = self.entries.take_used();
        if !used.is_empty()
            && let Err(error) = self.stored.record_use(used.clone()).await
        {
            self.entries.put_back_used(used);
            return Err(error.into());
        }
        let stamp = self.stored.entries_stamp(now).await?;
        if *known != Some(stamp) {
            self.entries.put(EntryBook::new(self.stored.entries(now).await?), stamp);
            tracing::info!(entries = stamp[0], "allow and block entries in force");
        }
        *known = Some(stamp);
        Ok(false)
    }
}
