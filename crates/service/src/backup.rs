//! Backups: written by the gateway, on its own host.

use std::path::PathBuf;

use api_types::backup::{BackupAsk, BackupView};
use store::upkeep::backup::BackupFacts;

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// A consistent copy of database, held mail and key while mail flows. Over the unix socket only:
/// who may name files on the host is root anyway.
///
/// # Errors
/// When the folder exists or cannot be written.
pub async fn create(service: &Service, operator: &Operator, ask: BackupAsk) -> ServiceResult<BackupView> {
    operator.may(Permission::Tokens)?;
    if !operator.is_local {
        return Err(ServiceError::Forbidden("a backup is asked for on the gateway's own host".into()));
    }
    let to = ask.to;
    if ask.what_if {
        if to.exists() || !to.parent().is_some_and(std::path::Path::is_dir) {
            return Err(ServiceError::Conflict(format!("{}: name a new folder in one that exists", to.display())));
        }
        return Ok(view(to, service.store()?.upkeep.plan_backup(service.clock.now()).await?));
    }
    service.record(operator.actor(&ask.actor), "backup", &to.display().to_string(), "").await?;
    let facts = service.store()?.upkeep.back_up(&service.config.data_dir, &to, service.clock.now()).await?;
    let key = platform::keys::KEY_FILE;
    std::fs::copy(service.config.data_dir.join(key), to.join(key))
        .map_err(|error| ServiceError::Internal(format!("{key}: {error}")))?;
    Ok(view(to, facts))
}

fn view(to: PathBuf, facts: BackupFacts) -> BackupView {
    BackupView {
        to: to.display().to_string(),
        messages: facts.messages,
        blobs: facts.blobs,
        taken: facts.taken.to_string(),
    }
}
