//! Reprieve in one program: the rooms are crates that never import one another, the commands start the service, and
//! this wires it all.
//!
//! | module | what it does |
//! |---|---|
//! | `command` | the command line: every verb, and its exit code |
//! | `start` | starts the gateway, the background tasks and the HTTP servers, in this order, and stops them |
//! | `data` | opens the store, and what is in force in it |
//! | `rooms` | what each room is given |
//! | `settle` | brings the tasks to rest one after another, when a drill's driver asks |
//! | `http` | which doors people and their programs come in by |

mod command;
mod data;
mod http;
mod rooms;
mod settle;
mod start;
mod start_error;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
