//! A verdict explained: every finding with its version and evidence, every engine, the rule of the policy that decided,
//! what would be without each detection, and what today's ruleset makes of what was recorded.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::quarantine::PartView;

/// What a detection saw, and where.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FindingView {
    pub detection: String,
    pub detection_version: String,
    pub engine: String,
    pub category: String,
    pub effect: String,
    /// Enforce or Shadow: what is in shadow is recorded and not acted on.
    pub mode: String,
    pub part: Option<u32>,
    pub offset: Option<u64>,
    pub evidence: String,
    /// What the detection's earlier version says of the same bytes, where this one is a change of it.
    pub previous: Option<PreviousView>,
}

/// The earlier form of a detection that has changed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PreviousView {
    pub detection_version: String,
    pub hit: bool,
}

/// How an engine fared.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EngineView {
    pub engine: String,
    pub version: String,
    pub data_version: String,
    /// Done, Error, Timeout or Skipped.
    pub outcome: String,
    pub millis: f64,
    pub detail: String,
}

/// Why a unit is treated as it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReasonView {
    /// A machine constant, such as `detection` or `engine-timeout`.
    pub code: String,
    pub text: String,
    pub detection: Option<String>,
    pub detection_version: Option<String>,
}

/// A message, explained.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExplainedView {
    pub mail_id: String,
    pub received: String,
    pub sender: String,
    pub subject: String,
    pub category: String,
    /// The versions that the verdict rests on.
    pub ruleset: String,
    pub policy: String,
    pub units: Vec<ExplainedUnit>,
    pub findings: Vec<FindingView>,
    pub engines: Vec<EngineView>,
    /// How it authenticates; none where nobody has looked.
    pub authentication: Option<AuthenticationView>,
    /// Whether it was the first between its sender and all of its recipients; none where that is not known.
    pub first_contact: Option<bool>,
    /// What it is made of, and how often each part came before.
    pub parts: Vec<KnownPartView>,
    pub url_domains: Vec<String>,
    /// Its links, without what stands before the host; the first ones.
    pub urls: Vec<String>,
    pub ambiguities: Vec<String>,
    /// What would be without each detection that may act, for the first recipient.
    pub counterfactuals: Vec<CounterfactualView>,
    /// What today's ruleset makes of what was recorded, for the first recipient.
    pub today: TodayView,
}

/// A part, and how often it came before.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct KnownPartView {
    #[serde(flatten)]
    pub part: PartView,
    /// None when it never came in clean mail, or for somebody of some domains, who does not see what others get.
    pub memory: Option<SightingsView>,
}

/// How often a part came in clean mail.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SightingsView {
    pub since: String,
    pub last: String,
    pub mails: u64,
    /// Distinct senders.
    pub senders: u64,
    /// When something bad was last said of it.
    pub called_bad: Option<String>,
}

/// How a message authenticates, by the words of RFC 8601.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuthenticationView {
    /// Who found it out: `own`, or the authserv-id of a trusted host in front of us.
    pub source: String,
    pub spf: String,
    pub spf_domain: String,
    /// Each signature: its result and its domain.
    pub dkim: Vec<DkimView>,
    pub dmarc: String,
    pub dmarc_policy: String,
    pub arc: String,
    pub arc_sealer: String,
    /// The organisational domain that SPF or DKIM vouch for.
    pub aligned: Option<String>,
}

/// One DKIM signature.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DkimView {
    pub result: String,
    pub domain: String,
}

/// One recipient.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExplainedUnit {
    pub recipient: String,
    pub direction: String,
    pub disposition: String,
    pub enforced: bool,
    pub account: String,
    pub reasons: Vec<ReasonView>,
}

/// The verdict without one detection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CounterfactualView {
    pub without: String,
    pub version: String,
    pub category: String,
    pub disposition: String,
}

/// The verdict under the ruleset in force now.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TodayView {
    pub ruleset: String,
    pub category: String,
    pub disposition: String,
    /// What this rests on: recorded findings tell what is gone, not what a newer detection would find.
    pub rests_on: String,
}
