//! The command line: every verb, and what its end is as an exit code.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use cli::serve::{self, ServeArgs};
use cli::{CliError, terminal};
use drill::DrillArgs;
use drill::demo::{self, DemoArgs};

use crate::start;

/// Mail protection that can take back its own mistakes.
#[derive(Debug, Parser)]
#[command(name = "reprieve", version, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the gateway, the quarantine and the API.
    Serve(ServeArgs),
    #[command(flatten)]
    Cli(cli::Verb),
    /// Print completions for a shell.
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
    /// Play a scenario of a mistake through an instance of its own, and say what came of it.
    Drill(DrillArgs),
    /// See it work: a gateway, a next hop and mails of all directions, with nothing to install.
    Demo(DemoArgs),
    /// Examine mail for a gateway, which starts it: one of its processes.
    #[command(name = examiner::VERB, hide = true)]
    ExamineWorker {
        /// How far it stands back behind other processes.
        #[arg(long, default_value_t = 0)]
        nice: i32,
    },
}

/// Parses the command line, runs the verb, and turns the result into an exit code.
pub(crate) fn main() -> ExitCode {
    let command = Command::parse();
    if let Verb::ExamineWorker { nice } = command.verb {
        // Before there is a second thread: what a thread gives up, it gives up for itself.
        return examiner::run(nice);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(&format!("cannot start: {error}"));
            return ExitCode::from(3);
        }
    };
    let result = runtime.block_on(run(command.verb));
    // What still runs (a stuck examination) is not waited for.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError::No) => ExitCode::from(1),
        Err(CliError::Usage(what)) => {
            terminal::complain(&what);
            ExitCode::from(2)
        }
        Err(CliError::Unreachable(what)) => {
            terminal::complain(&what);
            ExitCode::from(3)
        }
    }
}

async fn run(verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Serve(args) => serve::run(args, start::start).await,
        Verb::Cli(verb) => cli::run(verb).await,
        Verb::Completions { shell } => {
            // Written as a whole: the generator panics when its reader goes away in the middle (`| head`).
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Command::command(), "reprieve", &mut script);
            terminal::bytes(&script);
            Ok(())
        }
        Verb::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Command::command()).render(&mut page).map_err(CliError::unreachable)?;
            terminal::bytes(&page);
            Ok(())
        }
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
