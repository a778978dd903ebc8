//! `reprieve backup` and `reprieve restore`: a copy while mail flows, and the proof that it can be used.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use api_types::backup::{BackupAsk, BackupView};
use clap::Args;
use serde_json::json;
use store::Store;
use store::blob::Blobs;
use store::database::sqlite_url;
use store::upkeep::backup::{BLOBS, BlobsRead, DATABASE};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::clock::{Clock, SystemClock};
use platform::keys;

/// Where to write.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The folder to create, on the gateway's host; the service writes it.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Only print what would be written.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// What to restore.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "DIR")]
    backup: PathBuf,
    /// Only verify: restore it to a temporary folder; check the ledger, the audit log and the bytes of held mail.
    #[arg(long, conflicts_with = "to")]
    verify: bool,
    /// The data folder to create; it must not exist.
    #[arg(long, value_name = "DIR", required_unless_present = "verify")]
    to: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Asks the gateway for a backup.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn back_up(args: BackupArgs) -> Result<(), CliError> {
    let to = std::path::absolute(&args.to).map_err(CliError::unreachable)?;
    let would = if args.what_if { "would have " } else { "" };
    let text = |made: &BackupView| format!("{}: {would}{}", to.display(), contents(made.messages, made.blobs));
    let ask = BackupAsk { to: to.clone(), actor: super::quarantine::actor(), what_if: args.what_if };
    Client::new(&args.api)?.post::<BackupView>("/api/v1/backup", &ask).await?.print(&args.api, text)
}

/// Restores a backup, or proves that it could be.
///
/// # Errors
/// Exit 1 when the backup is not whole, exit 3 when something cannot be read or written.
pub async fn restore(args: RestoreArgs) -> Result<(), CliError> {
    let aside = args.backup.with_extension(format!("verify-{}", std::process::id()));
    let to = args.to.clone().unwrap_or_else(|| aside.clone());
    if to.exists() {
        return Err(CliError::Usage(format!("{} exists; name a folder that does not", to.display())));
    }
    if !args.backup.is_dir() {
        return Err(CliError::unreachable(format!("{}: no such backup", args.backup.display())));
    }
    let restored =
        copy(&args.backup, &to).map_err(|error| CliError::unreachable(format!("{}: {error}", args.backup.display())));
    let checked = match restored {
        Ok(()) if args.verify => check(&to, &to.join(DATABASE)).await,
        Ok(()) => check_aside(&to).await,
        Err(error) => Err(error),
    };
    if args.verify {
        // Ours, made a moment ago; what cannot be removed is named by the system.
        let _ = fs::remove_dir_all(&aside);
    }
    let (accepted, BlobsRead { messages, blobs, held, faults }) = checked?;
    if args.json {
        let whole = faults.is_empty();
        terminal::line(
            &json!({
                "whole": whole, "messages": messages, "blobs": blobs, "accepted": accepted, "held": held,
                    "faults": faults,
            })
            .to_string(),
        );
    } else {
        let verdict = if faults.is_empty() { "whole" } else { "NOT whole" };
        terminal::line(&format!(
            "{}: has {}; all of it was read: {verdict}. {held} of these messages are held or in progress; {accepted} \
                deliveries (one message to one recipient) were accepted.",
            args.backup.display(),
            contents(messages, blobs),
        ));
        faults.iter().for_each(|fault| terminal::line(&format!("FAULT: {fault}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(CliError::No) }
}

/// What a backup has, in the same words where it is written and where it is read.
fn contents(messages: impl Display, blobs: impl Display) -> String {
    format!("{messages} messages on record, stored bytes of {blobs}")
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            fs::File::open(&target)?.sync_all()?;
        }
    }
    fs::File::open(to)?.sync_all()
}

/// Checks what was restored by a copy of its database: opening may bring it to this version, and a backup from before
/// an upgrade is the way back to the version that wrote it.
async fn check_aside(folder: &Path) -> Result<(i64, BlobsRead), CliError> {
    let copy = folder.join(format!("read-{}.db", std::process::id()));
    fs::copy(folder.join(DATABASE), &copy).map_err(CliError::unreachable)?;
    let checked = check(folder, &copy).await;
    for beside in ["", "-wal", "-shm"] {
        let mut name = copy.clone().into_os_string();
        name.push(beside);
        // Ours, made a moment ago; what is beside it may be gone already.
        let _ = fs::remove_file(name);
    }
    checked
}

/// How many deliveries were accepted, and what is stored, with all that is wrong.
async fn check(folder: &Path, database: &Path) -> Result<(i64, BlobsRead), CliError> {
    let key = keys::token_key(&folder.join(keys::KEY_FILE), &SystemClock).map_err(CliError::unreachable)?;
    let blobs = Blobs::open(&folder.join(BLOBS)).map_err(CliError::unreachable)?;
    let store = Store::open(&sqlite_url(database), blobs, "restore", &key, SystemClock.now())
        .await
        .map_err(CliError::unreachable)?;
    let ledger = store.upkeep.check_ledger(true).await.map_err(CliError::unreachable)?;
    let audit = store.audit.verify_audit(true).await.map_err(CliError::unreachable)?;
    let structure = store.upkeep.check_structure().await.map_err(CliError::unreachable)?;
    let read = store.upkeep.verify_blobs().await.map_err(CliError::unreachable)?;
    store.close().await;
    let faults = [structure.faults, ledger.faults, audit.faults, read.faults].concat();
    Ok((ledger.accepted, BlobsRead { faults, ..read }))
}
