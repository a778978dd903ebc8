//! `reprieve audit`: who did what, and whether the log is intact.

use std::path::{Path, PathBuf};

use api_types::audit::{AuditQuery, EntryView, EraseAsk, ProofQuery, VerifiedView, VerifyQuery};
use clap::Subcommand;

use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
use super::{ApiArgs, CliError, terminal};
use platform::audit_signer::Bundle;

/// Verbs about the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// List entries, oldest first, at most 1,000.
    List {
        /// The number of the first entry.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// The entries of the mail journal (group commits) as well.
        #[arg(long)]
        journal: bool,
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Print a bundle that proves an entry, or the receipt of a message, to third parties.
    Prove {
        /// The number of an entry.
        #[arg(long, required_unless_present = "mail", conflicts_with = "mail")]
        entry: Option<u64>,
        /// The ID of a message.
        #[arg(long)]
        mail: Option<String>,
        /// Prove as well that the log continues the one of this checkpoint.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Check a bundle, offline.
    Check {
        /// The file of the bundle.
        bundle: PathBuf,
        /// The public key that must have signed it; default: the one in the bundle.
        #[arg(long)]
        key: Option<String>,
        /// A checkpoint that you have kept, which the log must continue.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
    /// Erase personal data from an entry (reason, detail, addresses); the log stays intact and records the erasure.
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
    /// Verify the log against its sealed head, the ledger and the verdicts; exit 1 when it is not intact.
    Verify {
        /// Only the log itself: quicker, but does not see a changed ledger or verdict.
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
        AuditVerb::List { from, journal, to } => {
            let query = AuditQuery { from, journal, before: None };
            let entries = Client::new(&to.api)?.get_with::<Vec<EntryView>>("/api/v1/audit", &query).await?;
            entries.list(&to, |entries| table(entries))
        }
        AuditVerb::Prove { entry, mail, since, api } => {
            let since = since.as_deref().map(size_of_checkpoint).transpose()?.flatten();
            let client = Client::new(&api)?;
            let mail = client.message_id_if_given(mail).await?;
            let query = ProofQuery { entry, mail, since };
            let bundle = client.get_with::<Bundle>("/api/v1/audit/proof", &query).await?;
            terminal::line(&bundle.json().to_string());
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
            let ask = EraseAsk { reason, actor: super::quarantine::actor() };
            let path = format!("/api/v1/audit/{entry}/erase");
            Client::new(&api)?.post::<EntryView>(&path, &ask).await?.print(&api, shown)
        }
        AuditVerb::Verify { tree_only, api } => {
            let query = VerifyQuery { tree_only };
            let answer = Client::new(&api)?.get_with::<VerifiedView>("/api/v1/audit/verify", &query).await?;
            answer.print(&api, |verified| verified_text(verified, tree_only))?;
            if answer.view()?.intact { Ok(()) } else { Err(CliError::No) }
        }
    }
}

fn verified_text(verified: &VerifiedView, tree_only: bool) -> String {
    let VerifiedView { size, pruned, root, batches, batches_purged, verdicts, erased, .. } = verified;
    let said = if verified.intact { "intact" } else { "NOT intact" };
    let mut out = vec![format!("{size} entries ({pruned} pruned), root {root}: {said}")];
    if !tree_only {
        out.push(format!(
            "{batches} group commits and {verdicts} verdicts are unchanged; {batches_purged} group commits have purged \
                rows"
        ));
    }
    if *erased > 0 {
        out.push(format!("personal data was erased on purpose from {erased} entries"));
    }
    out.extend(verified.faults.iter().map(|fault| format!("FAULT: {fault}")));
    out.join("\n")
}

/// How many entries the log of a checkpoint had: its second line.
fn size_of_checkpoint(path: &Path) -> Result<Option<u64>, CliError> {
    let size = read(path)?.lines().nth(1).map(str::parse).transpose();
    size.map_err(|error| CliError::Usage(format!("{} is no checkpoint: {error}", path.display())))
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::unreachable(format!("{}: {error}", path.display())))
}

const COLUMNS: &[Column] =
    &[whole("number"), time("at"), text("actor"), text("action"), text("object"), text("reason"), whole("detail")];

fn table(entries: &[EntryView]) -> Table {
    let row = |one: &EntryView| {
        let EntryView { seq, at, actor, action, object, reason, detail, .. } = one.clone();
        vec![seq.to_string(), at, actor, action, object, reason, detail]
    };
    Table::new(COLUMNS, "no entries", entries.iter().map(row).collect()).cut_at(60)
}

fn shown(entry: &EntryView) -> String {
    let EntryView { seq, at, actor, action, object, reason, detail, .. } = entry;
    let at = &terminal::moment(at);
    let words = [at, actor, action, object, reason, detail].into_iter().filter(|text| !text.is_empty());
    format!("{seq}  {}", words.map(String::as_str).collect::<Vec<_>>().join("  "))
}
