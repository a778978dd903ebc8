//! `reprieve retention`: whether anything is removed for its age, and taking back what was.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::quarantine::actor;
use super::{ApiArgs, CliError, terminal};

/// Verbs about retention.
#[derive(Debug, Subcommand)]
pub enum RetentionVerb {
    /// See whether the clock is believed, so that what is over goes.
    Clock {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Say that the clock is right although it is doubted: what is over goes again, little by little.
    ConfirmClock {
        /// How you know, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Take back into the quarantine what expired since a moment; its bytes are kept for a day.
    Recover {
        /// What ended at this time or later, such as 2026-11-23T08:00:00Z, 2026-11-23 or -2h.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        since: String,
        /// What people deleted, too.
        #[arg(long)]
        deleted: bool,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Only say how much it would be.
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
            let clock = Client::new(&api)?.get("/api/v1/retention/clock", &[]).await?;
            terminal::line(&if api.json { clock.to_string() } else { told(&clock) });
            Ok(())
        }
        RetentionVerb::ConfirmClock { reason, api } => {
            let ask = json!({ "reason": reason, "actor": actor() });
            let clock = Client::new(&api)?.post("/api/v1/retention/confirm-clock", &ask).await?;
            terminal::line(&if api.json { clock.to_string() } else { told(&clock) });
            Ok(())
        }
        RetentionVerb::Recover { since, deleted, reason, what_if, api } => {
            let ask =
                json!({ "since": since, "deleted": deleted, "reason": reason, "actor": actor(), "what_if": what_if });
            recover(&Client::new(&api)?, &ask, &api).await
        }
    }
}

/// Asks until nothing remains, or nothing more comes back.
async fn recover(client: &Client, ask: &Value, api: &ApiArgs) -> Result<(), CliError> {
    let mut units = 0;
    loop {
        let said = client.post("/api/v1/retention/recover", ask).await?;
        let (back, remain) = (said["units"].as_u64().unwrap_or(0), said["remain"].as_u64().unwrap_or(0));
        units += back;
        if remain > 0 && back > 0 {
            continue;
        }
        let done = if said["what_if"] == true { "would be held again" } else { "are held again" };
        let told = json!({ "what_if": said["what_if"], "units": units, "remain": remain });
        terminal::line(&if api.json { told.to_string() } else { format!("{units} units {done}") });
        return Ok(());
    }
}

fn told(clock: &Value) -> String {
    let text = |key: &str| clock[key].as_str().unwrap_or_default();
    match text("state") {
        "believed" => format!("the clock is believed: it says {}; what is over goes", text("now")),
        _ => format!("the clock says {}, but {}", text("now"), text("why")),
    }
}
