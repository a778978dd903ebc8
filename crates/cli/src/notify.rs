//! `reprieve notify`: whether those who are to be told can be.

use api_types::notify::{NotifyAsk, TriedView};
use clap::Subcommand;

use super::client::Client;
use super::quarantine::actor;
use super::{ApiArgs, CliError, terminal};

/// Verbs about notices.
#[derive(Debug, Subcommand)]
pub enum NotifyVerb {
    /// Send a test notice, marked as one, through every webhook and to every mailbox of `[notices]`, and say what each
    /// answered; exit 1 when one did not take it.
    Test {
        /// To this recipient of yours as well, as mail about held mail would go.
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
/// When a way did not take the test, or the API says no or cannot be reached.
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
        return "nobody is told: [notices] names no webhook and no mailbox".into();
    }
    let row = |one: &TriedView| {
        let TriedView { whom, to, is_taken, by, answer, took_ms } = one.clone();
        let taken = if is_taken { "taken" } else { "not taken" };
        vec![whom, to, taken.to_owned(), by, format!("{took_ms:.0} ms"), answer]
    };
    let rows: Vec<Vec<String>> = tried.iter().map(row).collect();
    terminal::table(&["for", "to", "", "by", "took", "answer"], &rows, 60)
}
