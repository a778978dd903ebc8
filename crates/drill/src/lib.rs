//! The service beside itself: `reprieve drill` plays a scenario through the real gateway, store, conviction, replay and
//! release, in an instance of its own on loopback with a simulated clock, and says what came of it; `reprieve demo`
//! tells the story of a mistake.

pub mod demo;
mod few_contents;
pub mod instance;
pub mod letters;
pub mod library;
pub mod neighbour;
pub mod play;
pub mod report;
pub mod scenario;
pub mod sink;

use std::path::{Path, PathBuf};

use clap::Args;

use cli::{CliError, terminal};
use report::Report;
use scenario::Scenario;

/// What to play.
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// A scenario file, or the name of a built-in one.
    #[arg(required_unless_present = "list")]
    scenario: Option<String>,
    /// List the built-in scenarios.
    #[arg(long)]
    list: bool,
    /// The seed of the order of messages; 0 keeps their own order.
    #[arg(long)]
    seed: Option<u64>,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep the folder of the instance with scenario, mail and log, and print its path.
    #[arg(long)]
    keep: bool,
}

/// Plays.
///
/// # Errors
/// Exit 1 when an expectation was missed, 2 for a scenario that makes no sense, 3 when something cannot be opened.
pub async fn run(args: DrillArgs) -> Result<(), CliError> {
    if args.list {
        for one in library::SCENARIOS {
            terminal::line(&format!("{:<26} {}", one.name, one.about));
        }
        return Ok(());
    }
    let name = args.scenario.unwrap_or_default();
    let folder = demo::temporary_folder("drill")?;
    let (mut scenario, base) = find(&name, folder.path())?;
    if let Some(seed) = args.seed {
        scenario.seed = seed;
    }
    let played = play::play(&scenario, &base, folder.path()).await;
    if args.keep {
        terminal::line(&format!("kept: {}", folder.keep().display()));
    }
    let report = played?;
    if let Some(path) = &args.json {
        write(path, &report)?;
    }
    terminal::line(&report.text());
    if report.ok { Ok(()) } else { Err(CliError::No) }
}

fn write(path: &Path, report: &Report) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(report).map_err(CliError::unreachable)?;
    std::fs::write(path, text + "\n").map_err(|error| CliError::unreachable(format!("{}: {error}", path.display())))
}

/// A scenario file, or a built-in one made in `folder`; with the folder that its paths are relative to.
fn find(name: &str, folder: &Path) -> Result<(Scenario, PathBuf), CliError> {
    let path = Path::new(name);
    let (text, base) = if path.is_file() {
        let text = std::fs::read_to_string(path).map_err(|error| CliError::unreachable(format!("{name}: {error}")))?;
        let base = path.parent().filter(|base| !base.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let base = base.canonicalize().map_err(CliError::unreachable)?;
        (text, base)
    } else {
        let base = folder.join("scenario");
        let text = library::make(name, &base)?;
        (text, base)
    };
    let scenario = Scenario::parse(&text, &base).map_err(|error| CliError::Usage(format!("{name}: {error}")))?;
    Ok((scenario, base))
}
