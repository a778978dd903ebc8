//! How the program fares: how the background tasks went last, and whether there is room.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hold::HeldView;
use crate::ledger::LedgerView;
use crate::reload::ReloadView;
use crate::retention::ClockView;

/// How the program fares.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HealthView {
    /// How each background task fares; empty in a drill, whose driver runs them.
    pub reconcilers: Vec<ReconcilerView>,
    /// The last check of the books, which is repeated every quarter of an hour, and less often where it takes more than
    /// 30 seconds; none before the first has ended.
    pub books: Option<CheckedView>,
    /// How each engine fared with the mails that came last, 20 at most.
    pub engines: Vec<EngineHealthView>,
    /// How much room there is on the volume of `data_dir`.
    pub volume: VolumeView,
    /// Whether the clock is believed, so that what is over goes; none before the first look.
    pub clock: Option<ClockView>,
    /// The check of all stored bytes; none before the first has begun.
    pub scrub: Option<ScrubView>,
    /// How many stored blobs are damaged or missing.
    pub damaged: u64,
    /// Stored blobs that are damaged or missing: the first 20.
    pub damage: Vec<DamageView>,
    /// What is on legal hold.
    pub held: HeldView,
    /// The last reload of the configuration since the process began; none before the first.
    #[serde(default)]
    pub reload: Option<ReloadView>,
}

/// How far the check of all stored bytes is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ScrubView {
    /// When this pass began (RFC 3339).
    pub began: String,
    /// done; running; or late, when it has run for longer than the configuration lets it take.
    pub state: String,
    /// Blobs that this pass has read so far.
    pub blobs: u64,
    /// Bytes that this pass has read so far.
    pub bytes: u64,
    /// When the last whole pass ended (RFC 3339); none before the first.
    pub last_ended: Option<String>,
    /// Blobs that the last whole pass read; 0 before the first.
    pub last_blobs: u64,
    /// Bytes that the last whole pass read; 0 before the first.
    pub last_bytes: u64,
}

/// Stored bytes that are damaged or missing.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DamageView {
    /// The id of a message whose bytes they are.
    pub mail: String,
    /// The SHA-256 that they had when they were stored, in lower-case hexadecimal.
    pub sha256: String,
    /// When it was found (RFC 3339).
    pub found: String,
    /// What is wrong with them, as a sentence.
    pub why: String,
}

/// A check of the books.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CheckedView {
    /// When the check ended (RFC 3339).
    pub at: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What it found; `stale_tentative` is always empty here.
    #[serde(flatten)]
    pub ledger: LedgerView,
}

/// How an engine fared lately.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EngineHealthView {
    /// The engine, such as yara or clamd.
    pub engine: String,
    /// The version of its program, as it said last.
    pub version: String,
    /// The version of its data, as it said last; empty for engines that bring no data of their own.
    pub data_version: String,
    /// Of the mails that came last, those that it was asked about.
    pub asked: u64,
    /// Of those, the ones with which it failed or ran out of time.
    pub failed: u64,
    /// The median of the time that it took with a mail, in milliseconds.
    pub median_ms: f64,
    /// What it said when it last failed; empty if it did not.
    pub fault: String,
}

/// A background task, and how its rounds went.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReconcilerView {
    /// The name of the task: what it does, in a word or two.
    pub name: String,
    /// failing, when the last round failed; late, when a round has run for longer than ten periods and than ten
    /// minutes; running, for its first round; else ok.
    pub state: String,
    /// Seconds between rounds when nothing wakes it.
    pub period_s: f64,
    /// When the last round ended (RFC 3339); none while the first one runs.
    pub last: Option<String>,
    /// How long the last round took, in milliseconds; none while the first one runs.
    pub took_ms: Option<f64>,
    /// When a round last failed (RFC 3339); none if none has.
    pub failed: Option<String>,
    /// Why a round last failed; none if none has.
    pub fault: Option<String>,
    /// How many of its items fail. They rest for up to ten minutes and are tried again; nothing waits for them.
    pub failing: u64,
    /// The worst of the items that fail, 10 at most; for `sentinel` 10 mails more, which it could not take in.
    pub failing_items: Vec<FailingView>,
}

/// An item of a background task that fails.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FailingView {
    /// What the item is, such as the id of a message.
    pub item: String,
    /// How often it was tried in vain.
    pub failures: u32,
    /// When it first failed (RFC 3339); none where that is not kept.
    pub since: Option<String>,
    /// When it is tried again (RFC 3339).
    pub next: String,
    /// Why it failed last.
    pub fault: String,
}

/// The volume that everything lies on.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct VolumeView {
    /// Bytes that are free for this program; none where the system does not say.
    pub free_bytes: Option<u64>,
    /// Free bytes below which no mail is taken (452).
    pub floor_bytes: u64,
    /// Bytes of the database and its log as files in `data_dir`; 0 where the database is elsewhere.
    pub database_bytes: u64,
}

/// A section of the configuration.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SectionView {
    /// Its name as in the file, such as `next_hop.inbound`; empty for what stands above all sections.
    pub section: String,
    /// Its keys with their values.
    pub settings: Vec<SettingView>,
}

/// A key of the configuration with its value, in words.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SettingView {
    /// The key, as in the file where it has one there, else in words.
    pub key: String,
    /// Its value in words, a default among them; never a secret, of files only their paths.
    pub value: String,
}
