//! The sentinel: what is suspected, why; what is contained; and what people contain, give back and pin.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// How the sentinel stands.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SentinelView {
    /// automatic, or recommend (it calls people and contains nothing by itself).
    pub containment: String,
    /// Whether it would contain a detection by itself now: `containment` is automatic, and the memory is strong or the
    /// configuration trusts a weak one.
    pub acts: bool,
    /// How strong the memory is.
    pub memory: super::memory::MemoryView,
    /// Detection versions that something is known of.
    pub suspects: Vec<SuspicionView>,
    /// Detection versions that are held back now.
    pub contained: Vec<ContainmentView>,
    /// Detections that nothing contains by itself.
    pub pinned: Vec<PinView>,
    /// Versions that were forced past a gate and are on probation, and those that were and have delayed mail.
    #[serde(default)]
    pub probations: Vec<ProbationView>,
}

/// A version that was forced past a gate and hits what was known to be good: what became of mail of known senders that
/// it holds.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct ProbationView {
    /// The code of the detection.
    pub detection: String,
    /// Its version.
    pub detection_version: String,
    /// Since when it is on probation (RFC 3339); none when that is over.
    pub since: Option<String>,
    /// Mails that it has delayed in all.
    pub delayed: u64,
    /// Those of them that wait, until people had a quarter of an hour to choose.
    pub waiting: u64,
    /// Those that were let out: each may be a catch that was lost.
    pub let_out: u64,
    /// The most that may be let out.
    pub let_out_most: u64,
    /// Those that stay until a person or the sentinel decides about the version.
    pub kept: u64,
    /// Those that somebody else had decided about before.
    pub settled: u64,
}

/// What is known against a detection version.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SuspicionView {
    /// The code of the detection.
    pub detection: String,
    /// Its version; for an engine outside, that of its data.
    pub detection_version: String,
    /// live (nothing is held against it), suspect, pardon (known content passes), contained, or probation (a corrected
    /// form is watched).
    pub state: String,
    /// Since when it is in that state (RFC 3339); none if it was never in another.
    pub since: Option<String>,
    /// What is compared with the threshold: `live_evidence`, 1 at least, times `probe_evidence`.
    #[serde(deserialize_with = "beyond_numbers")]
    pub evidence: f64,
    /// The evidence that convicts it: 10,000, or 1,000 for a version that had come into force within the day when it
    /// was first suspected.
    pub threshold: f64,
    /// Evidence of the mail that it hits: above 1 speaks against the detection.
    #[serde(deserialize_with = "beyond_numbers")]
    pub live_evidence: f64,
    /// Evidence of the last trial on content known to be good: above 1 speaks against the detection, below for it; 1
    /// before the first trial.
    pub probe_evidence: f64,
    /// Contents known to be good that it hit in the last trial.
    pub probe_hits: u32,
    /// Contents known to be good that it was last tried on; 0 before the first trial.
    pub probe_seen: u32,
    /// When it was last tried (RFC 3339); none if it never was.
    pub last_probe: Option<String>,
    /// Its hits on mail of known senders that nobody else confirms.
    pub hits: u64,
    /// Distinct senders of that mail.
    pub senders: usize,
    /// Those of `senders` whose content vouches against the detection.
    pub witnesses: usize,
}

/// Evidence is a product; one that no floating-point number holds is null in JSON.
fn beyond_numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

/// What is held back.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ContainmentView {
    /// The code of the detection.
    pub detection: String,
    /// Its version; for an engine outside, that of its data.
    pub detection_version: String,
    /// pardon (known content passes), contained (its previous form or the past decides), probation (it acts for
    /// strangers alone) or delay (it was forced, and delays mail of known senders); none when it was given back.
    pub level: Option<String>,
    /// When that was decided (RFC 3339).
    pub since: String,
    /// When it ends by itself (RFC 3339); none when somebody has to end it.
    pub until: Option<String>,
    /// The name of who decided it: a person, or `sentinel`.
    pub by: String,
    /// Why, as a sentence.
    pub reason: String,
}

/// A detection that nothing contains by itself.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PinView {
    /// The code of the detection.
    pub detection: String,
    /// When it was pinned, or let go of (RFC 3339).
    pub since: String,
    /// The name of who did it.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
}

/// Why the sentinel believes what it believes of a detection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExplanationView {
    /// Each version that was ever suspected.
    pub versions: Vec<SuspicionView>,
    /// What was heard, the newest 200 lines, newest first.
    pub journal: Vec<LineView>,
    /// Its versions that are on probation, or were and have delayed mail.
    #[serde(default)]
    pub probations: Vec<ProbationView>,
}

/// A line of the journal.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LineView {
    /// When (RFC 3339).
    pub at: String,
    /// The version of the detection that it is about.
    pub detection_version: String,
    /// opened (what it is judged by), hit, probed (tried on what is known to be good), moved (to another state) or
    /// waited (time passed).
    pub event: String,
    /// What happened, in words; a sender is named by a seal, never by an address.
    pub text: String,
}

/// What to contain, or to give back.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainAsk {
    /// The code of the detection.
    pub detection: String,
    /// Its version; without, the one in force, and with `release` the one that is contained.
    #[serde(default)]
    pub version: Option<String>,
    /// Why, for the record; it may not be empty.
    pub reason: String,
    /// Hours after which it ends by itself, 1 to 8,784; none: until somebody ends it.
    #[serde(default)]
    pub hours: Option<u64>,
    /// Whether to give it back instead: it acts again as policy says.
    #[serde(default)]
    pub release: bool,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
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
    /// true pins it, false lets go of it.
    pub pinned: bool,
    /// Why, for the record; it may not be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}
