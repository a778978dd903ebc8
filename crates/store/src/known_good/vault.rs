//! The bytes of known-good content, encrypted: whoever steals the disk reads nobody's mail in it.
//!
//! Each content has a key of its own, derived from the master key and the content's hash, so the same nonce is never
//! used for two plaintexts and equal content is equal on the disk. This is evidence, not custody: a file that a crash
//! loses is content that is not kept, so nothing is fsynced.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use domain::Digest;
use domain::token::{TokenKey, seal};

/// What begins every file.
const MAGIC: &[u8; 4] = b"RKG1";
/// Bytes of the id of a key.
const KEY_ID: usize = 8;
/// Keys of the ring at most: the one that encrypts, and those that something is still encrypted with.
pub const KEYS_MAX: usize = 8;

/// Encrypted files by hash.
#[derive(Clone, Debug)]
pub struct Vault {
    root: PathBuf,
    ring: Arc<RwLock<Vec<MasterKey>>>,
}

/// A master key: 32 random bytes, kept outside the folder that it protects.
#[derive(Clone)]
pub struct MasterKey {
    id: [u8; KEY_ID],
    key: TokenKey,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.id_hex())
    }
}

impl MasterKey {
    /// Takes the key's bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        let digest = Digest::of_pieces(&[b"known-good key id", &bytes]);
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&digest.as_bytes()[..KEY_ID]);
        Self { id, key: TokenKey::new(bytes) }
    }

    /// What names the key without telling it.
    pub fn id_hex(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The key of one content.
    fn of(&self, digest: Digest) -> io::Result<LessSafeKey> {
        let derived = seal(&self.key, "known-good content", &digest.hex());
        let key = UnboundKey::new(&AES_256_GCM, derived.as_bytes()).map_err(|_| io::Error::other("no AES-256-GCM"))?;
        Ok(LessSafeKey::new(key))
    }

    fn encrypt(&self, digest: Digest, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut sealed = bytes.to_vec();
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        self.of(digest)?
            .seal_in_place_append_tag(nonce, Aad::from(digest.as_bytes()), &mut sealed)
            .map_err(|_| io::Error::other("it cannot be encrypted"))?;
        Ok([&MAGIC[..], &self.id, &sealed].concat())
    }

    fn decrypt(&self, digest: Digest, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let opened = self
            .of(digest)?
            .open_in_place(nonce, Aad::from(digest.as_bytes()), &mut bytes)
            .map_err(|_| io::Error::other("it was changed, or encrypted with another key"))?
            .len();
        bytes.truncate(opened);
        Ok(bytes)
    }
}

impl Vault {
    /// Opens the folder and makes it where needed. The first key encrypts; the others only read.
    ///
    /// # Errors
    /// When there is no key, or the folder cannot be made.
    pub fn open(root: &Path, keys: Vec<MasterKey>) -> io::Result<Self> {
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(io::Error::other(format!("a ring has 1 to {KEYS_MAX} keys, not {}", keys.len())));
        }
        fs::create_dir_all(root)?;
        Ok(Self { root: root.to_owned(), ring: Arc::new(RwLock::new(keys)) })
    }

    /// Puts a new key before the others.
    pub fn add_key(&self, key: MasterKey) {
        self.ring.write().expect("nobody panics while holding the ring").insert(0, key);
    }

    /// Leaves only the key that encrypts. Call it when [`Vault::renew`] has nothing left to do.
    pub fn drop_old_keys(&self) {
        self.ring.write().expect("nobody panics while holding the ring").truncate(1);
    }

    /// The ids of the keys, the one that encrypts first.
    pub fn key_ids(&self) -> Vec<String> {
        self.keys().iter().map(MasterKey::id_hex).collect()
    }

    fn keys(&self) -> Vec<MasterKey> {
        self.ring.read().expect("nobody panics while holding the ring").clone()
    }

    /// Stores `bytes`; what is there already stays.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, digest: Digest, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(digest);
        if path.exists() {
            return Ok(());
        }
        let keys = self.keys();
        let sealed = keys[0].encrypt(digest, bytes)?;
        write(&path, &sealed)
    }

    /// The bytes of a content, checked against its hash; none if it is not kept.
    ///
    /// # Errors
    /// When it was changed, or its key is not in the ring any more.
    pub fn get(&self, digest: Digest) -> io::Result<Option<Vec<u8>>> {
        let file = match fs::read(self.path(digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (id, sealed) = split(&file)?;
        let keys = self.keys();
        let key = keys.iter().find(|key| key.id == id).ok_or_else(|| io::Error::other("its key is not in the ring"))?;
        let bytes = key.decrypt(digest, sealed)?;
        if Digest::of(&bytes) == digest { Ok(Some(bytes)) } else { Err(io::Error::other("it has other bytes")) }
    }

    /// Removes a content.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, digest: Digest) -> io::Result<()> {
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Encrypts up to `most` files that have an older key with today's. Returns how many were done; fewer than `most`
    /// means that none is left.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file cannot be written.
    pub fn renew(&self, most: usize) -> io::Result<usize> {
        let keys = self.keys();
        let mut renewed = 0;
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?.path();
            if !folder.is_dir() {
                continue;
            }
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if renewed == most {
                    return Ok(renewed);
                }
                let Some(digest) = path.file_name().and_then(|name| Digest::parse(name.to_str()?).ok()) else {
                    // Half-written by a crash.
                    fs::remove_file(&path)?;
                    continue;
                };
                let file = fs::read(&path)?;
                let is_of = |key: &MasterKey| split(&file).is_ok_and(|(id, _)| id == key.id);
                if is_of(&keys[0]) {
                    continue;
                }
                match keys.iter().find(|key| is_of(key)).map(|key| key.decrypt(digest, &file[MAGIC.len() + KEY_ID..])) {
                    Some(Ok(bytes)) => write(&path, &keys[0].encrypt(digest, &bytes)?)?,
                    // Nobody can read it any more.
                    _ => fs::remove_file(&path)?,
                }
                renewed += 1;
            }
        }
        Ok(renewed)
    }

    fn path(&self, digest: Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join(&hex[..2]).join(hex)
    }
}

fn split(file: &[u8]) -> io::Result<([u8; KEY_ID], &[u8])> {
    let rest = file.strip_prefix(MAGIC).ok_or_else(|| io::Error::other("it is none of our files"))?;
    let (id, sealed) = rest.split_at_checked(KEY_ID).ok_or_else(|| io::Error::other("it is cut off"))?;
    Ok((id.try_into().map_err(|_| io::Error::other("it is cut off"))?, sealed))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension("new");
    fs::write(&temporary, bytes)?;
    fs::rename(temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> MasterKey {
        MasterKey::new([byte; 32])
    }

    #[test]
    fn what_is_kept_comes_back_and_nothing_of_it_is_on_the_disk() {
        let folder = tempfile::tempdir().expect("folder");
        let vault = Vault::open(folder.path(), vec![key(1)]).expect("opens");
        let bytes = b"a logo that everybody sends, a logo that everybody sends".repeat(20);
        let digest = Digest::of(&bytes);
        vault.put(digest, &bytes).expect("puts");
        assert_eq!(vault.get(digest).expect("reads").as_deref(), Some(&bytes[..]));
        assert_eq!(vault.get(Digest::of(b"other")).expect("reads"), None);
        let path = vault.path(digest);
        let file = fs::read(&path).expect("file");
        assert!(!file.windows(8).any(|window| bytes.starts_with(window)), "plain text on the disk");
        let mut changed = file.clone();
        changed[40] ^= 1;
        fs::write(&path, changed).expect("writes");
        assert!(vault.get(digest).is_err(), "a changed file is told");
        assert!(Vault::open(folder.path(), vec![key(2)]).expect("opens").get(digest).is_err(), "another key");
        vault.remove(digest).expect("removes");
        vault.remove(digest).expect("again");
        assert_eq!(vault.get(digest).expect("reads"), None);
    }

    #[test]
    fn a_new_key_takes_over_and_the_old_one_goes() {
        let folder = tempfile::tempdir().expect("folder");
        let vault = Vault::open(folder.path(), vec![key(1)]).expect("opens");
        let contents: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 100]).collect();
        for bytes in &contents {
            vault.put(Digest::of(bytes), bytes).expect("puts");
        }
        vault.add_key(key(2));
        assert_eq!(vault.renew(3).expect("renews"), 3);
        let all = |vault: &Vault| {
            contents.iter().all(|bytes| vault.get(Digest::of(bytes)).expect("reads").as_ref() == Some(bytes))
        };
        assert!(all(&vault), "in the middle of it, too");
        assert_eq!(vault.renew(3).expect("renews"), 2);
        assert_eq!(vault.renew(3).expect("renews"), 0);
        vault.drop_old_keys();
        assert!(all(&vault));
        assert!(all(&Vault::open(folder.path(), vec![key(2)]).expect("opens")));
    }
}
