//! `reprieve detection`: what is in force, and the mode that people give it; and the versions of engines.

use api_types::detection::{
    ActiveDetection, DetectionDryRunAsk, DetectionDryRunView, DetectionView, DryRunTally, EngineRow, ModeAsk,
};
use api_types::ruleset::DetectionRow;
use api_types::sentinel::{PinAsk, PinView};
use clap::{Args, Subcommand};

use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// Verbs about detections.
#[derive(Debug, Subcommand)]
pub enum DetectionVerb {
    /// List the detections in force.
    List {
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Show a detection with its page, its source and its history.
    Show {
        /// The code of the detection.
        code: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Enforce a detection: it acts.
    Enforce(ModeArgs),
    /// Monitor only: a detection runs and records, but does not act.
    #[command(visible_alias = "monitor")]
    Shadow(ModeArgs),
    /// Switch a detection off.
    Off(ModeArgs),
    /// Return a detection to its own mode.
    #[command(visible_alias = "reset")]
    Own {
        /// The code of the detection.
        code: String,
        /// Why, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Only print what would be done.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Test a detection on the kept mail of the last days: what it would have held.
    DryRun(DryRunArgs),
    /// Pin a detection: it is never contained automatically, the evidence only raises alerts.
    Pin(PinArgs),
    /// Unpin a detection: it can be contained automatically again.
    Unpin(PinArgs),
    /// List the engines and their versions so far.
    Engines {
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
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
    /// Hours after which it returns to its own mode.
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// Only print what would be done.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Which detection, of which ruleset, on how many days.
#[derive(Debug, Args)]
pub struct DryRunArgs {
    /// The code of the detection.
    code: String,
    /// Days back from now, at most 30.
    #[arg(long, default_value_t = 7)]
    days: u64,
    /// A built ruleset, by its ID; default: the one in force.
    #[arg(long, value_name = "ID")]
    ruleset: Option<String>,
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
        DetectionVerb::List { to } => {
            let list = Client::new(&to.api)?.get::<Vec<ActiveDetection>>("/api/v1/detections").await?;
            list.list(&to, |list| table(list))
        }
        DetectionVerb::Show { code, api } => {
            let path = format!("/api/v1/detections/{}", encoded(&code));
            Client::new(&api)?.get::<DetectionView>(&path).await?.print_with_lines(&api, show_text)
        }
        DetectionVerb::Enforce(args) => set("enforce", args).await,
        DetectionVerb::Shadow(args) => set("shadow", args).await,
        DetectionVerb::Off(args) => set("off", args).await,
        DetectionVerb::Own { code, reason, what_if, api } => {
            set("own", ModeArgs { code, reason, hours: 1, what_if, api }).await
        }
        DetectionVerb::DryRun(args) => dry_run(args).await,
        DetectionVerb::Pin(args) => pin(true, args).await,
        DetectionVerb::Unpin(args) => pin(false, args).await,
        DetectionVerb::Engines { to } => {
            let engines = Client::new(&to.api)?.get::<Vec<EngineRow>>("/api/v1/engines").await?;
            engines.list(&to, |engines| engine_table(engines))
        }
    }
}

async fn dry_run(args: DryRunArgs) -> Result<(), CliError> {
    let DryRunArgs { code, days, ruleset, api } = args;
    let ask = DetectionDryRunAsk { days: Some(days), ruleset, actor: super::quarantine::actor() };
    let path = format!("/api/v1/detections/{}/dry-run", encoded(&code));
    Client::new(&api)?.post::<DetectionDryRunView>(&path, &ask).await?.print(&api, dry_run_text)
}

fn dry_run_text(run: &DetectionDryRunView) -> String {
    let DetectionDryRunView { code, version, ruleset, days, would_act, held, delivered, contents, .. } = run;
    let does = if *would_act { "would have held" } else { "would have hit (it does not hold by itself)" };
    let mut out = vec![format!("{code} {version} of ruleset {ruleset}, {days} days: {does}")];
    let mut line = |kind: &str, tally: &DryRunTally| {
        let DryRunTally { looked_at, hits, unreadable, is_all, named } = tally;
        let rest = if *is_all { "" } else { " (the newest)" };
        let lost = if *unreadable == 0 { String::new() } else { format!("; {unreadable} unreadable") };
        out.push(format!("  {hits} of {looked_at} {kind}{rest}{lost}"));
        out.extend(named.iter().map(|name| format!("    {name}")));
    };
    line("messages that are or were in quarantine", held);
    line("delivered messages kept as known-good", delivered);
    line("known-good samples of delivered messages", contents);
    out.join("\n")
}

async fn pin(pinned: bool, args: PinArgs) -> Result<(), CliError> {
    let PinArgs { code, reason, api } = args;
    let ask = PinAsk { pinned, reason, actor: super::quarantine::actor() };
    let path = format!("/api/v1/detections/{}/pin", encoded(&code));
    let done = Client::new(&api)?.post::<PinView>(&path, &ask).await?;
    let is = if pinned {
        "is pinned: it is not contained automatically"
    } else {
        "is unpinned: it can be contained automatically"
    };
    done.print(&api, |_| format!("{code} {is}"))
}

async fn set(mode: &str, args: ModeArgs) -> Result<(), CliError> {
    let ModeArgs { code, reason, hours, what_if, api } = args;
    let ask = ModeAsk { mode: mode.to_owned(), reason, hours, actor: super::quarantine::actor(), what_if };
    let path = format!("/api/v1/detections/{}/mode", encoded(&code));
    let would = if what_if { "would be" } else { "is" };
    let text = |active: &ActiveDetection| match &active.set {
        Some(set) => format!("{code} {would} {} until {}", set.mode, terminal::moment(&set.until)),
        None => format!("{code} {would} {}, its own mode", active.detection.mode),
    };
    Client::new(&api)?.post::<ActiveDetection>(&path, &ask).await?.print(&api, text)
}

const COLUMNS: &[Column] =
    &[whole("code"), text("version"), text("category"), text("effect"), text("target"), text("mode"), text("title")];

fn table(list: &[ActiveDetection]) -> Table {
    let row = |one: &ActiveDetection| {
        let DetectionRow { code, version, category, effect, target, mode, title, .. } = one.detection.clone();
        let mode =
            one.set.as_ref().map_or(mode, |set| format!("{} (set until {})", set.mode, terminal::moment(&set.until)));
        vec![code, version, category, effect, target, mode, title]
    };
    Table::new(COLUMNS, "no detections", list.iter().map(row).collect()).cut_at(48)
}

fn show_text(shown: &DetectionView) -> String {
    let DetectionView { active: ActiveDetection { detection, set }, page, source, versions, .. } = shown;
    let DetectionRow { code, version, title, category, effect, target, scope, mode, owner, .. } = detection;
    let mut out = Vec::new();
    if page.is_empty() {
        out.push(format!("# {code}: {title}"));
    } else {
        out.push(page.trim_end().to_owned());
    }
    out.push(format!(
        "\nversion {version}  {category} {effect}  target {target}  scope {scope}  mode {mode}  owner {owner}"
    ));
    if let Some(set) = set {
        out.push(format!("set to {} until {} by {}: {}", set.mode, terminal::moment(&set.until), set.by, set.reason));
    }
    out.push(format!("\n{}", source.trim_end()));
    out.push("\nversions".to_owned());
    out.extend(versions.iter().map(|one| format!("  {}  since {}", one.version, terminal::moment(&one.first_seen))));
    out.join("\n")
}

const ENGINE_COLUMNS: &[Column] = &[text("engine"), text("version"), text("data"), time("first seen")];

fn engine_table(engines: &[EngineRow]) -> Table {
    let row = |one: &EngineRow| {
        let EngineRow { engine, version, data_version, first_seen } = one.clone();
        vec![engine, version, data_version, first_seen]
    };
    Table::new(ENGINE_COLUMNS, "no engines", engines.iter().map(row).collect()).cut_at(48)
}
