//! The explorer: units by a query, their sums, an export without a limit of rows, and what could come next in
//! a query.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What to look for.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct ExploreQuery {
    /// A query, such as `category:malware received:>=-24h sender:*@x.example`; everything without.
    pub q: String,
    /// Where to go on: `next` of the answer before.
    pub after: Option<String>,
    /// Rows wanted, 1 to 500; 50 without.
    pub limit: Option<usize>,
}

/// A page of what was found.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExploredView {
    /// What was found, the newest first.
    pub rows: Vec<FoundView>,
    /// What to ask with as `after` for the next page; none when nothing is left.
    pub next: Option<String>,
    /// Whether the page is not full because it has looked for long enough: `next` goes on where it stopped.
    pub is_cut: bool,
}

/// One recipient of one message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FoundView {
    /// Our id of the message: a UUID.
    pub mail_id: String,
    /// When it came (RFC 3339).
    pub received: String,
    /// Inbound, Outbound or Internal.
    pub direction: String,
    /// The envelope sender; empty for the null sender.
    pub sender: String,
    /// The address of the recipient.
    pub recipient: String,
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// The category of the verdict, such as Clean or Malware.
    pub category: String,
    /// What was decided: Deliver, Tag, Junk, Redirect, Defer, Hold or Reject.
    pub disposition: String,
    /// Whether that was acted on; false in observe mode, in which everything is delivered.
    pub enforced: bool,
    /// Where it is now: forwarding, delivered, tentative, held, releasing, in_doubt, in_doubt_live, released, refused,
    /// failed, denied, deleted or expired.
    pub state: String,
    /// Bytes of the message as received.
    pub size: i64,
    /// The IP address of the client that brought it.
    pub ip: String,
    /// The header `Message-ID` with its angle brackets; none if there is none.
    pub message_id: Option<String>,
}

/// What to sum up.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct SummaryQuery {
    /// A query; everything without.
    pub q: String,
    /// Where to go on: `next` of the answer before, whose sums are to be added to these.
    pub before: Option<String>,
    /// The width of a column of the chart in seconds, 3,600 to 31,622,400; 3,600 without.
    pub interval: Option<u64>,
    /// How long it may be added up, in milliseconds, 2,000 at most; 120 without.
    pub patience: Option<u64>,
}

/// Sums over what a query fits.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SummaryView {
    /// Units (one message for one recipient) that were counted by this answer alone.
    pub units: u64,
    /// Sums by direction, category, disposition and state.
    pub by: Vec<PivotView>,
    /// Sums by the beginning of each interval and the state, the oldest first.
    pub over_time: Vec<SlotView>,
    /// The width of an interval, in seconds.
    pub interval: u64,
    /// What to ask with as `before` to go on; none when everything was counted.
    pub next: Option<String>,
}

/// Sums by one field.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PivotView {
    /// The field: direction, category, disposition or state.
    pub field: String,
    /// The largest first.
    pub values: Vec<SumView>,
}

/// How many have a value.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SumView {
    /// The value, as a query has it.
    pub value: String,
    /// Units (one message for one recipient) that have it.
    pub units: u64,
}

/// How many came in an interval and are in a state.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SlotView {
    /// The beginning of the interval (RFC 3339).
    pub at: String,
    /// Where these units are now, such as delivered or held.
    pub state: String,
    /// Units (one message for one recipient) that came in the interval and are in this state.
    pub units: u64,
}

/// What to sum up by what.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PivotQuery {
    /// A query; everything without.
    pub q: String,
    /// By what: detection, version, from_domain, url (the host of a link), type (of a part) or ip.
    pub by: String,
}

/// Sums by one field.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PivotedView {
    /// By what: detection, version, from_domain, url, type or ip.
    pub by: String,
    /// The largest first, 50 at most. A unit with several values counts for each.
    pub values: Vec<SumView>,
    /// How many different values there were beside these.
    pub others: usize,
    /// The units of all values together, in which a unit with several values counts for each.
    pub total: u64,
    /// From when on everything was counted (RFC 3339); none when all of it was.
    pub since: Option<String>,
}

/// What to write out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct ExportQuery {
    /// A query; everything without.
    pub q: String,
    /// csv, or json (one object a line); csv without.
    pub form: String,
}

/// Where the cursor is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CompleteQuery {
    /// The text so far.
    pub q: String,
    /// The cursor, in bytes from the beginning of `q`; its end without.
    pub cursor: Option<usize>,
}

/// What could stand there.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SuggestionView {
    /// Where in `q` the word begins that it stands in place of, in bytes.
    pub from: usize,
    /// What to write there; empty where there is only a hint.
    pub text: String,
    /// What it is, with an example; empty where `text` says it all.
    pub hint: String,
}
