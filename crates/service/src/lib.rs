//! What people and their programs can ask for: each use case asks first whether the operator may, then records who does
//! what, then does it. The REST API, the pages, the recipients' portal and the Exchange verbs all go through here, so
//! that nobody can do more through one of them than through another.
//!
//! Requests and answers are types of [`api_types`]; nothing here knows HTTP.

pub mod access;
pub mod agreement;
pub mod alert;
pub mod audit;
pub mod backup;
pub mod bulk;
pub mod detection;
pub mod download;
pub mod entry;
pub mod error;
pub mod explain;
pub mod explore;
pub mod health;
pub mod hits;
pub mod incident;
pub mod known_good;
pub mod ledger;
pub mod memory;
pub mod message;
pub mod person;
pub mod policy;
pub mod quarantine;
pub mod rate;
pub mod retention;
pub mod ruleset;
pub mod saved;
pub mod secret;
pub mod sentinel;
pub mod submission;
pub mod token;
pub mod word;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use ::known_good::archive::Importer;
use domain::detection::DetectionVersion;
use examiner::Viewer;
use platform::audit_signer::AuditSigner;
use platform::clock::Clock;
use platform::config::Config;
use platform::hop::Hops;
use platform::keys::KeyRing;
use platform::ledger_check::LedgerCheck;
use platform::readiness::Readiness;
use platform::reconciler::Rounds;
use platform::removal::Removal;
use platform::signals::Signals;
use store::Store;
use store::vault::Vault;

use crate::error::ServiceError;
use crate::rate::Rates;
use crate::secret::Passwords;

/// What versions of detections cost, in milliseconds for one MiB; none for those without a cost of their own.
pub type Costs = Arc<Mutex<BTreeMap<DetectionVersion, Option<f64>>>>;

/// What every request shares.
#[derive(Clone, Debug)]
pub struct Service {
    /// The store; without one every answer says so.
    pub store: Option<Store>,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Where the store lies, for backups.
    pub data_dir: PathBuf,
    /// How often each token may ask.
    pub rates: Rates,
    /// How often somebody may try to sign in.
    pub attempts: Rates,
    /// Wakes the reconcilers.
    pub signals: Signals,
    /// The bytes of known-good content, if they are kept.
    pub vault: Option<Vault>,
    /// Their keys.
    pub ring: KeyRing,
    /// The configuration.
    pub config: Arc<Config>,
    /// Signs checkpoints of the audit log.
    pub notary: AuditSigner,
    /// Takes mail of an archive into the memory.
    pub importer: Importer,
    /// Milliseconds that each version of a detection costs, once measured: it takes a core for a moment.
    pub costs: Costs,
    /// What the last check of the books said.
    pub books: LedgerCheck,
    /// How the rounds of the reconcilers went.
    pub rounds: Rounds,
    /// Whether the clock is believed.
    pub removal: Removal,
    /// Reads mail for who looks at it.
    pub viewer: Viewer,
    /// The way to our own people.
    pub hops: Arc<Hops>,
    /// Whether mail is taken now, and whether the program ends.
    pub readiness: Readiness,
    /// Where the API and the console listen, once they do.
    pub listens_at: Arc<OnceLock<SocketAddr>>,
    /// Hashes passwords.
    pub passwords: Passwords,
}

impl Service {
    /// The store, or the answer that it is not there.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub fn store(&self) -> Result<&Store, ServiceError> {
        self.store
            .as_ref()
            .ok_or_else(|| ServiceError::Unavailable("the store is not open; see the log of `reprieve serve`".into()))
    }
}
