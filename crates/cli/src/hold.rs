//! `reprieve hold`: mail that neither expires nor is deleted until the hold is lifted.

use api_types::hold::{HoldAsk, HoldView, LiftAsk};
use clap::{Args, Subcommand};

use super::client::Client;
use super::quarantine::actor;
use super::{ApiArgs, CliError, terminal};

/// Verbs about legal holds.
#[derive(Debug, Subcommand)]
pub enum HoldVerb {
    /// List the holds that are open.
    List {
        /// Those that were lifted, too.
        #[arg(long)]
        lifted: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Hold a message, what a query fits, or all mail of a person: none of it expires, is deleted or is purged, what
    /// comes later included.
    Add(AddArgs),
    /// Lift a hold: what it was about goes its way again, a day later at the earliest.
    Lift {
        /// Its number.
        number: u64,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// What to hold.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// What, and no more than one of these.
    #[command(flatten)]
    what: What,
    /// Why, for the record.
    #[arg(long, default_value = "")]
    reason: String,
    /// Only say how much it would be.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// What a hold is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// One message, by our id.
    #[arg(long, value_name = "ID")]
    mail: Option<String>,
    /// What this query of the explorer fits; it asks only for what of a mail never changes.
    #[arg(long)]
    query: Option<String>,
    /// All mail from or to this address.
    #[arg(long, value_name = "ADDRESS")]
    person: Option<String>,
}

impl What {
    /// Its kind and its value.
    fn chosen(self) -> (&'static str, String) {
        match self {
            Self { mail: Some(id), .. } => ("mail", id),
            Self { query: Some(query), .. } => ("query", query),
            Self { person, .. } => ("person", person.unwrap_or_default()),
        }
    }
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: HoldVerb) -> Result<(), CliError> {
    match verb {
        HoldVerb::List { lifted, api } => {
            let path = format!("/api/v1/holds?lifted={lifted}");
            Client::new(&api)?.get::<Vec<HoldView>>(&path).await?.print(&api, |holds| listed(holds))
        }
        HoldVerb::Add(AddArgs { what, reason, what_if, api }) => {
            let (kind, what) = what.chosen();
            let ask = HoldAsk { kind: kind.to_owned(), what, reason, actor: actor(), what_if };
            let made = Client::new(&api)?.post::<HoldView>("/api/v1/holds", &ask).await?;
            made.print(&api, |made| told(made, what_if))
        }
        HoldVerb::Lift { number, reason, api } => {
            let ask = LiftAsk { reason, actor: actor() };
            let path = format!("/api/v1/holds/{number}/lift");
            let lifted = Client::new(&api)?.post::<HoldView>(&path, &ask).await?;
            lifted.print(&api, |hold| format!("hold {} on {} {} is lifted", hold.number, hold.kind, hold.what))
        }
    }
}

fn told(hold: &HoldView, what_if: bool) -> String {
    let HoldView { number, kind, what, mails, .. } = hold;
    if what_if {
        return format!("{kind} {what}: {mails} units of the record would be on hold");
    }
    format!("hold {number} on {kind} {what}: nothing of it expires or is deleted until it is lifted")
}

fn listed(holds: &[HoldView]) -> String {
    if holds.is_empty() {
        return "nothing is on hold".into();
    }
    let row = |one: &HoldView| {
        let HoldView { number, kind, what, reason, by, made, mails, lifted, .. } = one.clone();
        vec![number.to_string(), kind, what, mails.to_string(), made, by, reason, lifted.unwrap_or_default()]
    };
    let rows: Vec<Vec<String>> = holds.iter().map(row).collect();
    terminal::table(&["hold", "kind", "what", "mails", "since", "by", "reason", "lifted"], &rows, 40)
}
