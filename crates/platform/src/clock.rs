//! Domain time, ids and randomness: everything that makes two runs differ, behind one argument.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::removal::Uptime;
use domain::{MailId, Timestamp};

/// Where domain time and ids come from.
pub trait Clock: Send + Sync + Debug {
    /// The present.
    fn now(&self) -> Timestamp;
    /// Ten bytes that no other id has.
    fn entropy(&self) -> [u8; 10];

    /// How long the machine has run, time asleep included: no clock that is set changes that.
    fn uptime(&self) -> Uptime {
        machine_uptime()
    }

    /// A fresh id of a mail.
    fn mail_id(&self) -> MailId {
        MailId::new(self.now(), self.entropy())
    }
}

/// As the kernel says; without a name of the start where it does not say, so that nothing is concluded from it.
fn machine_uptime() -> Uptime {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let uptime = read("/proc/uptime");
    let seconds = uptime.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    let up = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let boot = if up.is_some() { read("/proc/sys/kernel/random/boot_id").trim().to_owned() } else { String::new() };
    Uptime { boot, up: up.unwrap_or_default() }
}

/// The system's clock and random source.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn entropy(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        getrandom::fill(&mut bytes).expect("the system has a random source; without one no id is safe");
        bytes
    }
}

/// A clock that another process owns: the driver of a drill. The moment lies in a file of ten bytes, microseconds since
/// the epoch and the number of this start, so that it outlives whatever dies.
#[derive(Debug)]
pub struct DrivenClock {
    file: File,
    start: u16,
    ids: AtomicU64,
}

impl DrivenClock {
    /// Opens the file of a driver.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut start = [0; 2];
        file.read_exact_at(&mut start, 8)?;
        Ok(Self { file, start: u16::from_be_bytes(start), ids: AtomicU64::new(0) })
    }

    /// Writes the moment, and the number of the next start, into such a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set(file: &File, now: Timestamp, start: u16) -> io::Result<()> {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&now.as_micros().to_be_bytes());
        bytes[8..].copy_from_slice(&start.to_be_bytes());
        file.write_all_at(&bytes, 0)
    }
}

impl Clock for DrivenClock {
    fn now(&self) -> Timestamp {
        let mut micros = [0; 8];
        self.file.read_exact_at(&mut micros, 0).expect("the driver's file has a moment in it");
        Timestamp::from_micros(i64::from_be_bytes(micros))
    }

    fn entropy(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..2].copy_from_slice(&self.start.to_be_bytes());
        bytes[2..].copy_from_slice(&self.ids.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        bytes
    }
}

/// A clock that stands still until it is moved, with ids that are the same in every run.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
    ids: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { micros: AtomicI64::new(start.as_micros()), ids: AtomicU64::new(0) }
    }

    /// Moves it forward.
    pub fn advance(&self, span: Duration) {
        self.micros.fetch_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }

    fn entropy(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&self.ids.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        bytes
    }
}
