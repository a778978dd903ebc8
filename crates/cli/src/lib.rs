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
pub mod feed;
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
pub mod status_page;
pub mod submission;
mod supervisor;
pub mod support_bundle;
pub mod terminal;
pub mod token;

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The verbs that are a service, look at one, or ask one for something.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Set up an installed Reprieve by four answers: the next hop, your domains, where mail comes in, who
    /// administrates.
    Setup(setup::SetupArgs),
    /// Run the gateway, the quarantine and the API.
    Serve(serve::ServeArgs),
    /// Examine files offline and print the verdict of each.
    Scan(scan::ScanArgs),
    /// Send mail from files through a gateway over SMTP, and report.
    Feed(feed::FeedArgs),
    /// See and release what is held.
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineVerb),
    /// See whether anything is removed for its age, and take back what was.
    #[command(subcommand)]
    Retention(retention::RetentionVerb),
    /// Keep mail from expiry and deletion: a message, what a query fits, or all mail of a person.
    #[command(subcommand)]
    Hold(hold::HoldVerb),
    /// Follow a message.
    #[command(subcommand)]
    Message(message::MessageVerb),
    /// Lint, compare, build, publish and take back rulesets.
    #[command(subcommand)]
    Ruleset(ruleset::RulesetVerb),
    /// Train a classifier of text on your own mail.
    #[command(subcommand)]
    Classifier(classifier::ClassifierVerb),
    /// See detections, and set their mode for a time.
    #[command(subcommand)]
    Detection(detection::DetectionVerb),
    /// Allow and block: senders, domains, links, files, addresses.
    #[command(subcommand)]
    Entry(entry::EntryVerb),
    /// See how much content is known to be good.
    #[command(subcommand)]
    KnownGood(known_good::KnownGoodVerb),
    /// See what a wrong detection did, and take it back.
    #[command(subcommand)]
    Incident(incident::IncidentVerb),
    /// Examine again what a wrong detection held.
    #[command(subcommand)]
    Replay(incident::ReplayVerb),
    /// See which detections are suspected, and why.
    #[command(subcommand)]
    Sentinel(sentinel::SentinelVerb),
    /// See what operators are called for.
    #[command(subcommand)]
    Alert(alert::AlertVerb),
    /// Test the ways by which people are told.
    #[command(subcommand)]
    Notify(notify::NotifyVerb),
    /// Report messages that were judged wrongly, and see what others reported.
    #[command(subcommand)]
    Submission(submission::SubmissionVerb),
    /// Contain a detection: its previous form acts, or the past decides.
    Contain(sentinel::ContainArgs),
    /// Give a contained detection back: it acts again as policy says.
    ReleaseContainment(sentinel::ContainArgs),
    /// See how much of the past can testify, and take in an archive.
    #[command(subcommand)]
    Memory(memory::MemoryVerb),
    /// See what the public is told.
    StatusPage(status_page::StatusPageArgs),
    /// Say whether mail is taken now; exit 1 when it is not.
    Ready(ready::ReadyArgs),
    /// List mail that passed unexamined while the panic switch said `bypass`.
    Bypassed(bypassed::BypassedArgs),
    /// Check the books.
    #[command(subcommand)]
    Ledger(ledger::LedgerVerb),
    /// Write a backup while mail flows.
    Backup(backup::BackupArgs),
    /// Restore a backup, or prove that it can be.
    Restore(backup::RestoreArgs),
    /// See who did what, and check that the log is intact.
    #[command(subcommand)]
    Audit(audit::AuditVerb),
    /// Print what happens (verdicts, releases, incidents, entries of the audit log) as lines of JSON.
    Events(events::EventsArgs),
    /// Say who may sign in to the console.
    #[command(subcommand)]
    Person(person::PersonVerb),
    /// Make and revoke tokens for the API over TCP.
    #[command(subcommand)]
    Token(token::TokenVerb),
    /// Print or check a configuration.
    #[command(subcommand)]
    Config(config::ConfigVerb),
    /// Put in force what the configuration file says now, without a restart.
    Reload(reload::ReloadArgs),
    /// Look at everything an administrator would look at first; exit 1 when there is a fault.
    Doctor(doctor::DoctorArgs),
    /// Write what somebody needs who is to help from elsewhere, and nothing of any mail, into a file.
    SupportBundle(support_bundle::SupportBundleArgs),
    /// Print completions for a shell.
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
    /// The configuration of the gateway on this host; its unix socket is used. Without it and without --api,
    /// REPRIEVE_CONFIG names it, and without that it is /etc/reprieve/reprieve.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The API of a gateway elsewhere, such as http://127.0.0.1:8025; it goes before REPRIEVE_CONFIG.
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    api: Option<String>,
    /// A file with the token for it.
    #[arg(long, value_name = "FILE", requires = "api")]
    token_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
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
