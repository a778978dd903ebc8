//! What operators are called for,.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct AlertQuery {
    /// Also those that somebody has seen.
    pub seen: bool,
}

/// Something that operators are called for.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AlertView {
    pub number: i64,
    pub at: String,
    /// rate, reports, undecided, pardoned, engine, books, panic, clock or damage.
    pub kind: String,
    /// What it is about: mostly the code of a detection.
    pub subject: String,
    /// What happened, and what to do.
    pub text: String,
    pub seen: Option<String>,
    pub seen_by: Option<String>,
}

/// That somebody has seen it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeenAsk {
    /// What was made of it, for the record.
    pub reason: String,
    /// Who, for the record.
    pub actor: String,
}
