//! `reprieve memory`: how strong the memory of known-good mail is, and archives that it is made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api_types::memory::{ImportAsk, ImportQuery, ImportView, MemoryView};
use clap::Subcommand;
use domain::Timestamp;
use serde_json::json;

use super::answer::Answer;
use super::client::Client;
use super::{ApiArgs, CliError, mailbox, terminal};
use known_good::archive::received_at;

/// Verbs about the memory.
#[derive(Debug, Subcommand)]
pub enum MemoryVerb {
    /// Show how strong the memory is.
    Status {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Import an archive (mbox, Maildir, .eml) with its own dates. Each message is examined first; bad mail is left
    /// out.
    Import {
        /// Take the date from the Received header of this host of yours; default: the date of the file or mbox line.
        #[arg(long, value_name = "HOST")]
        received_by: Option<String>,
        /// Trust the From headers, because this mail was checked when it came. Default: trust only the
        /// Authentication-Results of a trusted host.
        #[arg(long)]
        trust_archive: bool,
        /// Count each message as answered by you: for an archive that has inbound mail only.
        #[arg(long)]
        correspond: bool,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
        /// mbox files, Maildirs, .eml files, or folders of these.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached, or a file cannot be read.
pub async fn run(verb: MemoryVerb) -> Result<(), CliError> {
    match verb {
        MemoryVerb::Status { api } => {
            Client::new(&api)?.get::<MemoryView>("/api/v1/memory").await?.print(&api, strength_text)
        }
        MemoryVerb::Import { received_by, trust_archive, correspond, reason, api, paths } => {
            let client = Client::new(&api)?;
            let how = Import { received_by, trust_from: trust_archive, correspond };
            let imported = how.run(&client, &paths, &reason).await?;
            terminal::line(&if api.json { imported.json() } else { imported.text()? });
            Ok(())
        }
    }
}

/// How an archive is taken.
struct Import {
    received_by: Option<String>,
    trust_from: bool,
    correspond: bool,
}

/// What came of it: how many mails became what, and the memory as it is now.
struct Imported {
    became: BTreeMap<String, u64>,
    memory: Answer<MemoryView>,
}

impl Imported {
    fn json(&self) -> String {
        json!({ "became": self.became, "memory": self.memory.json() }).to_string()
    }

    fn text(&self) -> Result<String, CliError> {
        let counts: Vec<String> = self.became.iter().map(|(became, count)| format!("{became} {count}")).collect();
        Ok(format!("{}\n{}", counts.join(", "), strength_text(&self.memory.view()?)))
    }
}

impl Import {
    async fn run(&self, client: &Client, paths: &[PathBuf], reason: &str) -> Result<Imported, CliError> {
        let files = mailbox::files(paths).map_err(CliError::unreachable)?;
        let actor = super::quarantine::actor();
        let step = |step: &str, reason: String| ImportAsk { step: step.to_owned(), reason, actor: actor.clone() };
        let terms = if self.trust_from { ", From is trusted" } else { "" };
        let begin = step("begin", format!("{reason} ({} files{terms})", files.len()));
        client.post::<MemoryView>("/api/v1/memory/imports", &begin).await?;
        let mut counts = BTreeMap::<String, u64>::new();
        for path in &files {
            let bytes =
                mailbox::read(path).map_err(|error| CliError::unreachable(format!("{}: {error}", path.display())))?;
            for (mail, line_date) in mailbox::dated_mails(path, &bytes) {
                let received = match &self.received_by {
                    Some(host) => received_at(&mail, host),
                    None => line_date.or_else(|| file_date(path)),
                };
                let became = match received {
                    Some(received) => self.one(client, mail, received).await?,
                    None => "undated".to_owned(),
                };
                *counts.entry(became).or_default() += 1;
            }
        }
        let end = step("end", format!("{counts:?}"));
        let memory = client.post("/api/v1/memory/imports", &end).await?;
        Ok(Imported { became: counts, memory })
    }

    async fn one(&self, client: &Client, mail: Vec<u8>, received: Timestamp) -> Result<String, CliError> {
        let query =
            ImportQuery { received: received.to_string(), trust_from: self.trust_from, correspond: self.correspond };
        Ok(client.post_mail::<ImportView>("/api/v1/memory/mails", &query, mail).await?.view()?.became)
    }
}

/// When a file was written: of a Maildir, when the mail came.
fn file_date(path: &Path) -> Option<Timestamp> {
    let written: SystemTime = std::fs::metadata(path).ok()?.modified().ok()?;
    let since: Duration = written.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_micros(i64::try_from(since.as_micros()).ok()?))
}

/// How strong a memory is, for people.
pub fn strength_text(memory: &MemoryView) -> String {
    let MemoryView {
        strength, eligible, strong_contents, established, strong_identities, internal, identities, ..
    } = memory;
    let families: Vec<String> =
        memory.eligible_by_family.iter().map(|(family, count)| format!("{family} {count}")).collect();
    let colon = if families.is_empty() { "" } else { ": " };
    format!(
        "memory: {strength} ({eligible} of {strong_contents} known-good samples{colon}{}; {established} of \
            {strong_identities} established senders, {internal} of them internal; {identities} senders known in all)",
        families.join(", "),
    )
}
