//! `reprieve alert`: what operators are called for.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// Verbs about alerts.
#[derive(Debug, Subcommand)]
pub enum AlertVerb {
    /// List what operators are called for.
    List {
        /// Also what somebody has seen.
        #[arg(long)]
        seen: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Say that you have seen one: nobody is called for it any more.
    Seen {
        /// Its number.
        number: i64,
        /// What you made of it, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: AlertVerb) -> Result<(), CliError> {
    let (shown, api) = match verb {
        AlertVerb::List { seen, api } => {
            let query = [("seen", seen.then(|| "true".to_owned()))];
            (Client::new(&api)?.get("/api/v1/alerts", &query).await?, api)
        }
        AlertVerb::Seen { number, reason, api } => {
            let ask = json!({ "reason": reason, "actor": super::quarantine::actor() });
            let done = Client::new(&api)?.post(&format!("/api/v1/alerts/{number}/seen"), &ask).await?;
            (Value::Array(vec![done]), api)
        }
    };
    terminal::line(&if api.json { shown.to_string() } else { text(&shown) });
    Ok(())
}

fn text(shown: &Value) -> String {
    let alert = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        let seen = one["seen"].as_str().map(|at| format!(" (seen by {} {at})", text("seen_by"))).unwrap_or_default();
        format!("{}  {}  {}: {}{seen}\n    {}", one["number"], text("at"), text("kind"), text("subject"), text("text"))
    };
    let alerts: Vec<String> = shown.as_array().into_iter().flatten().map(alert).collect();
    if alerts.is_empty() { "nobody is called for anything".into() } else { alerts.join("\n") }
}
