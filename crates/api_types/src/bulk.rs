//! Acts on everything that a query fits: first how much that is, then a job with a result for each unit.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::explore::FoundView;

/// What to do, and to what.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkAsk {
    /// A query of the explorer. It may not be empty: for everything ask for `received:>=-90d` or the like.
    pub q: String,
    /// What is done to all of it: release, deny or delete.
    pub verb: String,
    /// Why, for the record; only with `what_if` it may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say how much it would be, with a sample.
    #[serde(default)]
    pub what_if: bool,
}

/// A job, or what one would be.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BulkView {
    /// The number of the job; none for what would be.
    pub number: Option<i64>,
    /// What is done: release, deny or delete.
    pub verb: String,
    /// The query, as it was given; times such as `-24h` in it are meant from `made` back.
    pub q: String,
    /// The name of who asked for it.
    pub actor: String,
    /// Why, in the words of who asked; may be empty for what would be.
    pub reason: String,
    /// When it was asked for (RFC 3339): mail that came later is not meant.
    pub made: String,
    /// would_be, waiting (somebody else has to agree), running, done or cancelled.
    pub stage: String,
    /// When it last came by something, or its stage changed (RFC 3339).
    pub moved: String,
    /// Units (one message for one recipient): those that the query fits, for what would be; those that it has come by,
    /// for a job.
    pub units: u64,
    /// Whether there may be more than `units`: counting ended after 5 seconds, or the job waits or runs.
    pub so_far: bool,
    /// How many of `units` came to what; empty for what would be.
    pub outcomes: Vec<OutcomeView>,
    /// The newest of the units, 20 at most, for what would be; empty for a job.
    pub sample: Vec<FoundView>,
    /// Why somebody else has to agree, in the answer that begins a job or says what it would be; else, and where nobody
    /// has to, none.
    pub second_person: Option<String>,
    /// How many of `units` are Malware or HighConfidencePhish, for what would be; 0 for a job, whatever it has.
    pub harmful: u64,
}

/// How many units came to what.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct OutcomeView {
    /// pending (found, not acted on yet), done, already (it was so before) or refused.
    pub outcome: String,
    /// Units with this outcome.
    pub units: u64,
}

/// Which results to list, 500 at most, in the order of the ids of their messages.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ItemsQuery {
    /// Only those with this outcome: done, already or refused; all without.
    pub outcome: Option<String>,
    /// Where to go on: the `mail_id` of the last one before; only results of messages behind it are listed.
    pub after: Option<String>,
}

/// What became of one unit (one message for one recipient).
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ItemView {
    /// The id of the message.
    pub mail_id: String,
    /// The address of the recipient.
    pub recipient: String,
    /// pending (not acted on yet), done, already (it was so before) or refused.
    pub outcome: String,
    /// Why it was refused; empty otherwise.
    pub reply: String,
}

/// Why a job is stopped, or agreed to.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelAsk {
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
}
