//! `reprieve ruleset`: lint, compare, build, publish through the gates, take back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use detect::backtest::{self, Backtest};
use detect::lookalike;
use detect::ruleset::diff::diff;
use detect::ruleset::{Ruleset, lint, load, shipped_files};
use domain::detection::{DetectionCode, Target};
use domain::finding::MemoryClass;
use domain::rollout::GateReport;
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, mailbox, terminal};
use platform::config::Config;
use platform::percent::encoded;

/// How often `publish --wait` looks.
const LOOK: Duration = Duration::from_millis(500);
/// Lines of a gate that are shown.
const SHOWN_MAX: usize = 20;

/// Verbs about rulesets.
#[derive(Debug, Subcommand)]
pub enum RulesetVerb {
    /// Run the gates on a folder, here, without a gateway: exit 1 when one of them says no.
    Lint {
        /// A ruleset folder, or a YARA file. Without one, the shipped ruleset.
        folder: Option<PathBuf>,
        /// What its plain YARA files read: raw, header, text, part:any or part:FAMILY.
        #[arg(long)]
        target: Option<Target>,
        /// Mails that are known to be good, for a backtest: files or folders.
        #[arg(long, value_name = "PATH")]
        against: Vec<PathBuf>,
        /// Instead of the gates: what each of its YARA detections adds to a scan, the dearest first.
        #[arg(long)]
        costs: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what is different: two folders here, or two kept versions of a gateway.
    Diff {
        /// The earlier: a folder, a file, a version, `live` or `shipped`.
        before: String,
        /// The later.
        after: String,
        /// Where the API is, for versions.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Build a version of a folder and keep it; it acts on nothing until it is published.
    Build {
        /// The folder, or a YARA file. Without one, what the configuration names, or the shipped ruleset.
        folder: Option<PathBuf>,
        /// What its plain YARA files read.
        #[arg(long)]
        target: Option<Target>,
        /// Add the folder's detections to what is in force; those of the same code are replaced. Plain YARA files are
        /// always added.
        #[arg(long)]
        add: bool,
        /// Only say what the gates say.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Roll a version out: gates, shadow, 1 %, 10 %, 50 %, live.
    Publish {
        /// A folder, a YARA file or a kept version. Without one, what the configuration names, or the shipped ruleset.
        version: Option<String>,
        /// What its plain YARA files read.
        #[arg(long)]
        target: Option<Target>,
        /// Add the folder's detections to what is in force; those of the same code are replaced. Plain YARA files are
        /// always added.
        #[arg(long)]
        add: bool,
        /// In force at once, whatever the gates say.
        #[arg(long, requires = "reason", conflicts_with = "fast")]
        force: bool,
        /// Through the gates, without shadow and canary; after a day it must stand them.
        #[arg(long, requires = "reason")]
        fast: bool,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Wait until the gates have spoken.
        #[arg(long)]
        wait: bool,
        /// Only say what would be done.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List every version that was ever kept.
    List {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show a version with its detections.
    Show {
        /// The version, or `live`.
        #[arg(default_value = "live")]
        version: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show where roll-outs stand and what the gates said.
    Status {
        /// The number of a roll-out; the newest without.
        number: Option<u32>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Take back the version that is being rolled out, or else the one in force.
    Rollback {
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Only say what would be taken back.
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
/// Exit 1 when a gate says no; 3 when a folder or the API cannot be reached.
pub async fn run(verb: RulesetVerb) -> Result<(), CliError> {
    match verb {
        RulesetVerb::Lint { folder, target, against, costs, json } => {
            let files = files_of(folder.as_deref(), target)?;
            if costs {
                return costs_of(files, json);
            }
            let linted = tokio::task::spawn_blocking(move || lint_here(files, &against)).await;
            told(&linted.map_err(CliError::unreachable)??, json)
        }
        RulesetVerb::Diff { before, after, api } => compare(&before, &after, &api).await,
        RulesetVerb::Build { folder, target, add, what_if, api } => {
            let folder = folder.or_else(|| configured(&api));
            let built = build(&Client::new(&api)?, files_of(folder.as_deref(), target)?, add, what_if).await?;
            terminal::line(&if api.json { built.to_string() } else { built_text(&built) });
            passed(&built)
        }
        RulesetVerb::Publish { version, target, add, force, fast, reason, wait, what_if, api } => {
            let client = Client::new(&api)?;
            let id = match version_id(version.as_deref()) {
                Some(id) => id,
                None => {
                    let folder = version.map(PathBuf::from).or_else(|| configured(&api));
                    let built = build(&client, files_of(folder.as_deref(), target)?, add, false).await?;
                    built["id"].as_str().unwrap_or_default().to_owned()
                }
            };
            let actor = super::quarantine::actor();
            let ask = json!({ "force": force, "fast": fast, "reason": reason, "actor": actor, "what_if": what_if });
            let mut rollout = client.post(&format!("/api/v1/rulesets/{}/publish", encoded(&id)), &ask).await?;
            if wait && !what_if {
                rollout = wait_for_gates(&client, &rollout).await?;
            }
            terminal::line(&if api.json { rollout.to_string() } else { rollout_text(&rollout) });
            if rollout["stage"] == "refused" { Err(CliError::No) } else { Ok(()) }
        }
        RulesetVerb::List { api } => {
            let rulesets = Client::new(&api)?.get("/api/v1/rulesets", &[]).await?;
            terminal::line(&if api.json { rulesets.to_string() } else { list_text(&rulesets) });
            Ok(())
        }
        RulesetVerb::Show { version, api } => {
            let ruleset = Client::new(&api)?.get(&format!("/api/v1/rulesets/{}", encoded(&version)), &[]).await?;
            terminal::line(&if api.json { ruleset.to_string() } else { show_text(&ruleset) });
            Ok(())
        }
        RulesetVerb::Status { number, api } => {
            let client = Client::new(&api)?;
            let number = match number {
                Some(number) => number.into(),
                None => client.get("/api/v1/rollouts", &[]).await?[0]["rollout"].clone(),
            };
            if number.is_null() {
                terminal::line(if api.json {
                    "null"
                } else {
                    "nothing was ever published: the ruleset of the program is in force"
                });
                return Ok(());
            }
            let rollout = client.get(&format!("/api/v1/rollouts/{number}"), &[]).await?;
            terminal::line(&if api.json { rollout.to_string() } else { rollout_text(&rollout) });
            Ok(())
        }
        RulesetVerb::Rollback { reason, what_if, api } => {
            let ask = json!({ "reason": reason, "actor": super::quarantine::actor(), "what_if": what_if });
            let rollout = Client::new(&api)?.post("/api/v1/rollouts/rollback", &ask).await?;
            terminal::line(&if api.json { rollout.to_string() } else { rollout_text(&rollout) });
            Ok(())
        }
    }
}

type Files = BTreeMap<String, Vec<u8>>;

/// The folder that the configuration names, where the API is that of this host.
fn configured(api: &ApiArgs) -> Option<PathBuf> {
    Config::load(&api.configuration()?).ok()?.ruleset
}

/// The files of a folder, or of the shipped ruleset; `target` says what plain rules read.
fn files_of(folder: Option<&Path>, target: Option<Target>) -> Result<Files, CliError> {
    let mut files = match folder {
        Some(folder) => load::folder_files(folder).map_err(CliError::unreachable)?,
        None => shipped_files(),
    };
    if let Some(target) = target {
        let written = files.get(load::SETTINGS).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let mut settings: toml::Table = toml::from_str(&written.unwrap_or_default())
            .map_err(|error| CliError::Usage(format!("{}: {error}", load::SETTINGS)))?;
        let plain = settings.entry("plain_yara").or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let Some(plain) = plain.as_table_mut() {
            plain.insert("target".into(), target.to_string().into());
        }
        files.insert(load::SETTINGS.into(), settings.to_string().into_bytes());
    }
    Ok(files)
}

/// A version by its look: 16 hexadecimal digits that are no path.
fn version_id(text: Option<&str>) -> Option<String> {
    let text = text?;
    let is_id = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && !Path::new(text).exists()).then(|| text.to_owned())
}

/// All gates, here: what a gateway would say, with a folder of mails in the place of its known-good corpus.
fn lint_here(files: Files, against: &[PathBuf]) -> Result<Vec<GateReport>, CliError> {
    let own = load::from_files(files.clone()).map_err(CliError::unreachable)?;
    let codes: BTreeSet<DetectionCode> = own.detections.keys().cloned().collect();
    let whole = if load::is_plain(&files) {
        Ruleset::shipped().and_then(|shipped| shipped.with(&own)).map_err(CliError::unreachable)?
    } else {
        load::from_files(files.clone()).map_err(CliError::unreachable)?
    };
    let whole = Arc::new(whole);
    let mut gates = vec![lint::lint(&files, &whole, &codes), lookalike::gate(&whole, &codes)];
    if !against.is_empty() {
        let in_force = backtest::of(Arc::new(own));
        let mut run = Backtest::new(&in_force);
        for path in mailbox::files(against).map_err(CliError::unreachable)? {
            let bytes = mailbox::read(&path).map_err(CliError::unreachable)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !mailbox::is_mail(&bytes) {
                run.part(&bytes, &name, "", MemoryClass::Unknown);
                continue;
            }
            for (at, mail) in mailbox::mails(&path, &bytes).iter().enumerate() {
                let label = if at == 0 { name.clone() } else { format!("{name}[{at}]") };
                run.mail(mail, MemoryClass::Unknown, &label);
            }
        }
        gates.push(run.end());
    }
    Ok(gates)
}

fn costs_of(files: Files, json: bool) -> Result<(), CliError> {
    let ruleset = load::from_files(files).map_err(CliError::unreachable)?;
    let costs = lint::costs(&ruleset).map_err(CliError::unreachable)?;
    if json {
        let costs: Vec<Value> = costs.iter().map(|(code, ms)| json!({ "code": code, "ms_per_mib": ms })).collect();
        terminal::line(&Value::from(costs).to_string());
    } else {
        let rows: Vec<Vec<String>> =
            costs.iter().map(|(code, ms)| vec![code.to_string(), format!("{ms:.3}")]).collect();
        terminal::line(&terminal::table(&["detection", "ms for 1 MiB"], &rows, 60));
    }
    Ok(())
}

fn told(gates: &[GateReport], json: bool) -> Result<(), CliError> {
    if json {
        let gates: Vec<Value> = gates.iter().map(|gate| json!(gate)).collect();
        terminal::line(&json!({ "gates": gates }).to_string());
    } else {
        let shown: Vec<String> = gates.iter().map(|gate| gate_text(&json!(gate))).collect();
        terminal::line(&shown.join("\n"));
    }
    if gates.iter().all(|gate| gate.passed) { Ok(()) } else { Err(CliError::No) }
}

/// Builds a version of a folder; one of plain YARA files is added to what is in force.
///
/// # Errors
/// When it does not load, or the API says no.
pub async fn build_folder(client: &Client, folder: &Path) -> Result<Value, CliError> {
    build(client, files_of(Some(folder), None)?, false, false).await
}

async fn build(client: &Client, files: Files, add: bool, what_if: bool) -> Result<Value, CliError> {
    let files: BTreeMap<String, String> =
        files.into_iter().map(|(path, bytes)| (path, STANDARD.encode(bytes))).collect();
    let ask = json!({ "files": files, "add": add, "actor": super::quarantine::actor(), "what_if": what_if });
    client.post("/api/v1/rulesets", &ask).await
}

async fn wait_for_gates(client: &Client, rollout: &Value) -> Result<Value, CliError> {
    let path = format!("/api/v1/rollouts/{}", rollout["rollout"]);
    loop {
        let now = client.get(&path, &[]).await?;
        if now["stage"] != "checking" {
            return Ok(now);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn compare(before: &str, after: &str, api: &ApiArgs) -> Result<(), CliError> {
    let is_here = |text: &str| text == "shipped" || Path::new(text).exists();
    let changes = if is_here(before) && is_here(after) {
        let load = |text: &str| {
            let loaded = if text == "shipped" { Ruleset::shipped() } else { load::from_folder(Path::new(text)) };
            loaded.map_err(CliError::unreachable)
        };
        json!(diff(&load(before)?, &load(after)?))
    } else {
        let query = [("against", Some(before.to_owned()))];
        Client::new(api)?.get(&format!("/api/v1/rulesets/{}/diff", encoded(after)), &query).await?
    };
    if api.json {
        terminal::line(&changes.to_string());
        return Ok(());
    }
    let changes = changes.as_array().cloned().unwrap_or_default();
    if changes.is_empty() {
        terminal::line("no detection differs");
    }
    for change in &changes {
        let text = |key: &str| change[key].as_str().unwrap_or("-");
        let colour = match text("kind") {
            "added" => 32,
            "removed" => 31,
            _ => 33,
        };
        let head = format!("{} {} {} -> {}", text("kind"), text("code"), text("before"), text("after"));
        terminal::line(&terminal::coloured(&head, colour));
        terminal::line(text("lines").trim_end());
    }
    Ok(())
}

fn passed(built: &Value) -> Result<(), CliError> {
    let all = built["gates"].as_array().into_iter().flatten().all(|gate| gate["passed"] == Value::Bool(true));
    if all { Ok(()) } else { Err(CliError::No) }
}

fn gate_text(gate: &Value) -> String {
    let text = |key: &str| gate[key].as_str().unwrap_or_default();
    let passed = gate["passed"] == Value::Bool(true);
    let (word, colour) = if passed { ("passes", 32) } else { ("says no", 31) };
    let mut out = vec![format!("{:<10} {}: {}", text("gate"), terminal::coloured(word, colour), text("summary"))];
    for (key, mark) in [("faults", "-"), ("notes", "·")] {
        let lines: Vec<&str> = gate[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        out.extend(lines.iter().take(SHOWN_MAX).map(|line| format!("  {mark} {line}")));
        if lines.len() > SHOWN_MAX {
            out.push(format!("  {mark} and {} more; --json has them", lines.len() - SHOWN_MAX));
        }
    }
    out.join("\n")
}

fn gates_text(value: &Value) -> Vec<String> {
    value["gates"].as_array().into_iter().flatten().map(gate_text).collect()
}

fn built_text(built: &Value) -> String {
    let kept = if built["kept"] == Value::Bool(true) { "kept" } else { "would be kept" };
    let mut out =
        vec![format!("{} with {} detections, {kept}", built["id"].as_str().unwrap_or_default(), built["detections"])];
    if let Some(base) = built["added_to"].as_str() {
        out.push(format!("its rules are added to {base}, which is in force"));
    }
    out.extend(gates_text(built));
    out.join("\n")
}

fn rollout_text(rollout: &Value) -> String {
    let text = |key: &str| rollout[key].as_str().unwrap_or_default();
    let colour = match text("stage") {
        "live" => 32,
        "refused" | "rolled-back" => 31,
        _ => 33,
    };
    let mut out = vec![format!(
        "roll-out {} of {}: {} since {}\n  {}",
        rollout["rollout"],
        text("ruleset"),
        terminal::coloured(text("stage"), colour),
        text("since"),
        text("note")
    )];
    out.push(format!("  published by {} at {}: {}", text("started_by"), text("started"), text("reason")));
    out.push(format!("  before it {} was in force", text("before")));
    out.extend(gates_text(rollout));
    for step in rollout["steps"].as_array().into_iter().flatten() {
        let text = |key: &str| step[key].as_str().unwrap_or_default();
        out.push(format!("{}  {} -> {}  {}: {}", text("at"), text("from"), text("to"), text("actor"), text("reason")));
    }
    out.join("\n")
}

fn list_text(rulesets: &Value) -> String {
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let state = match (one["in_force"] == Value::Bool(true), one["stage"].as_str()) {
            (true, _) => "in force".to_owned(),
            (false, Some(stage)) => stage.to_owned(),
            (false, None) => String::new(),
        };
        vec![text("id"), one["detections"].to_string(), text("first_seen"), text("in_force_since"), state]
    };
    let rows: Vec<Vec<String>> = rulesets.as_array().into_iter().flatten().map(row).collect();
    terminal::table(&["version", "detections", "first seen", "in force since", "state"], &rows, 32)
}

fn show_text(ruleset: &Value) -> String {
    let row = |one: &Value| {
        ["code", "version", "category", "effect", "target", "mode", "title"]
            .map(|key| one[key].as_str().unwrap_or_default().to_owned())
            .to_vec()
    };
    let rows: Vec<Vec<String>> = ruleset["detections"].as_array().into_iter().flatten().map(row).collect();
    let mut out = vec![format!("ruleset {}", ruleset["id"].as_str().unwrap_or_default())];
    out.push(terminal::table(&["code", "version", "category", "effect", "target", "mode", "title"], &rows, 48));
    out.extend(gates_text(ruleset));
    out.join("\n")
}
