//! The integrity reconciler: the structure of the whole database is read once a day, in the background, and what a start left first. What is found
//! breaks the store: nothing more is taken into custody, `/readyz` says why, and Health shows it.

use std::time::Duration;

use store::{Store, StoreError};
use tokio::sync::watch;

use platform::reconciler::{Beat, Rounds};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(24 * 3600);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Inspector {
    /// The store.
    pub store: Store,
}

impl Inspector {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat = Beat::every(PERIOD, "structure of the database", "the database is damaged or cannot be read");
        let mut turns = rounds.turns(beat, stop);
        while turns.after(self.round().await).await {}
    }

    /// One round: every table, with its indexes.
    ///
    /// # Errors
    /// What is wrong, or that it cannot be read.
    pub async fn round(&self) -> Result<bool, StoreError> {
        let checked = self.store.check_structure().await?;
        match checked.faults.is_empty() {
            true => Ok(false),
            false => Err(StoreError::Broken(checked.faults.join("; "))),
        }
    }
}
