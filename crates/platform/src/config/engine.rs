//! `[engine.*]`: which engines are asked, where, and what to do when one fails.

use std::net::SocketAddr;
use std::time::Duration;

use detect::{auth, clamd, dnsbl, rspamd};
use domain::policy::{OnFailure, Policy};

use super::Config;
use super::names::{domain_name, host_and_port, host_name};
use super::section::Section;
use super::shown::{Shown, list, span};

/// What is done when an engine fails, as it is written.
const ON_FAILURE: [(&str, OnFailure); 3] =
    [("continue", OnFailure::Continue), ("defer", OnFailure::Defer), ("hold", OnFailure::Hold)];

/// The engines outside the pipeline.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// How DNS is asked about senders, if it is.
    pub auth: Option<auth::Settings>,
    /// clamd, if there is one to ask.
    pub clamd: Option<clamd::Clamd>,
    /// rspamd, if there is one to ask.
    pub rspamd: Option<rspamd::Rspamd>,
    /// Lists of client addresses in DNS, and how long one mail may take; asked through the name server of `auth`.
    pub dnsbl: Option<(Vec<String>, Duration)>,
    /// The name server; none for the system's.
    pub name_server: Option<SocketAddr>,
}

/// How long an engine may take, where the file says it.
#[derive(Debug)]
struct Timeout {
    /// The full name of its key.
    key: String,
    /// Where it stands in the file.
    at: usize,
    /// Seconds.
    seconds: u64,
}

/// The engines as they are written, one after the other.
struct Engines<'r> {
    section: Section<'r>,
    timeouts: Vec<Timeout>,
}

impl<'r> Engines<'r> {
    /// One engine; `usual` is what is done when it fails.
    fn one<T>(
        &mut self,
        name: &'static str,
        about: &'static str,
        usual: &'static str,
        policy: &mut Policy,
        read: impl FnOnce(&mut Section<'r>) -> T,
    ) -> T {
        let mut section = self.section.section(name, about);
        let value = read(&mut section);
        let on_failure = section
            .setting(
                "on_failure",
                "When it fails or runs out of time: \"defer\" (451), \"hold\", or \"continue\" without it.",
            )
            .not_shown()
            .default(usual)
            .example(usual)
            .one_of_if_set(&ON_FAILURE);
        if let Some(on_failure) = on_failure {
            policy.on_failure.insert(name.into(), on_failure);
        }
        if section.has("timeout_s") {
            let (key, at) = (section.name("timeout_s"), section.place("timeout_s"));
            self.timeouts.push(Timeout { key, at, seconds: section.number("timeout_s").value });
        }
        section.end();
        value
    }
}

/// Reads all engines; what they do when they fail becomes part of the policy. Their timeouts are held against the
/// deadline of a reply once that is known.
pub(super) fn engines(root: &mut Section<'_>, authserv_id: &str, policy: &mut Policy) -> (EngineConfig, Timeouts) {
    let about = "Engines that look at mail, our own and those that are asked over the network.";
    let mut engines = Engines { section: root.section("engine", about), timeouts: Vec::new() };
    engines.one("structure", "", "\"defer\"", policy, |_| ());
    engines.one("yara", "", "\"defer\"", policy, |_| ());
    let about = "SPF, DKIM, DMARC and ARC of mail from outside.";
    let (name_server, auth) =
        engines.one(auth::ENGINE, about, "\"continue\"", policy, |section| auth(section, authserv_id));
    let about = "Lists of client addresses in DNS, asked through the same name server. A list that lists the world \
                 switches itself off.";
    let dnsbl = engines.one(dnsbl::ENGINE, about, "\"continue\"", policy, dnsbl);
    let about = "rspamd is asked when it has an address: its normal worker.";
    let rspamd = engines.one(rspamd::ENGINE, about, "\"continue\"", policy, rspamd);
    let about =
        "clamd is asked when it has an address. Its StreamMaxLength must not be below message_bytes of [limits].";
    let clamd = engines.one(clamd::ENGINE, about, "\"defer\"", policy, clamd);
    engines.section.end();
    (EngineConfig { auth, clamd, rspamd, dnsbl, name_server }, Timeouts(engines.timeouts))
}

/// The timeouts that the file gives to engines.
#[derive(Debug)]
pub(super) struct Timeouts(Vec<Timeout>);

impl Timeouts {
    /// Each engine must answer before the client has its 451: `reply` is when that is.
    pub(super) fn fit(&self, reply: Duration, root: &Section<'_>) {
        let reply = reply.as_secs();
        for Timeout { key, at, seconds } in &self.0 {
            if *seconds >= reply && !root.reading.has_fault(key) {
                let what = format!(
                    "timeout_s ({seconds}) is not below reply_deadline_s ({reply}) of [limits]: the client would have \
                     its 451 first; lower the one or raise the other"
                );
                root.reading.fault(*at, key, what);
            }
        }
    }
}

fn timeout(section: &mut Section<'_>, usual: u64) -> Duration {
    let help = "How long one mail may take. It must be below reply_deadline_s of [limits].";
    section.setting("timeout_s", help).not_shown().seconds(1..=599, usual)
}

fn auth(section: &mut Section<'_>, authserv_id: &str) -> (Option<SocketAddr>, Option<auth::Settings>) {
    let is_on = section.setting("on", "Whether senders are checked at all.").shown_in("auth").flag(true);
    let name_server = section
        .setting("name_server", "The name server that is asked. Default: the system's.")
        .shown_in("auth.name_server")
        .default("the system's")
        .example("\"127.0.0.1\"")
        .text("address, with or without a port", name_server);
    let settings = auth::Settings {
        name_server,
        authserv_id: authserv_id.to_owned(),
        timeout: timeout(section, 5),
        trusted_sealers: section
            .setting("trusted_sealers", "An ARC chain whose last seal is of one of these domains is believed.")
            .shown_in("auth.trusted_sealers")
            .example("[\"lists.example.org\"]")
            .list("domains", |text| domain_name(text).map(String::from)),
        trusted_authserv: section
            .setting(
                "trusted_authserv",
                "Hosts in front of us, who remove what claims to be theirs: their Authentication-Results are believed \
                 instead of our own.",
            )
            .shown_in("auth.trusted_authserv")
            .example("[\"mx.example.net\"]")
            .list("host names", host_name),
    };
    (name_server, is_on.then_some(settings))
}

fn dnsbl(section: &mut Section<'_>) -> Option<(Vec<String>, Duration)> {
    let zones = section
        .setting("zones", "The lists. None are asked where there are none.")
        .shown_in("dnsbl.zones")
        .example("[\"bl.example.org\"]")
        .list("domains", domain_name);
    if zones.len() > dnsbl::ZONES_MAX {
        let what = format!("more than {} lists", dnsbl::ZONES_MAX);
        section.reading.fault(section.start(), &section.name("zones"), what);
    }
    let timeout = timeout(section, 5);
    (!zones.is_empty()).then(|| (zones.into_iter().map(String::from).collect(), timeout))
}

fn rspamd(section: &mut Section<'_>) -> Option<rspamd::Rspamd> {
    let address = section
        .setting("address", "Where rspamd is.")
        .shown_in("rspamd")
        .example("\"127.0.0.1:11333\"")
        .text("host:port", host_and_port);
    let timeout = timeout(section, 30);
    address.map(|address| rspamd::Rspamd { address, timeout })
}

fn clamd(section: &mut Section<'_>) -> Option<clamd::Clamd> {
    let address = section
        .setting("address", "Where clamd is: \"unix:/path\" or \"host:port\".")
        .shown_in("clamd")
        .example("\"unix:/run/clamav/clamd.ctl\"")
        .meaning("unix:/path or host:port", clamd_address);
    let timeout = timeout(section, 30);
    address.map(|address| clamd::Clamd { address, timeout })
}

/// Shows all engines in one section.
pub(super) fn show(config: &Config, shown: &mut Shown) {
    let engines = &config.engines;
    let off = || "off".to_owned();
    let auth = engines.auth.as_ref();
    let asked = |place: String, timeout: Duration| format!("{place}, {}", span(timeout));
    let clamd_place = |address: &clamd::Address| match address {
        clamd::Address::Tcp(address) => address.clone(),
        clamd::Address::Unix(path) => path.display().to_string(),
    };
    let rows = [
        ("auth", auth.map_or_else(off, |auth| format!("{} a mail", span(auth.timeout)))),
        ("auth.name_server", engines.name_server.map_or("the system's".into(), |address| address.to_string())),
        ("auth.trusted_sealers", auth.map_or_else(off, |auth| list(&auth.trusted_sealers))),
        ("auth.trusted_authserv", auth.map_or_else(off, |auth| list(&auth.trusted_authserv))),
        ("dnsbl.zones", engines.dnsbl.as_ref().map_or_else(off, |(zones, _)| list(zones))),
        ("clamd", engines.clamd.as_ref().map_or_else(off, |one| asked(clamd_place(&one.address), one.timeout))),
        ("rspamd", engines.rspamd.as_ref().map_or_else(off, |one| asked(one.address.clone(), one.timeout))),
    ];
    for (name, value) in rows {
        shown.set("engine", name, value);
    }
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let alone = text.parse::<std::net::IpAddr>().map(|ip| SocketAddr::from((ip, 53)));
    text.parse().or(alone).map_err(|_| format!("'{text}' is not an address, such as \"127.0.0.1\" or \"127.0.0.1:53\""))
}

fn clamd_address(text: &str) -> Result<clamd::Address, String> {
    match text.strip_prefix("unix:") {
        Some(path) if path.starts_with('/') => Ok(clamd::Address::Unix(path.into())),
        Some(_) => Err("a unix socket is named by its whole path: \"unix:/run/clamav/clamd.ctl\"".into()),
        None => host_and_port(text).map(clamd::Address::Tcp),
    }
}
