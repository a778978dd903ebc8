//! A test of the ways by which people are told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom to send a test notice beside those that the configuration names.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyAsk {
    /// The address of a recipient of ours, to whom mail about held mail would go; none without.
    pub recipient: Option<String>,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
}

/// What became of a test notice through one way.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TriedView {
    /// Whom this way is for: operators, the public or a recipient.
    pub whom: String,
    /// The host of the URL with a mark, as the settings show it; or the address.
    pub to: String,
    /// Whether the other side took it.
    pub is_taken: bool,
    /// Who answered: the hop of internal mail, or the webhook's host.
    pub by: String,
    /// What it answered, or why there is no answer.
    pub answer: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}
