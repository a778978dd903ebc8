//! `reprieve alert`: what needs an operator.

use api_types::alert::{AlertQuery, AlertView, ChooseAsk, SeenAsk};
use clap::{Subcommand, ValueEnum};

use super::client::Client;
use super::table::{Column, Table, TableArgs, data, text, time, whole};
use super::{ApiArgs, CliError, terminal};

/// Verbs about alerts.
#[derive(Debug, Subcommand)]
pub enum AlertVerb {
    /// List open alerts.
    List {
        /// Acknowledged ones as well.
        #[arg(long)]
        seen: bool,
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Acknowledge an alert; it is not sent again.
    #[command(visible_alias = "acknowledge")]
    Seen {
        /// The number of the alert.
        number: i64,
        /// A comment, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Act on the detection of an alert, which is acknowledged by that.
    #[command(visible_alias = "act")]
    Choose {
        /// The number of the alert.
        number: i64,
        /// What to do.
        choice: Choice,
        /// Why, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// What can be done at once about the detection of an alert.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Choice {
    /// Contain it for a day: it stops holding what its previous version or known-good mail clears.
    Contain,
    /// Switch it off for a day.
    Off,
    /// It is right: pin it, so that it is never contained automatically.
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
        AlertVerb::List { seen, to } => {
            let query = AlertQuery { seen };
            return Client::new(&to.api)?
                .get_with::<Vec<AlertView>>("/api/v1/alerts", &query)
                .await?
                .list(&to, |all| table(all));
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
    shown.print(&api, |alerts| table(alerts).text())
}

const COLUMNS: &[Column] =
    &[whole("number"), time("at"), text("kind"), text("subject"), time("acknowledged"), data("by"), whole("text")];

fn table(alerts: &[AlertView]) -> Table {
    let row = |one: &AlertView| {
        let AlertView { number, at, kind, subject, text, seen, seen_by, .. } = one.clone();
        vec![number.to_string(), at, kind, subject, seen.unwrap_or_default(), seen_by.unwrap_or_default(), text]
    };
    Table::new(COLUMNS, "no alerts", alerts.iter().map(row).collect()).written(written(alerts))
}

fn written(alerts: &[AlertView]) -> String {
    let alert = |one: &AlertView| {
        let seen_by = one.seen_by.as_deref().unwrap_or_default();
        let seen = one.seen.as_deref().map(terminal::moment);
        let seen = seen.map(|at| format!(" (acknowledged by {seen_by} {at})")).unwrap_or_default();
        let choices = match one.choices.is_empty() {
            true => String::new(),
            false => format!("\n    reprieve alert choose {} {}", one.number, one.choices.join("|")),
        };
        let at = terminal::moment(&one.at);
        format!("{}  {at}  {}: {}{seen}\n    {}{choices}", one.number, one.kind, one.subject, one.text)
    };
    alerts.iter().map(alert).collect::<Vec<_>>().join("\n")
}
