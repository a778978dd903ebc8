//! What the gateway is told: `[[listener]]`, `[next_hop.*]` and `[limits]`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::Direction;
use domain::share::{Bounds, Percents};
use ipnet::IpNet;
use wire::smtp::data::BareNewline;
use wire::smtp::session::Tolerance;
use wire::tls::TlsPolicy;

use super::Config;
use super::contradiction::{below, is_reached, not_above, not_everybody};
use super::general::key;
use super::names::{host_and_port, network, socket_address};
use super::section::Section;
use super::shown::{self, Shown};

/// Whom a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Hosts of the Internet, or an MTA in front.
    Mx,
    /// An MTA that has authenticated its user: what comes here is ours.
    Submission,
}

/// The roles as they are written.
const ROLES: [(&str, Role); 2] = [("mx", Role::Mx), ("submission", Role::Submission)];

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

/// What to do with bare CR, LF and NUL, as it is written.
const BARE_NEWLINE: [(&str, BareNewline); 2] = [("reject", BareNewline::Reject), ("normalise", BareNewline::Normalise)];

/// One next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopConfig {
    /// `host:port`.
    pub address: String,
    /// Its TLS policy.
    pub tls: TlsPolicy,
}

/// TLS policies as they are written.
const TLS: [(&str, TlsPolicy); 4] = [
    ("none", TlsPolicy::None),
    ("opportunistic", TlsPolicy::Opportunistic),
    ("require", TlsPolicy::Require),
    ("verify", TlsPolicy::Verify),
];

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

/// What a usual installation has beside the listener for the Internet.
const SUBMISSION_EXAMPLE: &str = "
[[listener]]
address = \"127.0.0.1:10026\"
role = \"submission\"
xclient_from = [\"127.0.0.1\"]
";

/// Reads all listeners.
pub(super) fn listeners(root: &mut Section<'_>) -> Vec<ListenerConfig> {
    let about = "Where mail comes in.";
    let listeners: Vec<ListenerConfig> = root.sections("listener", about).into_iter().filter_map(listener).collect();
    if listeners.is_empty() && !root.has("listener") {
        root.missing("listener", "is missing: at least one [[listener]] with an address");
    }
    listeners
}

fn listener(mut section: Section<'_>) -> Option<ListenerConfig> {
    let address = section
        .setting("address", "Where it listens.")
        .not_shown()
        .default("must be given")
        .example_sets("\"127.0.0.1:10024\"")
        .text("address with a port", socket_address);
    if address.is_none() && !section.has("address") {
        section.fault("address", "is missing, such as \"0.0.0.0:25\"");
    }
    let role = section
        .setting(
            "role",
            "\"mx\": from the Internet or an MTA in front. \"submission\": from an MTA that has authenticated its \
             user; only xclient_from and trusted_networks may connect.",
        )
        .example_sets("\"mx\"")
        .one_of(&ROLES, Role::Mx);
    let xclient_from = section
        .setting("xclient_from", "Peers that may say XCLIENT and XFORWARD.")
        .example_sets("[\"127.0.0.1\"]")
        .list("addresses and networks", network);
    let proxy_from = section
        .setting("proxy_from", "Peers that must send a PROXY header (v1 or v2).")
        .example("[\"192.0.2.10\"]")
        .list("addresses and networks", network);
    let bare_newline = section
        .setting(
            "bare_newline",
            "Bare CR, bare LF and NUL: \"reject\" (550 5.6.0) or \"normalise\" (voids DKIM, marked in the record).",
        )
        .one_of(&BARE_NEWLINE, BareNewline::default());
    let tls = tls(&mut section);
    let sender_login_enforced = section
        .setting(
            "sender_login_enforced",
            "With role \"submission\": say true only where the MTA lets a login use its own sender addresses and no \
             others.",
        )
        .shown_in("sender_login_enforced")
        .flag(false);
    if role == Role::Submission {
        section.row("sender_login_enforced", shown::yes(sender_login_enforced));
    }
    section.more_example(SUBMISSION_EXAMPLE);
    let why = "anybody could say to be somebody else";
    not_everybody(&section, "xclient_from", &xclient_from, why);
    not_everybody(&section, "proxy_from", &proxy_from, why);
    let address = address.inspect(|address| section.title(format!("listener {address}")));
    section.end();
    Some(ListenerConfig { address: address?, role, xclient_from, proxy_from, bare_newline, sender_login_enforced, tls })
}

fn tls(section: &mut Section<'_>) -> Option<(PathBuf, PathBuf)> {
    let certificate = section
        .setting(
            "tls_certificate",
            "STARTTLS is offered with a certificate: a file in PEM. A renewed one is taken by itself.",
        )
        .shown_as("tls")
        .example("\"cert.pem\"")
        .path();
    let key = section
        .setting("tls_key", "The private key of the certificate: a file in PEM.")
        .not_shown()
        .example("\"key.pem\"")
        .path();
    if certificate.is_some() != key.is_some() {
        let what = "certificate and key go together: give both or none";
        section.reading.fault(section.start(), &section.name("tls_certificate"), what);
    }
    certificate.zip(key)
}

/// Reads the next hops. A direction that is not named uses the first that is.
pub(super) fn hops(root: &mut Section<'_>) -> BTreeMap<Direction, HopConfig> {
    let mut all = root.section("next_hop", "Where mail goes. A direction that is not named uses the first that is.");
    let mut hops = BTreeMap::new();
    for direction in Direction::ALL {
        let mut section = all.section(key(direction), "");
        let address = section
            .setting("address", "The host that delivers, with its port.")
            .shown_in("address")
            .default("that of the first direction that is named")
            .example_sets(match direction {
                Direction::Outbound => "\"127.0.0.1:10027\"",
                _ => "\"127.0.0.1:10025\"",
            })
            .text("host:port", host_and_port);
        let tls = section
            .setting(
                "tls",
                "\"none\", \"opportunistic\" (any certificate), \"require\" (any certificate), \"verify\" (public \
                 authorities).",
            )
            .shown_in("tls")
            .default("\"opportunistic\"")
            .example("\"opportunistic\"")
            .one_of_if_set(&TLS);
        section.end();
        if let Some(address) = address {
            hops.insert(direction, HopConfig { address, tls: tls.unwrap_or_default() });
        }
    }
    all.end();
    let Some(first) = hops.values().next().cloned() else {
        let what = "is missing: at least [next_hop.inbound] with an address, such as \"127.0.0.1:10025\"";
        root.missing("next_hop", what);
        return hops;
    };
    for direction in Direction::ALL {
        hops.entry(direction).or_insert_with(|| first.clone());
    }
    hops
}

/// Reads `[limits]`.
pub(super) fn limits(root: &mut Section<'_>) -> GatewayLimits {
    let about = "What the gateway takes: of one message, of one client, of all together, and how long it waits.";
    let mut section = root.section("limits", about);
    let it = &mut section;
    let limits = GatewayLimits {
        message_bytes_max: it
            .setting("message_bytes", "Bytes of one message; a larger one is refused (552).")
            .bytes(1024..=1_073_741_824, 50 << 20) as usize,
        recipients_max: it
            .setting("recipients", "Recipients of one message; those beyond get 452.")
            .count(1..=100_000, 1000) as usize,
        connections_max: it.setting("connections", "Connections from clients, all together.").count(1..=100_000, 1000)
            as usize,
        connections_per_ip_max: it.setting("connections_per_ip", "Connections from one address.").count(1..=100_000, 50)
            as usize,
        connections_per_network_max: it
            .setting("connections_per_network", "Connections from one network: a /24 of IPv4, a /64 of IPv6.")
            .count(1..=100_000, 150) as usize,
        hop_connections_max: it
            .setting("hop_connections", "Connections to one next hop, for live mail.")
            .count(1..=10_000, 80) as usize,
        hop_wait: it
            .setting(
                "hop_wait_s",
                "How long a client waits for a connection to the next hop before it is told to come again (451).",
            )
            .shown_as("hop_wait")
            .seconds(0..=240, 15),
        repeats_max: it
            .setting(
                "repeated_recipients",
                "For how many recipients one client may make us ask the next hop again at once; a fiftieth of them \
                 more each second.",
            )
            .count(10..=1_000_000, 1000),
        percents: percents(it),
        stress_percent: it
            .setting(
                "stress_percent",
                "From so much use of what strangers may have on, clients get less time and less patience.",
            )
            .count(1..=100, 60),
        greeting_pause: it
            .setting(
                "greeting_pause_ms",
                "A stranger is greeted after this pause; one that talks into it is turned away (554).",
            )
            .shown_as("greeting_pause")
            .milliseconds(0..=60_000, 500),
        data_bytes_per_second: it
            .setting(
                "data_bytes_per_second",
                "Bytes a second that a message must come with, once its first five minutes are over.",
            )
            .count(1..=1_000_000, 4096) as u32,
        data_deadline: it
            .setting("data_deadline_s", "How long the data of one message may take in all.")
            .shown_as("data_deadline")
            .seconds(10..=86_400, 3600),
        visit: it
            .setting(
                "visit_s",
                "A visit without a message that is accepted ends after so long; each command has its own deadline \
                 until then.",
            )
            .shown_as("visit")
            .seconds(10..=86_400, 3600),
        known: known(it),
        tolerance: tolerance(it),
        in_flight_bytes_max: it
            .setting("in_flight_mib", "Memory for messages that come in, all together; beyond it they get 452.")
            .shown_as("in_flight_bytes")
            .mib(64..=1_048_576, 512),
        reply_deadline: it
            .setting(
                "reply_deadline_s",
                "From the final dot of a message to the reply, which is 451 when this is over.",
            )
            .shown_as("reply_deadline")
            .seconds(1..=599, 85),
        examine_deadline: it
            .setting("examine_deadline_s", "How long one examination may take, all engines of our own together.")
            .shown_as("examine_deadline")
            .seconds(1..=599, 30),
        command_deadline: it
            .setting("command_deadline_s", "How long a client may take for one command.")
            .shown_as("command_deadline")
            .seconds(1..=3600, 300),
        drain: it
            .setting(
                "drain_s",
                "After SIGTERM: how long mail under way is waited for. What the next hop has not answered by then is \
                 answered 451 and listed as in doubt. The process ends two seconds later at most; give the service \
                 manager more than that.",
            )
            .shown_as("drain")
            .seconds(1..=600, 7),
    };
    contradictions(&section);
    section.end();
    limits
}

fn percents(section: &mut Section<'_>) -> Percents {
    let usual = Percents::default();
    Percents {
        client: section
            .setting(
                "percent_per_client",
                "What one client may have of hop_connections and of in_flight_mib, in percent. Our own have what \
                 strangers and known clients leave, and as much as percent_strangers_and_known says.",
            )
            .count(1..=100, usual.client),
        network: section
            .setting("percent_per_network", "The same of one network (/24 or /64), in percent.")
            .count(1..=100, usual.network),
        strangers: section
            .setting("percent_strangers", "The same of all strangers, of connections as well, in percent.")
            .count(1..=100, usual.strangers),
        others: section
            .setting(
                "percent_strangers_and_known",
                "The same of strangers and known clients together, of connections as well, in percent.",
            )
            .count(1..=100, usual.others),
    }
}

fn known(section: &mut Section<'_>) -> KnownClients {
    KnownClients {
        mails: section
            .setting("known_mails", "From so many clean mails on that were accepted, the network of a client is known.")
            .count(1..=1_000_000, 3),
        age: section
            .setting("known_hours", "The first of these mails must be so long ago.")
            .shown_plain()
            .hours(0..=10_000, 24),
        kept: section
            .setting("known_days", "So long after the last of these mails the network is forgotten.")
            .shown_plain()
            .days(1..=3650, 30),
    }
}

fn tolerance(section: &mut Section<'_>) -> Tolerance {
    let usual = Tolerance::default();
    Tolerance {
        errors_max: section
            .setting(
                "errors",
                "How much of a client is borne with before it is sent off (421 4.7.0): commands that were refused.",
            )
            .count(1..=100_000, usual.errors_max.into()) as u32,
        junk_max: section
            .setting("junk_commands", "The same: EHLO, NOOP, RSET, VRFY and HELP without a message between them.")
            .count(1..=100_000, usual.junk_max.into()) as u32,
        refused_recipients_max: section
            .setting("refused_recipients", "The same: recipients that do not exist, beyond a quarter of those that do.")
            .count(1..=100_000, usual.refused_recipients_max.into()) as u32,
    }
}

fn contradictions(section: &Section<'_>) {
    let (client, network) = ("percent_per_client", "percent_per_network");
    let (strangers, others) = ("percent_strangers", "percent_strangers_and_known");
    is_reached(section, client, network, "a client is part of its network, and would never come so far");
    is_reached(section, network, others, "no network could ever have so much");
    not_above(section, strangers, others, "known clients would have no share that strangers cannot take");
    let (of_ip, of_network) = ("connections_per_ip", "connections_per_network");
    is_reached(section, of_ip, of_network, "an address is part of its network, and would never come so far");
    is_reached(section, of_network, "connections", "there are not so many");
    for key in ["hop_wait_s", "examine_deadline_s"] {
        if section.has(key) {
            below(section, key, "reply_deadline_s", "the client would have its 451 before that is over");
        }
    }
    is_reached(section, "command_deadline_s", "visit_s", "the visit would be over first");
    is_reached(section, "message_bytes", "in_flight_mib", "one message would be more than all may be");
    not_above(section, "known_hours", "known_days", "a network would be forgotten before it is known");
}

/// Shows the next hops, of which each direction has one however many are written, and what the system allows.
pub(super) fn show(config: &Config, shown: &mut Shown) {
    for (direction, hop) in &config.hops {
        let section = format!("next_hop.{}", key(*direction));
        shown.set(&section, "address", &hop.address);
        shown.set(&section, "tls", TLS.iter().find(|(_, tls)| *tls == hop.tls).map_or("", |(word, _)| word));
    }
    // File descriptors may be too few for what the file asks for.
    shown.set("limits", "connections", config.limits.connections_max);
}
