//! What people and their programs see: the REST API, over a unix socket for root on this host, and over TCP; and the
//! pages of the console, which ask the API for everything that they show and do. Recipients have a portal of their own.

pub mod access;
pub mod api;
mod client;
pub mod exchange;
mod host;
mod listener;
mod places;
pub mod portal;
mod pulse;
pub mod rate;
pub mod secret;
pub mod serve;
pub mod web;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use domain::detection::DetectionVersion;
use store::Store;
use store::vault::Vault;

use examiner::Viewer;
use known_good::archive::Importer;
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

/// What versions of detections cost, in milliseconds for one MiB; none for those without a cost of their own.
pub type Costs = Arc<Mutex<BTreeMap<DetectionVersion, Option<f64>>>>;

/// What every request shares.
#[derive(Clone, Debug)]
pub struct Console {
    /// The store; without one every answer says so.
    pub store: Option<Store>,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Where the store lies, for backups.
    pub data_dir: PathBuf,
    /// How often each token may ask.
    pub rates: rate::Rates,
    /// How often somebody may try to sign in.
    pub attempts: rate::Rates,
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
    pub passwords: secret::Passwords,
}
