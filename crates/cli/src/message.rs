//! `reprieve message`: the life of a message, and its verdict explained.

use clap::Subcommand;
use serde_json::Value;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

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
    /// Explain the verdict on a message: findings, engines, the rule that decided, what would be without each
    /// detection, and today.
    Show {
        /// Our id.
        id: String,
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
    let (id, message_id, sender, recipient, api) = match verb {
        MessageVerb::Trace { id, message_id, sender, recipient, api } => (id, message_id, sender, recipient, api),
        MessageVerb::Show { id, api } => {
            let shown = Client::new(&api)?.get(&format!("/api/v1/messages/{}", encoded(&id)), &[]).await?;
            terminal::line(&if api.json { shown.to_string() } else { explained(&shown) });
            return Ok(());
        }
    };
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

fn explained(shown: &Value) -> String {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let each = |key: &str| shown[key].as_array().cloned().unwrap_or_default();
    let mut out = vec![format!(
        "{}  {}  from {}  \"{}\"\n{}",
        text(shown, "mail_id"),
        text(shown, "received"),
        text(shown, "sender"),
        text(shown, "subject"),
        terminal::coloured(&text(shown, "category"), if shown["category"] == "Clean" { 32 } else { 31 })
    )];
    for unit in each("units") {
        let how = if unit["enforced"] == Value::Bool(true) { "enforced" } else { "observed" };
        out.push(format!(
            "  {} ({}): {}, {how}; now {}",
            text(&unit, "recipient"),
            text(&unit, "direction"),
            text(&unit, "disposition"),
            text(&unit, "account")
        ));
        out.extend(
            unit["reasons"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|reason| format!("    because {}", text(reason, "text"))),
        );
    }
    for other in each("counterfactuals") {
        out.push(format!(
            "  without {}@{}: {} {}",
            text(&other, "without"),
            text(&other, "version"),
            text(&other, "category"),
            text(&other, "disposition")
        ));
    }
    let today = &shown["today"];
    out.push(format!(
        "  today ({}): {} {}; {}",
        text(today, "ruleset"),
        text(today, "category"),
        text(today, "disposition"),
        text(today, "rests_on")
    ));
    out.extend(authenticated(&shown["authentication"]));
    if shown["first_contact"] == Value::Bool(true) {
        out.push("  first contact: sender and recipient had not met before".to_owned());
    }
    for finding in each("findings") {
        let place = finding["part"].as_u64().map(|part| format!(" in part {part}")).unwrap_or_default();
        let offset = finding["offset"].as_u64().map(|at| format!(" at {at}")).unwrap_or_default();
        out.push(format!(
            "  {}@{} {} {}{place}{offset}: {}",
            text(&finding, "detection"),
            text(&finding, "detection_version"),
            text(&finding, "effect"),
            text(&finding, "mode"),
            text(&finding, "evidence")
        ));
    }
    for engine in each("engines") {
        out.push(format!(
            "  engine {} {} {} {} {} ms {}",
            text(&engine, "engine"),
            text(&engine, "version"),
            text(&engine, "data_version"),
            text(&engine, "outcome"),
            engine["millis"],
            text(&engine, "detail")
        ));
    }
    out.push(format!("  ruleset {} policy {}", text(shown, "ruleset"), text(shown, "policy")));
    out.join("\n")
}

/// How it authenticates, on one line; nothing where nobody has looked.
fn authenticated(said: &Value) -> Option<String> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let source = said["source"].as_str()?;
    let signature = |one: &Value| format!("{} ({})", text(one, "result"), text(one, "domain"));
    let dkim: Vec<String> = said["dkim"].as_array().into_iter().flatten().map(signature).collect();
    let dkim = if dkim.is_empty() { "none".to_owned() } else { dkim.join(" ") };
    Some(format!(
        "  authentication, by {source}: spf {} ({}), dkim {dkim}, dmarc {} (p={}), arc {}; vouched for: {}",
        text(said, "spf"),
        text(said, "spf_domain"),
        text(said, "dmarc"),
        text(said, "dmarc_policy"),
        text(said, "arc"),
        said["aligned"].as_str().unwrap_or("nobody")
    ))
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
