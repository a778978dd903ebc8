//! The audit log.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Where to begin. One answer has 1,000 entries at most.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuery {
    /// With this: entries before this number, the newest first, without the leaves of group commits; `from` and
    /// `journal` say nothing then.
    pub before: Option<u64>,
    /// Without `before`: entries from this number on, the oldest first; 0 without.
    pub from: u64,
    /// Whether to list the leaves of group commits (action `journal`) as well.
    pub journal: bool,
}

/// An entry of the audit log: who did what.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = AuditEntryView)]
pub struct EntryView {
    /// Its place in the log, from 0.
    pub seq: u64,
    /// When (RFC 3339).
    pub at: String,
    /// Who: the name of a token or of a person; with ` (local)` behind it where it was given over the unix socket.
    pub actor: String,
    /// What was done, such as `quarantine.release`; `journal` for the leaf of a group commit.
    pub action: String,
    /// What it was done to, such as the id of a message or the code of a detection; empty where it was an address that
    /// has been erased.
    pub object: String,
    /// Why, in the actor's words; empty where none was given, or it has been erased.
    pub reason: String,
    /// Anything else, in words or as JSON text; empty where there is nothing, or it has been erased.
    pub detail: String,
    /// What the log itself has in place of that which may be about people (reason, detail, an object that is an
    /// address): an HMAC-SHA-256, in lower-case hexadecimal; none where there is nothing of the kind.
    pub commitment: Option<String>,
}

/// How to check.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyQuery {
    /// Whether to check the tree and its head alone, and not the ledger rows and verdicts that it vouches for.
    pub tree_only: bool,
}

/// What a check found.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct VerifiedView {
    /// Whether nothing is wrong: `faults` is empty.
    pub intact: bool,
    /// Entries in the log, those that were pruned among them.
    pub size: u64,
    /// The root of the Merkle tree over them (RFC 6962), in lower-case hexadecimal.
    pub root: String,
    /// Entries that were pruned because their time was over: the sealed checkpoint vouches for them.
    pub pruned: u64,
    /// Group commits whose ledger rows are all there and are what the log has of them.
    pub batches: u64,
    /// Group commits of which a purge took rows, so that the rest cannot be compared.
    pub batches_purged: u64,
    /// Units (one message for one recipient) whose recorded verdict is the one that the log has; 0 with `tree_only`.
    pub verdicts: u64,
    /// Entries whose private part is what they commit to.
    pub private: u64,
    /// Entries whose private part was erased.
    pub erased: u64,
    /// What is wrong, one line each: the first 100, and `and more`.
    pub faults: Vec<String>,
}

/// Why something is destroyed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseAsk {
    /// Why, for the record. It must not say again what is destroyed.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}

/// What is to be proved: an entry or a message, not both.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// The number of the entry that is to be proved.
    pub entry: Option<u64>,
    /// The id of the message of which it is to be proved how it came to us.
    pub mail: Option<String>,
    /// A number of entries: proves as well that the log of today begins with the one that had so many.
    pub since: Option<u64>,
}
