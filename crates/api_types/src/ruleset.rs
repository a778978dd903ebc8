//! Rulesets: built from files, compared, published through the gates, taken back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A ruleset in the list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RulesetRow {
    pub id: String,
    pub first_seen: String,
    pub detections: usize,
    /// When it was last put in force, if ever.
    pub in_force_since: Option<String>,
    pub in_force: bool,
    /// Where its roll-out stands, if it is under way.
    pub stage: Option<String>,
}

/// What a gate said.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct GateView {
    pub gate: String,
    pub passed: bool,
    pub summary: String,
    pub faults: Vec<String>,
    pub notes: Vec<String>,
}

/// A detection of a ruleset.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DetectionRow {
    pub code: String,
    pub version: String,
    pub title: String,
    pub engine: String,
    pub category: String,
    pub effect: String,
    pub target: String,
    pub scope: String,
    pub mode: String,
    pub owner: String,
}

/// A ruleset.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RulesetView {
    pub id: String,
    pub detections: Vec<DetectionRow>,
    pub gates: Vec<GateView>,
}

/// What to build.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildAsk {
    /// The files of the ruleset's folder by path, each in base64. Plain YARA files alone are added to what is in force.
    pub files: BTreeMap<String, String>,
    /// Add them to what is in force, whatever they are.
    #[serde(default)]
    pub add: bool,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say what the gates say.
    #[serde(default)]
    pub what_if: bool,
}

/// What was built.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BuiltView {
    pub id: String,
    /// Whether it is kept now.
    pub kept: bool,
    /// The version in force that its plain rules were added to.
    pub added_to: Option<String>,
    pub detections: usize,
    pub gates: Vec<GateView>,
}

/// What to compare with.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct DiffQuery {
    /// The earlier version; what is in force without.
    pub against: Option<String>,
}

/// One difference.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ChangeView {
    pub code: String,
    /// added, removed or changed.
    pub kind: String,
    pub before: Option<String>,
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
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
}

/// A roll-out.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RolloutView {
    pub rollout: u32,
    pub ruleset: String,
    /// What was in force when it began, and is again when it is taken back.
    pub before: String,
    /// checking, refused, shadow, canary-1, canary-10, canary-50, live, rolled-back or superseded.
    pub stage: String,
    pub since: String,
    pub started: String,
    pub started_by: String,
    pub reason: String,
    pub forced: bool,
    pub fast: bool,
    /// Why it stands where it stands, or what it waits for.
    pub note: String,
    pub gates: Vec<GateView>,
    pub steps: Vec<StepView>,
}

/// One step of a roll-out.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StepView {
    pub at: String,
    pub from: String,
    pub to: String,
    pub actor: String,
    pub reason: String,
}

/// Why to take a version back.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RollbackAsk {
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Only say what would be taken back.
    pub what_if: bool,
}
