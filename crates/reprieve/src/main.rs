//! Reprieve in one program: the rooms are crates that never import one another, the commands start the service, and
//! this wires it all.
//!
//! | module | what it does |
//! |---|---|
//! | `command` | the command line: every verb, and its exit code |
//! | `data` | opens what is on the disk: the data folder, the store, the vault of known-good content, the ruleset in force |
//! | `start` | starts the gateway, the background tasks and the HTTP servers, in this order, and stops them |
//! | `tasks` | gives each background task what it needs, and starts it |
//! | `settle` | brings the tasks to rest one after another, when a drill's driver asks |
//! | `http` | what people and their programs are served |
//! | `listeners` | the listener of API and pages, and the unix socket |

mod command;
mod data;
mod http;
mod listeners;
mod settle;
mod start;
mod start_error;
mod tasks;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
