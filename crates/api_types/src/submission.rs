//! What people say of verdicts,.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::explain::EngineView;

/// What was said of a verdict.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SubmissionView {
    pub number: i64,
    pub at: String,
    pub mail_id: String,
    /// false_positive or false_negative.
    pub kind: String,
    pub reporter: String,
    pub comment: String,
    /// The detections that could act on the message, as code and version.
    pub about: Vec<AboutView>,
    /// The incident that the message belongs to, once there is one.
    pub incident: Option<String>,
    /// When the reporter was told that it arrived, and how it ended.
    pub acknowledged: Option<String>,
    pub ended: Option<String>,
}

/// A detection version that a submission is about.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AboutView {
    pub detection: String,
    pub detection_version: String,
}

/// Where to go on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct SubmissionQuery {
    /// Only those before this number.
    pub before: Option<i64>,
    /// Only those of one message.
    pub mail_id: Option<String>,
}

/// A submission, and what others say of the same.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SubmissionDetailView {
    #[serde(flatten)]
    pub said: SubmissionView,
    /// Of each detection version that it is about: who else says that it is wrong.
    pub voices: Vec<VoicesView>,
    /// What else was said of the same message.
    pub others: Vec<SubmissionView>,
}

/// Who says that a detection version is wrong.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct VoicesView {
    pub detection: String,
    pub detection_version: String,
    /// Distinct people within 24 hours; 0 for somebody of some domains, who does not see what others report.
    pub people: u64,
    /// So many have it tried on known-good mail, and call an operator.
    pub people_min: u32,
    /// Distinct messages of the last 30 days that were called a false positive or cleared by an incident, of all its
    /// versions.
    pub messages: u64,
}

/// Something to say of a verdict.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionAsk {
    /// Of which message.
    pub mail_id: String,
    /// false_positive or false_negative.
    pub kind: String,
    /// Who found out: an address, mostly the recipient's. They are told what comes of it. None: who asks.
    #[serde(default)]
    pub reporter: String,
    /// In their own words; 4 KiB at most.
    #[serde(default)]
    pub comment: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
}

/// What the maker of a detection needs to mend it, and nothing about people: no address, subject, name of a file, or
/// word of the mail.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BundleView {
    /// The number of the submission, for questions.
    pub submission: i64,
    pub kind: String,
    /// The day, without the time.
    pub day: String,
    pub program: String,
    pub ruleset: String,
    pub direction: String,
    pub size: u64,
    /// How the engines fared, with the versions of their data.
    pub engines: Vec<EngineView>,
    pub hits: Vec<HitView>,
    /// Distinct messages of the last 30 days, by detection, that people have called a false positive or an incident has
    /// cleared.
    pub contradictions: Vec<ContradictionView>,
    /// By the words of RFC 8601, without domains.
    pub spf: Option<String>,
    pub dkim: Vec<String>,
    pub dmarc: Option<String>,
}

/// What hit.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HitView {
    pub detection: String,
    pub detection_version: String,
    pub engine: String,
    pub category: String,
    pub effect: String,
    /// Byte offset in the part.
    pub offset: Option<u64>,
    /// What matched, as far as it is the detection's own and not the mail's: a name or the bytes in hexadecimal.
    pub evidence: String,
    pub part: Option<PartView>,
    /// What the version before says of the same bytes.
    pub previous_hit: Option<bool>,
}

/// The part that was hit, without its name and bytes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PartView {
    pub family: String,
    pub content_type: String,
    pub declared: String,
    pub size: u64,
    pub sha256: String,
    pub tail: String,
    /// How well the past vouches for it: Unknown, C1, C2 or C3, by how many carriers.
    pub memory: String,
    pub carriers: u64,
}

/// How often people say that a detection is wrong.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ContradictionView {
    pub detection: String,
    pub messages: u64,
}
