//! `reprieve config`: an example with every key, and a check that tells all faults at once.

use std::path::PathBuf;

use clap::Subcommand;
use domain::policy::{Disposition, Policy, PolicyRule, QuarantinePolicy};
use serde_json::json;

use super::{CliError, terminal};
use platform::config::{self, Config};
use platform::descriptors::{self, Budget};

/// Verbs about the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print a commented file with every key.
    Example,
    /// Check a file; exit 1 and all faults when it is wrong.
    Check {
        /// The file.
        #[arg(long, value_name = "FILE", env = "REPRIEVE_CONFIG", default_value = super::INSTALLED_CONFIG)]
        config: PathBuf,
    },
    /// Show the policy of a file: its rules in order, presets unfolded; the first that fits decides.
    Policy {
        /// The file.
        #[arg(long, value_name = "FILE", env = "REPRIEVE_CONFIG", default_value = super::INSTALLED_CONFIG)]
        config: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the file is wrong.
pub fn run(verb: ConfigVerb) -> Result<(), CliError> {
    match verb {
        ConfigVerb::Example => {
            terminal::bytes(config::example().as_bytes());
            Ok(())
        }
        ConfigVerb::Check { config } => match Config::load(&config) {
            Ok(read) => {
                // The service may have another limit than this shell; what it has then, it says when it starts.
                if let (_, Some(shortage)) = Budget::divide(&read, descriptors::hard_limit()) {
                    terminal::complain(&format!("{}: {shortage}", config.display()));
                    return Err(CliError::No);
                }
                terminal::line(&format!("{}: no fault found", config.display()));
                Ok(())
            }
            Err(error) => {
                terminal::complain(&error.to_string());
                Err(CliError::No)
            }
        },
        ConfigVerb::Policy { config, json } => {
            let policy = Config::load(&config).map_err(CliError::unreachable)?.policy;
            terminal::line(&if json {
                json!({ "id": policy.id(), "policy": policy }).to_string()
            } else {
                shown(&policy)
            });
            Ok(())
        }
    }
}

fn shown(policy: &Policy) -> String {
    let listed = |names: Vec<String>| if names.is_empty() { "all".to_owned() } else { names.join(", ") };
    let row = |rule: &PolicyRule| {
        let whom = rule.domains.iter().map(ToString::to_string).chain(rule.recipients.clone()).collect();
        let access = rule.quarantine.unwrap_or_else(|| QuarantinePolicy::usual(rule.category));
        let access = if rule.disposition == Disposition::Hold { access.as_str() } else { "" };
        vec![
            rule.name.clone(),
            rule.category.as_str().to_owned(),
            listed(rule.families.iter().map(|family| family.as_str().to_owned()).collect()),
            listed(rule.directions.iter().map(|direction| direction.as_str().to_owned()).collect()),
            listed(whom),
            rule.disposition.as_str().to_owned(),
            access.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = policy.rules.iter().map(row).collect();
    let head = ["rule", "category", "content", "direction", "for", "what is done", "recipients may"];
    format!("policy {}\n{}", policy.id().as_str(), terminal::table(&head, &rows, 48))
}
