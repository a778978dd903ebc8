//! The memory: how strong it is, and mail of an archive that it is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How strong the memory is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct MemoryView {
    /// none, weak (fewer than 200 eligible contents), fair or strong.
    pub strength: String,
    /// Senders that are remembered, each a login, a domain or an address.
    pub identities: u64,
    /// Those of `identities` that are established: of ours, or corresponded with for long.
    pub established: u64,
    /// Those of `established` that are ours.
    pub internal: u64,
    /// Contents that may testify: kept, known for 72 hours, never called bad, carried by somebody established.
    pub eligible: u64,
    /// The same by family, such as image or pdf.
    pub eligible_by_family: BTreeMap<String, u64>,
    /// Eligible contents that a strong memory has at least: then what the sentinel finds is acted on without a person.
    pub strong_contents: u64,
    /// Established identities that a strong memory has at least.
    pub strong_identities: u64,
}

/// How a mail of an archive is taken.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// When the mail came (RFC 3339); not in the future.
    pub received: String,
    /// Whether From is believed: the archive's mail was checked when it came.
    #[serde(default)]
    pub trust_from: bool,
    /// Whether it counts as an answer of ours to its sender as well.
    #[serde(default)]
    pub correspond: bool,
}

/// What became of it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ImportView {
    /// learned, bad (something acts on it), partial (it could not be looked at whole), no-sender (none that anybody
    /// could know), too-old (older than what is remembered) or off (nothing is remembered).
    pub became: String,
}

/// An import as a whole, for the record.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportAsk {
    /// begin or end.
    pub step: String,
    /// What is imported, on which terms, and at the end with what result.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}
