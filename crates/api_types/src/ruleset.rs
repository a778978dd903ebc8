//! Rulesets: built from files, compared, published through the gates, taken back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A ruleset in the list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RulesetRow {
    /// Its id: 16 hexadecimal digits.
    pub id: String,
    /// When it was first kept here (RFC 3339).
    pub first_seen: String,
    /// How many detections it has.
    pub detections: usize,
    /// When it was last put in force (RFC 3339); none if it never was.
    pub in_force_since: Option<String>,
    /// Whether it is the one in force.
    pub in_force: bool,
    /// Where its roll-out stands, such as shadow or canary-10; none where it is not being rolled out.
    pub stage: Option<String>,
}

/// What a gate said.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct GateView {
    /// Which gate: static, look-alike or backtest.
    pub gate: String,
    /// Whether it lets the version through.
    pub passed: bool,
    /// What it says, in one sentence.
    pub summary: String,
    /// What speaks against the version, one line each, the worst first; not all where there are many.
    pub faults: Vec<String>,
    /// What is worth knowing and stops nothing, one line each.
    pub notes: Vec<String>,
}

/// A detection of a ruleset.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DetectionRow {
    /// Its code, such as IMG-0042: its name for ever, whatever its version.
    pub code: String,
    /// Its version: 12 hexadecimal digits.
    pub version: String,
    /// What it is about, in one line.
    pub title: String,
    /// The engine that runs it: yara, structure, text or auth.
    pub engine: String,
    /// The category that it gives a message, such as Malware.
    pub category: String,
    /// What it may do: Fact (nothing), Weak (nothing alone), Hold or Block (it leads to its category).
    pub effect: String,
    /// What it reads: raw, header, text, part:any, or the parts of one family such as part:image.
    pub target: String,
    /// What it speaks about: content (a part or text, wherever it comes) or message (this one with its envelope).
    pub scope: String,
    /// Its own mode: Enforce, Shadow (it is recorded and does not act) or Off (it does not run).
    pub mode: String,
    /// Who answers for it; for a plain rule its file.
    pub owner: String,
}

/// A ruleset.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RulesetView {
    /// Its id: 16 hexadecimal digits.
    pub id: String,
    /// All its detections.
    pub detections: Vec<DetectionRow>,
    /// What the gates said when it was built.
    pub gates: Vec<GateView>,
}

/// What to build.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildAsk {
    /// The files of the ruleset's folder by path, each in base64; 64 MiB at most for the whole request. Plain YARA
    /// files alone are added to what is in force.
    pub files: BTreeMap<String, String>,
    /// Whether to add them to what is in force, whatever they are.
    #[serde(default)]
    pub add: bool,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say what the gates say: nothing is kept.
    #[serde(default)]
    pub what_if: bool,
}

/// What was built.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BuiltView {
    /// Its id: 16 hexadecimal digits.
    pub id: String,
    /// Whether it is kept now; false with `what_if`.
    pub kept: bool,
    /// The id of the ruleset in force that the files were added to; none when they are a whole ruleset.
    pub added_to: Option<String>,
    /// How many detections it has.
    pub detections: usize,
    /// What the gates say that need the files: static and look-alike.
    pub gates: Vec<GateView>,
}

/// What to compare with.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct DiffQuery {
    /// The id of the earlier version; what is in force without.
    pub against: Option<String>,
}

/// One difference.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ChangeView {
    /// The code of the detection.
    pub code: String,
    /// added, removed or changed.
    pub kind: String,
    /// Its version before; none when it was added.
    pub before: Option<String>,
    /// Its version after; none when it was removed.
    pub after: Option<String>,
    /// The lines that differ, as a unified diff.
    pub lines: String,
}

/// How to publish.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublishAsk {
    /// Put it in force at once, whatever the gates say. Needs a reason.
    pub force: bool,
    /// Through the gates, but without shadow and canary; after a day it must stand them. Needs a reason.
    pub fast: bool,
    /// Why, for the record; may be empty without `force` and `fast`.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
    /// With `force`: contents that the gates name and that are bad, by the beginnings of their hashes as the gates show
    /// them. They leave the memory and speak against nothing any more.
    pub bad: Vec<String>,
}

/// A roll-out.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RolloutView {
    /// Its number, from 1; 0 for what would be.
    pub rollout: u32,
    /// The id of the version that is rolled out.
    pub ruleset: String,
    /// The id of the version that was in force when it began, and is again when it is taken back.
    pub before: String,
    /// checking, refused, shadow, canary-1, canary-10, canary-50, live, rolled-back or superseded.
    pub stage: String,
    /// Since when it stands there (RFC 3339).
    pub since: String,
    /// When it began (RFC 3339).
    pub started: String,
    /// The name of who published it.
    pub started_by: String,
    /// Why, in the words of who published it; may be empty.
    pub reason: String,
    /// Whether it was put in force whatever the gates say.
    pub forced: bool,
    /// Whether it came without shadow and canary, for a day.
    pub fast: bool,
    /// Why it stands where it stands, or what it waits for.
    pub note: String,
    /// What the gates said; empty while they have not been asked.
    pub gates: Vec<GateView>,
    /// The steps that it took, the oldest first; empty in a list, and in the answer that begins it.
    pub steps: Vec<StepView>,
}

/// One step of a roll-out.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StepView {
    /// When (RFC 3339).
    pub at: String,
    /// The stage that it left.
    pub from: String,
    /// The stage that it came to.
    pub to: String,
    /// The name of the person who moved it, or `roll-out`.
    pub actor: String,
    /// Why, as a sentence.
    pub reason: String,
}

/// Why to take a version back.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RollbackAsk {
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Only say what would be taken back.
    pub what_if: bool,
}
