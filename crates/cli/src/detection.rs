//! `reprieve detection`: what is in force, and the mode that people give it; and the versions of engines.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// Verbs about detections.
#[derive(Debug, Subcommand)]
pub enum DetectionVerb {
    /// List the detections in force.
    List {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show a detection with its page, its source and its history.
    Show {
        /// Its code.
        code: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Let it act.
    Enforce(ModeArgs),
    /// Let it run and record, and not act.
    Shadow(ModeArgs),
    /// Do not run it.
    Off(ModeArgs),
    /// Give it its own mode back.
    Own {
        /// Its code.
        code: String,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Only say what would be done.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Never contain it without a person: the same evidence only calls people.
    Pin(PinArgs),
    /// Let it be contained again.
    Unpin(PinArgs),
    /// List the versions that engines have said they are.
    Engines {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Which mode, for how long.
#[derive(Debug, Args)]
pub struct ModeArgs {
    /// The code of the detection.
    code: String,
    /// Why, for the record.
    #[arg(long)]
    reason: String,
    /// Hours after which its own mode holds again.
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// Only say what would be done.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Which detection, and why.
#[derive(Debug, Args)]
pub struct PinArgs {
    /// The code of the detection.
    code: String,
    /// Why, for the record.
    #[arg(long)]
    reason: String,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: DetectionVerb) -> Result<(), CliError> {
    match verb {
        DetectionVerb::List { api } => {
            let list = Client::new(&api)?.get("/api/v1/detections", &[]).await?;
            terminal::line(&if api.json { list.to_string() } else { list_text(&list) });
            Ok(())
        }
        DetectionVerb::Show { code, api } => {
            let shown = Client::new(&api)?.get(&format!("/api/v1/detections/{}", encoded(&code)), &[]).await?;
            terminal::line(&if api.json { shown.to_string() } else { show_text(&shown) });
            Ok(())
        }
        DetectionVerb::Enforce(args) => set("enforce", args).await,
        DetectionVerb::Shadow(args) => set("shadow", args).await,
        DetectionVerb::Off(args) => set("off", args).await,
        DetectionVerb::Own { code, reason, what_if, api } => {
            set("own", ModeArgs { code, reason, hours: 1, what_if, api }).await
        }
        DetectionVerb::Pin(args) => pin(true, args).await,
        DetectionVerb::Unpin(args) => pin(false, args).await,
        DetectionVerb::Engines { api } => {
            let engines = Client::new(&api)?.get("/api/v1/engines", &[]).await?;
            terminal::line(&if api.json { engines.to_string() } else { engines_text(&engines) });
            Ok(())
        }
    }
}

async fn pin(pinned: bool, args: PinArgs) -> Result<(), CliError> {
    let PinArgs { code, reason, api } = args;
    let ask = json!({ "pinned": pinned, "reason": reason, "actor": super::quarantine::actor() });
    let done = Client::new(&api)?.post(&format!("/api/v1/detections/{}/pin", encoded(&code)), &ask).await?;
    let is = if pinned { "is pinned: nothing contains it without a person" } else { "can be contained again" };
    terminal::line(&if api.json { done.to_string() } else { format!("{code} {is}") });
    Ok(())
}

async fn set(mode: &str, args: ModeArgs) -> Result<(), CliError> {
    let ModeArgs { code, reason, hours, what_if, api } = args;
    let actor = super::quarantine::actor();
    let ask = json!({ "mode": mode, "reason": reason, "hours": hours, "actor": actor, "what_if": what_if });
    let set = Client::new(&api)?.post(&format!("/api/v1/detections/{}/mode", encoded(&code)), &ask).await?;
    if api.json {
        terminal::line(&set.to_string());
        return Ok(());
    }
    let would = if what_if { "would be" } else { "is" };
    terminal::line(&match set["set"]["until"].as_str() {
        Some(until) => format!("{code} {would} {} until {until}", set["set"]["mode"].as_str().unwrap_or_default()),
        None => format!("{code} {would} {}, its own mode", set["mode"].as_str().unwrap_or_default()),
    });
    Ok(())
}

fn list_text(list: &Value) -> String {
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let mode = match one["set"]["mode"].as_str() {
            Some(set) => format!("{set} (set until {})", one["set"]["until"].as_str().unwrap_or_default()),
            None => text("mode"),
        };
        vec![text("code"), text("version"), text("category"), text("effect"), text("target"), mode, text("title")]
    };
    let rows: Vec<Vec<String>> = list.as_array().into_iter().flatten().map(row).collect();
    terminal::table(&["code", "version", "category", "effect", "target", "mode", "title"], &rows, 48)
}

fn show_text(shown: &Value) -> String {
    let text = |key: &str| shown[key].as_str().unwrap_or_default();
    let mut out = Vec::new();
    if text("page").is_empty() {
        out.push(format!("# {}: {}", text("code"), text("title")));
    } else {
        out.push(text("page").trim_end().to_owned());
    }
    out.push(format!(
        "\nversion {}  {} {}  reads {}, speaks of the {}  mode {}  owner {}",
        text("version"),
        text("category"),
        text("effect"),
        text("target"),
        text("scope"),
        text("mode"),
        text("owner")
    ));
    let set = &shown["set"];
    if let Some(mode) = set["mode"].as_str() {
        let text = |key: &str| set[key].as_str().unwrap_or_default();
        out.push(format!("set to {mode} until {} by {}: {}", text("until"), text("by"), text("reason")));
    }
    out.push(format!("\n{}", text("source").trim_end()));
    out.push("\nversions".to_owned());
    for version in shown["versions"].as_array().into_iter().flatten() {
        let text = |key: &str| version[key].as_str().unwrap_or_default();
        out.push(format!("  {}  since {}", text("version"), text("first_seen")));
    }
    out.join("\n")
}

fn engines_text(engines: &Value) -> String {
    let row = |one: &Value| {
        ["engine", "version", "data_version", "first_seen"]
            .map(|key| one[key].as_str().unwrap_or_default().to_owned())
            .to_vec()
    };
    let rows: Vec<Vec<String>> = engines.as_array().into_iter().flatten().map(row).collect();
    terminal::table(&["engine", "version", "data", "first said"], &rows, 48)
}
