//! `reprieve notify`: whether notifications arrive.

use api_types::notify::{NotifyAsk, TriedView};
use clap::Subcommand;

use super::client::Client;
use super::quarantine::actor;
use super::{ApiArgs, CliError, terminal};

/// Verbs about notices.
#[derive(Debug, Subcommand)]
pub enum NotifyVerb {
    /// Send a test notification to every webhook and mailbox of `[notices]`, and print the answers; exit 1 when one
    /// does not accept it.
    Test {
        /// To this recipient of yours as well, as quarantine notifications are sent.
        #[arg(long, value_name = "ADDRESS")]
        recipient: Option<String>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When one did not accept the test, or the API says no or cannot be reached.
pub async fn run(verb: NotifyVerb) -> Result<(), CliError> {
    let NotifyVerb::Test { recipient, api } = verb;
    let ask = NotifyAsk { recipient, actor: actor() };
    let tried = Client::new(&api)?.post::<Vec<TriedView>>("/api/v1/notices/test", &ask).await?;
    if api.json {
        terminal::line(&tried.json().to_string());
    }
    let tried = tried.view()?;
    if !api.json {
        terminal::line(&told(&tried));
    }
    if tried.iter().all(|one| one.is_taken) { Ok(()) } else { Err(CliError::No) }
}

fn told(tried: &[TriedView]) -> String {
    if tried.is_empty() {
        return "nothing to test: [notices] names no webhook and no mailbox".into();
    }
    let row = |one: &TriedView| {
        let TriedView { whom, to, is_taken, by, answer, took_ms } = one.clone();
        let taken = if is_taken { "accepted" } else { "not accepted" };
        vec![whom, to, taken.to_owned(), by, format!("{took_ms:.0} ms"), answer]
    };
    let rows: Vec<Vec<String>> = tried.iter().map(row).collect();
    terminal::table(&["for", "to", "", "by", "took", "answer"], &rows, 60)
}
