//! The floor of free space: below it nothing more is taken (452), long before anything would be lost or evicted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::measure;

/// How often the volume is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Whether the volume of the store has room.
#[derive(Clone, Debug, Default)]
pub struct DiskSpace(Arc<AtomicBool>);

impl DiskSpace {
    /// Whether there is too little room to take anything into custody.
    pub fn is_low(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Looks once.
    pub fn look(&self, folder: &Path, floor_bytes: u64) {
        let free = match rustix::fs::statvfs(folder) {
            Ok(volume) => volume.f_bavail.saturating_mul(volume.f_frsize),
            Err(error) => {
                // Whether the volume can be written to is found out by writing.
                tracing::warn!(%error, "cannot ask for the free space of the store's volume");
                u64::MAX
            }
        };
        measure::volume(free, floor_bytes);
        let low = free < floor_bytes;
        if low != self.0.swap(low, Ordering::Relaxed) {
            tracing::warn!(
                free_mib = free >> 20,
                floor_mib = floor_bytes >> 20,
                low,
                "free space of the store's volume"
            );
        }
    }

    /// Looked at now, and again and again for as long as the program runs.
    pub fn watched(folder: &Path, floor_bytes: u64) -> Self {
        let room = Self::default();
        room.look(folder, floor_bytes);
        tokio::spawn(room.clone().watch(folder.to_owned(), floor_bytes));
        room
    }

    async fn watch(self, folder: PathBuf, floor_bytes: u64) {
        loop {
            self.look(&folder, floor_bytes);
            tokio::time::sleep(PERIOD).await;
        }
    }
}
