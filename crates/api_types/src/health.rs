//! How it goes,: what the reconcilers did last, and whether there is room.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ledger::LedgerView;
use crate::retention::ClockView;

/// How it goes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HealthView {
    /// Each background loop; none in a drill, whose driver runs them.
    pub reconcilers: Vec<ReconcilerView>,
    /// The last check of the books, which is repeated every quarter of an hour; none before the first has ended.
    pub books: Option<CheckedView>,
    /// How each engine fared with the mails that came last, 20 at most.
    pub engines: Vec<EngineHealthView>,
    pub volume: VolumeView,
    /// Whether the clock is believed, so that what is over goes; none before the first look.
    pub clock: Option<ClockView>,
    /// The check of all stored bytes; none before the first has begun.
    pub scrub: Option<ScrubView>,
    /// How many stored blobs are damaged or missing, and the first twenty.
    pub damaged: u64,
    pub damage: Vec<DamageView>,
}

/// How far the check of all stored bytes is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ScrubView {
    /// When this pass began.
    pub began: String,
    /// done; running; or late, when it has run for longer than it may take.
    pub state: String,
    /// Blobs that it has read, and their bytes.
    pub blobs: u64,
    pub bytes: u64,
    /// When the last whole pass ended, with its blobs and bytes.
    pub last_ended: Option<String>,
    pub last_blobs: u64,
    pub last_bytes: u64,
}

/// Stored bytes that are damaged or missing.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DamageView {
    /// A message whose bytes they are.
    pub mail: String,
    pub sha256: String,
    pub found: String,
    pub why: String,
}

/// A check of the books.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CheckedView {
    pub at: String,
    pub took_ms: f64,
    #[serde(flatten)]
    pub ledger: LedgerView,
}

/// How an engine fared lately.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EngineHealthView {
    pub engine: String,
    pub version: String,
    /// Empty for engines that bring no data of their own.
    pub data_version: String,
    /// Mails that it was asked about, and those with which it failed or ran out of time.
    pub asked: u64,
    pub failed: u64,
    /// The median of the time that it took, in milliseconds.
    pub median_ms: f64,
    /// What it said when it last failed.
    pub fault: String,
}

/// A background loop, and how its rounds went.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReconcilerView {
    /// What it does, in a word or two.
    pub name: String,
    /// ok; running, for its first round; failing, when the last round failed; or late, when a round runs for ten of its
    /// periods and ten minutes.
    pub state: String,
    /// Seconds between rounds when nothing wakes it.
    pub period_s: f64,
    /// When the last round ended.
    pub last: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: Option<f64>,
    /// When a round last failed, and why.
    pub failed: Option<String>,
    pub fault: Option<String>,
    /// How many of its items fail, and the worst of them, 10 at most. They rest for up to ten minutes and are tried
    /// again; nothing waits for them.
    pub failing: u64,
    pub failing_items: Vec<FailingView>,
}

/// An item of a background loop that fails.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FailingView {
    pub item: String,
    /// How often it was tried in vain.
    pub failures: u32,
    pub since: Option<String>,
    /// When it is tried again.
    pub next: String,
    pub fault: String,
}

/// The volume that everything lies on.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct VolumeView {
    /// None where the system does not say.
    pub free_bytes: Option<u64>,
    /// Below this nothing more is taken (452).
    pub floor_bytes: u64,
    /// Bytes of the database and its log.
    pub database_bytes: u64,
}

/// A section of the configuration.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SectionView {
    /// As in the file, such as `next_hop.inbound`; empty for what stands above all sections.
    pub section: String,
    pub settings: Vec<SettingView>,
}

/// A key of the configuration with its value, in words.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SettingView {
    pub key: String,
    pub value: String,
}
