//! `reprieve retention`: whether anything is removed for its age, and taking back what was.

use api_types::retention::{ClockView, ConfirmAsk, RecoverAsk, RecoveredView};
use clap::Subcommand;
use serde_json::json;

use super::client::Client;
use super::quarantine::actor;
use super::{ApiArgs, CliError, terminal};

/// Verbs about retention.
#[derive(Debug, Subcommand)]
pub enum RetentionVerb {
    /// Show whether the clock is trusted: only then does mail expire.
    Clock {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Confirm that the clock is right although it is doubted: expiry resumes, little by little.
    ConfirmClock {
        /// How you checked it, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Recover into the quarantine what has expired since a time, at most a day ago.
    Recover {
        /// Expired at or after, such as 2026-11-23T08:00:00Z, 2026-11-23 or -2h.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        since: String,
        /// What people have deleted as well.
        #[arg(long)]
        deleted: bool,
        /// Why, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Only print how many deliveries it would be.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: RetentionVerb) -> Result<(), CliError> {
    match verb {
        RetentionVerb::Clock { api } => {
            Client::new(&api)?.get::<ClockView>("/api/v1/retention/clock").await?.print(&api, told)
        }
        RetentionVerb::ConfirmClock { reason, api } => {
            let ask = ConfirmAsk { reason, actor: actor() };
            Client::new(&api)?.post::<ClockView>("/api/v1/retention/confirm-clock", &ask).await?.print(&api, told)
        }
        RetentionVerb::Recover { since, deleted, reason, what_if, api } => {
            let ask = RecoverAsk { since, deleted, reason, actor: actor(), what_if };
            recover(&Client::new(&api)?, &ask, &api).await
        }
    }
}

/// Asks until nothing remains, or nothing more comes back.
async fn recover(client: &Client, ask: &RecoverAsk, api: &ApiArgs) -> Result<(), CliError> {
    let mut units = 0;
    loop {
        let said = client.post::<RecoveredView>("/api/v1/retention/recover", ask).await?.view()?;
        units += said.units;
        if said.remain > 0 && said.units > 0 {
            continue;
        }
        let done = if said.what_if { "would be held again" } else { "are held again" };
        let all = RecoveredView { units, ..said };
        terminal::line(&if api.json { json!(all).to_string() } else { format!("{units} deliveries {done}") });
        return Ok(());
    }
}

fn told(clock: &ClockView) -> String {
    let ClockView { state, now, why, .. } = clock;
    match state.as_str() {
        "believed" => format!("clock trusted: {now}; expiry runs"),
        _ => format!("clock doubted, nothing expires: it says {now}, but {why}"),
    }
}
