//! `[engine.*]`: which engines are asked, where, and what to do when one fails.

use std::net::SocketAddr;
use std::time::Duration;

use detect::{auth, clamd, dnsbl, rspamd};
use domain::policy::{OnFailure, Policy};

use super::section::{Faults, Section};
use super::{domain_name, host_and_port, host_name};

/// Settings of an engine that is asked over the network.
const ASKED: [&str; 4] = [auth::ENGINE, dnsbl::ENGINE, clamd::ENGINE, rspamd::ENGINE];

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

/// Reads all engines; what they do when they fail becomes part of the policy.
pub(super) fn engines(
    root: &mut Section<'_>,
    authserv_id: &str,
    policy: &mut Policy,
    faults: &mut Faults<'_>,
) -> EngineConfig {
    let mut config = EngineConfig::default();
    let mut engines = root.section("engine", faults);
    for engine in ["structure", "yara", auth::ENGINE, dnsbl::ENGINE, clamd::ENGINE, rspamd::ENGINE] {
        let mut section = engines.section(engine, faults);
        match engine {
            auth::ENGINE => {
                config.name_server = section.text("name_server", faults, name_server);
                config.auth = auth(&mut section, authserv_id, config.name_server, faults);
            }
            dnsbl::ENGINE => {
                let zones = section.list("zones", faults, domain_name).unwrap_or_default();
                if zones.len() > dnsbl::ZONES_MAX {
                    faults.add(section.start(), "engine.dnsbl.zones", format!("more than {} lists", dnsbl::ZONES_MAX));
                }
                let timeout = timeout(&mut section, 5, faults);
                config.dnsbl = (!zones.is_empty()).then(|| (zones.into_iter().map(String::from).collect(), timeout));
            }
            clamd::ENGINE => {
                let address = section.text("address", faults, clamd_address);
                let timeout = timeout(&mut section, 30, faults);
                config.clamd = address.map(|address| clamd::Clamd { address, timeout });
            }
            rspamd::ENGINE => {
                let address = section.text("address", faults, host_and_port);
                let timeout = timeout(&mut section, 30, faults);
                config.rspamd = address.map(|address| rspamd::Rspamd { address, timeout });
            }
            _ => {}
        }
        let on_failure = section.text("on_failure", faults, |text| match text {
            "continue" => Ok(OnFailure::Continue),
            "defer" => Ok(OnFailure::Defer),
            "hold" => Ok(OnFailure::Hold),
            _ => Err("must be \"continue\", \"defer\" or \"hold\"".into()),
        });
        section.end(faults);
        if let Some(on_failure) = on_failure {
            policy.on_failure.insert(engine.into(), on_failure);
        }
    }
    engines.end(faults);
    config
}

/// Whether engines answer before the client has its 451: `reply` is when that is.
pub(super) fn fits(root: &mut Section<'_>, reply: Duration, faults: &mut Faults<'_>) {
    // What is no table and no number has been told.
    let mut told = Faults::new("");
    let mut engines = root.section("engine", &mut told);
    for engine in ASKED {
        let mut section = engines.section(engine, &mut told);
        let name = section.name("timeout_s");
        let Some(asked) = section.number("timeout_s", 1..600, &mut told) else { continue };
        if asked >= reply.as_secs() {
            let reply = reply.as_secs();
            let what = format!(
                "timeout_s ({asked}) is not below reply_deadline_s ({reply}) of [limits]: the client would have its \
                    451 first; lower the one or raise \
                 the other"
            );
            faults.add(section.place("timeout_s"), &name, what);
        }
    }
}

fn timeout(section: &mut Section<'_>, usual: u64, faults: &mut Faults<'_>) -> Duration {
    Duration::from_secs(section.number("timeout_s", 1..600, faults).unwrap_or(usual))
}

fn auth(
    section: &mut Section<'_>,
    authserv_id: &str,
    name_server: Option<SocketAddr>,
    faults: &mut Faults<'_>,
) -> Option<auth::Settings> {
    let is_on = section.flag("on", faults).unwrap_or(true);
    let settings = auth::Settings {
        name_server,
        authserv_id: authserv_id.to_owned(),
        timeout: timeout(section, 5, faults),
        trusted_sealers: section
            .list("trusted_sealers", faults, |text| domain_name(text).map(String::from))
            .unwrap_or_default(),
        trusted_authserv: section.list("trusted_authserv", faults, host_name).unwrap_or_default(),
    };
    is_on.then_some(settings)
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
