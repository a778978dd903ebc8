//! Incidents: what happened, how far it is, and what people do about it.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An incident in the list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct IncidentRow {
    /// Its public id.
    pub id: String,
    /// What has been found out so far.
    pub title: String,
    /// investigating, contained, replaying, releasing or resolved.
    pub stage: String,
    pub paused: bool,
    pub opened: String,
    pub opened_by: String,
    pub contained: Option<String>,
    pub resolved: Option<String>,
    pub detection: String,
    pub detection_version: String,
    pub ruleset: String,
    pub owner: String,
    pub progress: ProgressView,
}

/// How far it is, in units (one message for one recipient).
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ProgressView {
    pub units: u64,
    pub pending: u64,
    pub cleared: u64,
    pub upheld: u64,
    pub inconclusive: u64,
    /// Decided by somebody else before the replay came to it.
    pub settled: u64,
    /// They pass now, but are old and go to strangers: their senders are asked first.
    pub asked: u64,
    /// Taken by the next hop, by whoever's decision.
    pub restored: u64,
    /// Those of them that this incident has delivered: they pass now.
    pub delivered: u64,
    /// Those that other decisions have delivered: a person's, or another incident's.
    pub delivered_by_others: u64,
    /// Needing nobody's work any more.
    pub over: u64,
    pub percent: f64,
    /// Seconds until all are over, at the pace so far; none while nothing can be told.
    pub eta_seconds: Option<u64>,
}

/// An incident, whole.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct IncidentView {
    #[serde(flatten)]
    pub row: IncidentRow,
    pub cause: String,
    /// What the public is told: computed from the units, and what a person has added.
    pub public_text: String,
    /// When the first message came that was affected, or the detection version came into force; none while neither is
    /// known.
    pub began: Option<String>,
    /// When the detection version came into force; none when that is not known.
    pub in_force_since: Option<String>,
    pub next_update: Option<String>,
    pub waves: u32,
    /// The Merkle root over the sorted ids of its units (RFC 6962 hashing).
    pub manifest_root: String,
    pub timeline: Vec<NoteView>,
    pub blast_radius: BlastView,
    /// Units that were not restored, each with its reason: the first 200.
    pub residual: Vec<ResidualView>,
    /// Senders who were told that their mail is held.
    pub senders_told: u64,
}

/// A line of the timeline.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct NoteView {
    pub at: String,
    pub actor: String,
    pub what: String,
    pub text: String,
    pub public: bool,
}

/// Where it hit: names with their units, the most first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BlastView {
    pub directions: Vec<(String, u64)>,
    pub domains: Vec<(String, u64)>,
    pub senders: Vec<(String, u64)>,
    pub recipients: Vec<(String, u64)>,
}

/// A unit that was not restored.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ResidualView {
    pub unit: String,
    pub recipient: String,
    pub sender: String,
    pub subject: String,
    pub outcome: String,
    pub account: String,
    pub reason: String,
}

/// An incident that a person opens.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAsk {
    /// The detection that did it.
    pub detection: String,
    /// Its version; none for the one in force.
    #[serde(default)]
    pub version: Option<String>,
    /// What the public is told beside what the record says.
    #[serde(default)]
    pub public_text: Option<String>,
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
}

/// What a person does about an incident.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAsk {
    /// note, replay, pause, resume, cancel, retry, resolve or reopen.
    pub action: String,
    /// What goes into the timeline: for a note the text, else the reason.
    pub text: String,
    /// Whether the public sees that line.
    #[serde(default)]
    pub public: bool,
    /// Another text for the public, in the place of what a person had added to what the record says.
    #[serde(default)]
    pub public_text: Option<String>,
    /// Another owner.
    #[serde(default)]
    pub owner: Option<String>,
    /// Minutes until more will be said.
    #[serde(default)]
    pub next_update_minutes: Option<u64>,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
}

/// What a replay would do, from what was recorded.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DryRunView {
    pub units: u64,
    /// Without the detection version nothing keeps these.
    pub cleared: u64,
    /// Something else keeps these.
    pub upheld: u64,
    /// What this rests on.
    pub rests_on: String,
}

/// In which form.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// markdown, html or json; markdown without.
    #[serde(default)]
    pub form: String,
}
