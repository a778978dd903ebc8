//! `reprieve bypassed`: mail that passed unexamined while the panic switch said `bypass`.

use api_types::bypassed::{BypassedQuery, BypassedView, EpisodeView, PassedView};
use clap::Args;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// Which of it to list.
#[derive(Debug, Args)]
pub struct BypassedArgs {
    /// Only mail of the episode that began at this time, as the list shows it.
    #[arg(long, value_name = "TIME")]
    episode: Option<String>,
    /// Maximum number of messages, up to 1,000.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Lists it.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(args: BypassedArgs) -> Result<(), CliError> {
    let BypassedArgs { episode, limit, api } = args;
    let query = BypassedQuery { episode, limit: Some(limit) };
    Client::new(&api)?.get_with::<BypassedView>("/api/v1/bypassed", &query).await?.print(&api, told)
}

fn told(bypassed: &BypassedView) -> String {
    if bypassed.episodes.is_empty() {
        return "no message passed unexamined".into();
    }
    let episode = |one: &EpisodeView| {
        let EpisodeView { from, first, last, mails } = one.clone();
        vec![from, terminal::moment(&first), terminal::moment(&last), mails.to_string()]
    };
    let mail = |one: &PassedView| {
        let PassedView { mail_id, at, client, sender, recipients, size, answer, .. } = one.clone();
        let at = terminal::moment(&at);
        vec![at, mail_id, client, sender, recipients.join(" "), size.to_string(), answer.to_string()]
    };
    let episodes: Vec<Vec<String>> = bypassed.episodes.iter().map(episode).collect();
    let mails: Vec<Vec<String>> = bypassed.mails.iter().map(mail).collect();
    let episodes = terminal::table(&["bypass since", "first", "last", "messages"], &episodes, 40);
    let mails = terminal::table(&["at", "id", "client", "sender", "recipients", "bytes", "answer"], &mails, 60);
    format!("{episodes}\n\n{mails}\n\n{}", bypassed.afterwards)
}
