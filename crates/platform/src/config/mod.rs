//! The configuration: one commented TOML file, checked whole before anything starts.
//!
//! Each room has a file here with its sections. A setting is declared where it is read (`setting.rs`), and nowhere
//! else: the commented example, the reference in the guide and what Health shows come from that.

mod api;
pub mod change;
pub mod console;
mod contradiction;
mod declaration;
mod engine;
pub mod events;
mod examination;
pub mod files;
mod gateway;
mod general;
pub mod http;
mod known_good;
mod names;
pub mod oidc;
mod operations;
mod policy;
pub mod portal;
mod reading;
mod recovery;
mod rules;
mod section;
mod setting;
pub mod shown;
mod traces;
mod unit;
mod vouching;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use api::ApiConfig;
use console::ConsoleConfig;
use contradiction::one_each;
pub use declaration::{example, reference};
use domain::envelope::Border;
use domain::policy::Policy;
use domain::rollout::Pace;
use domain::{Address, Direction, DomainName};
pub use engine::EngineConfig;
use events::{EventSinkConfig, Taken};
pub use gateway::{GatewayLimits, HopConfig, KnownClients, ListenerConfig, Role};
use general::General;
pub use general::Mode;
use http::HttpConfig;
pub use known_good::KnownGoodConfig;
use oidc::OidcConfig;
pub use operations::{Announcements, NoticesConfig, Retention};
use portal::PortalConfig;
pub use reading::Fault;
use reading::Reading;
pub use recovery::{InDoubtPolicy, ReleaseConfig};
pub use rules::{ContainmentMode, SentinelConfig};
use shown::Shown;
use toml::de::DeTable;
pub use traces::TracesConfig;

use crate::traces::IS_BUILT;

/// The commented example as it lies in the tree, to be read there. It is what [`example`] writes: a test holds the one
/// against the other.
pub const EXAMPLE: &str = include_str!("example.toml");

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the store lies.
    pub data_dir: PathBuf,
    /// Our name.
    pub hostname: String,
    /// Our authserv-id (RFC 8601).
    pub authserv_id: String,
    /// Whether verdicts are acted on, by direction.
    pub modes: BTreeMap<Direction, Mode>,
    /// Our domains and networks.
    pub border: Border,
    /// The accepted domain that is named first and is no pattern: whose postmaster `<Postmaster>` without a domain
    /// means.
    pub postmaster_domain: Option<DomainName>,
    /// The ruleset folder; the shipped ruleset without.
    pub ruleset: Option<PathBuf>,
    /// The policy.
    pub policy: Policy,
    /// The engines beside our own.
    pub engines: EngineConfig,
    /// The file of the panic switch.
    pub panic_file: PathBuf,
    /// The listeners.
    pub listeners: Vec<ListenerConfig>,
    /// The next hop of each direction.
    pub hops: BTreeMap<Direction, HopConfig>,
    /// Limits.
    pub limits: GatewayLimits,
    /// How far one mail is taken apart, and how long that may take.
    pub examination: detect::limits::Limits,
    /// The REST API.
    pub api: ApiConfig,
    /// How held mail is released.
    pub release: ReleaseConfig,
    /// How long what is kept.
    pub retention: Retention,
    /// What of clean mail is remembered.
    pub known_good: KnownGoodConfig,
    /// How long a ruleset stands in each stage of its roll-out.
    pub rollout: Pace,
    /// The sentinel.
    pub sentinel: SentinelConfig,
    /// Who is told what.
    pub notices: NoticesConfig,
    /// Who is told what happens.
    pub event_sinks: Vec<EventSinkConfig>,
    /// Who is told the way of each mail, if anybody is.
    pub traces: Option<TracesConfig>,
    /// What operators see.
    pub console: ConsoleConfig,
    /// What recipients see.
    pub portal: PortalConfig,
    /// Where people of the console have an account already, if that is used.
    pub oidc: Option<OidcConfig>,
    /// Limits of the listeners of API, console and portal.
    pub http: HttpConfig,
    /// What each setting shows.
    shown: Shown,
}

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub struct ConfigError {
    file: String,
    /// The faults, by line.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        write!(f, "{}: {count} {} in the configuration", self.file, if count == 1 { "fault" } else { "faults" })?;
        for fault in &self.faults {
            write!(f, "\n  line {}: {}: {}", fault.line, fault.key, fault.what)?;
        }
        write!(f, "\n  `reprieve config example` prints a file with every key")
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Whom a client means that writes to `<Postmaster>` without a domain (RFC 5321 section 4.5.1).
    pub fn postmaster(&self) -> Option<Address> {
        self.postmaster_domain.as_ref().and_then(|domain| Address::parse(&format!("postmaster@{domain}")).ok())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let fault = |what: String| Fault { line: 0, key: "file".into(), what };
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError { file: file.clone(), faults: vec![fault(error.to_string())] })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder).map_err(|faults| ConfigError { file, faults })
    }

    /// Reads a text; paths in it are relative to `folder`.
    ///
    /// # Errors
    /// Everything that is wrong with it, by line.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Fault>> {
        let reading = Reading::of(text, folder);
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                reading.fault(error.span().map_or(0, |span| span.start), "syntax", error.message());
                return Err(reading.faults());
            }
        };
        let config = read(&reading, Some(table.get_ref()));
        let faults = reading.faults();
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    /// The mode of a direction.
    pub fn mode(&self, direction: Direction) -> Mode {
        self.modes.get(&direction).copied().unwrap_or(Mode::Observe)
    }
}

/// Reads everything, in the order of the example; without a table it tells what is declared.
fn read<'r>(reading: &'r Reading<'r>, table: Option<&'r DeTable<'r>>) -> Config {
    let mut root = reading.root(table, "");
    let General { data_dir, hostname, authserv_id, modes, border, postmaster_domain, ruleset, mut policy, panic_file } =
        general::general(&mut root);
    let listeners = gateway::listeners(&mut root);
    let hops = gateway::hops(&mut root);
    let api = api::api(&mut root, &data_dir);
    let http = http::http(&mut root);
    let (engines, timeouts) = engine::engines(&mut root, &authserv_id, &mut policy);
    let mut examination = examination::examination(&mut root);
    let release = recovery::release(&mut root);
    let retention = operations::retention(&mut root);
    let notices = operations::notices(&mut root);
    let event_sinks = events::event_sinks(&mut root);
    let traces = traces::traces(&mut root, IS_BUILT || cfg!(test));
    let console = console::console(&mut root);
    let portal = portal::portal(&mut root);
    let oidc = oidc::oidc(&mut root);
    let known_good = known_good::known_good(&mut root, &data_dir);
    let rollout = rules::rollout(&mut root);
    let sentinel = rules::sentinel(&mut root);
    let limits = gateway::limits(&mut root);
    examination.time_max = limits.examine_deadline;
    timeouts.fit(limits.reply_deadline, &root);
    let listening = listeners.iter().map(|one| ("listener.address".to_owned(), "listener", one.address));
    let listening: Vec<(String, &'static str, SocketAddr)> = listening
        .chain([("api.address".to_owned(), "api", api.address)])
        .chain(portal.address.map(|address| ("portal.address".to_owned(), "portal", address)))
        .collect();
    let named = hops.iter().map(|(direction, hop)| (general::key(*direction).to_owned(), hop.address.clone()));
    one_each(&root, &listening, &named.collect());
    let files = vec![panic_file.clone(), api.socket.clone(), known_good.key_file.clone()];
    events::each_file_its_own(&root, &event_sinks, &Taken { data_dir: data_dir.clone(), files });
    root.end();
    Config {
        data_dir,
        hostname,
        authserv_id,
        modes,
        border,
        postmaster_domain,
        ruleset,
        policy,
        engines,
        panic_file,
        listeners,
        hops,
        limits,
        examination,
        api,
        release,
        retention,
        known_good,
        rollout,
        sentinel,
        notices,
        event_sinks,
        traces,
        console,
        portal,
        oidc,
        http,
        shown: reading.shown.take(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let found = Config::parse(text, Path::new("/etc/reprieve")).err().unwrap_or_default();
        found.into_iter().map(|fault| format!("{}: {}: {}", fault.line, fault.key, fault.what)).collect()
    }

    #[test]
    fn the_example_is_valid_and_observes() {
        let config = Config::parse(EXAMPLE, Path::new("/etc/reprieve")).expect("the example is valid");
        assert_eq!(config.mode(Direction::Inbound), Mode::Observe);
        assert_eq!(config.listeners[0].role, Role::Mx);
    }

    #[test]
    fn every_line_that_is_commented_out_in_the_example_is_valid_too() {
        let all: String =
            EXAMPLE.lines().map(|line| format!("{}\n", line.strip_prefix("#: ").unwrap_or(line))).collect();
        // Files that are not there.
        let is_known = |fault: &String| fault.contains("policy") || fault.contains("client_secret_file");
        let all: Vec<String> = faults(&all).into_iter().filter(|fault| !is_known(fault)).collect();
        assert_eq!(all, Vec::<String>::new());
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let text = "data_dir = \"x\"\nmode = \"maybe\"\naccepted_domains = [\"a b\"]\ntrusted_networks = \
            [\"10.0.0.0/99\"]\ncolour = 1\n\
                    [[listener]]\nrole = \"front\"\n[next_hop.inbound]\naddress = \"nowhere\"\n[limits]\nrecipients = \
                    0\n";
        insta::assert_snapshot!(faults(text).join("\n"));
    }

    #[test]
    fn an_empty_file_says_what_is_needed() {
        insta::assert_snapshot!(faults("").join("\n"));
    }
}
