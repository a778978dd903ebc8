//! The data folder: made private to its user, held by one process at a time, with the vault of known-good content in
//! it.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use store::known_good::vault::Vault;

use crate::clock::Clock;
use crate::config::Config;
use crate::keys::KeyRing;
use crate::start_error::DataDirError;

/// The folder of known-good content, in the data folder.
const KNOWN_GOOD: &str = "known-good";
/// The file whose lock the process that uses the folder has.
const LOCK: &str = "lock";

/// The data folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It cannot be used.
    #[error(transparent)]
    Unusable(#[from] DataDirError),
    /// Another process has it.
    #[error("another reprieve is running on {0}; stop it first")]
    Locked(PathBuf),
}

/// The data folder that a process has, until this is dropped. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct HeldFolder(Arc<Mutex<Option<(PathBuf, File)>>>);

impl HeldFolder {
    /// Makes sure that it is held: it is taken where it is not held yet.
    ///
    /// # Errors
    /// As [`take`].
    pub fn hold(&self, path: &Path) -> Result<(), DataFolderError> {
        let mut held = self.0.lock().expect("nobody panics while holding this");
        if held.as_ref().is_none_or(|(one, _)| one != path) {
            *held = Some((path.to_owned(), take(path)?));
        }
        Ok(())
    }
}

/// Makes the data folder, private to its user, and takes its lock, which is given up when the file is dropped.
///
/// # Errors
/// When it cannot be made or used, or another process has it.
pub fn take(path: &Path) -> Result<File, DataFolderError> {
    let failed = |source| DataDirError { path: path.to_owned(), source };
    if !path.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        // A folder that a power cut takes back takes with it whatever was answered for meanwhile.
        let parent = path.canonicalize().map_err(failed)?.parent().map(Path::to_owned).unwrap_or_default();
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(DataFolderError::Locked(path.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(failed(source).into()),
    }
}

/// The bytes of known-good content, encrypted; none if it is not to be kept.
///
/// # Errors
/// When the folder or its keys cannot be used.
pub fn open_vault(config: &Config, ring: &KeyRing, clock: &dyn Clock) -> Result<Option<Vault>, DataDirError> {
    if !config.known_good.is_on {
        return Ok(None);
    }
    let failed = |source| DataDirError { path: config.known_good.key_file.clone(), source };
    let keys = ring.load(clock).map_err(failed)?;
    Ok(Some(Vault::open(&config.data_dir.join(KNOWN_GOOD), keys).map_err(failed)?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_data_folder_is_private_and_one_process_has_it() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("below").join("data");
        let lock = take(&path).expect("nobody has it");
        let mode = fs::metadata(&path).expect("made").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
        assert!(matches!(take(&path), Err(DataFolderError::Locked(locked)) if locked == path));
        drop(lock);
        let held = HeldFolder::default();
        for _ in 0..2 {
            held.hold(&path).expect("it is free again, and then ours");
        }
        assert!(matches!(take(&path), Err(DataFolderError::Locked(_))));
        drop(held);
        take(&path).expect("it is free again");
        assert!(matches!(take(&path.join(LOCK)), Err(DataFolderError::Unusable(_))), "a file is no folder");
    }
}
