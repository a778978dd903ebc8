//! The configuration: one commented TOML file, checked whole before anything starts.

mod contradiction;
mod engine;
mod examination;
pub mod http;
pub mod oidc;
mod policy;
pub mod portal;
pub mod section;
pub mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contradiction::{below, is_reached, not_above, not_everybody, one_each, set, set_in};
use domain::detection::Category;
use domain::envelope::Border;
use domain::identity::Establish;
use domain::policy::Policy;
use domain::rollout::Pace;
use domain::share::{Bounds, Percents};
use domain::{Address, Direction, DomainName};
pub use engine::EngineConfig;
use http::HttpConfig;
use ipnet::IpNet;
use oidc::OidcConfig;
use portal::PortalConfig;
use section::{Fault, Faults, Section};
use wire::smtp::data::BareNewline;
use wire::smtp::session::Tolerance;
use wire::tls::TlsPolicy;

use crate::keys::RING_FILE;
use crate::webhook::Webhook;

/// The commented example: every key with its default.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Whether verdicts are acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything is delivered; the verdict is recorded as what would have been.
    Observe,
    /// Verdicts are acted on.
    Enforce,
}

/// Whom a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Hosts of the Internet, or an MTA in front.
    Mx,
    /// An MTA that has authenticated its user: what comes here is ours.
    Submission,
}

impl Role {
    /// The name in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mx => "mx",
            Self::Submission => "submission",
        }
    }
}

/// One listener.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whom it is for.
    pub role: Role,
    /// Peers that may say XCLIENT and XFORWARD.
    pub xclient_from: Vec<IpNet>,
    /// Peers that must send a PROXY header; empty for a listener without.
    pub proxy_from: Vec<IpNet>,
    /// What to do with bare CR, LF and NUL.
    pub bare_newline: BareNewline,
    /// Submission: the MTA lets a login use its own sender only, so the sender is an identity.
    pub sender_login_enforced: bool,
    /// Certificate and key for STARTTLS.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// One next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopConfig {
    /// `host:port`.
    pub address: String,
    /// Its TLS policy.
    pub tls: TlsPolicy,
}

/// Limits of the gateway.
#[derive(Clone, Debug)]
pub struct GatewayLimits {
    /// Bytes of one message.
    pub message_bytes_max: usize,
    /// Recipients of one message.
    pub recipients_max: usize,
    /// Connections from clients.
    pub connections_max: usize,
    /// Connections from one address.
    pub connections_per_ip_max: usize,
    /// Connections to one next hop, for live mail.
    pub hop_connections_max: usize,
    /// How long a client waits for a connection to the hop before it is told to come again.
    pub hop_wait: Duration,
    /// For how many recipients one client may make us ask the hop again, at once; a fiftieth of them more each second.
    pub repeats_max: u64,
    /// Bytes of messages in memory, all together.
    pub in_flight_bytes_max: u64,
    /// From the final dot to the reply.
    pub reply_deadline: Duration,
    /// For one examination.
    pub examine_deadline: Duration,
    /// For one command of a client.
    pub command_deadline: Duration,
    /// Connections of one network: /24 of IPv4, /64 of IPv6.
    pub connections_per_network_max: usize,
    /// What clients may have of the connections to next hops and of the memory, in percent.
    pub percents: Percents,
    /// Use of what strangers may have from which on clients get less time and less patience, in percent.
    pub stress_percent: u64,
    /// The pause before a stranger is greeted.
    pub greeting_pause: Duration,
    /// Bytes a second that a message must come with, after its first five minutes.
    pub data_bytes_per_second: u32,
    /// For the data of one message in all.
    pub data_deadline: Duration,
    /// For a visit without a message that is accepted.
    pub visit: Duration,
    /// What a stop gives messages that have begun; the rest of a stop takes two seconds more at most.
    pub drain: Duration,
    /// From when on a client is known.
    pub known: KnownClients,
    /// How much of a client is borne with.
    pub tolerance: Tolerance,
}

impl GatewayLimits {
    /// How many connections clients may have.
    pub fn connections(&self) -> Bounds {
        let all = self.connections_max as u64;
        Bounds {
            client: (self.connections_per_ip_max as u64).min(all),
            network: (self.connections_per_network_max as u64).min(all),
            ..Bounds::of(all, &self.percents, 1)
        }
    }
}

/// From when on the network of a client is known, so that it has a share that strangers cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownClients {
    /// Mails that were clean and accepted.
    pub mails: u64,
    /// Age of the first of them.
    pub age: Duration,
    /// How long it is remembered after the last of them.
    pub kept: Duration,
}

/// What to do with a release in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDoubtPolicy {
    /// Send it once more after ten minutes, then count it as released, possibly twice.
    Resend,
    /// Keep it for a person.
    Ask,
}

/// How long what is kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Held mail, from its arrival.
    pub held: Duration,
    /// Held mail of categories with a span of their own.
    pub held_of: BTreeMap<Category, Duration>,
    /// Records of messages, from their arrival.
    pub records: Duration,
    /// Entries of the audit log.
    pub audit: Duration,
    /// Free bytes below which nothing more is taken: 452 before anything is evicted.
    pub disk_floor_bytes: u64,
    /// How far the clock may be from the time that has certainly passed before nothing is removed any more.
    pub clock_jump: Duration,
    /// How much of each kind may go in an hour in any case: units, bytes of messages, records. More goes only where
    /// more comes in.
    pub removals_per_hour: u64,
    /// How often all stored bytes are read and checked.
    pub scrub: Duration,
    /// Bytes a second that the check reads at most.
    pub scrub_bytes_per_second: u64,
}

impl Retention {
    /// How long held mail of a category is kept.
    pub fn held(&self, category: Category) -> Duration {
        self.held_of.get(&category).copied().unwrap_or(self.held)
    }
}

/// What of clean mail is remembered, and how much.
#[derive(Clone, Debug)]
pub struct KnownGoodConfig {
    /// Whether anything is.
    pub is_on: bool,
    /// Domains of ours of whose mail nothing is remembered.
    pub without: BTreeSet<DomainName>,
    /// The file of its keys.
    pub key_file: PathBuf,
    /// Bytes of all parts that are kept.
    pub bytes_max: u64,
    /// Bytes of one part, or of one whole mail.
    pub part_bytes_max: u64,
    /// How long content is remembered after it was last seen.
    pub remembered: Duration,
    /// Whole mails kept on one day.
    pub mails_a_day: u64,
    /// Whole mails kept in all.
    pub mails_max: u64,
}

/// Who is told of incidents, and who is called.
#[derive(Clone, Debug, Default)]
pub struct Announcements {
    /// Addresses that get each public line as JSON.
    pub webhooks: Vec<Webhook>,
    /// A file with certificates (PEM) of authorities of one's own, which vouch for webhooks beside the public ones.
    pub webhook_ca: Option<PathBuf>,
    /// Mailboxes of ours that get each as a mail.
    pub mail: Vec<Address>,
    /// Addresses that get what operators are called for, as JSON.
    pub alert_webhooks: Vec<Webhook>,
    /// Operators' mailboxes that get each as a mail.
    pub alert_mail: Vec<Address>,
}

/// How the sentinel acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainmentMode {
    /// What is convicted is contained, as soon as the memory is strong enough to be trusted with it.
    Automatic,
    /// A person is told, and decides.
    Recommend,
}

/// The sentinel.
#[derive(Clone, Debug)]
pub struct SentinelConfig {
    /// Whether it acts.
    pub containment: ContainmentMode,
    /// Whether what is corrected is replayed without a person.
    pub replays: bool,
    /// From when on somebody outside is established.
    pub establish: Establish,
    /// Whether a memory that is not strong yet is trusted all the same.
    pub trusts_weak_memory: bool,
}

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
    /// The address of the REST API.
    pub api_address: SocketAddr,
    /// The unix socket of the REST API.
    pub api_socket: PathBuf,
    /// Requests over TCP that one token may make in a second, with a burst of ten times that.
    pub api_requests_per_second: u32,
    /// A release of more units than these, or of malware, takes a second person; none where one is enough.
    pub two_persons_above: Option<u64>,
    /// Connections to one next hop, for releases.
    pub release_connections: usize,
    /// Mails a second to one next hop, for releases, at most.
    pub release_per_second: u32,
    /// How long what is kept.
    pub retention: Retention,
    /// What to do with a release in doubt.
    pub in_doubt: InDoubtPolicy,
    /// Whether senders of ours are told when their outbound mail is held.
    pub tells_senders: bool,
    /// What of clean mail is remembered.
    pub known_good: KnownGoodConfig,
    /// How long a ruleset stands in each stage of its roll-out.
    pub rollout: Pace,
    /// The sentinel.
    pub sentinel: SentinelConfig,
    /// Who is told of incidents.
    pub announcements: Announcements,
    /// Whether people are told, when an incident is over, what it kept from them.
    pub tells_affected: bool,
    /// What recipients see.
    pub portal: PortalConfig,
    /// Where people of the console have an account already, if that is used.
    pub oidc: Option<OidcConfig>,
    /// Limits of the listeners of API, console and portal.
    pub http: HttpConfig,
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
        let mut faults = Faults::new(text);
        let table = match toml::de::DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                faults.add(error.span().map_or(0, |span| span.start), "syntax", error.message().to_owned());
                return Err(faults.found);
            }
        };
        let mut root = Section::root(table.get_ref());
        let config = read(&mut root, folder, &mut faults);
        root.end(&mut faults);
        faults.found.sort_by_key(|fault| fault.line);
        if faults.found.is_empty() { Ok(config) } else { Err(faults.found) }
    }

    /// The mode of a direction.
    pub fn mode(&self, direction: Direction) -> Mode {
        self.modes.get(&direction).copied().unwrap_or(Mode::Observe)
    }
}

fn read(root: &mut Section<'_>, folder: &Path, faults: &mut Faults<'_>) -> Config {
    let path = |text: &str| Ok(folder.join(text));
    let data_dir = root.text("data_dir", faults, path).unwrap_or_else(|| {
        faults.add(0, "data_dir", "is missing: say where the store may lie, such as \"/var/lib/reprieve\"");
        PathBuf::new()
    });
    let hostname = root.text("hostname", faults, host_name).unwrap_or_else(system_hostname);
    let authserv_id = root.text("authserv_id", faults, host_name).unwrap_or_else(|| hostname.clone());
    let modes = modes(root, faults);
    let accepted_domains = root.list("accepted_domains", faults, domain_name).unwrap_or_default();
    let postmaster_domain = accepted_domains.iter().find(|name| !name.starts_with('.')).cloned();
    let border = Border {
        accepted_domains: accepted_domains.into_iter().collect(),
        trusted_networks: root.list("trusted_networks", faults, network).unwrap_or_default(),
    };
    if border.accepted_domains.is_empty() {
        faults.add(
            0,
            "accepted_domains",
            "is missing: list the domains whose mail is yours, such as [\"example.com\"]",
        );
    }
    let read = |text: &str| policy::load(&folder.join(text));
    let mut policy = root.text("policy", faults, read).unwrap_or_else(Policy::standard);
    let engines = engine::engines(root, &authserv_id, &mut policy, faults);
    let listeners: Vec<ListenerConfig> =
        root.sections("listener", faults).into_iter().filter_map(|section| listener(section, folder, faults)).collect();
    if listeners.is_empty() && !root.has("listener") {
        faults.add(0, "listener", "is missing: at least one [[listener]] with an address");
    }
    not_everybody(root, "trusted_networks", &border.trusted_networks, "anybody could send to the outside", faults);
    let hops = hops(root, faults);
    let limits = limits(root, faults);
    let examination = examination::examination(root, limits.examine_deadline, faults);
    engine::fits(root, limits.reply_deadline, faults);
    let mut api = root.section("api", faults);
    let api_address =
        api.text("address", faults, socket_address).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8025)));
    let api_socket = api.text("socket", faults, path).unwrap_or_else(|| data_dir.join("api.sock"));
    let per_second = api.number("requests_per_second", 1..100_001, faults).and_then(|n| u32::try_from(n).ok());
    let two_persons_above = api.number("two_persons_above", 1..10_000_001, faults);
    api.end(faults);
    let mut release = root.section("release", faults);
    let release_connections = release.number("connections", 1..1001, faults).map_or(16, |n| n as usize);
    let release_per_second = release.number("per_second", 1..100_001, faults).and_then(|n| u32::try_from(n).ok());
    let in_doubt = release.text("in_doubt", faults, |text| match text {
        "resend" => Ok(InDoubtPolicy::Resend),
        "ask" => Ok(InDoubtPolicy::Ask),
        _ => Err("must be \"resend\" or \"ask\"".into()),
    });
    release.end(faults);
    let mut notices = root.section("notices", faults);
    let tells_senders = notices.flag("outbound", faults).unwrap_or(true);
    let address = |text: &str| Address::parse(text).map(|one| one.with_a_labels()).map_err(|error| error.to_string());
    let announcements = Announcements {
        webhooks: notices.list("incident_webhooks", faults, Webhook::parse).unwrap_or_default(),
        webhook_ca: notices.text("incident_webhook_ca", faults, |text| Ok(folder.join(text))),
        mail: notices.list("incident_mail", faults, address).unwrap_or_default(),
        alert_webhooks: notices.list("alert_webhooks", faults, Webhook::parse).unwrap_or_default(),
        alert_mail: notices.list("alert_mail", faults, address).unwrap_or_default(),
    };
    let tells_affected = notices.flag("incident_digest", faults).unwrap_or(true);
    notices.end(faults);
    let retention = retention(root, faults);
    let known_good = known_good(root, &data_dir, folder, faults);
    let rollout = rollout(root, faults);
    let sentinel = sentinel(root, faults);
    let portal = portal::portal(root, folder, faults);
    let oidc = oidc::oidc(root, folder, faults);
    let http = http::http(root, faults);
    let listening = listeners.iter().map(|one| ("listener.address".to_owned(), "listener", one.address));
    let listening: Vec<_> = listening
        .chain([("api.address".to_owned(), "api", api_address)])
        .chain(portal.address.map(|address| ("portal.address".to_owned(), "portal", address)))
        .collect();
    let named = hops.iter().map(|(direction, hop)| (direction.as_str().to_lowercase(), hop.address.clone()));
    one_each(root, &listening, &named.collect(), faults);
    Config {
        panic_file: root.text("panic_file", faults, path).unwrap_or_else(|| data_dir.join("panic")),
        ruleset: root.text("ruleset", faults, path),
        data_dir,
        hostname,
        authserv_id,
        modes,
        border,
        postmaster_domain,
        policy,
        engines,
        listeners,
        hops,
        limits,
        examination,
        api_address,
        api_socket,
        api_requests_per_second: per_second.unwrap_or(20),
        two_persons_above,
        release_connections,
        release_per_second: release_per_second.unwrap_or(1000),
        retention,
        in_doubt: in_doubt.unwrap_or(InDoubtPolicy::Resend),
        tells_senders,
        known_good,
        rollout,
        sentinel,
        announcements,
        tells_affected,
        portal,
        oidc,
        http,
    }
}

fn known_good(root: &mut Section<'_>, data_dir: &Path, folder: &Path, faults: &mut Faults<'_>) -> KnownGoodConfig {
    let mut section = root.section("known_good", faults);
    let key_file = section.text("key_file", faults, |text| Ok(folder.join(text)));
    let is_on = section.flag("on", faults).unwrap_or(true);
    let without = section.list("without", faults, domain_name).unwrap_or_default().into_iter().collect();
    let mut number = |key: &str, allowed, default: u64| section.number(key, allowed, faults).unwrap_or(default);
    let config = KnownGoodConfig {
        is_on,
        without,
        key_file: key_file.unwrap_or_else(|| data_dir.join(RING_FILE)),
        bytes_max: number("mib", 1..1_048_577, 2048) << 20,
        part_bytes_max: number("part_kib", 1..65_537, 4096) << 10,
        remembered: Duration::from_secs(number("days", 1..3651, 60) * 24 * 3600),
        mails_a_day: number("mails_a_day", 0..100_001, 200),
        mails_max: number("mails", 0..1_000_001, 3000),
    };
    let parts = set_in("part_kib", config.part_bytes_max >> 10, 1);
    is_reached(
        &section,
        parts,
        set_in("mib", config.bytes_max >> 20, 1024),
        "no part of that size could be kept",
        faults,
    );
    let (a_day, all) = (set("mails_a_day", config.mails_a_day), set("mails", config.mails_max));
    is_reached(&section, a_day, all, "the sample of a day would not fit", faults);
    section.end(faults);
    config
}

fn sentinel(root: &mut Section<'_>, faults: &mut Faults<'_>) -> SentinelConfig {
    let mut section = root.section("sentinel", faults);
    let containment = section.text("containment", faults, |text| match text {
        "automatic" => Ok(ContainmentMode::Automatic),
        "recommend" => Ok(ContainmentMode::Recommend),
        _ => Err("must be \"automatic\" or \"recommend\"".into()),
    });
    let usual = Establish::default();
    let days = section.number("established_days", 0..3651, faults);
    let config = SentinelConfig {
        containment: containment.unwrap_or(ContainmentMode::Automatic),
        replays: section.flag("replay", faults).unwrap_or(true),
        establish: Establish {
            mails: section.number("established_mails", 0..1_000_001, faults).unwrap_or(usual.mails),
            age: days.map_or(usual.age, |days| Duration::from_secs(days * 24 * 3600)),
            answered: section.number("established_answers", 0..1_000_001, faults).unwrap_or(usual.answered),
            trusts_from: section.flag("trust_from", faults).unwrap_or(usual.trusts_from),
        },
        trusts_weak_memory: section.flag("trust_weak_memory", faults).unwrap_or(false),
    };
    section.end(faults);
    config
}

fn rollout(root: &mut Section<'_>, faults: &mut Faults<'_>) -> Pace {
    let mut section = root.section("rollout", faults);
    let usual = Pace::default();
    let shadow_messages = section.number("shadow_messages", 0..1_000_001, faults).unwrap_or(usual.shadow_messages);
    let mut minutes = |key: &str, usual: Duration| {
        section.number(key, 0..100_001, faults).map_or(usual, |minutes| Duration::from_secs(minutes * 60))
    };
    let [first, second, third] = usual.canary;
    let pace = Pace {
        shadow_messages,
        shadow: minutes("shadow_minutes", usual.shadow),
        shadow_most: minutes("shadow_minutes_most", usual.shadow_most),
        canary: [
            minutes("canary_1_minutes", first),
            minutes("canary_10_minutes", second),
            minutes("canary_50_minutes", third),
        ],
    };
    let of = |key, time: Duration| set(key, time.as_secs() / 60);
    let (least, most) = (of("shadow_minutes", pace.shadow), of("shadow_minutes_most", pace.shadow_most));
    not_above(&section, least, most, "the shadow would end before it may", faults);
    section.end(faults);
    pace
}

fn modes(root: &mut Section<'_>, faults: &mut Faults<'_>) -> BTreeMap<Direction, Mode> {
    let mode = |text: &str| match text {
        "observe" => Ok(Mode::Observe),
        "enforce" => Ok(Mode::Enforce),
        _ => Err("must be \"observe\" or \"enforce\"".to_owned()),
    };
    let overall = root.text("mode", faults, mode).unwrap_or(Mode::Observe);
    let mut own = root.section("mode_of", faults);
    let modes = Direction::ALL.into_iter().map(|direction| {
        let key = direction.as_str().to_lowercase();
        (direction, own.text(&key, faults, mode).unwrap_or(overall))
    });
    let modes = modes.collect();
    own.end(faults);
    modes
}

fn listener(mut section: Section<'_>, folder: &Path, faults: &mut Faults<'_>) -> Option<ListenerConfig> {
    let start = section.start();
    let address = section.text("address", faults, socket_address);
    if address.is_none() && !section.has("address") {
        faults.add(start, "listener.address", "is missing, such as \"0.0.0.0:25\"");
    }
    let role = section.text("role", faults, |text| match text {
        "mx" => Ok(Role::Mx),
        "submission" => Ok(Role::Submission),
        _ => Err("must be \"mx\" or \"submission\"".into()),
    });
    let bare_newline = section.text("bare_newline", faults, |text| match text {
        "reject" => Ok(BareNewline::Reject),
        "normalise" => Ok(BareNewline::Normalise),
        _ => Err("must be \"reject\" or \"normalise\"".into()),
    });
    let path = |text: &str| Ok(folder.join(text));
    let certificate = section.text("tls_certificate", faults, path);
    let key = section.text("tls_key", faults, path);
    if certificate.is_some() != key.is_some() {
        faults.add(start, "listener.tls_certificate", "certificate and key go together: give both or none");
    }
    let listener = ListenerConfig {
        address: address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
        role: role.unwrap_or(Role::Mx),
        xclient_from: section.list("xclient_from", faults, network).unwrap_or_default(),
        proxy_from: section.list("proxy_from", faults, network).unwrap_or_default(),
        bare_newline: bare_newline.unwrap_or_default(),
        sender_login_enforced: section.flag("sender_login_enforced", faults).unwrap_or(false),
        tls: certificate.zip(key),
    };
    let why = "anybody could say to be somebody else";
    not_everybody(&section, "xclient_from", &listener.xclient_from, why, faults);
    not_everybody(&section, "proxy_from", &listener.proxy_from, why, faults);
    section.end(faults);
    address.map(|_| listener)
}

fn hops(root: &mut Section<'_>, faults: &mut Faults<'_>) -> BTreeMap<Direction, HopConfig> {
    let mut below = root.section("next_hop", faults);
    let mut hops = BTreeMap::new();
    for direction in Direction::ALL {
        let key = direction.as_str().to_lowercase();
        let mut section = below.section(&key, faults);
        let address = section.text("address", faults, host_and_port);
        let tls = section.text("tls", faults, |text| match text {
            "none" => Ok(TlsPolicy::None),
            "opportunistic" => Ok(TlsPolicy::Opportunistic),
            "require" => Ok(TlsPolicy::Require),
            "verify" => Ok(TlsPolicy::Verify),
            _ => Err("must be \"none\", \"opportunistic\", \"require\" or \"verify\"".into()),
        });
        section.end(faults);
        if let Some(address) = address {
            hops.insert(direction, HopConfig { address, tls: tls.unwrap_or_default() });
        }
    }
    below.end(faults);
    let Some(first) = hops.values().next().cloned() else {
        faults.add(
            0,
            "next_hop",
            "is missing: at least [next_hop.inbound] with an address, such as \"127.0.0.1:10025\"",
        );
        return hops;
    };
    for direction in Direction::ALL {
        hops.entry(direction).or_insert_with(|| first.clone());
    }
    hops
}

fn limits(root: &mut Section<'_>, faults: &mut Faults<'_>) -> GatewayLimits {
    let mut section = root.section("limits", faults);
    let mut number = |key: &str, allowed, default: u64| section.number(key, allowed, faults).unwrap_or(default);
    let seconds = Duration::from_secs;
    let usual = Percents::default();
    let usual_tolerance = Tolerance::default();
    let limits = GatewayLimits {
        message_bytes_max: number("message_bytes", 1024..1_073_741_825, 50 << 20) as usize,
        recipients_max: number("recipients", 1..100_001, 1000) as usize,
        connections_max: number("connections", 1..100_001, 1000) as usize,
        connections_per_ip_max: number("connections_per_ip", 1..100_001, 50) as usize,
        connections_per_network_max: number("connections_per_network", 1..100_001, 150) as usize,
        hop_connections_max: number("hop_connections", 1..10_001, 80) as usize,
        hop_wait: seconds(number("hop_wait_s", 0..241, 15)),
        repeats_max: number("repeated_recipients", 10..1_000_001, 1000),
        in_flight_bytes_max: number("in_flight_mib", 64..1_048_577, 512) << 20,
        reply_deadline: seconds(number("reply_deadline_s", 1..600, 85)),
        examine_deadline: seconds(number("examine_deadline_s", 1..600, 30)),
        command_deadline: seconds(number("command_deadline_s", 1..3601, 300)),
        percents: Percents {
            client: number("percent_per_client", 1..101, usual.client),
            network: number("percent_per_network", 1..101, usual.network),
            strangers: number("percent_strangers", 1..101, usual.strangers),
            others: number("percent_strangers_and_known", 1..101, usual.others),
        },
        stress_percent: number("stress_percent", 1..101, 60),
        greeting_pause: Duration::from_millis(number("greeting_pause_ms", 0..60_001, 500)),
        data_bytes_per_second: number("data_bytes_per_second", 1..1_000_001, 4096) as u32,
        data_deadline: seconds(number("data_deadline_s", 10..86_401, 3600)),
        visit: seconds(number("visit_s", 10..86_401, 3600)),
        known: KnownClients {
            mails: number("known_mails", 1..1_000_001, 3),
            age: seconds(number("known_hours", 0..10_001, 24) * 3600),
            kept: seconds(number("known_days", 1..3651, 30) * 24 * 3600),
        },
        tolerance: Tolerance {
            errors_max: number("errors", 1..100_001, usual_tolerance.errors_max.into()) as u32,
            junk_max: number("junk_commands", 1..100_001, usual_tolerance.junk_max.into()) as u32,
            refused_recipients_max: number(
                "refused_recipients",
                1..100_001,
                usual_tolerance.refused_recipients_max.into(),
            ) as u32,
        },
        drain: seconds(number("drain_s", 1..601, 7)),
    };
    contradictions(&section, &limits, faults);
    section.end(faults);
    limits
}

fn contradictions(section: &Section<'_>, limits: &GatewayLimits, faults: &mut Faults<'_>) {
    let percents = &limits.percents;
    let (client, network) = (set("percent_per_client", percents.client), set("percent_per_network", percents.network));
    let (strangers, others) =
        (set("percent_strangers", percents.strangers), set("percent_strangers_and_known", percents.others));
    is_reached(section, client, network, "a client is part of its network, and would never come so far", faults);
    is_reached(section, network, others, "no network could ever have so much", faults);
    not_above(section, strangers, others, "known clients would have no share that strangers cannot take", faults);
    let of_ip = set("connections_per_ip", limits.connections_per_ip_max as u64);
    let of_network = set("connections_per_network", limits.connections_per_network_max as u64);
    let all = set("connections", limits.connections_max as u64);
    is_reached(section, of_ip, of_network, "an address is part of its network, and would never come so far", faults);
    is_reached(section, of_network, all, "there are not so many", faults);
    let in_s = |key, time: Duration| set(key, time.as_secs());
    let reply = in_s("reply_deadline_s", limits.reply_deadline);
    for (key, time) in [("hop_wait_s", limits.hop_wait), ("examine_deadline_s", limits.examine_deadline)] {
        if section.has(key) {
            below(section, in_s(key, time), reply, "the client would have its 451 before that is over", faults);
        }
    }
    let (command, visit) = (in_s("command_deadline_s", limits.command_deadline), in_s("visit_s", limits.visit));
    is_reached(section, command, visit, "the visit would be over first", faults);
    let message = set_in("message_bytes", limits.message_bytes_max as u64, 1);
    let in_flight = set_in("in_flight_mib", limits.in_flight_bytes_max >> 20, 1 << 20);
    is_reached(section, message, in_flight, "one message would be more than all may be", faults);
    let hours = set_in("known_hours", limits.known.age.as_secs() / 3600, 1);
    let days = set_in("known_days", limits.known.kept.as_secs() / 86_400, 24);
    not_above(section, hours, days, "a network would be forgotten before it is known", faults);
}

fn retention(root: &mut Section<'_>, faults: &mut Faults<'_>) -> Retention {
    let mut section = root.section("retention", faults);
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    let held = days(section.number("held_days", 1..3651, faults).unwrap_or(30));
    let records = days(section.number("record_days", 1..3651, faults).unwrap_or(90));
    let disk_floor_bytes = section.number("disk_floor_mib", 0..1_048_577, faults).unwrap_or(200) << 20;
    let audit = days(section.number("audit_days", 1..3651, faults).unwrap_or(400));
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let clock_jump = hours(section.number("clock_jump_hours", 1..721, faults).unwrap_or(12));
    let removals_per_hour = section.number("removals_per_hour", 1..10_000_001, faults).unwrap_or(2000);
    let scrub = days(section.number("scrub_days", 1..366, faults).unwrap_or(30));
    let scrub_bytes_per_second = section.number("scrub_kib_per_second", 1..1_048_577, faults).unwrap_or(4096) << 10;
    let mut own = section.section("held_days_of", faults);
    let named = |category: Category| Some((category, days(own.number(category.as_str(), 1..3651, faults)?)));
    let held_of: BTreeMap<Category, Duration> = Category::ALL.into_iter().filter_map(named).collect();
    own.end(faults);
    let longest = held_of.values().copied().chain([held]).max().unwrap_or(held);
    if records < longest {
        let why = "must not be below held_days and held_days_of: what is held needs its record";
        faults.add(section.start(), "retention.record_days", why);
    }
    let shortest = held_of.values().copied().chain([held]).min().unwrap_or(held);
    let jump = set_in("clock_jump_hours", clock_jump.as_secs() / 3600, 1);
    let key = if shortest < held { "held_days_of" } else { "held_days" };
    let why = "a clock that is wrong by less than that could end all held mail at once";
    below(&section, jump, set_in(key, shortest.as_secs() / 86_400, 24), why, faults);
    if audit < records {
        let why = "must not be below record_days: a record needs the entry that vouches for it";
        faults.add(section.start(), "retention.audit_days", why);
    }
    section.end(faults);
    Retention {
        held,
        held_of,
        records,
        audit,
        disk_floor_bytes,
        clock_jump,
        removals_per_hour,
        scrub,
        scrub_bytes_per_second,
    }
}

/// A host name, in A-labels: what is written with U-labels is taken, and sent and compared as everybody does.
fn host_name(text: &str) -> Result<String, String> {
    let name = if text.is_ascii() { text.to_owned() } else { DomainName::of(text).into() };
    let fits =
        !name.is_empty() && name.len() <= 255 && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    if fits { Ok(name) } else { Err("must be a host name, such as \"mx.example.com\" or \"bücher.example\"".into()) }
}

/// A domain in either kind of labels: `bücher.example` and `xn--bcher-kva.example` are one.
fn domain_name(text: &str) -> Result<DomainName, String> {
    let name = DomainName::of(text);
    let why = "must be a domain, such as \"example.com\" or \"bücher.example\" (\".example.com\" for all below it)";
    host_name(&name).map(|_| name).map_err(|_| why.into())
}

fn network(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or(alone).map_err(|_| format!("'{text}' is not an address or a network, such as \"192.0.2.0/24\""))
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("'{text}' is not an address with a port, such as \"127.0.0.1:2525\""))
}

/// `host:port`, the host in A-labels.
fn host_and_port(text: &str) -> Result<String, String> {
    let split = text.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    let read = split.and_then(|(host, port)| match host.is_ascii() {
        true => Some(text.to_owned()),
        false => Some(format!("{}:{port}", host_name(host).ok()?)),
    });
    read.ok_or_else(|| format!("'{text}' is not host:port, such as \"127.0.0.1:10025\""))
}

fn system_hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    host_name(name.trim()).unwrap_or_else(|_| "localhost".into())
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
        assert_eq!(
            faults(&all)
                .into_iter()
                // Files that are not there.
                .filter(|fault| !fault.contains("policy") && !fault.contains("client_secret_file"))
                .collect::<Vec<_>>(),
            Vec::<String>::new()
        );
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
