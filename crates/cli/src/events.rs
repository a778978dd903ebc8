//! `reprieve events`: what is recorded, as lines of JSON, and how far the sinks of events are.

use std::time::Duration;

use api_types::events::{EventSinkView, EventsQuery, EventsView};
use clap::{Args, Subcommand};
use domain::event::ascii;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// How often it is asked whether there is more.
const PERIOD: Duration = Duration::from_secs(1);

/// What is to be printed.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct EventsArgs {
    /// Something else than events.
    #[command(subcommand)]
    verb: Option<EventsVerb>,
    /// Start at this entry of the audit log: the event.sequence of the last event that you have. Its events are printed
    /// again, so that none is missed. Default: the oldest entry that is kept; with --follow, from now on.
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// The reprieve.epoch of that event: after a restore, printing resumes where that epoch ended.
    #[arg(long, requires = "from")]
    epoch: Option<String>,
    /// Keep printing new events.
    #[arg(long)]
    follow: bool,
    /// Only events of this kind: verdict, release, delivery, incident or audit.
    #[arg(long)]
    kind: Option<String>,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Verbs about events.
#[derive(Debug, Subcommand)]
pub enum EventsVerb {
    /// List the event sinks and how far behind each is; exit 1 when one fails.
    Sinks {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When a sink fails, or the API says no or cannot be reached.
pub async fn run(args: EventsArgs) -> Result<(), CliError> {
    match args.verb {
        Some(EventsVerb::Sinks { api }) => sinks(&api).await,
        None => print(args).await,
    }
}

async fn print(args: EventsArgs) -> Result<(), CliError> {
    let client = Client::new(&args.api)?;
    let mut query = EventsQuery { from: args.from.unwrap_or(0), epoch: args.epoch, kind: args.kind };
    if args.from.is_none() && args.follow {
        query.from = ask(&client, &EventsQuery { from: u64::MAX >> 1, ..query.clone() }).await?.end;
    }
    loop {
        let page = ask(&client, &query).await?;
        if !page.events.iter().all(|event| terminal::is_read(&ascii(&event.to_string()))) {
            return Ok(());
        }
        if page.is_beyond_end {
            beyond(&query, &page);
            if !args.follow {
                return Err(CliError::No);
            }
        }
        (query.from, query.epoch) = (page.next, Some(page.epoch));
        match (page.next < page.end, args.follow) {
            (true, _) => {}
            (false, true) => tokio::time::sleep(PERIOD).await,
            (false, false) => return Ok(()),
        }
    }
}

/// Says that there is nothing of what was asked for, and may be once.
fn beyond(query: &EventsQuery, page: &EventsView) {
    terminal::complain(&format!(
        "no entry {} yet: the next one is {}. After a restore, entries are numbered anew in another epoch (now {}): \
         give --epoch as well, or a smaller number",
        query.from, page.end, page.epoch
    ));
}

async fn ask(client: &Client, query: &EventsQuery) -> Result<EventsView, CliError> {
    client.get_with::<EventsView>("/api/v1/events", query).await?.view()
}

async fn sinks(api: &ApiArgs) -> Result<(), CliError> {
    let answer = Client::new(api)?.get::<Vec<EventSinkView>>("/api/v1/events/sinks").await?;
    answer.print(api, |sinks| sinks.iter().map(shown).collect::<Vec<_>>().join("\n"))?;
    let all_take = answer.view()?.iter().all(|sink| sink.fault.is_none());
    if all_take { Ok(()) } else { Err(CliError::No) }
}

fn shown(sink: &EventSinkView) -> String {
    let EventSinkView { name, to, behind, behind_since, fault, next_try, .. } = sink;
    let behind = match behind_since {
        Some(since) if *behind > 0 => format!("{behind} entries behind since {since}"),
        _ => "up to date".to_owned(),
    };
    let fault = fault.as_deref().map(|why| format!("; {why}; next try {}", next_try.as_deref().unwrap_or("soon")));
    format!("{name}  {to}  {behind}{}", fault.unwrap_or_default())
}
