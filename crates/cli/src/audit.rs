//! `reprieve audit`: who did what, and whether the log is intact.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::audit_signer::Bundle;

/// Verbs about the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Print entries, oldest first, 1,000 at most.
    List {
        /// The first entry wanted.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// List the leaves of group commits as well.
        #[arg(long)]
        journal: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Write a bundle that proves an entry, or how a message came to us, to anybody.
    Prove {
        /// The number of an entry.
        #[arg(long, required_unless_present = "mail", conflicts_with = "mail")]
        entry: Option<u64>,
        /// Our id of a message.
        #[arg(long)]
        mail: Option<String>,
        /// Prove as well that the log begins with the one of this checkpoint.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Check such a bundle, with no gateway and no network.
    Check {
        /// The bundle.
        bundle: PathBuf,
        /// The public key that has signed it, as you know it; without, the one in the bundle.
        #[arg(long)]
        key: Option<String>,
        /// A checkpoint that you have kept, with which the log must begin.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
    /// Destroy what of an entry may be about people (reason, detail, an address); the log stays intact and says that it
    /// was done.
    Erase {
        /// The number of the entry.
        entry: u64,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Compute the tree anew and compare it with its sealed head, the ledger and the verdicts; exit 1 when it is not
    /// intact.
    Verify {
        /// Only the tree and its head: quicker, and blind to a changed ledger or verdict.
        #[arg(long)]
        tree_only: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the log is not intact, or the API says no or cannot be reached.
pub async fn run(verb: AuditVerb) -> Result<(), CliError> {
    match verb {
        AuditVerb::List { from, journal, api } => {
            let query = [("from", Some(from.to_string())), ("journal", Some(journal.to_string()))];
            let entries = Client::new(&api)?.get("/api/v1/audit", &query).await?;
            if api.json {
                terminal::line(&entries.to_string());
            } else {
                entries.as_array().into_iter().flatten().for_each(|entry| terminal::line(&shown(entry)));
            }
            Ok(())
        }
        AuditVerb::Prove { entry, mail, since, api } => {
            // The second line of a checkpoint is its size.
            let size = since.as_deref().map(read).transpose()?.map(|note| note.lines().nth(1).map(str::to_owned));
            let query = [("entry", entry.map(|entry| entry.to_string())), ("mail", mail), ("since", size.flatten())];
            let bundle = Client::new(&api)?.get("/api/v1/audit/proof", &query).await?;
            terminal::line(&bundle.to_string());
            Ok(())
        }
        AuditVerb::Check { bundle, key, since } => {
            let text = read(&bundle)?;
            let bundle: Bundle = serde_json::from_str(&text)
                .map_err(|error| CliError::Usage(format!("{} is no bundle: {error}", bundle.display())))?;
            let earlier = since.as_deref().map(read).transpose()?;
            match bundle.check(key.as_deref(), earlier.as_deref()) {
                Ok(proved) => {
                    proved.iter().for_each(|line| terminal::line(line));
                    terminal::line(&format!("signed by {}", key.as_deref().unwrap_or(&bundle.public_key)));
                    Ok(())
                }
                Err(doubt) => {
                    terminal::complain(&doubt.to_string());
                    Err(CliError::No)
                }
            }
        }
        AuditVerb::Erase { entry, reason, api } => {
            let ask = json!({ "reason": reason, "actor": super::quarantine::actor() });
            let done = Client::new(&api)?.post(&format!("/api/v1/audit/{entry}/erase"), &ask).await?;
            terminal::line(&if api.json { done.to_string() } else { shown(&done) });
            Ok(())
        }
        AuditVerb::Verify { tree_only, api } => {
            let verified =
                Client::new(&api)?.get("/api/v1/audit/verify", &[("tree_only", Some(tree_only.to_string()))]).await?;
            let intact = verified["intact"] == Value::Bool(true);
            if api.json {
                terminal::line(&verified.to_string());
            } else {
                let root = verified["root"].as_str().unwrap_or_default();
                let said = if intact { "intact" } else { "NOT intact" };
                terminal::line(&format!(
                    "{} entries ({} pruned), root {root}: {said}",
                    verified["size"], verified["pruned"]
                ));
                if !tree_only {
                    let [batches, purged, verdicts] =
                        ["batches", "batches_purged", "verdicts"].map(|key| &verified[key]);
                    terminal::line(&format!(
                        "{batches} group commits and {verdicts} verdicts are as they were written; {purged} group \
                            commits have purged rows"
                    ));
                }
                if let Some(erased @ 1..) = verified["erased"].as_u64() {
                    terminal::line(&format!(
                        "{erased} entries have lost what was about people in them: it was destroyed on purpose"
                    ));
                }
                let faults = verified["faults"].as_array().into_iter().flatten();
                faults.for_each(|fault| terminal::line(&format!("FAULT: {}", fault.as_str().unwrap_or_default())));
            }
            if intact { Ok(()) } else { Err(CliError::No) }
        }
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::unreachable(format!("{}: {error}", path.display())))
}

fn shown(entry: &Value) -> String {
    let words = ["at", "actor", "action", "object", "reason", "detail"];
    let words = words.into_iter().filter_map(|key| entry[key].as_str()).filter(|text| !text.is_empty());
    format!("{:>6}  {}", entry["seq"], words.collect::<Vec<_>>().join("  "))
}
