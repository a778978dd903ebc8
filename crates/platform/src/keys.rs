//! Keys of this installation: made once, durable, readable by their user only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::Digest;
use domain::token::TokenKey;
use store::known_good::vault::{KEYS_MAX, MasterKey};

use crate::clock::Clock;
use crate::start_error::DataDirError;

/// The file of the installation's key, in the data folder and in a backup.
pub const KEY_FILE: &str = "release.key";
/// The file of the keys of known-good content: one key a line, in hexadecimal, the one that encrypts first.
pub const RING_FILE: &str = "known-good.key";

/// The installation's key.
///
/// # Errors
/// When the file cannot be read or made.
pub fn token_key(path: &Path, clock: &dyn Clock) -> Result<TokenKey, DataDirError> {
    let failed = |source| DataDirError { path: path.to_owned(), source };
    if let Ok(bytes) = fs::read(path) {
        let key = <[u8; 32]>::try_from(bytes.as_slice());
        return key
            .map(TokenKey::new)
            .map_err(|_| failed(io::Error::other("it does not have 32 bytes; restore it from a backup")));
    }
    let key = random(clock);
    write(path, &key).map_err(failed)?;
    Ok(TokenKey::new(key))
}

/// The keys of known-good content, and where they come from.
#[derive(Clone, Debug)]
pub struct KeyRing {
    path: PathBuf,
    /// Given by systemd (`LoadCredential=known-good.key:...`): read, never written.
    is_credential: bool,
}

impl KeyRing {
    /// The credential that systemd gives, else a file.
    pub fn find(configured: &Path) -> Self {
        let given = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(RING_FILE));
        match given.filter(|path| path.is_file()) {
            Some(path) => Self { path, is_credential: true },
            None => Self { path: configured.to_owned(), is_credential: false },
        }
    }

    /// The keys; a file that is not there is made with a fresh one.
    ///
    /// # Errors
    /// When the file cannot be read or made, or has lines that are no keys.
    pub fn load(&self, clock: &dyn Clock) -> io::Result<Vec<MasterKey>> {
        if !self.is_credential && !self.path.exists() {
            write(&self.path, format!("{}\n", Digest::from_bytes(random(clock)).hex()).as_bytes())?;
        }
        self.lines()?.iter().map(|line| Ok(MasterKey::new(unhex(line)?))).collect()
    }

    /// Puts a fresh key before the others, durably, and returns it.
    ///
    /// # Errors
    /// When the ring is systemd's or full, or the file cannot be written.
    pub fn add(&self, clock: &dyn Clock) -> io::Result<MasterKey> {
        self.must_be_ours()?;
        let mut lines = self.lines()?;
        if lines.len() >= KEYS_MAX {
            return Err(io::Error::other(format!("it has {KEYS_MAX} keys; wait until what is kept is encrypted anew")));
        }
        let key = random(clock);
        lines.insert(0, Digest::from_bytes(key).hex());
        write(&self.path, format!("{}\n", lines.join("\n")).as_bytes())?;
        Ok(MasterKey::new(key))
    }

    /// Leaves only the key that encrypts.
    ///
    /// # Errors
    /// When the ring is systemd's, or the file cannot be written.
    pub fn drop_old(&self) -> io::Result<()> {
        self.must_be_ours()?;
        let first = self.lines()?.into_iter().next().unwrap_or_default();
        write(&self.path, format!("{first}\n").as_bytes())
    }

    fn must_be_ours(&self) -> io::Result<()> {
        if !self.is_credential {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "{} is a credential of systemd: put a new line of 64 hexadecimal digits before the others where it comes \
                from, and restart",
            self.path.display()
        )))
    }

    fn lines(&self) -> io::Result<Vec<String>> {
        let text = fs::read_to_string(&self.path)?;
        Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }
}

/// So many random bytes.
pub fn random<const BYTES: usize>(clock: &dyn Clock) -> [u8; BYTES] {
    let mut random = [0; BYTES];
    for block in random.chunks_mut(8) {
        let entropy = clock.entropy();
        block.copy_from_slice(&entropy[entropy.len() - block.len()..]);
    }
    random
}

/// 32 random bytes in hexadecimal.
pub fn random_secret(clock: &dyn Clock) -> String {
    random::<32>(clock).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(line: &str) -> io::Result<[u8; 32]> {
    let digest = Digest::parse(line).map_err(|_| io::Error::other("a line is not 64 hexadecimal digits"))?;
    Ok(*digest.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_ring_grows_and_shrinks_and_survives() {
        let folder = tempfile::tempdir().expect("folder");
        let ring = KeyRing { path: folder.path().join(RING_FILE), is_credential: false };
        let ids = |keys: Vec<MasterKey>| keys.iter().map(MasterKey::id_hex).collect::<Vec<_>>();
        let first = ids(ring.load(&SystemClock).expect("made"));
        assert_eq!(ids(ring.load(&SystemClock).expect("read")), first);
        let added = ring.add(&SystemClock).expect("added").id_hex();
        assert_eq!(ids(ring.load(&SystemClock).expect("read")), [added.clone(), first[0].clone()]);
        ring.drop_old().expect("dropped");
        assert_eq!(ids(ring.load(&SystemClock).expect("read")), [added]);
        let given = KeyRing { path: ring.path.clone(), is_credential: true };
        assert!(given.add(&SystemClock).is_err());
        fs::write(&ring.path, "nonsense\n").expect("writes");
        assert!(ring.load(&SystemClock).is_err());
    }
}
