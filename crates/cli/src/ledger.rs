//! `reprieve ledger check`: do the books balance?

use clap::Subcommand;
use serde_json::Value;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// Verbs about the books.
#[derive(Debug, Subcommand)]
pub enum LedgerVerb {
    /// Check the books; exit 1 when they do not balance.
    Check {
        /// Look for the bytes of every held message as well.
        #[arg(long)]
        deep: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the books do not balance, or the API cannot be reached.
pub async fn run(verb: LedgerVerb) -> Result<(), CliError> {
    let LedgerVerb::Check { deep, api } = verb;
    let books = Client::new(&api)?.get("/api/v1/ledger", &[("deep", deep.then(|| "true".to_owned()))]).await?;
    if api.json {
        terminal::line(&books.to_string());
    } else {
        terminal::line(&shown(&books));
    }
    if books["balanced"] == Value::Bool(true) { Ok(()) } else { Err(CliError::No) }
}

/// The books as text.
pub fn shown(books: &Value) -> String {
    let units = |key: &str| books["accounts"][key].as_i64().unwrap_or(0);
    let line = |key: &str, label: &str| format!("  {label:<24}{:>8}", units(key));
    let accepted = ["delivered", "held", "releasing", "in_doubt", "released", "failed", "denied", "deleted", "expired"];
    let beside = ["forwarding", "tentative", "in_doubt_live", "refused"];
    let mut out = vec![format!("accepted                  {:>8}", books["accepted"])];
    out.extend(accepted.iter().map(|key| line(key, key)));
    out.push(format!("beside it (unconfirmed)   {:>8}", books["unconfirmed"]));
    out.extend(beside.iter().map(|key| line(key, key)));
    let stale = books["stale_tentative"].as_array().map_or(0, Vec::len);
    if stale > 0 {
        let first = books["stale_tentative"][0].as_str().unwrap_or_default();
        out.push(format!(
            "{stale} units have been tentative for over an hour, the first {first}: see the next hop's log"
        ));
    }
    match books["faults"].as_array().filter(|faults| !faults.is_empty()) {
        None => out.push("the books balance".into()),
        Some(faults) => out.extend(faults.iter().map(|fault| format!("FAULT: {}", fault.as_str().unwrap_or_default()))),
    }
    out.join("\n")
}
