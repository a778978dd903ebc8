//! Domain time, ids and randomness: everything that makes two runs differ, behind one argument (ruling 20).

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{MailId, Timestamp};

/// Where domain time and ids come from.
pub trait Clock: Send + Sync + Debug {
    /// The present.
    fn now(&self) -> Timestamp;
    /// Ten bytes that no other id has.
    fn entropy(&self) -> [u8; 10];

    /// A fresh id of a mail.
    fn mail_id(&self) -> MailId {
        MailId::new(self.now(), self.entropy())
    }
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
