//! Mail that passed unexamined while the panic switch said `bypass`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which of it to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct BypassedQuery {
    /// Only mail of the episode that began then (RFC 3339), as `episodes` has it; all without.
    pub episode: Option<String>,
    /// Mails wanted, 1 to 1,000; 100 without.
    pub limit: Option<usize>,
}

/// What passed unexamined.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BypassedView {
    /// Each time that the switch said `bypass` and mail passed, the newest first.
    pub episodes: Vec<EpisodeView>,
    /// The mails, the newest first.
    pub mails: Vec<PassedView>,
    /// What can be done about them, as a sentence.
    pub afterwards: String,
}

/// A time during which the switch said `bypass`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EpisodeView {
    /// When the switch was found to say it (RFC 3339).
    pub from: String,
    /// When the first mail passed (RFC 3339).
    pub first: String,
    /// When the last mail passed (RFC 3339).
    pub last: String,
    /// Mails that passed.
    pub mails: u64,
}

/// A mail that passed unexamined.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PassedView {
    /// Our id of it, as in its field Received; there is no record of it.
    pub mail_id: String,
    /// When it came (RFC 3339).
    pub at: String,
    /// The client's address.
    pub client: String,
    /// The reverse path; empty for the null sender.
    pub sender: String,
    /// The recipients, 100 at most.
    pub recipients: Vec<String>,
    /// How many recipients it had.
    pub count: u64,
    /// Its bytes.
    pub size: u64,
    /// The code that the client was answered: only with 2xx it has arrived for certain.
    pub answer: u16,
}
