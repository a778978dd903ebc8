//! Detections: what is in force, what it has done, and the mode that people give it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ruleset::DetectionRow;

/// A mode that a person has set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ModeView {
    /// The code of the detection, such as IMG-0042.
    pub code: String,
    /// Enforce, Shadow (it is recorded and does not act) or Off (it does not run).
    pub mode: String,
    /// Why, in the words of who set it.
    pub reason: String,
    /// The name of who set it.
    pub by: String,
    /// When it was set (RFC 3339).
    pub since: String,
    /// When it ends (RFC 3339): then the detection's own mode holds again.
    pub until: String,
}

/// A detection in force.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ActiveDetection {
    /// What the ruleset says of it, in which `mode` is its own.
    #[serde(flatten)]
    pub detection: DetectionRow,
    /// The mode that a person has set over its own; none where nobody has.
    pub set: Option<ModeView>,
}

/// Everything about a detection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DetectionView {
    /// What the ruleset and people say of it.
    #[serde(flatten)]
    pub active: ActiveDetection,
    /// Its page of documentation, in Markdown; empty for a plain rule.
    pub page: String,
    /// Its source, as it was kept.
    pub source: String,
    /// Every version that was ever kept, newest first.
    pub versions: Vec<VersionRow>,
    /// The mails that show what it must hit and must miss; none for a plain rule.
    pub fixtures: Option<FixturesView>,
    /// Milliseconds that it adds to the scan of one MiB of what costs it most, measured once on this host; none for a
    /// check, since all checks are made in one pass over a mail whatever detections ask for.
    pub cost_ms: Option<f64>,
    /// How right it has been; none for operators of some domains.
    pub record: Option<RecordView>,
}

/// Mails that a detection was tried on when it was built.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FixturesView {
    /// Mails that it must hit, as text.
    pub hit: String,
    /// Mails that it must miss, as text.
    pub miss: String,
}

/// How right a detection has been, by what is known of it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RecordView {
    /// How many days back from now are looked at: 30.
    pub days: u64,
    /// Messages that it could act on, in all its versions.
    pub acted: u64,
    /// Messages that somebody called a false positive, or that the replay of an incident cleared, in all its versions.
    pub contradicted: u64,
    /// The share of `acted` that nobody contradicted, 0 to 1; none when it could act on nothing.
    pub precision: Option<f64>,
    /// What the precision is at least, with 95 % confidence, if people contradict all that is wrong; none when it could
    /// act on nothing.
    pub precision_least: Option<f64>,
    /// Contents known to be good that this version was last tried on; 0 before the first trial.
    pub probe_seen: u32,
    /// How many of them it hit.
    pub probe_hits: u32,
    /// The share of good contents that it hits at most, 0 to 1, with 95 % confidence; none before the first trial.
    pub false_positives_most: Option<f64>,
}

/// A version of a detection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct VersionRow {
    /// The version: 12 hexadecimal digits.
    pub version: String,
    /// When it was first seen here (RFC 3339).
    pub first_seen: String,
    /// What changed since the version before, as a unified diff; empty for the first.
    pub changes: String,
}

/// What mode to set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeAsk {
    /// enforce, shadow or off; `own` gives the detection its own mode back.
    pub mode: String,
    /// Why, for the record; only with `own` it may be empty.
    #[serde(default)]
    pub reason: String,
    /// Hours after which its own mode holds again: 1 to 8,784, 24 without.
    #[serde(default = "a_day")]
    pub hours: u64,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be set.
    #[serde(default)]
    pub what_if: bool,
}

/// A version that an engine has said it is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EngineRow {
    /// The engine, such as yara or clamd.
    pub engine: String,
    /// The version of its program, as it says.
    pub version: String,
    /// The version of its data, such as clamd's database; empty for engines that bring no data of their own.
    pub data_version: String,
    /// When it first said so (RFC 3339).
    pub first_seen: String,
}

fn a_day() -> u64 {
    24
}

/// A detection is to be tried on what is kept of the mail of the last days.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct DetectionDryRunAsk {
    /// How many days back from now: 7 when it is not said, 30 at most.
    pub days: Option<u64>,
    /// The ruleset that it is of, by its id; the one in force when it is not said.
    pub ruleset: Option<String>,
    /// The name of the person, where a program asks in somebody's name.
    pub actor: String,
}

/// What a detection would have held of what is kept.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DetectionDryRunView {
    /// The code of the detection.
    pub code: String,
    /// Its version.
    pub version: String,
    /// The ruleset that it was taken from.
    pub ruleset: String,
    /// How many days back were looked at.
    pub days: u64,
    /// Whether its effect is one that holds or blocks; where not, hits are only recorded.
    pub would_act: bool,
    /// Mail that is or was in the quarantine.
    pub held: DryRunTally,
    /// Whole mails that were delivered and are kept as known to be good.
    pub delivered: DryRunTally,
    /// Attachments and other contents of delivered mail that are kept likewise, each once.
    pub contents: DryRunTally,
    /// Milliseconds that it took.
    pub took_ms: u64,
}

/// What was looked at of one kind.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct DryRunTally {
    /// How many were looked at.
    pub looked_at: u64,
    /// How many of them it finds something in.
    pub hits: u64,
    /// How many could not be looked at: their bytes are gone, or an examination did not finish.
    pub unreadable: u64,
    /// Whether that is all of this kind that is kept of these days; where not, the newest were looked at.
    pub is_all: bool,
    /// Some of what it finds something in: our ids of mails, names of contents.
    pub named: Vec<String>,
}
