//! `reprieve alert`: what operators are called for.

use api_types::alert::{AlertQuery, AlertView, SeenAsk};
use clap::Subcommand;

use super::client::Client;
use super::{ApiArgs, CliError};

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
            (Client::new(&api)?.get_with::<Vec<AlertView>>("/api/v1/alerts", &AlertQuery { seen }).await?, api)
        }
        AlertVerb::Seen { number, reason, api } => {
            let ask = SeenAsk { reason, actor: super::quarantine::actor() };
            let path = format!("/api/v1/alerts/{number}/seen");
            (Client::new(&api)?.post::<AlertView>(&path, &ask).await?.alone(), api)
        }
    };
    shown.print(&api, |alerts| text(alerts))
}

fn text(alerts: &[AlertView]) -> String {
    if alerts.is_empty() {
        return "nobody is called for anything".into();
    }
    let alert = |one: &AlertView| {
        let seen_by = one.seen_by.as_deref().unwrap_or_default();
        let seen = one.seen.as_deref().map(|at| format!(" (seen by {seen_by} {at})")).unwrap_or_default();
        format!("{}  {}  {}: {}{seen}\n    {}", one.number, one.at, one.kind, one.subject, one.text)
    };
    alerts.iter().map(alert).collect::<Vec<_>>().join("\n")
}
