//! Detections: what is in force, what it has done, and the mode that people give it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ruleset::DetectionRow;

/// A mode that a person has set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ModeView {
    pub code: String,
    /// Enforce, Shadow or Off.
    pub mode: String,
    pub reason: String,
    pub by: String,
    pub since: String,
    /// Then its own mode holds again.
    pub until: String,
}

/// A detection in force.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ActiveDetection {
    #[serde(flatten)]
    pub detection: DetectionRow,
    /// The mode that a person has set over its own.
    pub set: Option<ModeView>,
}

/// Everything about a detection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DetectionView {
    #[serde(flatten)]
    pub active: ActiveDetection,
    /// Its page of documentation, in Markdown; empty for a plain rule.
    pub page: String,
    /// Its source as it was kept.
    pub source: String,
    /// Every version that was ever kept, newest first.
    pub versions: Vec<VersionRow>,
    /// The mails that show what it must hit and must miss, as text; none for a plain rule.
    pub fixtures: Option<FixturesView>,
    /// Milliseconds that it adds to the scan of one MiB of what costs it most, measured once on this host; none for a
    /// check, since all checks are made in one pass over a mail whatever detections ask for.
    pub cost_ms: Option<f64>,
    /// How right it has been; none for somebody of some domains.
    pub record: Option<RecordView>,
}

/// Mails that a detection was tried on when it was built.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FixturesView {
    pub hit: String,
    pub miss: String,
}

/// How right a detection has been, by what is known of it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RecordView {
    /// The days that are looked at.
    pub days: u64,
    /// Messages that it could act on, in all its versions.
    pub acted: u64,
    /// Those of them that somebody called a false positive, or that the replay of an incident cleared.
    pub contradicted: u64,
    /// The share that nobody contradicted; none when it did not act.
    pub precision: Option<f64>,
    /// What the precision is at least, with 95 % confidence, if people contradict all that is wrong.
    pub precision_least: Option<f64>,
    /// Contents known to be good that the last probe of this version looked at, and how many it hit.
    pub probe_seen: u32,
    pub probe_hits: u32,
    /// How many good contents it hits at most, as a share, with 95 % confidence; none before a probe.
    pub false_positives_most: Option<f64>,
}

/// A version of a detection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct VersionRow {
    pub version: String,
    pub first_seen: String,
    /// What changed since the version before, as a unified diff; empty for the first.
    pub changes: String,
}

/// What mode to set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeAsk {
    /// enforce, shadow or off; `own` gives it its own mode back.
    pub mode: String,
    /// Why, for the record.
    #[serde(default)]
    pub reason: String,
    /// Hours after which its own mode holds again.
    #[serde(default = "a_day")]
    pub hours: u64,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be set.
    #[serde(default)]
    pub what_if: bool,
}

/// A version that an engine has said it is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EngineRow {
    pub engine: String,
    pub version: String,
    /// Empty for engines that bring no data of their own.
    pub data_version: String,
    pub first_seen: String,
}

fn a_day() -> u64 {
    24
}
