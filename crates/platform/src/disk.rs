//! The floor of free space: below it nothing more is taken (452), long before anything would be lost or evicted.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

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
        let free = match free_bytes(folder) {
            Ok(free) => free,
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

    /// Looked at now, and again and again for as long as `watches` are kept.
    pub fn watched(folder: &Path, floor_bytes: u64, watches: &mut JoinSet<()>) -> Self {
        let room = Self::default();
        room.look(folder, floor_bytes);
        watches.spawn(room.clone().watch(folder.to_owned(), floor_bytes));
        room
    }

    async fn watch(self, folder: PathBuf, floor_bytes: u64) {
        loop {
            self.look(&folder, floor_bytes);
            tokio::time::sleep(PERIOD).await;
        }
    }
}

fn free_bytes(folder: &Path) -> io::Result<u64> {
    let volume = rustix::fs::statvfs(folder)?;
    Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
}

/// Room on the volume of the store that is left to mail: what else is written there stops above the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomForMail {
    /// Where the store lies.
    pub folder: PathBuf,
    /// Free space that nothing but mail may take.
    pub bytes: u64,
}

impl RoomForMail {
    /// As much above the floor as the floor itself: where the alert rule for a full volume begins as well.
    pub fn above(folder: &Path, floor_bytes: u64) -> Self {
        Self { folder: folder.to_owned(), bytes: floor_bytes.saturating_mul(2) }
    }

    /// Whether something may be written to a file.
    ///
    /// # Errors
    /// When it lies on the volume of the store, and what is left there is for mail.
    pub fn allows(&self, file: &Path) -> Result<(), String> {
        let free = free_bytes(&self.folder).unwrap_or(u64::MAX);
        if free >= self.bytes || !self.is_on_it(file) {
            return Ok(());
        }
        let (free, kept) = (free >> 20, self.bytes >> 20);
        Err(format!("it waits for room: the volume of the store has {free} MiB, and {kept} MiB are kept for mail"))
    }

    /// Whether a file lies on the volume of the store, or will.
    fn is_on_it(&self, file: &Path) -> bool {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let there = std::fs::metadata(file).or_else(|_| std::fs::metadata(folder)).map(|there| there.dev());
        let store = std::fs::metadata(&self.folder).map(|store| store.dev());
        matches!((there, store), (Ok(there), Ok(store)) if there == store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_else_is_written_beside_the_store_leaves_room_for_mail() {
        let store = tempfile::tempdir().expect("a folder");
        let file = store.path().join("events");
        assert_eq!(RoomForMail::above(store.path(), 0).allows(&file), Ok(()), "no floor, no limit");
        assert_eq!(RoomForMail::above(store.path(), 1).allows(&file), Ok(()));
        let full = RoomForMail::above(store.path(), u64::MAX);
        let why = full.allows(&file).expect_err("no volume is so large");
        assert!(why.contains("waits for room"), "{why}");
        std::fs::write(&file, "").expect("is written");
        assert!(full.allows(&file).is_err(), "a file that is there");
        assert_eq!(full.allows(Path::new("/proc/version")), Ok(()), "another volume is not ours to spare");
    }
}
