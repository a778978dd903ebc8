//! The memory: how strong it is, and mail of an archive that it is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How strong the memory is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct MemoryView {
    /// none, weak, fair or strong.
    pub strength: String,
    /// Identities that are remembered, those of them that are established, and those of these that are ours.
    pub identities: u64,
    pub established: u64,
    pub internal: u64,
    /// Contents that may testify: known for 72 hours, carried by somebody established.
    pub eligible: u64,
    pub eligible_by_family: BTreeMap<String, u64>,
    /// From these on what the sentinel finds is acted on without a person.
    pub strong_contents: u64,
    pub strong_identities: u64,
}

/// How a mail of an archive is taken.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// When it came, in RFC 3339.
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
    /// learned, bad, partial, no-sender, too-old or off.
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
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
}
