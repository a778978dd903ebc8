//! `reprieve entry`: what people know better than any detection: allow and block entries.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// Verbs about allow and block entries.
#[derive(Debug, Subcommand)]
pub enum EntryVerb {
    /// List the entries in force.
    List {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Hold whatever comes from or brings this; for a day, unless --hours says otherwise.
    Block(MakeArgs),
    /// Let pass what only guesses speak against; a sender must be vouched for. For 30 days, unless --hours says
    /// otherwise.
    Allow {
        /// What, for whom, how long.
        #[command(flatten)]
        make: MakeArgs,
        /// A file: malware as well. For 7 days, unless --hours says otherwise; at most 30.
        #[arg(long)]
        malware: bool,
    },
    /// End an entry.
    Remove {
        /// Its number.
        id: u64,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Only say what would be done.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// What an entry is about, for whom, and how long.
#[derive(Debug, Args)]
pub struct MakeArgs {
    /// sender, domain, url, file or ip.
    kind: String,
    /// An address; a domain; a host with the beginning of a path; the SHA-256 of a file; an address or a network.
    value: String,
    /// Why, for the record.
    #[arg(long)]
    reason: String,
    /// The message because of whose verdict it is made: when an incident takes that back, the entry ends.
    #[arg(long, value_name = "ID")]
    because_of: Option<String>,
    /// Only for units of this accepted domain.
    #[arg(long, value_name = "DOMAIN", conflicts_with = "rcpt")]
    domain: Option<String>,
    /// Only for this recipient.
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Option<String>,
    /// Hours that it holds.
    #[arg(long)]
    hours: Option<u64>,
    /// Only say what would be done.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: EntryVerb) -> Result<(), CliError> {
    match verb {
        EntryVerb::List { api } => {
            let list = Client::new(&api)?.get("/api/v1/entries", &[]).await?;
            terminal::line(&if api.json { list.to_string() } else { list_text(&list) });
            Ok(())
        }
        EntryVerb::Block(make) => add("block", make, false).await,
        EntryVerb::Allow { make, malware } => add("allow", make, malware).await,
        EntryVerb::Remove { id, reason, what_if, api } => {
            let ask = json!({ "reason": reason, "actor": super::quarantine::actor(), "what_if": what_if });
            let ended = Client::new(&api)?.post(&format!("/api/v1/entries/{id}/remove"), &ask).await?;
            let done = if what_if { "would be ended" } else { "has ended" };
            terminal::line(&if api.json { ended.to_string() } else { format!("{} {done}", shown(&ended)) });
            Ok(())
        }
    }
}

async fn add(action: &str, make: MakeArgs, malware: bool) -> Result<(), CliError> {
    let MakeArgs { kind, value, reason, because_of, domain, rcpt, hours, what_if, api } = make;
    let ask = json!({
        "action": action, "kind": kind, "value": value, "reason": reason, "caused_by": because_of, "domain": domain,
            "recipient": rcpt,
        "hours": hours, "clears_malware": malware, "actor": super::quarantine::actor(), "what_if": what_if,
    });
    let made = Client::new(&api)?.post("/api/v1/entries", &ask).await?;
    if api.json {
        terminal::line(&made.to_string());
        return Ok(());
    }
    let done = if what_if { "would hold" } else { "holds" };
    terminal::line(&format!("{} {done} until {}", shown(&made), made["expires"].as_str().unwrap_or_default()));
    Ok(())
}

fn shown(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap_or_default();
    let whom = match text("reach") {
        "everyone" => String::new(),
        reach => format!(" for the {reach} {}", text("whom")),
    };
    let id = if entry["id"] == 0 { String::new() } else { format!(" {}", entry["id"]) };
    format!("{} entry{id}: {} {}{whom}", text("action"), text("kind"), text("value"))
}

fn list_text(list: &Value) -> String {
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let reach = if text("whom").is_empty() { text("reach") } else { text("whom") };
        let action = if one["clears_malware"] == true { "allow, malware too".to_owned() } else { text("action") };
        let used = one["last_used"].as_str().unwrap_or("never").to_owned();
        vec![
            one["id"].to_string(),
            action,
            text("kind"),
            text("value"),
            reach,
            text("expires"),
            used,
            text("owner"),
            text("reason"),
        ]
    };
    let rows: Vec<Vec<String>> = list.as_array().into_iter().flatten().map(row).collect();
    terminal::table(&["id", "action", "kind", "value", "for", "until", "last used", "by", "reason"], &rows, 40)
}
