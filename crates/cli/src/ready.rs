//! `reprieve ready`: whether mail is accepted now, for a container's health check or a script.

use clap::Args;
use serde_json::json;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// Whom to ask.
#[derive(Debug, Args)]
pub struct ReadyArgs {
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Says whether mail is taken.
///
/// # Errors
/// Exit 1 when it is not, and why; exit 3 when no service answers.
pub async fn run(args: ReadyArgs) -> Result<(), CliError> {
    let client = Client::new(&args.api)?;
    // One that does not answer at all is another matter than one that says no.
    client.get_bytes("/livez").await?;
    let (is_ready, told) = match client.get_bytes("/readyz").await {
        Ok(said) => (true, String::from_utf8_lossy(&said).trim().to_owned()),
        Err(CliError::Unreachable(why) | CliError::Usage(why)) => (false, why),
        Err(CliError::No) => (false, String::new()),
    };
    terminal::line(&if args.api.json { json!({ "ready": is_ready, "told": told }).to_string() } else { told });
    if is_ready { Ok(()) } else { Err(CliError::No) }
}
