//! What operators are called for.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which alerts to list. One answer has 500 at most.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct AlertQuery {
    /// Whether to list those as well that somebody has seen.
    pub seen: bool,
}

/// Something that operators are called for.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AlertView {
    /// The number that `POST /api/v1/alerts/{number}/seen` takes.
    pub number: i64,
    /// When it was found out (RFC 3339).
    pub at: String,
    /// Why: rate, reports, undecided, pardoned, forced, engine, books, panic, clock, damage,
    /// certificate, access or reload.
    pub kind: String,
    /// What it is about: mostly the code of a detection, such as IMG-0042.
    pub subject: String,
    /// What happened, and what to do: a sentence or two.
    pub text: String,
    /// When somebody said that they had seen it (RFC 3339); none while nobody has.
    pub seen: Option<String>,
    /// The name of who has seen it; none while nobody has.
    pub seen_by: Option<String>,
    /// What `POST /api/v1/alerts/{number}/choose` can do about it; nothing where it is not about a detection of ours,
    /// or somebody has seen it.
    #[serde(default)]
    pub choices: Vec<String>,
}

/// What is done about the detection of an alert; the alert counts as seen then.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChooseAsk {
    /// contain: its previous form or the past decides, for 24 hours. off: it does not run, for 24 hours. confirm: it is
    /// right; it is pinned, so that nothing contains it by itself.
    pub choice: String,
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Who chooses, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
}

/// What somebody says who has seen an alert.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeenAsk {
    /// What was made of it, for the record.
    pub reason: String,
    /// Who has seen it, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
}
