//! `reprieve sentinel`, `contain`, `release-containment`: what is suspected and why, and what people contain and give
//! back.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// Verbs about the sentinel.
#[derive(Debug, Subcommand)]
pub enum SentinelVerb {
    /// Say what is suspected, what is contained, and whether the memory is strong enough to act on.
    Status {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Say why the sentinel believes what it believes of a detection.
    Explain {
        /// The code of the detection.
        detection: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Which detection, and why.
#[derive(Debug, Args)]
pub struct ContainArgs {
    /// The code of the detection.
    detection: String,
    /// Its version; none for the one in force.
    #[arg(long)]
    version: Option<String>,
    /// Why, for the record.
    #[arg(long)]
    reason: String,
    /// Hours after which it ends by itself.
    #[arg(long)]
    hours: Option<u64>,
    /// Only say what would be done.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: SentinelVerb) -> Result<(), CliError> {
    let (shown, api, text): (Value, ApiArgs, fn(&Value) -> String) = match verb {
        SentinelVerb::Status { api } => (Client::new(&api)?.get("/api/v1/sentinel", &[]).await?, api, status_text),
        SentinelVerb::Explain { detection, api } => (
            Client::new(&api)?.get(&format!("/api/v1/sentinel/{}", encoded(&detection)), &[]).await?,
            api,
            explain_text,
        ),
    };
    terminal::line(&if api.json { shown.to_string() } else { text(&shown) });
    Ok(())
}

/// Contains a detection, or gives it back.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn contain(args: ContainArgs, release: bool) -> Result<(), CliError> {
    let ContainArgs { detection, version, reason, hours, what_if, api } = args;
    let ask = json!({
        "detection": detection, "version": version, "reason": reason, "hours": hours, "release": release,
        "actor": super::quarantine::actor(), "what_if": what_if,
    });
    let done = Client::new(&api)?.post("/api/v1/containment", &ask).await?;
    if api.json {
        terminal::line(&done.to_string());
        return Ok(());
    }
    let is = match (what_if, release) {
        (true, false) => "would be contained",
        (true, true) => "would be given back",
        (false, false) => "is contained",
        (false, true) => "acts again as policy says",
    };
    let until = done["until"].as_str().map(|until| format!(" until {until}")).unwrap_or_default();
    terminal::line(&format!("{detection} ({}) {is}{until}", done["detection_version"].as_str().unwrap_or_default()));
    Ok(())
}

fn suspects(list: &Value) -> String {
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| format!("{:.2e}", one[key].as_f64().unwrap_or_default());
        vec![
            text("detection"),
            text("detection_version"),
            text("state"),
            number("evidence"),
            number("live_evidence"),
            format!("{} of {}", one["probe_hits"], one["probe_seen"]),
            one["hits"].to_string(),
            one["senders"].to_string(),
            one["witnesses"].to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = list.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        return "nothing is held against any detection".into();
    }
    let headings =
        ["detection", "version", "state", "evidence", "live", "probe hits", "hits", "known senders", "witnesses"];
    terminal::table(&headings, &rows, 40)
}

fn status_text(shown: &Value) -> String {
    let memory = &shown["memory"];
    let acts = if shown["acts"] == true {
        "what is convicted is contained"
    } else if shown["containment"] == "automatic" {
        "the memory is not strong enough yet: people are called, and nothing is contained by itself"
    } else {
        "people are called, and nothing is contained by itself"
    };
    let mut out = vec![
        format!("{}: {acts}", shown["containment"].as_str().unwrap_or_default()),
        super::memory::strength_text(memory),
        suspects(&shown["suspects"]),
    ];
    for one in shown["contained"].as_array().into_iter().flatten() {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        let until = if text("until").is_empty() { String::new() } else { format!(" until {}", text("until")) };
        out.push(format!(
            "{} ({}): {} since {}{until} by {}: {}",
            text("detection"),
            text("detection_version"),
            text("level"),
            text("since"),
            text("by"),
            text("reason")
        ));
    }
    for one in shown["pinned"].as_array().into_iter().flatten() {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        out.push(format!("{}: pinned by {}: {}", text("detection"), text("by"), text("reason")));
    }
    out.join("\n")
}

fn explain_text(shown: &Value) -> String {
    let mut out = vec![suspects(&shown["versions"])];
    for line in shown["journal"].as_array().into_iter().flatten() {
        let text = |key: &str| line[key].as_str().unwrap_or_default();
        out.push(format!("{}  {}  {:<7} {}", text("at"), text("detection_version"), text("event"), text("text")));
    }
    out.join("\n")
}
