//! Incidents: what happened, how far it is, and what people do about it.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An incident in the list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct IncidentRow {
    /// Its public id, such as INC-2026-0007.
    pub id: String,
    /// What has been found out so far, in one line.
    pub title: String,
    /// investigating, contained, replaying, releasing or resolved.
    pub stage: String,
    /// Whether a person has stopped its replay.
    pub paused: bool,
    /// When it was opened (RFC 3339).
    pub opened: String,
    /// The name of the person who opened it, or `sentinel`.
    pub opened_by: String,
    /// When its detection was contained (RFC 3339); none while it has not been.
    pub contained: Option<String>,
    /// When it ended (RFC 3339); none while it is open.
    pub resolved: Option<String>,
    /// The code of the detection that is asked about.
    pub detection: String,
    /// Its version.
    pub detection_version: String,
    /// The id of the ruleset that was in force when the incident was opened.
    pub ruleset: String,
    /// The name of whose it is; empty while it is nobody's.
    pub owner: String,
    /// How far it is.
    pub progress: ProgressView,
}

/// How far it is, in units (one message for one recipient).
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ProgressView {
    /// All units that the detection version held.
    pub units: u64,
    /// Not examined again yet.
    pub pending: u64,
    /// They pass now, and their release was asked for.
    pub cleared: u64,
    /// They stay held, for a reason that stands.
    pub upheld: u64,
    /// They could not be examined again.
    pub inconclusive: u64,
    /// Decided by somebody else before the replay came to them.
    pub settled: u64,
    /// They pass now, but are older than a day and go to strangers: their senders are asked first.
    pub asked: u64,
    /// Taken by the next hop, by whoever's decision.
    pub restored: u64,
    /// Those of `restored` that this incident has delivered: they pass now.
    pub delivered: u64,
    /// Those of `restored` that other decisions have delivered: a person's, or another incident's.
    pub delivered_by_others: u64,
    /// Those that need nobody's work any more.
    pub over: u64,
    /// The share of `units` that is over, in per cent, 0 to 100 with one decimal; 0 without units.
    pub percent: f64,
    /// Seconds until all are over, at the pace so far; none while nothing can be told.
    pub eta_seconds: Option<u64>,
}

/// An incident, whole.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct IncidentView {
    /// What the list has of it.
    #[serde(flatten)]
    pub row: IncidentRow,
    /// Why the detection is believed to be wrong, in the words of who opened the incident.
    pub cause: String,
    /// What the public is told: computed from the units, and behind it what a person has added.
    pub public_text: String,
    /// When the first message came that was held wrongly, else the first that was held, else when the detection version
    /// came into force (RFC 3339); none while none of these is known.
    pub began: Option<String>,
    /// When the detection version came into force (RFC 3339); none when that is not known.
    pub in_force_since: Option<String>,
    /// When the public will be told more (RFC 3339); none where nothing was promised.
    pub next_update: Option<String>,
    /// How often units were added to it.
    pub waves: u32,
    /// The Merkle root over the sorted ids of its units (RFC 6962 hashing), in lower-case hexadecimal; empty while it
    /// has none.
    pub manifest_root: String,
    /// What happened, the oldest first.
    pub timeline: Vec<NoteView>,
    /// Where it hit.
    pub blast_radius: BlastView,
    /// Units that were not restored, each with its reason: the first 200.
    pub residual: Vec<ResidualView>,
    /// Messages of which the sender was told that they are held: 1,000 at most are counted.
    pub senders_told: u64,
}

/// A line of the timeline.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct NoteView {
    /// When (RFC 3339).
    pub at: String,
    /// The name of who wrote it, or of the background task.
    pub actor: String,
    /// A word for programs: opened, note, paused or resumed, or the stage that it came to.
    pub what: String,
    /// What happened, as a sentence.
    pub text: String,
    /// Whether the public sees the line.
    pub public: bool,
}

/// Where it hit: names with their units (one message for one recipient), the most first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BlastView {
    /// Units by direction: Inbound, Outbound or Internal.
    pub directions: Vec<(String, u64)>,
    /// Units by accepted domain: the first 20.
    pub domains: Vec<(String, u64)>,
    /// Units by envelope sender: the first 20.
    pub senders: Vec<(String, u64)>,
    /// Units by the address of the recipient: the first 20.
    pub recipients: Vec<(String, u64)>,
}

/// A unit that was not restored.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ResidualView {
    /// The unit: the id of the message and the number of the recipient in its envelope, such as `01a2…/0`.
    pub unit: String,
    /// The address of the recipient.
    pub recipient: String,
    /// The envelope sender; empty for the null sender.
    pub sender: String,
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// What the replay made of it: pending, cleared, upheld, inconclusive, settled or asked.
    pub outcome: String,
    /// Where it is now, such as held, releasing, denied or expired.
    pub account: String,
    /// Why it was not restored, in words; of one that was cleared what the next hop said. Empty while nobody knows.
    pub reason: String,
}

/// An incident that a person opens.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAsk {
    /// The code of the detection that did it.
    pub detection: String,
    /// Its version; none for the one in force.
    #[serde(default)]
    pub version: Option<String>,
    /// What the public is told beside what the record says; nothing without.
    #[serde(default)]
    pub public_text: Option<String>,
    /// Why, for the record, 4,000 bytes at most; it may not be empty, and is the `cause` of the incident.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}

/// What a person does about an incident.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAsk {
    /// note, replay (begin it, and go on where it was paused), pause, resume, cancel (the replay, and pause it), retry
    /// (what was inconclusive), resolve or reopen.
    pub action: String,
    /// What goes into the timeline, 4,000 bytes at most: for a note the text, else the reason.
    pub text: String,
    /// Whether the public sees that line.
    #[serde(default)]
    pub public: bool,
    /// Another text for the public, in the place of what a person had added to what the record says; as it is without.
    #[serde(default)]
    pub public_text: Option<String>,
    /// The name of another owner, or an empty text for nobody; as it is without.
    #[serde(default)]
    pub owner: Option<String>,
    /// Minutes from now until the public will be told more; as it is without.
    #[serde(default)]
    pub next_update_minutes: Option<u64>,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}

/// What a replay would do, from what was recorded.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DryRunView {
    /// Units (one message for one recipient) that the incident has.
    pub units: u64,
    /// Those of them that nothing keeps without the detection version.
    pub cleared: u64,
    /// Those of them that something else keeps.
    pub upheld: u64,
    /// What this rests on, as a sentence.
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
