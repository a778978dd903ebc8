//! Reloads: what the configuration file says now is put in force.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// That what the file says is to be put in force.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReloadAsk {
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Only say what would change, or why it cannot.
    pub what_if: bool,
}

/// A reload, and what came of it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReloadView {
    /// Its number since the process began; 0 for one that was only asked about.
    pub number: u64,
    /// under way, unchanged, in force, refused or rolled back; with `what_if` possible or unchanged.
    pub state: String,
    /// Who asked for it.
    pub by: String,
    /// When (RFC 3339).
    pub at: String,
    /// The file that is read: the one that the service was started with.
    pub file: String,
    /// What it changes.
    pub changed: Vec<ChangeView>,
    /// Why it was refused or rolled back, as a sentence; none where it was not.
    pub fault: Option<String>,
    /// How long new connections waited, in milliseconds; none where they did not, or while they do.
    pub waited_ms: Option<f64>,
}

/// A setting that changes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ChangeView {
    /// Its section as in the file, such as `next_hop.inbound`; empty for what stands above all sections.
    pub section: String,
    /// Its key.
    pub key: String,
    /// Its value before, in words; of what is not shown there is a mark. None where there was no such setting.
    pub before: Option<String>,
    /// Its value afterwards, likewise; none where there is no such setting any more.
    pub after: Option<String>,
}
