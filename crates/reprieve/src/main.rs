//! Reprieve in one program: the rooms are crates that never import one another, the commands start the service, and
//! this wires it all. Here is the command line.
//!
//! | module | what it does |
//! |---|---|
//! | `start` | starts the gateway, the background tasks and the HTTP servers, in this order |
//! | `rooms` | what each room is given |
//! | `stop` | stops them |
//! | `settle` | brings the tasks to rest one after another, when a drill's driver asks |

#[cfg(test)]
mod command_tests;
mod rooms;
mod settle;
mod start;
mod stop;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use cli::help::with_help;
use cli::{CliError, process};
use drill::DrillArgs;
use drill::demo::{self, DemoArgs};

/// Mail protection that can take back its own mistakes.
#[derive(Debug, Parser)]
#[command(name = "reprieve", version, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(flatten)]
    Cli(cli::Verb),
    /// Play a scenario of false positives in an instance of its own, and report.
    Drill(DrillArgs),
    /// Show the whole product with a gateway, a next hop and test mail of its own.
    Demo(DemoArgs),
    /// Examine mail for a gateway, which starts it: one of its processes.
    #[command(name = examiner::VERB, hide = true)]
    ExamineWorker {
        /// How far it stands back behind other processes.
        #[arg(long, default_value_t = 0)]
        nice: i32,
    },
}

/// The command line with its help.
fn command() -> clap::Command {
    with_help(Command::command())
}

fn main() -> ExitCode {
    let given = command().get_matches();
    match Command::from_arg_matches(&given).unwrap_or_else(|error| error.exit()).verb {
        // Before there is a second thread: what a thread gives up, it gives up for itself.
        Verb::ExamineWorker { nice } => examiner::run(nice),
        verb => process::run(run(verb)),
    }
}

async fn run(verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Cli(verb) => cli::run(verb, command(), start::start).await,
        Verb::Drill(args) => drill::run(args).await,
        Verb::Demo(args) => demo::run(args, start::start).await,
        Verb::ExamineWorker { .. } => Err(CliError::Usage("it runs alone".into())),
    }
}
