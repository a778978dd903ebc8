//! The bytes of held mail: one file each, named by their SHA-256, durable before anybody is told so.
//!
//! Written to a temporary file in the same folder, fsynced, renamed, and the folder fsynced. A failed fsync
//! breaks the store for good (see [`StoreError::Broken`]); a full disk does not.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use domain::Digest;
use sha2::{Digest as _, Sha256};

use crate::database::error::StoreError;
use crate::failpoint;

/// A folder of blobs.
#[derive(Clone, Debug)]
pub struct Blobs {
    root: PathBuf,
    broken: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
    temporary: Arc<AtomicU64>,
    uses: Arc<Mutex<Uses>>,
}

/// Which blobs are being taken, and which are being removed, right now: never one of both.
#[derive(Debug, Default)]
struct Uses {
    pinned: HashMap<Digest, usize>,
    removing: HashSet<Digest>,
    holds: usize,
}

/// Keeps every blob from being removed, for a backup.
#[derive(Debug)]
pub struct Held(Arc<Mutex<Uses>>);

impl Drop for Held {
    fn drop(&mut self) {
        lock(&self.0).holds -= 1;
    }
}

/// Keeps a blob from being removed until the row that names it is committed.
#[derive(Debug)]
pub struct Pin {
    uses: Arc<Mutex<Uses>>,
    digest: Digest,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut uses = lock(&self.uses);
        if let Some(count) = uses.pinned.get_mut(&self.digest) {
            *count -= 1;
            if *count == 0 {
                uses.pinned.remove(&self.digest);
            }
        }
    }
}

/// A blob that is being removed: who wants to take it waits until this is dropped, however the removal ends.
#[derive(Debug)]
struct Removing {
    uses: Arc<Mutex<Uses>>,
    digest: Digest,
}

impl Drop for Removing {
    fn drop(&mut self) {
        lock(&self.uses).removing.remove(&self.digest);
    }
}

/// What a look at the file of a blob finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Its bytes are those of its name; so many.
    Whole(u64),
    /// It has other bytes.
    Changed,
    /// It is not there.
    Missing,
    /// The disk does not give it.
    Unreadable(String),
}

impl Sound {
    /// What is wrong with it, in words; none when nothing is.
    pub fn fault(&self) -> Option<String> {
        match self {
            Self::Whole(_) => None,
            Self::Changed => Some("the bytes are not those that were stored".into()),
            Self::Missing => Some("the file is not in the blob folder".into()),
            Self::Unreadable(why) => Some(format!("the disk does not give it: {why}")),
        }
    }
}

fn lock(uses: &Mutex<Uses>) -> MutexGuard<'_, Uses> {
    uses.lock().expect("nobody panics while holding the uses of blobs")
}

impl Blobs {
    /// Opens the folder, makes it and its 256 folders where needed, durably, and removes what a crash left
    /// half-written. So no writer ever finds a folder that another one made and that is not on the disk yet.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let failed = |error: io::Error| StoreError::Blob { path: root.to_owned(), why: error.to_string() };
        let fresh = !root.exists();
        fs::create_dir_all(root.join("new")).map_err(failed)?;
        for folder in 0..=u8::MAX {
            match fs::create_dir(root.join(format!("{folder:02x}"))) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
                _ => {}
            }
        }
        // Also when all were there: a start that a crash ended may have made them without syncing.
        sync_folder(root).map_err(failed)?;
        if fresh && let Some(parent) = root.parent() {
            sync_folder(parent).map_err(failed)?;
        }
        for entry in fs::read_dir(root.join("new")).map_err(failed)? {
            // Nobody was told that a temporary file is safe, so nobody misses it.
            fs::remove_file(entry.map_err(failed)?.path()).map_err(failed)?;
        }
        Ok(Self {
            root: root.to_owned(),
            broken: Arc::default(),
            full: Arc::default(),
            temporary: Arc::default(),
            uses: Arc::default(),
        })
    }

    /// Whether an fsync has failed here.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Whether the last blob found no room.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// Stores `bytes` durably. Bytes that are there already are made sure of again. Hold the [`Pin`] until the row that
    /// names the blob is committed: retention leaves pinned blobs alone.
    ///
    /// # Errors
    /// [`StoreError::Broken`] after a failed write to the disk, [`StoreError::Full`] without room.
    pub async fn put(&self, bytes: Arc<Vec<u8>>, digest: Digest) -> Result<Pin, StoreError> {
        if self.is_broken() {
            return Err(StoreError::Broken("an earlier write failed".into()));
        }
        let pin = self.pin(digest).await;
        let blobs = self.clone();
        let written = tokio::task::spawn_blocking(move || blobs.put_now(&bytes, digest)).await;
        self.full.store(matches!(&written, Ok(Err(error)) if is_full(error)), Ordering::SeqCst);
        match written {
            Ok(Ok(())) => Ok(pin),
            Ok(Err(error)) if is_full(&error) => Err(StoreError::Full(error.to_string())),
            Ok(Err(error)) if is_out_of_means(&error) => Err(StoreError::Busy(error.to_string())),
            Ok(Err(error)) => {
                self.broken.store(true, Ordering::SeqCst);
                Err(StoreError::Broken(error.to_string()))
            }
            Err(panic) => Err(StoreError::Broken(panic.to_string())),
        }
    }

    /// Reads a blob and checks it against its name.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub async fn get(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.path(digest);
        let read = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || fs::read(path)).await
        };
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Err(StoreError::Blob { path, why: error.to_string() }),
            Err(panic) => return Err(StoreError::Blob { path, why: panic.to_string() }),
        };
        if Digest::of(&bytes) == digest { Ok(bytes) } else { Err(StoreError::Corrupt { path }) }
    }

    /// Reads a blob piece by piece and checks it against its name.
    ///
    /// # Errors
    /// When it could not be looked at just now, which says nothing of the blob.
    pub async fn check(&self, digest: Digest) -> Result<Sound, StoreError> {
        let path = self.path(digest);
        let looked = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || look(&path, digest)).await
        };
        match looked {
            Ok(Ok(sound)) => Ok(sound),
            Ok(Err(error)) => Err(StoreError::Blob { path, why: error.to_string() }),
            Err(panic) => Err(StoreError::Blob { path, why: panic.to_string() }),
        }
    }

    /// Nothing is removed until the result is dropped.
    pub fn hold_removals(&self) -> Held {
        lock(&self.uses).holds += 1;
        Held(self.uses.clone())
    }

    async fn pin(&self, digest: Digest) -> Pin {
        loop {
            {
                let mut uses = lock(&self.uses);
                if !uses.removing.contains(&digest) {
                    *uses.pinned.entry(digest).or_insert(0) += 1;
                    return Pin { uses: self.uses.clone(), digest };
                }
            }
            // It is being removed right now, which takes a query and an unlink; then it is written anew.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Removes a blob unless it is pinned or `is_used` says that a row names it. The question is asked after new pins
    /// have been made to wait, so whoever took the blob before has committed its row, and whoever comes later writes it
    /// anew.
    ///
    /// # Errors
    /// When the question or the removal fails.
    pub async fn remove_unless<F>(&self, digest: Digest, is_used: F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<bool, StoreError>>,
    {
        let removing = {
            let mut uses = lock(&self.uses);
            if uses.holds > 0 || uses.pinned.contains_key(&digest) || !uses.removing.insert(digest) {
                return Ok(());
            }
            Removing { uses: self.uses.clone(), digest }
        };
        if is_used.await? { Ok(()) } else { self.remove(removing).await }
    }

    /// Removes the file. Whoever waits may be cancelled: the file goes all the same, and only then may others take the
    /// blob again.
    async fn remove(&self, removing: Removing) -> Result<(), StoreError> {
        let path = self.path(removing.digest);
        let removed = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || {
                let removed = fs::remove_file(path);
                drop(removing);
                removed
            })
            .await
        };
        match removed {
            Ok(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Blob { path, why: error.to_string() })
            }
            Err(panic) => Err(StoreError::Blob { path, why: panic.to_string() }),
            // One that is not there is removed already.
            _ => Ok(()),
        }
    }

    /// Whether the file of a blob is there.
    pub fn has(&self, digest: Digest) -> bool {
        self.path(digest).is_file()
    }

    /// The blobs of one of the 256 folders that were written before `before`.
    ///
    /// # Errors
    /// When the folder cannot be read; one that is not there is empty.
    pub async fn older_than(&self, folder: u8, before: SystemTime) -> Result<Vec<Digest>, StoreError> {
        let folder = format!("{folder:02x}");
        let path = self.root.join(&folder);
        let listed = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || list_older(&path, &folder, before)).await
        };
        match listed {
            Ok(Ok(blobs)) => Ok(blobs),
            Ok(Err(error)) => Err(StoreError::Blob { path, why: error.to_string() }),
            Err(panic) => Err(StoreError::Blob { path, why: panic.to_string() }),
        }
    }

    /// Where a blob lies.
    pub fn path(&self, digest: Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join(&hex[..2]).join(&hex[2..])
    }

    fn put_now(&self, bytes: &[u8], digest: Digest) -> io::Result<()> {
        let path = self.path(digest);
        let folder = path.parent().expect("a blob lies in a folder of its own first two digits").to_owned();
        // One that was damaged is written anew: who is told that its bytes are safe must find these.
        if fs::read(&path).is_ok_and(|there| there == bytes) {
            // It may have been renamed by a process that died before its folder was synced.
            File::open(&path)?.sync_all()?;
            return sync_folder(&folder);
        }
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.root.join("new").join(format!("{}-{}-{number}", digest.hex(), std::process::id()));
        let written = write_synced(&temporary, bytes).and_then(|()| {
            failpoint::step("blob-written");
            fs::rename(&temporary, &path)
        });
        if let Err(error) = written {
            // The error matters, not whether the remains could be removed; the next start does that.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        failpoint::step("blob-renamed");
        sync_folder(&folder)?;
        failpoint::step("blob-durable");
        Ok(())
    }
}

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;
/// What the system says when the medium fails (EIO).
const INPUT_OUTPUT_ERROR: i32 = 5;

fn look(path: &Path, digest: Digest) -> io::Result<Sound> {
    let read = || -> io::Result<Sound> {
        let mut file = File::open(path)?;
        let (mut hasher, mut piece, mut size) = (Sha256::new(), vec![0; PIECE], 0);
        loop {
            match file.read(&mut piece)? {
                0 => break,
                count => {
                    hasher.update(&piece[..count]);
                    size += count as u64;
                }
            }
        }
        let is_whole = Digest::from_bytes(hasher.finalize().into()) == digest;
        Ok(if is_whole { Sound::Whole(size) } else { Sound::Changed })
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Sound::Missing),
        Err(error) if error.raw_os_error() == Some(INPUT_OUTPUT_ERROR) => Ok(Sound::Unreadable(error.to_string())),
        looked => looked,
    }
}

fn list_older(path: &Path, folder: &str, before: SystemTime) -> io::Result<Vec<Digest>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut blobs = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A name that is no digest is not ours, and stays.
        let Ok(digest) = Digest::parse(&format!("{folder}{}", entry.file_name().to_string_lossy())) else { continue };
        if entry.metadata()?.modified()? < before {
            blobs.push(digest);
        }
    }
    Ok(blobs)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether the program or the system had no descriptor or memory left for the moment (EMFILE, ENFILE, ENOMEM): nothing
/// was written then, and it says nothing of the volume.
fn is_out_of_means(error: &io::Error) -> bool {
    const MEANS: [i32; 3] = [24, 23, 12];
    error.raw_os_error().is_some_and(|code| MEANS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_descriptors_says_nothing_of_the_volume() {
        let is = |code| is_out_of_means(&io::Error::from_raw_os_error(code));
        assert!(is(24) && is(23), "EMFILE, ENFILE");
        assert!(!is(5) && !is(28), "EIO, ENOSPC");
    }

    #[tokio::test]
    async fn what_was_put_is_there_and_checked() {
        let folder = tempfile::tempdir().expect("folder");
        let blobs = Blobs::open(&folder.path().join("blobs")).expect("opens");
        let bytes = Arc::new(b"mail".to_vec());
        let digest = Digest::of(&bytes);
        blobs.put(bytes.clone(), digest).await.expect("put");
        blobs.put(bytes.clone(), digest).await.expect("put again");
        assert_eq!(blobs.get(digest).await.expect("get"), *bytes);
        fs::write(blobs.path(digest), b"other").expect("damage");
        assert!(matches!(blobs.get(digest).await, Err(StoreError::Corrupt { .. })));
        assert!(matches!(blobs.get(Digest::of(b"none")).await, Err(StoreError::Blob { .. })));
    }

    #[tokio::test]
    async fn what_is_being_taken_is_not_removed() {
        let folder = tempfile::tempdir().expect("folder");
        let blobs = Blobs::open(&folder.path().join("blobs")).expect("opens");
        let bytes = Arc::new(b"mail".to_vec());
        let digest = Digest::of(&bytes);
        let pin = blobs.put(bytes.clone(), digest).await.expect("put");
        blobs.remove_unless(digest, async { Ok(false) }).await.expect("asks");
        assert!(blobs.has(digest), "pinned");
        drop(pin);
        blobs.remove_unless(digest, async { Ok(true) }).await.expect("asks");
        assert!(blobs.has(digest), "used");
        // While the question is asked, who puts the same bytes waits, and finds them afterwards.
        let (other, same) = (blobs.clone(), bytes.clone());
        let (sender, asked) = tokio::sync::oneshot::channel();
        let putting = tokio::spawn(async move {
            asked.await.expect("asked");
            other.put(same, digest).await
        });
        let question = async {
            sender.send(()).expect("waits");
            tokio::time::sleep(Duration::from_millis(30)).await;
            Ok(false)
        };
        blobs.remove_unless(digest, question).await.expect("removes");
        let _pin = putting.await.expect("runs").expect("put");
        assert!(blobs.has(digest));
    }

    #[tokio::test]
    async fn a_removal_that_is_cancelled_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().expect("folder");
        let blobs = Blobs::open(&folder.path().join("blobs")).expect("opens");
        let bytes = Arc::new(b"mail".to_vec());
        let digest = Digest::of(&bytes);
        drop(blobs.put(bytes.clone(), digest).await.expect("put"));
        // Cancelled while the question is asked: the answer never comes.
        let cut = Duration::from_millis(20);
        let removal = blobs.remove_unless(digest, std::future::pending());
        tokio::time::timeout(cut, removal).await.expect_err("it is cancelled");
        assert!(blobs.has(digest), "nobody said that it is not used");
        let put = tokio::time::timeout(Duration::from_secs(5), blobs.put(bytes.clone(), digest));
        let pin = put.await.expect("nobody waits for a removal that is over").expect("put");
        drop(pin);
        // Cancelled at every step: what is put afterwards is there.
        for polls in 0..6 {
            let mut removal = Box::pin(blobs.remove_unless(digest, async {
                tokio::task::yield_now().await;
                Ok(false)
            }));
            for _ in 0..polls {
                if std::future::poll_fn(|context| std::task::Poll::Ready(removal.as_mut().poll(context).is_ready()))
                    .await
                {
                    break;
                }
            }
            drop(removal);
            let put = tokio::time::timeout(Duration::from_secs(5), blobs.put(bytes.clone(), digest));
            let _pin = put.await.expect("does not spin").expect("put");
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(blobs.has(digest), "a late removal takes nothing that was put after it, {polls} polls");
        }
    }

    #[test]
    fn all_folders_of_blobs_are_made_when_it_opens() {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path().join("blobs");
        Blobs::open(&root).expect("opens");
        let made = |path: &Path| fs::read_dir(path).expect("reads").count();
        assert_eq!(made(&root), 257, "256 and one for what is being written");
        fs::remove_dir(root.join("a0")).expect("removes");
        Blobs::open(&root).expect("opens again");
        assert!(root.join("a0").is_dir());
    }

    #[tokio::test]
    async fn a_damaged_blob_is_found_and_mended_by_the_same_mail() {
        let folder = tempfile::tempdir().expect("folder");
        let blobs = Blobs::open(&folder.path().join("blobs")).expect("opens");
        let bytes = Arc::new(vec![7; PIECE + 1]);
        let digest = Digest::of(&bytes);
        assert_eq!(blobs.check(digest).await.expect("looks"), Sound::Missing);
        drop(blobs.put(bytes.clone(), digest).await.expect("put"));
        assert_eq!(blobs.check(digest).await.expect("looks"), Sound::Whole(PIECE as u64 + 1));
        let mut flipped = bytes.to_vec();
        flipped[PIECE] ^= 1;
        fs::write(blobs.path(digest), flipped).expect("damages");
        assert_eq!(blobs.check(digest).await.expect("looks"), Sound::Changed);
        drop(blobs.put(bytes.clone(), digest).await.expect("put"));
        assert_eq!(blobs.get(digest).await.expect("gets"), *bytes, "what was answered for is there");
    }

    #[test]
    fn a_start_removes_what_was_half_written() {
        let folder = tempfile::tempdir().expect("folder");
        Blobs::open(folder.path()).expect("opens");
        fs::write(folder.path().join("new/half"), b"x").expect("write");
        Blobs::open(folder.path()).expect("opens");
        assert!(!folder.path().join("new/half").exists());
    }
}
