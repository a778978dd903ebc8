//! Acts on everything that a query fits,: first how much that is, then a job with a result for each unit.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::explore::FoundView;

/// What to do, and to what.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkAsk {
    /// A query of the explorer. It may not be empty: everything is asked for as `received:>=-90d` or the like.
    pub q: String,
    /// release, deny or delete.
    pub verb: String,
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say how much it would be, with a sample.
    #[serde(default)]
    pub what_if: bool,
}

/// A job, or what one would be.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BulkView {
    /// Its number; none for what would be.
    pub number: Option<i64>,
    pub verb: String,
    pub q: String,
    pub actor: String,
    pub reason: String,
    pub made: String,
    /// would_be, waiting (somebody else has to agree), running, done or cancelled.
    pub stage: String,
    pub moved: String,
    /// Units that it fitted when it was asked for what would be; those that it has come by, for a job.
    pub units: u64,
    /// Whether there may be more than `units`: it was counted for long enough, or the job goes on.
    pub so_far: bool,
    /// By outcome: pending, done, already, refused.
    pub outcomes: Vec<OutcomeView>,
    /// Some of the units, for what would be.
    pub sample: Vec<FoundView>,
    /// Why somebody else has to agree first; none where nobody has.
    pub second_person: Option<String>,
    /// Units among them that are malware or certain phishing, for what would be.
    pub harmful: u64,
}

/// How many units came to what.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct OutcomeView {
    pub outcome: String,
    pub units: u64,
}

/// Which results to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ItemsQuery {
    /// Only those with this outcome: done, already or refused.
    pub outcome: Option<String>,
    /// Only those of messages behind this one.
    pub after: Option<String>,
}

/// What became of one unit.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ItemView {
    pub mail_id: String,
    pub recipient: String,
    pub outcome: String,
    pub reply: String,
}

/// Why a job is stopped, or agreed to.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelAsk {
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
}
