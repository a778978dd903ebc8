//! Intake, replay and release of mail in one process, in an order of events that a seed decides, faults included. One
//! seed is one simulation, and the same in every run: whoever finds a fault finds it again.
//!
//! The rooms are the real ones (`gateway`, `recovery`, what they need of `rules`), over the real store on SQLite and
//! processes that examine. What is simulated is the world: the clients, the next hop, the operator, the clock, and when
//! the program dies.
//!
//! | module | what it is |
//! |---|---|
//! | `dice` | chance that a seed decides |
//! | `letter` | mail, and the client that hands it in |
//! | `hop` | the next hop, which does to each mail what its seed says |
//! | `detections` | the ruleset with a mistake, before it and after |
//! | `site` | one life of the program |
//! | `step`, `life`, `world` | what happens, step after step, life after life |
//! | `fault` | what goes wrong inside the program |
//! | `rows`, `oracle` | what must hold whatever happens |
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers talks on the terminal")]

mod command;
mod detections;
mod dice;
mod fault;
mod hop;
mod letter;
mod life;
mod oracle;
mod rows;
mod site;
mod step;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
