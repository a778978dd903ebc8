//! The commands. Verbs that change anything go through the API, so that there is one path and one record.
//!
//! Exit codes: 0 done; 1 the answer is no; 2 wrong use; 3 could not reach or open what it needs.

pub mod alert;
pub mod answer;
pub mod audit;
pub mod backup;
pub mod bypassed;
mod change_over;
pub mod classifier;
pub mod client;
pub mod compose;
pub mod config;
pub mod detection;
pub mod doctor;
pub mod entry;
pub mod events;
pub mod explore;
pub mod feed;
pub mod help;
pub mod hold;
pub mod incident;
pub mod known_good;
pub mod ledger;
pub mod mailbox;
pub mod manual;
pub mod memory;
pub mod message;
pub mod notify;
pub mod person;
pub mod process;
pub mod quarantine;
mod query_string;
pub mod ready;
pub mod reload;
pub mod retention;
pub mod ruleset;
pub mod scan;
pub mod sentinel;
pub mod serve;
pub mod service;
pub mod setup;
mod short_id;
pub mod status_page;
pub mod submission;
mod supervisor;
pub mod support_bundle;
pub mod table;
pub mod terminal;
pub mod token;

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The verbs that are a service, look at one, or ask one for something.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Set up Reprieve: next hop, accepted domains, listener, first administrator.
    Setup(setup::SetupArgs),
    /// Run the service: gateway, quarantine, API and console.
    Serve(serve::ServeArgs),
    /// Scan files offline and print the verdict of each.
    Scan(scan::ScanArgs),
    /// Send mail from files through a gateway over SMTP, and report the answers.
    Feed(feed::FeedArgs),
    /// List, show, release, deny and delete messages in quarantine.
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineVerb),
    /// Show whether expiry runs, and recover what has expired.
    #[command(subcommand)]
    Retention(retention::RetentionVerb),
    /// Legal hold on a message, a query, or a person's mail.
    #[command(subcommand, visible_alias = "legal-hold")]
    Hold(hold::HoldVerb),
    /// Search messages with a query, or count them by a field.
    Explore(explore::ExploreArgs),
    /// Trace a message, and explain its verdict.
    #[command(subcommand)]
    Message(message::MessageVerb),
    /// Lint, compare, build, publish and roll back rulesets.
    #[command(subcommand)]
    Ruleset(ruleset::RulesetVerb),
    /// Train a text classifier on your own mail, and evaluate it.
    #[command(subcommand)]
    Classifier(classifier::ClassifierVerb),
    /// List detections, and set their mode for a time.
    #[command(subcommand)]
    Detection(detection::DetectionVerb),
    /// Allow and block entries: senders, domains, URLs, files, IP addresses.
    #[command(subcommand)]
    Entry(entry::EntryVerb),
    /// Show how many known-good samples there are, and rotate their key.
    #[command(subcommand)]
    KnownGood(known_good::KnownGoodVerb),
    /// Show what a faulty detection held, and undo it.
    #[command(subcommand)]
    Incident(incident::IncidentVerb),
    /// Re-examine what a faulty detection held.
    #[command(subcommand)]
    Replay(incident::ReplayVerb),
    /// Show which detections are suspected of being faulty, and the evidence.
    #[command(subcommand)]
    Sentinel(sentinel::SentinelVerb),
    /// List alerts, and acknowledge them.
    #[command(subcommand)]
    Alert(alert::AlertVerb),
    /// Test the notifications.
    #[command(subcommand)]
    Notify(notify::NotifyVerb),
    /// Report false positives and false negatives, list reports.
    #[command(subcommand, visible_alias = "report")]
    Submission(submission::SubmissionVerb),
    /// Contain a detection that may be faulty: known-good mail passes again.
    Contain(sentinel::ContainArgs),
    /// End the containment of a detection.
    #[command(visible_alias = "uncontain")]
    ReleaseContainment(sentinel::ContainArgs),
    /// Show the strength of the memory of known-good mail, and import an archive.
    #[command(subcommand)]
    Memory(memory::MemoryVerb),
    /// Print the public status page.
    StatusPage(status_page::StatusPageArgs),
    /// Check whether mail is accepted now; exit 1 when it is not.
    Ready(ready::ReadyArgs),
    /// List messages that passed unexamined while the panic switch was at `bypass`.
    Bypassed(bypassed::BypassedArgs),
    /// Check that the ledger is consistent.
    #[command(subcommand)]
    Ledger(ledger::LedgerVerb),
    /// Write a backup while the service runs.
    Backup(backup::BackupArgs),
    /// Restore a backup, or verify it.
    Restore(backup::RestoreArgs),
    /// List the audit log, verify it, and prove its entries.
    #[command(subcommand)]
    Audit(audit::AuditVerb),
    /// Print events (verdicts, releases, incidents, audit entries) as JSON lines.
    Events(events::EventsArgs),
    /// Manage the accounts of the console.
    #[command(subcommand, visible_alias = "account")]
    Person(person::PersonVerb),
    /// Create, list and revoke tokens for the API over TCP.
    #[command(subcommand)]
    Token(token::TokenVerb),
    /// Print, check and compare the configuration.
    #[command(subcommand)]
    Config(config::ConfigVerb),
    /// Put the configuration file in force without a restart.
    Reload(reload::ReloadArgs),
    /// Run all health checks; exit 1 when there is a fault.
    Doctor(doctor::DoctorArgs),
    /// Write a file with diagnostics for support, without any mail content.
    SupportBundle(support_bundle::SupportBundleArgs),
    /// Print the completions for a shell.
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// Where the API is.
#[derive(Debug, Clone, Args)]
pub struct ApiArgs {
    /// The configuration of the gateway on this host, which is reached by its unix socket. Default: REPRIEVE_CONFIG, or
    /// /etc/reprieve/reprieve.toml.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    config: Option<PathBuf>,
    /// The API of a gateway over TCP, such as http://127.0.0.1:8025, instead of REPRIEVE_CONFIG.
    #[arg(long, value_name = "URL", conflicts_with = "config", help_heading = "Connection")]
    api: Option<String>,
    /// A file with the token for --api.
    #[arg(long, value_name = "FILE", requires = "api", help_heading = "Connection")]
    token_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// The configuration of a Reprieve that is installed on this host: used where neither a flag nor the environment names
/// another.
const INSTALLED_CONFIG: &str = "/etc/reprieve/reprieve.toml";
/// The variable of the environment that names a configuration where no flag does.
const CONFIG_VARIABLE: &str = "REPRIEVE_CONFIG";

impl ApiArgs {
    /// The configuration of the gateway on this host, where that is the one that is meant: the one that a flag names,
    /// or, without any flag that names a gateway, the one that the environment names, or the one that is installed.
    /// What is written on the command line goes before what was exported once.
    fn configuration(&self) -> Option<PathBuf> {
        let exported = || std::env::var_os(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let installed = || Some(PathBuf::from(INSTALLED_CONFIG)).filter(|path| path.exists());
        match (&self.config, &self.api) {
            (Some(named), _) => Some(named.clone()),
            (None, Some(_)) => None,
            (None, None) => exported().or_else(installed),
        }
    }
}

/// Why a command ends without success.
#[derive(Debug)]
pub enum CliError {
    /// 1: the answer is no. What there was to say has been said.
    No,
    /// 2: wrong use.
    Usage(String),
    /// 3: could not reach or open what it needs.
    Unreachable(String),
}

impl CliError {
    /// Something that could not be reached or opened.
    pub fn unreachable(error: impl std::fmt::Display) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// Does what a verb of a command line says; `start` starts the service.
///
/// # Errors
/// As the verb says.
pub async fn run(verb: Verb, command: clap::Command, start: service::Start) -> Result<(), CliError> {
    match verb {
        Verb::Setup(args) => setup::run(args).await,
        Verb::Serve(args) => serve::run(args, start).await,
        Verb::Scan(args) => scan::run(args).await,
        Verb::Feed(args) => feed::run(args).await,
        Verb::Quarantine(verb) => quarantine::run(verb).await,
        Verb::Retention(verb) => retention::run(verb).await,
        Verb::Hold(verb) => hold::run(verb).await,
        Verb::Explore(args) => explore::run(args).await,
        Verb::Message(verb) => message::run(verb).await,
        Verb::Ruleset(verb) => ruleset::run(verb).await,
        Verb::Classifier(verb) => classifier::run(verb),
        Verb::Detection(verb) => detection::run(verb).await,
        Verb::Entry(verb) => entry::run(verb).await,
        Verb::KnownGood(verb) => known_good::run(verb).await,
        Verb::Incident(verb) => incident::run(verb).await,
        Verb::Replay(verb) => incident::run_replay(verb).await,
        Verb::Sentinel(verb) => sentinel::run(verb).await,
        Verb::Alert(verb) => alert::run(verb).await,
        Verb::Notify(verb) => notify::run(verb).await,
        Verb::Submission(verb) => submission::run(verb).await,
        Verb::Contain(args) => sentinel::contain(args, false).await,
        Verb::ReleaseContainment(args) => sentinel::contain(args, true).await,
        Verb::Memory(verb) => memory::run(verb).await,
        Verb::StatusPage(args) => status_page::run(args).await,
        Verb::Ready(args) => ready::run(args).await,
        Verb::Bypassed(args) => bypassed::run(args).await,
        Verb::Ledger(verb) => ledger::run(verb).await,
        Verb::Backup(args) => backup::back_up(args).await,
        Verb::Restore(args) => backup::restore(args).await,
        Verb::Audit(verb) => audit::run(verb).await,
        Verb::Events(args) => events::run(args).await,
        Verb::Person(verb) => person::run(verb).await,
        Verb::Token(verb) => token::run(verb).await,
        Verb::Config(verb) => config::run(verb).await,
        Verb::Reload(args) => reload::run(args).await,
        Verb::Doctor(args) => doctor::run(args).await,
        Verb::SupportBundle(args) => support_bundle::run(args).await,
        Verb::Completions { shell } => {
            manual::completions(shell, command);
            Ok(())
        }
        Verb::Man => manual::page(command),
    }
}
