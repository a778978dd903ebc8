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
    /// Rows wanted: 50, or another number up to 500.
    pub limit: Option<usize>,
}

/// A page of what was found.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExploredView {
    pub rows: Vec<FoundView>,
    /// What to ask with as `after` for the next page; none when nothing is left.
    pub next: Option<String>,
    /// The page is not full because it has looked for long enough: `next` goes on where it stopped.
    pub is_cut: bool,
}

/// One recipient of one message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FoundView {
    pub mail_id: String,
    pub received: String,
    pub direction: String,
    pub sender: String,
    pub recipient: String,
    pub subject: String,
    pub category: String,
    pub disposition: String,
    pub enforced: bool,
    pub state: String,
    pub size: i64,
    pub ip: String,
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
    /// The width of a column of the chart: 3600 or 86400 seconds, or more.
    pub interval: Option<u64>,
    /// How long it may be added up, in milliseconds: 120, or another number up to 2,000.
    pub patience: Option<u64>,
}

/// Sums over what a query fits.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SummaryView {
    /// Units, those before this answer not among them.
    pub units: u64,
    /// By direction, category, disposition and state.
    pub by: Vec<PivotView>,
    /// By the beginning of each interval and the state, oldest first.
    pub over_time: Vec<SlotView>,
    pub interval: u64,
    /// Where to go on; none when everything was counted.
    pub next: Option<String>,
}

/// Sums by one field.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PivotView {
    pub field: String,
    /// The largest first.
    pub values: Vec<SumView>,
}

/// How many have a value.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SumView {
    pub value: String,
    pub units: u64,
}

/// How many came in an interval and are in a state.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SlotView {
    pub at: String,
    pub state: String,
    pub units: u64,
}

/// What to sum up by what.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PivotQuery {
    /// A query; everything without.
    pub q: String,
    /// detection, version, from_domain, url, type or ip.
    pub by: String,
}

/// Sums by one field.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PivotedView {
    pub by: String,
    /// The largest first, 50 at most. A unit with several values counts for each.
    pub values: Vec<SumView>,
    /// How many different values there were beside these.
    pub others: usize,
    /// The units of all values together.
    pub total: u64,
    /// From when on everything was counted; none when all of it was.
    pub since: Option<String>,
}

/// What to write out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct ExportQuery {
    /// A query; everything without.
    pub q: String,
    /// csv or json (one object a line); csv without.
    pub form: String,
}

/// Where the cursor is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CompleteQuery {
    /// The text so far.
    pub q: String,
    /// The cursor, in bytes from its beginning; its end without.
    pub cursor: Option<usize>,
}

/// What could stand there.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SuggestionView {
    /// Where the word begins that it stands in place of, in bytes.
    pub from: usize,
    pub text: String,
    pub hint: String,
}
