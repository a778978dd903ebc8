//! The life of messages.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What to trace: one of them at least; what is given must all fit. At most 1,000 units are looked at.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct TraceQuery {
    /// Our id of the message: a UUID.
    pub mail_id: Option<String>,
    /// The header `Message-ID`, exactly, with its angle brackets.
    pub message_id: Option<String>,
    /// The envelope sender, in any case.
    pub sender: Option<String>,
    /// The address of a recipient, in any case.
    pub recipient: Option<String>,
}

/// One unit (one message for one recipient) with its life.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TraceView {
    /// Our id of the message: a UUID.
    pub mail_id: String,
    /// The header `Message-ID` with its angle brackets; none if there is none.
    pub message_id: Option<String>,
    /// When it came (RFC 3339).
    pub received: String,
    /// The envelope sender; empty for the null sender.
    pub sender: String,
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// The address of the recipient.
    pub recipient: String,
    /// Inbound, Outbound or Internal.
    pub direction: String,
    /// The category of the verdict, such as Clean or Malware.
    pub category: String,
    /// What was decided: Deliver, Tag, Junk, Redirect, Defer, Hold or Reject.
    pub disposition: String,
    /// Whether that was acted on; false in observe mode, in which everything is delivered.
    pub enforced: bool,
    /// Where it is now: forwarding, delivered, tentative, held, releasing, in_doubt, in_doubt_live, released, refused,
    /// failed, denied, deleted or expired.
    pub account: String,
    /// The last reply of the next hop, or the reason of the last move; empty if there is neither.
    pub reply: String,
    /// Its life: each move from one account to another, the oldest first.
    pub events: Vec<EventView>,
}

/// One move of a unit from one account to another.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EventView {
    /// When (RFC 3339).
    pub at: String,
    /// What moved it: arrived, hop_accepted, hop_refused, answer_lost, confirmed, lapsed, reexamined,
    /// release_requested, release_accepted, release_unanswered, release_repeated, release_refused, denied, deleted,
    /// expired or recovered.
    pub what: String,
    /// Where it moved to, such as held or released.
    pub account: String,
    /// The name of the person who moved it, or of the part of the program, such as gateway.
    pub actor: String,
    /// Why, in words or as a word for programs; empty where none was given.
    pub reason: String,
}
