//! What people say of verdicts.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::explain::EngineView;

/// What was said of a verdict.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SubmissionView {
    /// Its number.
    pub number: i64,
    /// When it was said (RFC 3339).
    pub at: String,
    /// The id of the message.
    pub mail_id: String,
    /// false_positive (it is good) or false_negative (it is bad).
    pub kind: String,
    /// Who says so: an address, or an operator's name.
    pub reporter: String,
    /// In their own words; may be empty.
    pub comment: String,
    /// The detection versions that could act on the message.
    pub about: Vec<AboutView>,
    /// The id of the incident that the message belongs to, such as INC-2026-0007; none while there is none.
    pub incident: Option<String>,
    /// When the reporter was told that it arrived (RFC 3339); none while that has not been.
    pub acknowledged: Option<String>,
    /// When the reporter was told how it ended (RFC 3339); none while that has not been.
    pub ended: Option<String>,
}

/// A detection version that a submission is about.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AboutView {
    /// The code of the detection.
    pub detection: String,
    /// Its version.
    pub detection_version: String,
}

/// Which submissions to list. One answer has 200 at most.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct SubmissionQuery {
    /// Where to go on: only those before this number. It says nothing where `mail_id` is given.
    pub before: Option<i64>,
    /// Only those of the message with this id.
    pub mail_id: Option<String>,
}

/// A submission, and what others say of the same.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SubmissionDetailView {
    /// What was said, and what came of it.
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
    /// The code of the detection.
    pub detection: String,
    /// Its version.
    pub detection_version: String,
    /// Distinct people who have said so within 24 hours; 0 for operators of some domains, who do not see what others
    /// report.
    pub people: u64,
    /// How many people it takes to have the version tried on known-good mail, and an operator called.
    pub people_min: u32,
    /// Distinct messages of the last 30 days that were called a false positive or cleared by an incident, of all
    /// versions of the detection; 0 for operators of some domains.
    pub messages: u64,
}

/// Something to say of a verdict.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionAsk {
    /// The id of the message.
    pub mail_id: String,
    /// false_positive (it is good) or false_negative (it is bad).
    pub kind: String,
    /// Who found out: an address, mostly the recipient's. They are told what comes of it. None: who asks.
    #[serde(default)]
    pub reporter: String,
    /// In their own words, 4,096 bytes at most; may be empty.
    #[serde(default)]
    pub comment: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}

/// What the maker of a detection needs to mend it, without anything about people: no address, no subject, no text; of a
/// part neither name nor bytes but for what `evidence` quotes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BundleView {
    /// The number of the submission, for questions.
    pub submission: i64,
    /// false_positive or false_negative.
    pub kind: String,
    /// The day on which the message came, such as 2026-11-27.
    pub day: String,
    /// The name and version of this program.
    pub program: String,
    /// The id of the ruleset that examined the message.
    pub ruleset: String,
    /// Inbound, Outbound or Internal: that of its first recipient.
    pub direction: String,
    /// Bytes of the message as received.
    pub size: u64,
    /// How the engines fared, with the versions of their data; `detail` is always empty.
    pub engines: Vec<EngineView>,
    /// What was found that may act.
    pub hits: Vec<HitView>,
    /// How often the detections that the submission is about were wrong in the last 30 days.
    pub contradictions: Vec<ContradictionView>,
    /// The result of SPF, by the words of RFC 8601; none where nobody has looked.
    pub spf: Option<String>,
    /// The result of each DKIM signature, by the words of RFC 8601, without domains.
    pub dkim: Vec<String>,
    /// The result of DMARC, by the words of RFC 8601; none where nobody has looked.
    pub dmarc: Option<String>,
}

/// What hit.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HitView {
    /// The code of the detection.
    pub detection: String,
    /// Its version.
    pub detection_version: String,
    /// The engine that ran it, such as yara or clamd.
    pub engine: String,
    /// What it makes of the message, such as Malware.
    pub category: String,
    /// Hold or Block.
    pub effect: String,
    /// The byte, from 0, in the decoded part or in the raw message where the match begins; none where it has no place.
    pub offset: Option<u64>,
    /// What was seen in the part: a pattern with the first 48 bytes that matched, escaped, or what a check says, which
    /// may name the file; 200 characters at most. Empty where it was in no part, since it would quote the mail.
    pub evidence: String,
    /// The part that was hit; none for the message as a whole.
    pub part: Option<PartView>,
    /// Whether the version before hits as well; none where this one is no change of it.
    pub previous_hit: Option<bool>,
}

/// The part that was hit, without its name and bytes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = HitPartView)]
pub struct PartView {
    /// What it is by its bytes, such as image or pdf.
    pub family: String,
    /// The content type that its bytes show, such as image/png.
    pub content_type: String,
    /// The content type that the mail declares, in lower case.
    pub declared: String,
    /// Bytes, decoded.
    pub size: u64,
    /// The SHA-256 of the decoded bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// What follows the end of its container: NotWalked (nobody looked), None, Known with a name, or Unknown.
    pub tail: String,
    /// How well the past vouches for it: Unknown, C1, C2 or C3.
    pub memory: String,
    /// How many established senders have carried it.
    pub carriers: u64,
}

/// How often people say that a detection is wrong.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ContradictionView {
    /// The code of the detection.
    pub detection: String,
    /// Distinct messages that people have called a false positive or an incident has cleared, in all its versions.
    pub messages: u64,
}
