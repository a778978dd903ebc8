//! The policy in force: it is a file of the operator's, and read here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The policy.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PolicyView {
    /// Its version, which every verdict names: 16 hexadecimal digits.
    pub id: String,
    /// The rules in order, presets unfolded: the first that fits decides, and what none fits is delivered.
    pub rules: Vec<RuleView>,
    /// What is done when an engine fails, for each engine.
    pub on_failure: Vec<FailureView>,
}

/// A rule.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RuleView {
    /// Its name, as reasons have it.
    pub name: String,
    /// The category that it is about, such as Malware.
    pub category: String,
    /// Only where the detection hit a part of one of these families, such as image or pdf; all without.
    pub families: Vec<String>,
    /// Only in these directions: Inbound, Outbound or Internal; all without.
    pub directions: Vec<String>,
    /// Only for recipients of these accepted domains, and for these addresses; for all without. Where it has both, an
    /// address must be of one of the domains.
    pub whom: Vec<String>,
    /// What is done: Deliver, Tag, Junk, Defer or Hold.
    pub disposition: String,
    /// What recipients may do with what it holds: AdminOnlyAccess (nothing), LimitedAccess (see it and ask for it) or
    /// FullAccess (see it and release it); none where it holds nothing.
    pub quarantine: Option<String>,
}

/// What is done when an engine failed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FailureView {
    /// The engine: yara, structure, auth, clamd, rspamd or dnsbl.
    pub engine: String,
    /// continue (without it), defer (answer 451) or hold (until the mail has been examined again).
    pub on_failure: String,
}
