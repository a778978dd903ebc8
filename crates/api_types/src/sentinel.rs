//! The sentinel: what is suspected, why; what is contained; and what people contain, give back and pin.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// How the sentinel stands.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SentinelView {
    /// automatic or recommend.
    pub containment: String,
    /// Whether it would act by itself now.
    pub acts: bool,
    pub memory: super::memory::MemoryView,
    pub suspects: Vec<SuspicionView>,
    pub contained: Vec<ContainmentView>,
    pub pinned: Vec<PinView>,
}

/// What is known against a detection version.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SuspicionView {
    pub detection: String,
    pub detection_version: String,
    /// live, suspect, pardon, contained or probation.
    pub state: String,
    pub since: Option<String>,
    /// What is compared with the threshold: live evidence times the probe's.
    #[serde(deserialize_with = "beyond_numbers")]
    pub evidence: f64,
    /// The evidence that convicts it.
    pub threshold: f64,
    #[serde(deserialize_with = "beyond_numbers")]
    pub live_evidence: f64,
    pub probe_evidence: f64,
    /// Contents known to be good that the last probe hit, and looked at.
    pub probe_hits: u32,
    pub probe_seen: u32,
    pub last_probe: Option<String>,
    /// Hits on mail of known senders; those senders; those of them whose content vouches against the detection.
    pub hits: u64,
    pub senders: usize,
    pub witnesses: usize,
}

/// Evidence is a product; one that no floating-point number holds is null in JSON.
fn beyond_numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

/// What is held back.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ContainmentView {
    pub detection: String,
    pub detection_version: String,
    /// pardon, contained, probation; none when it was given back.
    pub level: Option<String>,
    pub since: String,
    pub until: Option<String>,
    pub by: String,
    pub reason: String,
}

/// A detection that nothing contains by itself.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PinView {
    pub detection: String,
    pub since: String,
    pub by: String,
    pub reason: String,
}

/// Why the sentinel believes what it believes of a detection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExplanationView {
    /// Each version that was ever suspected.
    pub versions: Vec<SuspicionView>,
    /// What was heard, the newest 200 lines, newest first.
    pub journal: Vec<LineView>,
}

/// A line of the journal.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LineView {
    pub at: String,
    pub detection_version: String,
    /// opened, hit, probed, moved or waited.
    pub event: String,
    pub text: String,
}

/// What to contain, or to give back.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainAsk {
    /// The detection.
    pub detection: String,
    /// Its version; none for the one in force.
    #[serde(default)]
    pub version: Option<String>,
    /// Why, for the record.
    pub reason: String,
    /// Hours after which it ends by itself; none: until somebody ends it.
    #[serde(default)]
    pub hours: Option<u64>,
    /// Give it back: it acts again as policy says.
    #[serde(default)]
    pub release: bool,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be done.
    #[serde(default)]
    pub what_if: bool,
}

/// Whether to pin a detection, or to let go of it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinAsk {
    /// Whether it is pinned.
    pub pinned: bool,
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
}
