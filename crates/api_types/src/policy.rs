//! The policy in force: it is a file of the operator's, and read here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The policy.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PolicyView {
    /// Its version, which every verdict names.
    pub id: String,
    /// The rules in order, presets unfolded: the first that fits decides.
    pub rules: Vec<RuleView>,
    /// What is done without an engine that failed.
    pub on_failure: Vec<FailureView>,
}

/// A rule.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RuleView {
    pub name: String,
    pub category: String,
    /// Only where the detection hit one of these; all without.
    pub families: Vec<String>,
    /// Only in these directions; all without.
    pub directions: Vec<String>,
    /// Only for these domains and recipients; all without.
    pub whom: Vec<String>,
    pub disposition: String,
    /// What recipients may do with what it holds.
    pub quarantine: Option<String>,
}

/// What is done when an engine failed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FailureView {
    pub engine: String,
    pub on_failure: String,
}
