//! `reprieve hold`: mail that neither expires nor is deleted until the hold is lifted.

use api_types::hold::{HoldAsk, HoldView, LiftAsk};
use clap::{Args, Subcommand};

use super::client::Client;
use super::quarantine::actor;
use super::table::{Column, Table, TableArgs, text, time, whole};
use super::{ApiArgs, CliError};

/// Verbs about legal holds.
#[derive(Debug, Subcommand)]
pub enum HoldVerb {
    /// List the legal holds in force.
    List {
        /// Lifted ones as well.
        #[arg(long)]
        lifted: bool,
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Put a message, all matches of a query, or all mail of a person on legal hold: none of it expires, is deleted or
    /// purged, including mail that comes later.
    Add(AddArgs),
    /// Lift a legal hold: its mail can expire and be deleted again, a day later at the earliest.
    Lift {
        /// The number of the hold.
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
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Only print how many deliveries it would cover.
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
    /// One message, by its ID.
    #[arg(long, value_name = "ID")]
    mail: Option<String>,
    /// All matches of this explorer query; only fields that never change may be used.
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
        HoldVerb::List { lifted, to } => {
            let path = format!("/api/v1/holds?lifted={lifted}");
            Client::new(&to.api)?.get::<Vec<HoldView>>(&path).await?.list(&to, |holds| table(holds))
        }
        HoldVerb::Add(AddArgs { what, reason, what_if, api }) => {
            let client = Client::new(&api)?;
            let (kind, what) = what.chosen();
            let what = if kind == "mail" { client.message_id(&what).await? } else { what };
            let ask = HoldAsk { kind: kind.to_owned(), what, reason, actor: actor(), what_if };
            let made = client.post::<HoldView>("/api/v1/holds", &ask).await?;
            made.print(&api, |made| told(made, what_if))
        }
        HoldVerb::Lift { number, reason, api } => {
            let ask = LiftAsk { reason, actor: actor() };
            let path = format!("/api/v1/holds/{number}/lift");
            let lifted = Client::new(&api)?.post::<HoldView>(&path, &ask).await?;
            lifted.print(&api, |hold| format!("legal hold {} on {} {} is lifted", hold.number, hold.kind, hold.what))
        }
    }
}

fn told(hold: &HoldView, what_if: bool) -> String {
    let HoldView { number, kind, what, mails, .. } = hold;
    if what_if {
        return format!("{kind} {what}: {mails} deliveries would be on legal hold");
    }
    format!(
        "legal hold {number} on {kind} {what}: its mail does not expire and cannot be deleted until the hold is lifted"
    )
}

const COLUMNS: &[Column] = &[
    whole("hold"),
    text("kind"),
    text("what"),
    text("deliveries"),
    time("since"),
    text("by"),
    text("reason"),
    time("lifted"),
];

fn table(holds: &[HoldView]) -> Table {
    let row = |one: &HoldView| {
        let HoldView { number, kind, what, reason, by, made, mails, lifted, .. } = one.clone();
        vec![number.to_string(), kind, what, mails.to_string(), made, by, reason, lifted.unwrap_or_default()]
    };
    Table::new(COLUMNS, "no legal holds", holds.iter().map(row).collect())
}
