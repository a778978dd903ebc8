//! Backups: written by the gateway, on its own host.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to write.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupAsk {
    /// A folder that does not exist yet.
    #[schema(value_type = String)]
    pub to: PathBuf,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be written.
    #[serde(default)]
    pub what_if: bool,
}

/// What was written.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BackupView {
    pub to: String,
    pub messages: i64,
    pub blobs: usize,
    pub taken: String,
}
