//! A command as a process: its threads, and its end as an exit code.

use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::{CliError, terminal};

/// Runs a command, says on standard error why it has failed, and returns the exit code.
pub fn run(command: impl Future<Output = Result<(), CliError>>) -> ExitCode {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(CliError::unreachable(format!("cannot start: {error}")))),
    };
    let result = runtime.block_on(command);
    // What still runs (a stuck examination) is not waited for.
    runtime.shutdown_background();
    ended(result)
}

fn ended(result: Result<(), CliError>) -> ExitCode {
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
