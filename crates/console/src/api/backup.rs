//! Backups over HTTP: written by the gateway, on its own host.

use std::path::PathBuf;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use store::backup::BackupFacts;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::access::{Operator, Permission};

/// Where to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupAsk {
    /// A folder that does not exist yet.
    #[schema(value_type = String)]
    to: PathBuf,
    /// Who asks, for the record.
    #[serde(default)]
    actor: String,
    /// Only say what would be written.
    #[serde(default)]
    what_if: bool,
}

/// What was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackupView {
    to: String,
    messages: i64,
    blobs: usize,
    taken: String,
}

/// `POST /api/v1/backup`: a consistent copy of database, held mail and key while mail flows. Over the unix socket only:
/// who may name files on the host is root anyway.
///
/// # Errors
/// When the folder exists or cannot be written.
#[utoipa::path(
    post,
    operation_id = "backup",
    path = "/api/v1/backup",
    request_body = BackupAsk,
    responses((status = 200, body = BackupView), Refusal),
)]
pub async fn create(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<BackupAsk>,
) -> ApiResult<BackupView> {
    operator.may(Permission::Tokens)?;
    if !operator.is_local {
        return Err(ApiError::Forbidden("a backup is asked for on the gateway's own host".into()));
    }
    let to = ask.to;
    if ask.what_if {
        if to.exists() || !to.parent().is_some_and(std::path::Path::is_dir) {
            return Err(ApiError::Conflict(format!("{}: name a new folder in one that exists", to.display())));
        }
        return Ok(Json(view(to, console.store()?.plan_backup(console.clock.now()).await?)));
    }
    console.record(operator.actor(&ask.actor), "backup", &to.display().to_string(), "").await?;
    let facts = console.store()?.back_up(&console.data_dir, &to, console.clock.now()).await?;
    let key = platform::keys::KEY_FILE;
    std::fs::copy(console.data_dir.join(key), to.join(key))
        .map_err(|error| ApiError::Internal(format!("{key}: {error}")))?;
    Ok(Json(view(to, facts)))
}

fn view(to: PathBuf, facts: BackupFacts) -> BackupView {
    BackupView {
        to: to.display().to_string(),
        messages: facts.messages,
        blobs: facts.blobs,
        taken: facts.taken.to_string(),
    }
}
