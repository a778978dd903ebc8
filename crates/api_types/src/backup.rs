//! Backups: written by the gateway, on its own host.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to write.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupAsk {
    /// The folder to write, on the gateway's own host. It may not exist yet; the folder above it must.
    #[schema(value_type = String)]
    pub to: PathBuf,
    /// Who asks, for the record: a name in the place of that of the local administrator.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be written.
    #[serde(default)]
    pub what_if: bool,
}

/// What was written.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BackupView {
    /// The folder that was written, or would be.
    pub to: String,
    /// Messages in the copy of the database, those without stored bytes among them.
    pub messages: i64,
    /// Files of stored mail: one for each distinct content.
    pub blobs: usize,
    /// When the backup was begun (RFC 3339).
    pub taken: String,
}
