//! `reprieve message trace`: the life of a message.

use clap::Subcommand;
use serde_json::Value;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// Verbs about messages.
#[derive(Debug, Subcommand)]
pub enum MessageVerb {
    /// Follow messages by our id, Message-ID, sender or recipient.
    Trace {
        /// Our id.
        #[arg(long)]
        id: Option<String>,
        /// The header Message-ID, with its angle brackets.
        #[arg(long)]
        message_id: Option<String>,
        /// The envelope sender.
        #[arg(long)]
        sender: Option<String>,
        /// The envelope recipient.
        #[arg(long)]
        recipient: Option<String>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When nothing is found, or the API cannot be reached.
pub async fn run(verb: MessageVerb) -> Result<(), CliError> {
    let MessageVerb::Trace { id, message_id, sender, recipient, api } = verb;
    let query = [("mail_id", id), ("message_id", message_id), ("sender", sender), ("recipient", recipient)];
    let units = Client::new(&api)?.get("/api/v1/messages", &query).await?;
    if api.json {
        terminal::line(&units.to_string());
        return Ok(());
    }
    let units = units.as_array().cloned().unwrap_or_default();
    if units.is_empty() {
        terminal::complain("nothing fits");
        return Err(CliError::No);
    }
    for unit in &units {
        terminal::line(&shown(unit));
    }
    Ok(())
}

fn shown(unit: &Value) -> String {
    let text = |key: &str| unit[key].as_str().unwrap_or_default();
    let mut out = vec![format!(
        "{}  {} -> {}  {}  \"{}\"\n  {} {} ({})",
        text("mail_id"),
        text("sender"),
        text("recipient"),
        text("direction"),
        text("subject"),
        text("category"),
        text("disposition"),
        if unit["enforced"] == Value::Bool(true) { "enforced" } else { "observed" },
    )];
    for event in unit["events"].as_array().into_iter().flatten() {
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        out.push(format!(
            "  {}  {:<18} -> {:<13} {} {}",
            text("at"),
            text("what"),
            text("account"),
            text("actor"),
            text("reason")
        ));
    }
    out.join("\n")
}
