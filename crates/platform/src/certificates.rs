//! The certificates of the listeners, each from a file of certificates and one of its key. When the files change, the
//! pair is read and checked as one: what does not fit leaves the pair in force that was there.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use domain::Timestamp;
use rustls::ServerConfig;
use wire::certificate::{Pair, ShownCertificate};
use wire::tls::{self, TlsError};

use crate::measure;

/// The files of a pair: certificate and key.
pub type PairFiles = (PathBuf, PathBuf);

/// The certificates of all listeners; listeners with the same files share one.
#[derive(Clone, Debug, Default)]
pub struct Certificates(Arc<Mutex<Vec<Arc<ListenerCertificate>>>>);

/// A certificate in force, with the files that it came from.
#[derive(Debug)]
pub struct ListenerCertificate {
    files: PairFiles,
    shown: Arc<ShownCertificate>,
    config: Arc<ServerConfig>,
    /// The files as they were when they were last read.
    read: Mutex<Option<[Version; 2]>>,
}

/// What tells one state of a file from another: the file that a path, with its symbolic links, leads to, and when it
/// was written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    number: u64,
    size: u64,
    written: (i64, i64),
}

/// What a look at the files has found.
#[derive(Debug)]
pub enum Look {
    /// They are as they were.
    Same,
    /// Another pair is in force now.
    Replaced,
    /// They cannot be used; the pair in force stays.
    Unusable(String),
}

impl Certificates {
    /// The server's side of TLS with the pair of these files.
    ///
    /// # Errors
    /// When a file cannot be read, or the two do not fit.
    pub fn of(&self, files: &PairFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let mut all = self.0.lock().expect("nobody panics while holding this");
        if let Some(known) = all.iter().find(|known| known.files == *files) {
            return Ok(known.config.clone());
        }
        let made = Arc::new(ListenerCertificate::read(files.clone())?);
        all.push(made.clone());
        Ok(made.config.clone())
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<ListenerCertificate>> {
        self.0.lock().expect("nobody panics while holding this").clone()
    }
}

impl ListenerCertificate {
    fn read(files: PairFiles) -> Result<Self, TlsError> {
        let read = versions(&files).ok();
        let pair = Pair::read(&files.0, &files.1)?;
        measure::certificate(&files.0, pair.until);
        let shown = Arc::new(ShownCertificate::new(pair));
        Ok(Self { config: tls::server_config(shown.clone())?, files, shown, read: Mutex::new(read) })
    }

    /// Its files: certificate and key.
    pub fn files(&self) -> &PairFiles {
        &self.files
    }

    /// The pair in force.
    pub fn pair(&self) -> Pair {
        self.shown.now()
    }

    /// Looks whether the files have changed, and if so puts their pair in force: both at once, and only if they fit and
    /// the certificate is valid `now`. Files that could not be used are read again each time.
    pub fn look(&self, now: Timestamp) -> Look {
        // Taken before the files are read: what is written meanwhile is seen the next time.
        let versions = match versions(&self.files) {
            Ok(versions) => versions,
            Err(why) => return Look::Unusable(why),
        };
        if self.read.lock().expect("nobody panics while holding this").as_ref() == Some(&versions) {
            return Look::Same;
        }
        let pair = match self.usable(now) {
            Ok(pair) => pair,
            Err(why) => return Look::Unusable(why),
        };
        *self.read.lock().expect("nobody panics while holding this") = Some(versions);
        if pair.is_like(&self.pair()) {
            return Look::Same;
        }
        measure::certificate(&self.files.0, pair.until);
        self.shown.replace(pair);
        Look::Replaced
    }

    fn usable(&self, now: Timestamp) -> Result<Pair, String> {
        let pair = Pair::read(&self.files.0, &self.files.1).map_err(|error| with_sources(&error))?;
        if now < pair.from {
            return Err(format!("the certificate in {} is valid from {} only", self.files.0.display(), pair.from));
        }
        if now >= pair.until {
            return Err(format!("the certificate in {} has expired: {}", self.files.0.display(), pair.until));
        }
        Ok(pair)
    }
}

fn with_sources(error: &TlsError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

fn versions(files: &PairFiles) -> Result<[Version; 2], String> {
    let version = |path: &PathBuf| version(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    Ok([version(&files.0)?, version(&files.1)?])
}

fn version(path: &PathBuf) -> io::Result<Version> {
    let facts = fs::metadata(path)?;
    let written = (facts.mtime(), facts.mtime_nsec());
    Ok(Version { device: facts.dev(), number: facts.ino(), size: facts.size(), written })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn now() -> Timestamp {
        Timestamp::parse("2026-06-01T00:00:00Z").expect("a moment")
    }

    /// Writes a pair into a folder, valid for these years.
    fn write(folder: &Path, years: (i32, i32)) {
        fs::create_dir_all(folder).expect("folder");
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(["mx.example.org".to_owned()]).expect("parameters");
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(folder.join("cert.pem"), certificate.pem()).expect("write");
        fs::write(folder.join("key.pem"), key.serialize_pem()).expect("write");
    }

    fn files(folder: &Path) -> PairFiles {
        (folder.join("cert.pem"), folder.join("key.pem"))
    }

    #[test]
    fn a_pair_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("folder");
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        write(&one, (2026, 2030));
        write(&other, (2026, 2031));
        let certificates = Certificates::default();
        certificates.of(&files(&one)).expect("a pair");
        certificates.of(&files(&one)).expect("the same pair");
        let all = certificates.all();
        let [certificate] = all.as_slice() else { panic!("one pair of files, {} certificates", all.len()) };
        assert!(matches!(certificate.look(now()), Look::Same));

        // A renewal writes one file after the other.
        let before = certificate.pair();
        fs::copy(other.join("cert.pem"), one.join("cert.pem")).expect("copy");
        let Look::Unusable(why) = certificate.look(now()) else { panic!("they do not fit") };
        assert!(why.contains("do not fit"), "{why}");
        assert!(certificate.pair().is_like(&before));
        fs::copy(other.join("key.pem"), one.join("key.pem")).expect("copy");
        assert!(matches!(certificate.look(now()), Look::Replaced));
        assert_eq!(certificate.pair().until.to_string(), "2031-01-01T00:00:00Z");
        assert!(matches!(certificate.look(now()), Look::Same));
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_a_change() {
        let folder = tempfile::tempdir().expect("folder");
        for (name, until) in [("1", 2030), ("2", 2031)] {
            write(&folder.path().join(name), (2026, until));
        }
        let live = folder.path().join("live");
        symlink(folder.path().join("1"), &live).expect("link");
        let certificate = ListenerCertificate::read(files(&live)).expect("a pair");
        fs::remove_file(&live).expect("unlink");
        assert!(matches!(certificate.look(now()), Look::Unusable(_)), "for a moment there is none");
        symlink(folder.path().join("2"), &live).expect("link");
        assert!(matches!(certificate.look(now()), Look::Replaced));
    }

    #[test]
    fn what_is_over_or_not_yet_valid_is_not_put_in_force() {
        let folder = tempfile::tempdir().expect("folder");
        write(folder.path(), (2026, 2030));
        let certificate = ListenerCertificate::read(files(folder.path())).expect("a pair");
        for (years, word) in [((2020, 2021), "expired"), ((2040, 2041), "valid from")] {
            write(folder.path(), years);
            let Look::Unusable(why) = certificate.look(now()) else { panic!("{years:?} was taken") };
            assert!(why.contains(word), "{why}");
        }
        write(folder.path(), (2025, 2032));
        assert!(matches!(certificate.look(now()), Look::Replaced));
    }
}
