//! `reprieve message`: the trace of a message, and its verdict explained.

use api_types::explain::{AuthenticationView, DkimView, ExplainedUnit, ExplainedView};
use api_types::message::{TraceQuery, TraceView};
use clap::Subcommand;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// Verbs about messages.
#[derive(Debug, Subcommand)]
pub enum MessageVerb {
    /// Trace messages by ID, Message-ID header, sender or recipient.
    Trace {
        /// The ID of the message, as lists show it.
        #[arg(long)]
        id: Option<String>,
        /// The Message-ID header, with its angle brackets.
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
    /// Explain the verdict on a message: findings, engines, the policy rule that decided, the verdict without each
    /// detection and under today's ruleset.
    Show {
        /// The ID of the message.
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
    match verb {
        MessageVerb::Trace { id, message_id, sender, recipient, api } => {
            trace(TraceQuery { mail_id: id, message_id, sender, recipient }, &api).await
        }
        MessageVerb::Show { id, api } => {
            let client = Client::new(&api)?;
            let path = format!("/api/v1/messages/{}", encoded(&client.message_id(&id).await?));
            client.get::<ExplainedView>(&path).await?.print(&api, explained)
        }
    }
}

async fn trace(mut query: TraceQuery, api: &ApiArgs) -> Result<(), CliError> {
    let client = Client::new(api)?;
    query.mail_id = client.message_id_if_given(query.mail_id).await?;
    let units = client.get_with::<Vec<TraceView>>("/api/v1/messages", &query).await?;
    if api.json {
        terminal::line(&units.json().to_string());
        return Ok(());
    }
    let units = units.in_lines()?;
    if units.is_empty() {
        terminal::complain("no message matches");
        return Err(CliError::No);
    }
    units.iter().for_each(|unit| terminal::line(&shown(unit)));
    Ok(())
}

fn explained(shown: &ExplainedView) -> String {
    let ExplainedView { mail_id, received, sender, subject, category, ruleset, policy, today, .. } = shown;
    let mut out = vec![format!(
        "{mail_id}  {}  from {sender}  \"{subject}\"\n{}",
        terminal::moment(received),
        terminal::coloured(category, if category == "Clean" { 32 } else { 31 })
    )];
    out.extend(shown.units.iter().map(explained_unit));
    for hold in &shown.holds {
        out.push(format!("  legal hold {} by {}: {}", hold.number, hold.by, hold.reason));
    }
    for other in &shown.counterfactuals {
        out.push(format!("  without {}@{}: {} {}", other.without, other.version, other.category, other.disposition));
    }
    out.push(format!(
        "  under today's ruleset {}: {} {}; {}",
        today.ruleset, today.category, today.disposition, today.rests_on
    ));
    out.extend(shown.authentication.as_ref().map(authenticated));
    if shown.first_contact == Some(true) {
        out.push("  first contact: no earlier mail between sender and recipient".to_owned());
    }
    for finding in &shown.findings {
        let place = finding.part.map(|part| format!(" in part {part}")).unwrap_or_default();
        let offset = finding.offset.map(|at| format!(" at {at}")).unwrap_or_default();
        out.push(format!(
            "  {}@{} {} {}{place}{offset}: {}",
            finding.detection, finding.detection_version, finding.effect, finding.mode, finding.evidence
        ));
    }
    for engine in &shown.engines {
        let millis = terminal::number(engine.millis);
        out.push(format!(
            "  engine {} {} {} {} {millis} ms {}",
            engine.engine, engine.version, engine.data_version, engine.outcome, engine.detail
        ));
    }
    out.push(format!("  ruleset {ruleset} policy {policy}"));
    out.join("\n")
}

fn explained_unit(unit: &ExplainedUnit) -> String {
    let ExplainedUnit { recipient, direction, disposition, enforced, account, reasons } = unit;
    let how = if *enforced { "enforced" } else { "observed" };
    let mut out = vec![format!("  {recipient} ({direction}): {disposition}, {how}; now {account}")];
    out.extend(reasons.iter().map(|reason| format!("    because {}", reason.text)));
    out.join("\n")
}

/// How it authenticates, on one line.
fn authenticated(said: &AuthenticationView) -> String {
    let AuthenticationView { source, spf, spf_domain, dmarc, dmarc_policy, arc, .. } = said;
    let signature = |one: &DkimView| format!("{} ({})", one.result, one.domain);
    let dkim: Vec<String> = said.dkim.iter().map(signature).collect();
    let dkim = if dkim.is_empty() { "none".to_owned() } else { dkim.join(" ") };
    format!(
        "  authentication, by {source}: spf {spf} ({spf_domain}), dkim {dkim}, dmarc {dmarc} (p={dmarc_policy}), arc \
            {arc}; authenticated domain: {}",
        said.aligned.as_deref().unwrap_or("none")
    )
}

fn shown(unit: &TraceView) -> String {
    let TraceView { mail_id, sender, recipient, direction, subject, category, disposition, .. } = unit;
    let how = if unit.enforced { "enforced" } else { "observed" };
    let mut out = vec![format!(
        "{mail_id}  {sender} -> {recipient}  {direction}  \"{subject}\"\n  {category} {disposition} ({how})"
    )];
    for event in &unit.events {
        out.push(format!(
            "  {}  {:<18} -> {:<13} {} {}",
            terminal::moment(&event.at),
            event.what,
            event.account,
            event.actor,
            event.reason
        ));
    }
    out.join("\n")
}
