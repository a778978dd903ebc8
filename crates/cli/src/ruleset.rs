//! `reprieve ruleset`: lint, compare, build, publish through the gates, roll back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api_types::ruleset::{
    BuildAsk, BuiltView, ChangeView, DetectionRow, DiffQuery, GateView, PublishAsk, RollbackAsk, RolloutView,
    RulesetRow, RulesetView,
};
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

use super::answer::Answer;
use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
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
    /// Run the gates on a folder, without a gateway; exit 1 when one fails.
    Lint {
        /// A ruleset folder, or a YARA file; default: the shipped ruleset.
        folder: Option<PathBuf>,
        /// What plain YARA files scan: raw, header, text, part:any or part:FAMILY.
        #[arg(long)]
        target: Option<Target>,
        /// Known-good mail for a backtest: files or folders.
        #[arg(long, value_name = "PATH")]
        against: Vec<PathBuf>,
        /// Instead of the gates: the scan time of each YARA detection, the slowest first.
        #[arg(long)]
        costs: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compare two folders, or two versions on a gateway.
    Diff {
        /// The old one: a folder, a file, a version, `live` or `shipped`.
        before: String,
        /// The new one.
        after: String,
        /// Where the API is, for versions.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Build a version from a folder and keep it; it has no effect until it is published.
    Build {
        /// The folder, or a YARA file; default: the one in the configuration, or the shipped ruleset.
        folder: Option<PathBuf>,
        /// What plain YARA files scan.
        #[arg(long)]
        target: Option<Target>,
        /// Add the detections to the ruleset in force, replacing those with the same code. Plain YARA files are always
        /// added.
        #[arg(long)]
        add: bool,
        /// Only print the results of the gates.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Roll a version out: gates, shadow, 1 %, 10 %, 50 %, live.
    Publish {
        /// A folder, a YARA file or a version; default: the one in the configuration, or the shipped ruleset.
        version: Option<String>,
        /// What plain YARA files scan.
        #[arg(long)]
        target: Option<Target>,
        /// Add the detections to the ruleset in force, replacing those with the same code. Plain YARA files are always
        /// added.
        #[arg(long)]
        add: bool,
        /// Put it in force at once, whatever the gates say.
        #[arg(long, requires = "reason", conflicts_with = "fast")]
        force: bool,
        /// A known-good sample that is in fact bad, by the hash that the gate shows: it is removed from the memory. May
        /// be given more than once.
        #[arg(long, requires = "force", value_name = "HASH")]
        bad: Vec<String>,
        /// Through the gates, without shadow and canary stages; checked again after a day.
        #[arg(long, requires = "reason")]
        fast: bool,
        /// Why, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Wait for the results of the gates.
        #[arg(long)]
        wait: bool,
        /// Only print what would be done.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List all versions.
    List {
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
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
    /// Show the state of a roll-out and the results of the gates.
    Status {
        /// The number of the roll-out; default: the newest.
        number: Option<u32>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Roll back the version that is being rolled out, or else the one in force.
    Rollback {
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Only print what would be rolled back.
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
            built.print_with_lines(&api, built_text)?;
            if built.view()?.gates.iter().all(|gate| gate.passed) { Ok(()) } else { Err(CliError::No) }
        }
        RulesetVerb::Publish { version, target, add, force, bad, fast, reason, wait, what_if, api } => {
            let client = Client::new(&api)?;
            let id = match version_id(version.as_deref()) {
                Some(id) => id,
                None => {
                    let folder = version.map(PathBuf::from).or_else(|| configured(&api));
                    build(&client, files_of(folder.as_deref(), target)?, add, false).await?.view()?.id
                }
            };
            let actor = super::quarantine::actor();
            let ask = PublishAsk { force, fast, reason, actor, what_if, bad };
            let path = format!("/api/v1/rulesets/{}/publish", encoded(&id));
            let mut answer = client.post::<RolloutView>(&path, &ask).await?;
            if wait && !what_if {
                answer = wait_for_gates(&client, answer.view()?.rollout).await?;
            }
            answer.print_with_lines(&api, rollout_text)?;
            if answer.view()?.stage == "refused" { Err(CliError::No) } else { Ok(()) }
        }
        RulesetVerb::List { to } => {
            let rulesets = Client::new(&to.api)?.get::<Vec<RulesetRow>>("/api/v1/rulesets").await?;
            rulesets.list(&to, |rulesets| table(rulesets))
        }
        RulesetVerb::Show { version, api } => {
            let path = format!("/api/v1/rulesets/{}", encoded(&version));
            Client::new(&api)?.get::<RulesetView>(&path).await?.print_with_lines(&api, show_text)
        }
        RulesetVerb::Status { number, api } => {
            let client = Client::new(&api)?;
            let number = match number {
                Some(number) => Some(number),
                None => newest(&client).await?,
            };
            let Some(number) = number else {
                terminal::line(if api.json { "null" } else { "no roll-out yet: the shipped ruleset is in force" });
                return Ok(());
            };
            rollout(&client, number).await?.print_with_lines(&api, rollout_text)
        }
        RulesetVerb::Rollback { reason, what_if, api } => {
            let ask = RollbackAsk { reason, actor: super::quarantine::actor(), what_if };
            let back = Client::new(&api)?.post::<RolloutView>("/api/v1/rollouts/rollback", &ask).await?;
            back.print_with_lines(&api, rollout_text)
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
        let gates: Vec<GateView> = gates.iter().map(gate_view).collect();
        terminal::line(&gates_text(&gates).join("\n"));
    }
    if gates.iter().all(|gate| gate.passed) { Ok(()) } else { Err(CliError::No) }
}

/// What a gate said here, in the shape of what one says of a gateway.
fn gate_view(report: &GateReport) -> GateView {
    let GateReport { gate, passed, summary, faults, notes } = report.clone();
    GateView { gate: gate.as_str().to_owned(), passed, summary, faults, notes }
}

/// Builds a version of a folder; one of plain YARA files is added to what is in force.
///
/// # Errors
/// When it does not load, or the API says no.
pub async fn build_folder(client: &Client, folder: &Path) -> Result<BuiltView, CliError> {
    build(client, files_of(Some(folder), None)?, false, false).await?.view()
}

async fn build(client: &Client, files: Files, add: bool, what_if: bool) -> Result<Answer<BuiltView>, CliError> {
    let files: BTreeMap<String, String> =
        files.into_iter().map(|(path, bytes)| (path, STANDARD.encode(bytes))).collect();
    client.post("/api/v1/rulesets", &BuildAsk { files, add, actor: super::quarantine::actor(), what_if }).await
}

/// The number of the newest roll-out.
async fn newest(client: &Client) -> Result<Option<u32>, CliError> {
    let rollouts = client.get::<Vec<RolloutView>>("/api/v1/rollouts").await?.view()?;
    Ok(rollouts.first().map(|rollout| rollout.rollout))
}

async fn rollout(client: &Client, number: u32) -> Result<Answer<RolloutView>, CliError> {
    client.get(&format!("/api/v1/rollouts/{number}")).await
}

async fn wait_for_gates(client: &Client, number: u32) -> Result<Answer<RolloutView>, CliError> {
    loop {
        let now = rollout(client, number).await?;
        if now.view()?.stage != "checking" {
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
        // The same in JSON as the API's.
        Answer::of(json!(diff(&load(before)?, &load(after)?)))
    } else {
        let query = DiffQuery { against: Some(before.to_owned()) };
        let path = format!("/api/v1/rulesets/{}/diff", encoded(after));
        Client::new(api)?.get_with::<Vec<ChangeView>>(&path, &query).await?
    };
    changes.print_with_lines(api, |changes| changes_text(changes))
}

fn changes_text(changes: &[ChangeView]) -> String {
    if changes.is_empty() {
        return "no detection differs".to_owned();
    }
    let mut out = Vec::new();
    for ChangeView { code, kind, before, after, lines } in changes {
        let colour = match kind.as_str() {
            "added" => 32,
            "removed" => 31,
            _ => 33,
        };
        let [before, after] = [before, after].map(|version| version.as_deref().unwrap_or("-"));
        out.push(terminal::coloured(&format!("{kind} {code} {before} -> {after}"), colour));
        out.push(lines.trim_end().to_owned());
    }
    out.join("\n")
}

fn gate_text(gate: &GateView) -> String {
    let (word, colour) = if gate.passed { ("passed", 32) } else { ("failed", 31) };
    let mut out = vec![format!("{:<10} {}: {}", gate.gate, terminal::coloured(word, colour), gate.summary)];
    for (lines, mark) in [(&gate.faults, "-"), (&gate.notes, "·")] {
        out.extend(lines.iter().take(SHOWN_MAX).map(|line| format!("  {mark} {line}")));
        if lines.len() > SHOWN_MAX {
            out.push(format!("  {mark} and {} more; --json has them", lines.len() - SHOWN_MAX));
        }
    }
    out.join("\n")
}

fn gates_text(gates: &[GateView]) -> Vec<String> {
    gates.iter().map(gate_text).collect()
}

fn built_text(built: &BuiltView) -> String {
    let kept = if built.kept { "kept" } else { "would be kept" };
    let mut out = vec![format!("{} with {} detections, {kept}", built.id, built.detections)];
    if let Some(base) = &built.added_to {
        out.push(format!("added to {base}, which is in force"));
    }
    out.extend(gates_text(&built.gates));
    out.join("\n")
}

fn rollout_text(rollout: &RolloutView) -> String {
    let RolloutView { ruleset, before, stage, since, started, started_by, reason, note, .. } = rollout;
    let colour = match stage.as_str() {
        "live" => 32,
        "refused" | "rolled-back" => 31,
        _ => 33,
    };
    let number = rollout.rollout;
    let [since, started] = [since, started].map(|at| terminal::moment(at));
    let mut out = vec![
        format!("roll-out {number} of {ruleset}: {} since {since}\n  {note}", terminal::coloured(stage, colour)),
        format!("  published by {started_by} at {started}: {reason}"),
        format!("  previous version: {before}"),
    ];
    out.extend(gates_text(&rollout.gates));
    for step in &rollout.steps {
        let at = terminal::moment(&step.at);
        out.push(format!("{at}  {} -> {}  {}: {}", step.from, step.to, step.actor, step.reason));
    }
    out.join("\n")
}

const COLUMNS: &[Column] =
    &[whole("version"), text("detections"), time("first seen"), time("in force since"), text("state")];

fn table(rulesets: &[RulesetRow]) -> Table {
    let row = |one: &RulesetRow| {
        let RulesetRow { id, first_seen, detections, in_force_since, in_force, stage } = one.clone();
        let state = if in_force { "in force".to_owned() } else { stage.unwrap_or_default() };
        vec![id, detections.to_string(), first_seen, in_force_since.unwrap_or_default(), state]
    };
    Table::new(COLUMNS, "no rulesets", rulesets.iter().map(row).collect())
}

fn show_text(ruleset: &RulesetView) -> String {
    let row = |one: &DetectionRow| {
        let DetectionRow { code, version, category, effect, target, mode, title, .. } = one.clone();
        vec![code, version, category, effect, target, mode, title]
    };
    let rows: Vec<Vec<String>> = ruleset.detections.iter().map(row).collect();
    let mut out = vec![format!("ruleset {}", ruleset.id)];
    out.push(terminal::table(&["code", "version", "category", "effect", "target", "mode", "title"], &rows, 48));
    out.extend(gates_text(&ruleset.gates));
    out.join("\n")
}
