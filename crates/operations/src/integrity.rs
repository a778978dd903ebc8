//! The integrity reconciler: the structure of the whole database is read once a day, in the background, and what a
//! start left first. What is found breaks the store: nothing more is taken into custody, `/readyz` says why, and Health
//! shows it.

use std::time::Duration;

use store::{StoreError, UpkeepStore};
use tokio::sync::watch;

use platform::reconciler::{Beat, Reconciler, RoundError};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(24 * 3600);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct StructureChecker {
    /// What keeps the store in order.
    pub upkeep: UpkeepStore,
}

impl Reconciler for StructureChecker {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "structure of the database", "the database is damaged or cannot be read")
    }

    /// One round: every table, with its indexes.
    /// What is wrong, or that it cannot be read.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let checked = self.upkeep.check_structure().await?;
        match checked.faults.is_empty() {
            true => Ok(false),
            false => Err(StoreError::Broken(checked.faults.join("; ")).into()),
        }
    }
}
