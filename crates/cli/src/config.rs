//! `reprieve config`: an example with every key, and a check that prints all faults at once.

use std::path::PathBuf;

use clap::Subcommand;
use domain::policy::{Disposition, Policy, PolicyRule, QuarantinePolicy};
use serde_json::json;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use api_types::health::SectionView;
use detect::ruleset::load::from_folder_or_shipped;
use platform::config::change::{Difference, from_shown};
use platform::config::{self, Config, files};
use platform::descriptors::{self, Budget};

/// How settings that have changed come into force.
const BY_A_RELOAD: &str = "They come into force by `reprieve reload`: mail that is under way is finished first, new \
    connections wait for some seconds, and none is refused.";
/// The same, where one of them is fixed while the service runs.
const BY_A_RESTART: &str = "They come into force by a restart (`systemctl restart reprieve`): what is marked * \
    cannot be changed while the service runs.";

/// Verbs about the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print a commented example with every key.
    Example,
    /// Check a configuration and the files that it names; exit 1 and all faults when something is wrong.
    Check {
        /// The configuration.
        #[arg(long, value_name = "FILE", env = "REPRIEVE_CONFIG", default_value = super::INSTALLED_CONFIG)]
        config: PathBuf,
    },
    /// Compare a configuration with the settings in force in the running service; exit 1 when they differ.
    Diff {
        /// The configuration; default: the one that names the gateway.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show the policy: its rules in order, presets expanded; the first match decides.
    Policy {
        /// The configuration.
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
pub async fn run(verb: ConfigVerb) -> Result<(), CliError> {
    match verb {
        ConfigVerb::Example => {
            terminal::bytes(config::example().as_bytes());
            Ok(())
        }
        ConfigVerb::Check { config } => match Config::load(&config) {
            Ok(read) => {
                let mut unusable = files::unusable(&read);
                // A start would go back to the old settings for it, after a drain.
                if let Err(errors) = from_folder_or_shipped(read.ruleset.as_deref()) {
                    unusable.push(format!("ruleset: {errors}"));
                }
                if !unusable.is_empty() {
                    terminal::complain(&format!("{}: {}", config.display(), unusable.join("\n  ")));
                    return Err(CliError::No);
                }
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
        ConfigVerb::Diff { file, api } => diff(file, &api).await,
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

async fn diff(file: Option<PathBuf>, api: &ApiArgs) -> Result<(), CliError> {
    let path = file.or_else(|| api.configuration()).ok_or_else(|| {
        CliError::Usage(
            "name the configuration: --file FILE, or --config FILE for that of the gateway on this host".into(),
        )
    })?;
    let mut read = Config::load(&path).map_err(CliError::unreachable)?;
    descriptors::fit(&mut read, descriptors::hard_limit());
    let sections = Client::new(api)?.get::<Vec<SectionView>>("/api/v1/settings").await?.view()?;
    let in_force = sections.into_iter().flat_map(|SectionView { section, settings }| {
        settings.into_iter().map(move |setting| ((section.clone(), setting.key), setting.value))
    });
    let found = from_shown(&in_force.collect(), &read);
    terminal::line(&if api.json { json_of(&found).to_string() } else { told(&found) });
    if found.is_empty() { Ok(()) } else { Err(CliError::No) }
}

fn json_of(found: &[Difference]) -> serde_json::Value {
    let row = |one: &Difference| {
        let Difference { section, key, before, after, needs_restart } = one;
        json!({ "section": section, "key": key, "in_force": before, "in_file": after, "needs_restart": needs_restart })
    };
    json!({ "differences": found.iter().map(row).collect::<Vec<_>>() })
}

fn told(found: &[Difference]) -> String {
    if found.is_empty() {
        return "no differences in what the service shows of its settings; `reprieve reload` compares all of them"
            .into();
    }
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let key = |one: &Difference| format!("{}{}", one.key, if one.needs_restart { " *" } else { "" });
    let row = |one: &Difference| vec![one.section.clone(), key(one), value(&one.before), value(&one.after)];
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let table = terminal::table(&["section", "key", "in force", "in the file"], &rows, 60);
    let how = if found.iter().any(|one| one.needs_restart) { BY_A_RESTART } else { BY_A_RELOAD };
    format!("{table}\n{how}")
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
    let head = ["rule", "category", "content", "direction", "for", "disposition", "recipient access"];
    format!("policy {}\n{}", policy.id().as_str(), terminal::table(&head, &rows, 48))
}
