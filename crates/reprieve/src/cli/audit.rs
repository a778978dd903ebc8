//! `reprieve audit`: who did what, and whether the log is intact.

use clap::Subcommand;
use serde_json::Value;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

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
    /// Compute the tree anew and compare it with its sealed head, the ledger and the verdicts; exit 1 when it is not intact.
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
                        "{batches} group commits and {verdicts} verdicts are as they were written; {purged} group commits have purged rows"
                    ));
                }
                let faults = verified["faults"].as_array().into_iter().flatten();
                faults.for_each(|fault| terminal::line(&format!("FAULT: {}", fault.as_str().unwrap_or_default())));
            }
            if intact { Ok(()) } else { Err(CliError::No) }
        }
    }
}

fn shown(entry: &Value) -> String {
    let words = ["at", "actor", "action", "object", "reason", "detail"];
    let words = words.into_iter().filter_map(|key| entry[key].as_str()).filter(|text| !text.is_empty());
    format!("{:>6}  {}", entry["seq"], words.collect::<Vec<_>>().join("  "))
}
