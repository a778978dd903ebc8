//! `reprieve alert`: what operators are called for.

use api_types::alert::{AlertQuery, AlertView, ChooseAsk, SeenAsk};
use clap::{Subcommand, ValueEnum};

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
    /// Do something at once about the detection that one is about; nobody is called for it any more.
    Choose {
        /// Its number.
        number: i64,
        /// What to do.
        choice: Choice,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// What can be done at once about the detection of an alert.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Choice {
    /// Hold it back for a day: its previous form decides, or the past does.
    Contain,
    /// Do not run it for a day.
    Off,
    /// It is right: pin it, so that nothing contains it by itself.
    Confirm,
}

impl Choice {
    fn as_str(self) -> &'static str {
        match self {
            Self::Contain => "contain",
            Self::Off => "off",
            Self::Confirm => "confirm",
        }
    }
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
        AlertVerb::Choose { number, choice, reason, api } => {
            let ask = ChooseAsk { choice: choice.as_str().into(), reason, actor: super::quarantine::actor() };
            let path = format!("/api/v1/alerts/{number}/choose");
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
        let choices = match one.choices.is_empty() {
            true => String::new(),
            false => format!("\n    reprieve alert choose {} {}", one.number, one.choices.join("|")),
        };
        format!("{}  {}  {}: {}{seen}\n    {}{choices}", one.number, one.at, one.kind, one.subject, one.text)
    };
    alerts.iter().map(alert).collect::<Vec<_>>().join("\n")
}
