//! A verdict explained: every finding with its version and evidence, every engine, the rule of the policy that decided,
//! what would be without each detection, and what today's ruleset makes of what was recorded.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hold::OnHoldView;
use crate::quarantine::PartView;

/// What a detection saw, and where.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FindingView {
    /// The code of the detection, such as IMG-0042 or clamd:Win.Test.
    pub detection: String,
    /// Its version at that time; for an engine outside, that of its data.
    pub detection_version: String,
    /// The engine that ran it: yara, structure, text, auth, clamd, rspamd or dnsbl.
    pub engine: String,
    /// What it makes of the message, such as Malware or Spam.
    pub category: String,
    /// What it may do: Fact (nothing), Weak (nothing alone), Hold or Block (it leads to its category).
    pub effect: String,
    /// Enforce or Shadow: what is in shadow is recorded and not acted on.
    pub mode: String,
    /// The number of the part that it was seen in; none for the message as a whole.
    pub part: Option<u32>,
    /// The byte, from 0, in the decoded part or in the raw message where the evidence begins; none where it has no
    /// place.
    pub offset: Option<u64>,
    /// What was seen, safe to show: at most 500 printable characters.
    pub evidence: String,
    /// What the detection's earlier version says of the same bytes; none where this one is no change of it.
    pub previous: Option<PreviousView>,
}

/// The earlier form of a detection that has changed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PreviousView {
    /// The earlier version.
    pub detection_version: String,
    /// Whether the earlier version hits as well.
    pub hit: bool,
}

/// How an engine fared.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EngineView {
    /// The engine: yara, structure, auth, clamd, rspamd or dnsbl; shadow for a ruleset that is tried beside the one in
    /// force.
    pub engine: String,
    /// The version of its program.
    pub version: String,
    /// The version of its data, such as clamd's database; empty for engines that bring no data of their own.
    pub data_version: String,
    /// Done, Error (it failed), Timeout (it ran out of time) or Skipped (it was not asked).
    pub outcome: String,
    /// How long it took, in milliseconds.
    pub millis: f64,
    /// What went wrong, or what it says besides; empty where there is nothing.
    pub detail: String,
}

/// Why a unit is treated as it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReasonView {
    /// A word for programs: detection, contained, delayed, probation, entry, policy, clean, engine-error or
    /// engine-timeout.
    pub code: String,
    /// The reason as a sentence for people.
    pub text: String,
    /// The code of the detection, where one is the reason.
    pub detection: Option<String>,
    /// Its version, where a detection is the reason.
    pub detection_version: Option<String>,
}

/// A message, explained.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExplainedView {
    /// Our id of the message: a UUID.
    pub mail_id: String,
    /// When it came (RFC 3339).
    pub received: String,
    /// The envelope sender; empty for the null sender.
    pub sender: String,
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// The category of the recorded verdict, such as Clean or Malware.
    pub category: String,
    /// The id of the ruleset that examined it.
    pub ruleset: String,
    /// The id of the policy that decided.
    pub policy: String,
    /// Its recipients, as far as the asker may see them.
    pub units: Vec<ExplainedUnit>,
    /// What was found, in the order of its parts.
    pub findings: Vec<FindingView>,
    /// How each engine fared with it.
    pub engines: Vec<EngineView>,
    /// How it authenticates; none where nobody has looked.
    pub authentication: Option<AuthenticationView>,
    /// Whether it was the first between its sender and all of its recipients; none where that is not known.
    pub first_contact: Option<bool>,
    /// What it is made of, and how often each part came before.
    pub parts: Vec<KnownPartView>,
    /// The registrable domains of its links, sorted.
    pub url_domains: Vec<String>,
    /// Its links, without what stands before the host; the first ones.
    pub urls: Vec<String>,
    /// Where two mail programs may read it differently: words such as two-content-types, repeated-field, odd-base64 or
    /// no-boundary.
    pub ambiguities: Vec<String>,
    /// What would be without each detection that may act, for the first recipient in `units`.
    pub counterfactuals: Vec<CounterfactualView>,
    /// What today's ruleset makes of what was recorded, for the first recipient in `units`.
    pub today: TodayView,
    /// The legal holds that it is on: while there is one it neither expires nor is deleted.
    pub holds: Vec<OnHoldView>,
}

/// A part, and how often it came before.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct KnownPartView {
    /// What the part is.
    #[serde(flatten)]
    pub part: PartView,
    /// How often it came in clean mail; none when it never did, and for operators of some domains, who do not see what
    /// others get.
    pub memory: Option<SightingsView>,
}

/// How often a part came in clean mail.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SightingsView {
    /// When it first came in clean mail (RFC 3339).
    pub since: String,
    /// When it last came in clean mail (RFC 3339).
    pub last: String,
    /// In how many clean mails it came.
    pub mails: u64,
    /// How many distinct senders brought it.
    pub senders: u64,
    /// When something bad was last said of it (RFC 3339); none if nothing ever was.
    pub called_bad: Option<String>,
}

/// How a message authenticates. Results are the words of RFC 8601: none, pass, fail, softfail, neutral, policy,
/// temperror or permerror.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuthenticationView {
    /// Who found it out: `own`, or the authserv-id of a trusted host in front of us.
    pub source: String,
    /// The result of SPF for the envelope sender, or for HELO where the sender is null.
    pub spf: String,
    /// The domain that SPF was asked for.
    pub spf_domain: String,
    /// Each DKIM signature, in their order; empty without one.
    pub dkim: Vec<DkimView>,
    /// The result of DMARC for the domain of From.
    pub dmarc: String,
    /// What that domain asks to be done with mail that fails: none, quarantine or reject.
    pub dmarc_policy: String,
    /// The result of the ARC chain.
    pub arc: String,
    /// The domain of the last ARC seal; empty without a chain.
    pub arc_sealer: String,
    /// The organisational domain that From names and that SPF or DKIM vouch for; none when nothing does.
    pub aligned: Option<String>,
}

/// One DKIM signature.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DkimView {
    /// Whether it holds, by the words of RFC 8601.
    pub result: String,
    /// The domain that signed (`d=`), in lower case; empty when the signature cannot be read.
    pub domain: String,
}

/// One recipient of the message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExplainedUnit {
    /// The address of the recipient.
    pub recipient: String,
    /// Inbound, Outbound or Internal.
    pub direction: String,
    /// What was decided: Deliver, Tag, Junk, Redirect, Defer, Hold or Reject.
    pub disposition: String,
    /// Whether that was acted on; false in observe mode, in which everything is delivered.
    pub enforced: bool,
    /// Where it is now: forwarding, delivered, tentative, held, releasing, in_doubt, in_doubt_live, released, refused,
    /// failed, denied, deleted or expired.
    pub account: String,
    /// Why, the reason that decided first: computed anew from the record.
    pub reasons: Vec<ReasonView>,
}

/// The verdict without one detection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CounterfactualView {
    /// The code of the detection that is left out.
    pub without: String,
    /// Its version.
    pub version: String,
    /// The category that the message would have, such as Clean.
    pub category: String,
    /// What would be decided: Deliver, Tag, Junk, Defer or Hold.
    pub disposition: String,
}

/// The verdict under the ruleset in force now.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TodayView {
    /// The id of the ruleset in force.
    pub ruleset: String,
    /// The category that the message would have now, such as Clean.
    pub category: String,
    /// What would be decided now: Deliver, Tag, Junk, Defer or Hold.
    pub disposition: String,
    /// What this rests on, as a sentence: recorded findings tell what is gone, not what a newer detection would find.
    pub rests_on: String,
}
