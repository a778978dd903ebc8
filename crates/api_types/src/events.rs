//! Events: what is recorded, as whoever watches from outside reads it.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Where to begin.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// The first entry of the audit log whose events are wanted: `next` of the answer before, or the `event.sequence`
    /// of the last event that was seen, whose entry may have more; 0 without.
    pub from: u64,
    /// The epoch in which that was the entry: `epoch` of the answer before, or `reprieve.epoch` of the last event that
    /// was seen. Where the record was restored since, one goes on where that epoch ended.
    pub epoch: Option<String>,
    /// Only events of this kind: `verdict`, `release`, `delivery`, `incident` or `audit`; all kinds without.
    pub kind: Option<String>,
}

/// Events in the order in which they were recorded.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EventsView {
    /// They, each with the fields of the Elastic Common Schema. An event has the same `event.id` whenever it is asked
    /// for.
    pub events: Vec<serde_json::Value>,
    /// The entry to go on with. It may have moved on where `events` is empty.
    pub next: u64,
    /// The entry that will be written next: where `next` is the same, there is no more.
    pub end: u64,
    /// The epoch of what is written now: it is another after each restore of a backup.
    pub epoch: String,
    /// Whether there is no such entry as `from` yet: then the record was restored, or it is a number of another one.
    pub is_beyond_end: bool,
}

/// Somebody who is told what happens.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EventSinkView {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is: the file, the host and port, or the host of the URL.
    pub to: String,
    /// Which events it is told.
    pub events: Vec<String>,
    /// What it is told beyond what a log may say: `subjects`, `file_names`, `urls`, `evidence`, `reasons`.
    pub told: Vec<String>,
    /// The first entry of the audit log of which it has not taken everything; none before it was told anything.
    pub position: Option<u64>,
    /// Entries that it has not taken.
    pub behind: u64,
    /// When the first of them was written (RFC 3339).
    pub behind_since: Option<String>,
    /// When it last took something (RFC 3339).
    pub taken: Option<String>,
    /// Why it did not take what it was told last; none when it did.
    pub fault: Option<String>,
    /// When it is told again (RFC 3339); none when it takes what it is told.
    pub next_try: Option<String>,
}
