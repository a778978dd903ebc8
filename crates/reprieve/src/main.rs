//! The one binary: a verb, and what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    reprieve::cli::main()
}
