//! The life of messages.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What to trace.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct TraceQuery {
    /// Our id.
    pub mail_id: Option<String>,
    /// The header `Message-ID`.
    pub message_id: Option<String>,
    /// The reverse path.
    pub sender: Option<String>,
    /// A recipient.
    pub recipient: Option<String>,
}

/// One unit with its life.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TraceView {
    pub mail_id: String,
    pub message_id: Option<String>,
    pub received: String,
    pub sender: String,
    pub subject: String,
    pub recipient: String,
    pub direction: String,
    pub category: String,
    pub disposition: String,
    pub enforced: bool,
    pub account: String,
    pub reply: String,
    pub events: Vec<EventView>,
}

/// One event.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EventView {
    pub at: String,
    pub what: String,
    pub account: String,
    pub actor: String,
    pub reason: String,
}
