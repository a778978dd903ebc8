//! `reprieve config`: an example with every key, and a check that tells all faults at once.

use std::path::PathBuf;

use clap::Subcommand;

use super::{CliError, terminal};
use crate::config::{Config, EXAMPLE};

/// Verbs about the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print a commented file with every key.
    Example,
    /// Check a file; exit 1 and all faults when it is wrong.
    Check {
        /// The file.
        #[arg(long, value_name = "FILE", env = "REPRIEVE_CONFIG")]
        config: PathBuf,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the file is wrong.
pub fn run(verb: ConfigVerb) -> Result<(), CliError> {
    match verb {
        ConfigVerb::Example => {
            terminal::bytes(EXAMPLE.as_bytes());
            Ok(())
        }
        ConfigVerb::Check { config } => match Config::load(&config) {
            Ok(_) => {
                terminal::line(&format!("{}: no fault found", config.display()));
                Ok(())
            }
            Err(error) => {
                terminal::complain(&error.to_string());
                Err(CliError::No)
            }
        },
    }
}
