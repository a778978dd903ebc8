//! What people and their programs can ask for: each use case asks first whether the operator may, then records who does
//! what, then does it. The REST API, the pages, the recipients' portal and the Exchange verbs all go through here, so
//! that nobody can do more through one of them than through another.
//!
//! Requests and answers are types of [`api_types`]; nothing here knows HTTP.

pub mod access;
pub mod account;
pub mod agreement;
pub mod alert;
pub mod attempt;
pub mod audit;
pub mod backup;
pub mod block_like;
pub mod bulk;
pub mod bypassed;
pub mod detection;
pub mod download;
pub mod dry_run;
pub mod entry;
pub mod error;
pub mod events;
pub mod explain;
pub mod explore;
pub mod health;
pub mod hits;
pub mod hold;
pub mod incident;
pub mod invitation;
pub mod known_good;
pub mod ledger;
pub mod memory;
pub mod message;
pub mod notify;
pub mod person;
pub mod policy;
pub mod quarantine;
mod rate;
pub mod recipient;
pub mod reload;
pub mod retention;
pub mod ruleset;
pub mod saved;
pub mod secret;
pub mod sentinel;
pub mod session;
pub mod submission;
pub mod token;
mod word;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ::known_good::archive::Importer;
use ::known_good::recorder::KnownGoodRecorder;
use domain::detection::DetectionVersion;
use examiner::{ExaminerPool, Viewer};
use platform::audit_signer::AuditSigner;
use platform::clock::Clock;
use platform::config::Config;
use platform::hop::Hops;
use platform::kept::Kept;
use platform::keys::KeyRing;
use platform::ledger_check::LedgerCheck;
use platform::readiness::Readiness;
use platform::reconciler::Rounds;
use platform::removal::Removal;
use platform::shared::Shared;
use platform::signals::Signals;
use platform::system_mail;
use store::Store;
use store::known_good::vault::Vault;
use tokio::sync::Semaphore;

use crate::error::ServiceError;
use crate::rate::Rates;
use crate::recipient::pass::Passes;
use crate::secret::Passwords;

/// What versions of detections cost, in milliseconds for one MiB; none for those without a cost of their own.
type Costs = Arc<Mutex<BTreeMap<DetectionVersion, Option<f64>>>>;

/// What a service is made of: what the other rooms have, and people see or change through it.
#[derive(Debug)]
pub struct Parts {
    /// What all rooms share.
    pub shared: Shared,
    /// The store; without one every answer says so.
    pub store: Option<Store>,
    /// The bytes of known-good content, if they are kept.
    pub vault: Option<Vault>,
    /// Their keys.
    pub ring: KeyRing,
    /// The examining processes, for mail of an archive.
    pub examiner: ExaminerPool,
    /// What remembers it.
    pub learner: KnownGoodRecorder,
    /// How the rounds of the reconcilers went.
    pub rounds: Rounds,
    /// Whether mail is taken now, and whether the program ends.
    pub readiness: Readiness,
}

/// What every request shares. The store is seen by the use cases alone: whoever shows people something asks one of
/// them.
#[derive(Clone, Debug)]
pub struct Service {
    store: Option<Store>,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// The configuration.
    pub config: Arc<Config>,
    /// Whether mail is taken now, and whether the program ends.
    pub readiness: Readiness,
    /// Where the API and the console listen, once they do.
    pub listens_at: Arc<OnceLock<SocketAddr>>,
    /// Wakes the reconcilers.
    signals: Signals,
    /// The bytes of known-good content, if they are kept.
    vault: Option<Vault>,
    /// Their keys.
    ring: KeyRing,
    /// Takes mail of an archive into the memory.
    importer: Importer,
    /// What the last check of the ledger said.
    ledger_check: LedgerCheck,
    /// How the rounds of the reconcilers went.
    rounds: Rounds,
    /// Whether the clock is believed.
    removal: Removal,
    /// Reads mail for who looks at it.
    viewer: Viewer,
    /// Signs checkpoints of the audit log.
    audit_signer: AuditSigner,
    /// The way to our own people.
    hops: Arc<Hops>,
    /// Hashes passwords.
    passwords: Passwords,
    /// What lets recipients in.
    passes: Passes,
    /// How often each token and each session may ask.
    rates: Rates,
    /// How often somebody may try a secret.
    attempts: Rates,
    /// How often the ways by which people are told may be tested.
    notice_tests: Rates,
    /// Milliseconds that each version of a detection costs, once measured: it takes a core for a moment.
    costs: Costs,
    /// Dry runs of detections at once: each has a process that examines.
    dry_runs: Arc<Semaphore>,
    /// What the process keeps when this service ends and the next one begins.
    kept: Kept,
}

/// A test of the ways by which people are told is there again after so long.
const NOTICE_TEST_EVERY: Duration = Duration::from_secs(60);
/// Such tests that may be saved up.
const NOTICE_TESTS: u32 = 3;
/// Dry runs of detections that are under way at once.
const DRY_RUNS_MAX: usize = 1;

impl Service {
    /// A service of these parts, of which nobody has asked anything yet.
    ///
    /// # Errors
    /// When there is no process to read mail with; for people.
    pub fn start(parts: Parts) -> Result<Self, String> {
        let Parts { shared, store, vault, ring, examiner, learner, rounds, readiness } = parts;
        let Shared { config, clock, token_key: key, signals, removal, ledger_check, kept, .. } = shared;
        Ok(Self {
            store,
            importer: Importer { config: config.clone(), examiner, learner, clock: clock.clone() },
            clock,
            readiness,
            listens_at: Arc::default(),
            signals,
            vault,
            ring,
            ledger_check,
            rounds,
            removal,
            viewer: Viewer::start(&config.examination)?,
            audit_signer: AuditSigner::new(&key, &config.hostname),
            hops: Arc::new(Hops::new(&config, 1, &system_mail::timeouts())),
            passwords: Passwords::new(&config.http),
            passes: Passes::new(&key, &config),
            rates: Rates::new(config.api.requests_per_second),
            attempts: Rates::new(1),
            notice_tests: Rates::slow(NOTICE_TEST_EVERY, NOTICE_TESTS),
            costs: Costs::default(),
            dry_runs: Arc::new(Semaphore::new(DRY_RUNS_MAX)),
            kept,
            config,
        })
    }

    /// The store, or the answer that it is not there.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    fn store(&self) -> Result<&Store, ServiceError> {
        self.store
            .as_ref()
            .ok_or_else(|| ServiceError::Unavailable("the store is not open; see the log of `reprieve serve`".into()))
    }
}
