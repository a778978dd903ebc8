//! The audit log.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Where to begin.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuery {
    /// Newest first, those before this number; without, oldest first from `from` on.
    pub before: Option<u64>,
    /// The first entry.
    pub from: u64,
    /// Whether to list the leaves of group commits as well.
    pub journal: bool,
}

/// Who did what.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EntryView {
    /// Its place in the log, from 0.
    pub seq: u64,
    pub at: String,
    pub actor: String,
    /// What, such as `quarantine.release`; `journal` for the leaf of a group commit.
    pub action: String,
    pub object: String,
    pub reason: String,
    /// Anything else, as JSON text; empty if nothing.
    pub detail: String,
    /// What the log has of that which may be about people (reason, detail, an object that is an address): a commitment
    /// to it.
    pub commitment: Option<String>,
}

/// How to check.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyQuery {
    /// Only the tree and its head, not the ledger rows and verdicts that it vouches for.
    pub tree_only: bool,
}

/// What a check found.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct VerifiedView {
    pub intact: bool,
    pub size: u64,
    pub root: String,
    pub pruned: u64,
    pub batches: u64,
    pub batches_purged: u64,
    pub verdicts: u64,
    /// Entries whose private part is what they commit to, and entries whose private part was destroyed.
    pub private: u64,
    pub erased: u64,
    pub faults: Vec<String>,
}

/// Why something is destroyed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseAsk {
    /// Why, for the record. It must not say again what is destroyed.
    pub reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
}

/// What is to be proved.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// The entry with this number.
    pub entry: Option<u64>,
    /// How the message with this id of ours came to us.
    pub mail: Option<String>,
    /// That the log begins with the one of so many entries.
    pub since: Option<u64>,
}
