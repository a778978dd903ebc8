//! Reprieve in one program: the rooms are crates that never import one another, the commands start the service, and
//! this wires it all. Here is the command line.
//!
//! | module | what it does |
//! |---|---|
//! | `start` | starts the gateway, the background tasks and the HTTP servers, in this order |
//! | `rooms` | what each room is given |
//! | `stop` | stops them |
//! | `settle` | brings the tasks to rest one after another, when a drill's driver asks |

mod rooms;
mod settle;
mod start;
mod stop;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
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
    /// Play a scenario of false positives through an instance of its own, and report.
    Drill(DrillArgs),
    /// See the whole product: a gateway, a next hop and test mail; nothing to install.
    Demo(DemoArgs),
    /// Examine mail for a gateway, which starts it: one of its processes.
    #[command(name = examiner::VERB, hide = true)]
    ExamineWorker {
        /// How far it stands back behind other processes.
        #[arg(long, default_value_t = 0)]
        nice: i32,
    },
}

fn main() -> ExitCode {
    match Command::parse().verb {
        // Before there is a second thread: what a thread gives up, it gives up for itself.
        Verb::ExamineWorker { nice } => examiner::run(nice),
        verb => process::run(run(verb)),
    }
}

async fn run(verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Cli(verb) => cli::run(verb, Command::command(), start::start).await,
        Verb::Drill(args) => drill::run(args).await,
        Verb::Demo(args) => demo::run(args, start::start).await,
        Verb::ExamineWorker { .. } => Err(CliError::Usage("it runs alone".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Command::command().debug_assert();
    }
}
