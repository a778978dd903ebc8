//! What a process keeps while services come and go in it: at a reload one ends, and the next begins with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use detect::ruleset::load::{folder_files, from_files};
use detect::ruleset::{LoadErrors, Ruleset};

use crate::data_folder::HeldFolder;
use crate::ports::Ports;
use crate::reload::Reloads;

/// What a process keeps. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The sockets that it listens on.
    pub ports: Ports,
    /// The data folder: between two services no other process can take it.
    pub folder: HeldFolder,
    /// What is asked for of its configuration, and what came of it.
    pub reloads: Reloads,
    /// The detections that a service was started with.
    pub ruleset: KeptRuleset,
    /// Whether a service starts with the settings of before, as it did not with the new ones.
    pub is_way_back: bool,
}

/// The files of the ruleset's folder as they were when they were last loaded: the way back does not depend on what
/// somebody has made of them since.
#[derive(Clone, Debug, Default)]
pub struct KeptRuleset(Arc<Mutex<Option<Loaded>>>);

/// A folder, and its files by path.
#[derive(Debug)]
struct Loaded {
    folder: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

impl KeptRuleset {
    /// The ruleset of a folder; of the shipped detections without one. `is_way_back` takes the folder as it was.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self, folder: Option<&Path>, is_way_back: bool) -> Result<Ruleset, LoadErrors> {
        let Some(folder) = folder else { return Ruleset::shipped() };
        let files = match self.last(folder).filter(|_| is_way_back) {
            Some(files) => files,
            None => folder_files(folder)?,
        };
        let ruleset = from_files(files.clone())?;
        *self.0.lock().expect("nobody panics while holding this") = Some(Loaded { folder: folder.to_owned(), files });
        Ok(ruleset)
    }

    fn last(&self, folder: &Path) -> Option<BTreeMap<String, Vec<u8>>> {
        let last = self.0.lock().expect("nobody panics while holding this");
        last.as_ref().filter(|last| last.folder == folder).map(|last| last.files.clone())
    }
}
