//! `[http]`: what the listeners of API, console and portal allow those who have not signed in yet.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::DomainName;
use ipnet::IpNet;

use super::contradiction::{is_reached, not_above, not_everybody, set};
use super::section::{Faults, Section};
use super::{Config, host_name, network};

/// Connections that each listener keeps at least, however few descriptors the system gives.
pub const CONNECTIONS_MIN: usize = 16;

/// Limits of the listeners of API, console and portal. Each listener has all of them for itself.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Connections of one listener.
    pub connections_max: usize,
    /// Connections of one address (of one /64 in IPv6) to one listener.
    pub connections_per_ip_max: usize,
    /// From the first byte of a request, or from the beginning of the connection, to the end of its header.
    pub header_timeout: Duration,
    /// From the end of the header to the end of the body.
    pub body_timeout: Duration,
    /// Bytes a second that a request's body, and an answer, must move at least, once ten seconds are over.
    pub bytes_per_second_min: u64,
    /// Between two requests of one connection.
    pub idle_timeout: Duration,
    /// While an answer waits for a reader that takes nothing.
    pub write_timeout: Duration,
    /// Streams of events that are open at once.
    pub streams_max: usize,
    /// The same of one address.
    pub streams_per_ip_max: usize,
    /// Proxies in front, whose X-Forwarded-For or Forwarded says who the client is.
    pub proxies: Vec<IpNet>,
    /// Names by which people come, beside those that the rest of the configuration has.
    pub hosts: Vec<DomainName>,
    /// Bytes of the header of a request.
    pub header_bytes_max: usize,
    /// Passwords that are hashed at once, of 19 MiB each.
    pub passwords_at_once: usize,
    /// Passwords that wait to be hashed, those that are included.
    pub passwords_waiting_max: usize,
}

/// Reads it.
pub fn http(root: &mut Section<'_>, faults: &mut Faults<'_>) -> HttpConfig {
    let mut section = root.section("http", faults);
    let mut number = |key: &str, allowed, default: u64| section.number(key, allowed, faults).unwrap_or(default);
    let seconds = Duration::from_secs;
    let mut config = HttpConfig {
        connections_max: number("connections", CONNECTIONS_MIN as u64..100_001, 256) as usize,
        connections_per_ip_max: number("connections_per_ip", 1..100_001, 32) as usize,
        header_timeout: seconds(number("header_timeout_s", 1..601, 10)),
        body_timeout: seconds(number("body_timeout_s", 1..3601, 300)),
        bytes_per_second_min: number("bytes_per_second", 0..1_048_577, 1024),
        idle_timeout: seconds(number("idle_timeout_s", 1..3601, 60)),
        write_timeout: seconds(number("write_timeout_s", 1..3601, 30)),
        streams_max: number("streams", 1..10_001, 64) as usize,
        streams_per_ip_max: number("streams_per_ip", 1..10_001, 16) as usize,
        header_bytes_max: (number("header_kib", 8..1025, 64) << 10) as usize,
        passwords_at_once: number("passwords_at_once", 1..65, 2) as usize,
        passwords_waiting_max: number("passwords_waiting", 1..10_001, 64) as usize,
        proxies: Vec::new(),
        hosts: Vec::new(),
    };
    config.proxies = section.list("proxies", faults, network).unwrap_or_default();
    not_everybody(&section, "proxies", &config.proxies, "anybody could say who their client is", faults);
    config.hosts = section.list("hosts", faults, |text| host_name(text).map(DomainName::from)).unwrap_or_default();
    let of = |key, number: usize| set(key, number as u64);
    let connections = of("connections", config.connections_max);
    let streams = of("streams", config.streams_max);
    let why = "there are not so many";
    is_reached(&section, of("connections_per_ip", config.connections_per_ip_max), connections, why, faults);
    is_reached(&section, of("streams_per_ip", config.streams_per_ip_max), streams, why, faults);
    is_reached(&section, streams, connections, "each is a connection", faults);
    let (at_once, waiting) =
        (of("passwords_at_once", config.passwords_at_once), of("passwords_waiting", config.passwords_waiting_max));
    not_above(&section, at_once, waiting, "those that are hashed are among those that wait", faults);
    section.end(faults);
    config
}

impl Config {
    /// The names by which people may come to API, console and portal: those of `[http] hosts`, our own, those of the
    /// portal's and the console's URL, and `localhost`. An address written as such is no name and needs none.
    pub fn http_hosts(&self) -> Vec<DomainName> {
        let urls = [Some(self.portal.url.as_str()), self.oidc.as_ref().map(|oidc| oidc.console.as_str())];
        let of_urls = urls.into_iter().flatten().filter_map(host_of_url);
        let own = [DomainName::of(&self.hostname), "localhost".into()];
        let mut names: Vec<DomainName> = self.http.hosts.iter().cloned().chain(own).chain(of_urls).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Listeners of API, console and portal over TCP.
    pub fn http_listeners(&self) -> usize {
        1 + usize::from(self.portal.address.is_some())
    }
}

/// The host of a URL; none for an empty one.
fn host_of_url(url: &str) -> Option<DomainName> {
    let place = url.split_once("://")?.1;
    let authority = place.split(['/', '?', '#']).next()?;
    Some(name_of(authority.rsplit('@').next()?)).filter(|name| !name.is_empty()).map(DomainName::of)
}

/// The name in `name:port`; an address in brackets stays in them.
pub fn name_of(authority: &str) -> &str {
    let is_address = authority.parse::<IpAddr>().is_ok() || authority.parse::<SocketAddr>().is_ok();
    match authority.rsplit_once(':') {
        Some((name, port)) if !is_address && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn people_come_by_the_names_of_the_configuration() {
        let text = format!(
            "hostname = \"GW.example.com\"\n{}\n[http]\nhosts = [\"Mail.Example.org\"]\n[portal]\naddress \
                = \"127.0.0.1:8026\"\n\
             url = \"https://held.example.com:8443/x\"\n",
            crate::config::EXAMPLE
        );
        let config = Config::parse(&text, Path::new("/etc/reprieve")).expect("a right one");
        assert_eq!(config.http_hosts(), ["gw.example.com", "held.example.com", "localhost", "mail.example.org"]);
        assert_eq!(config.http_listeners(), 2);
    }

    #[test]
    fn names_are_taken_in_either_kind_of_labels() {
        let text = format!(
            "hostname = \"mx.bücher.example\"\n{}\n[http]\nhosts = [\"Büro.example\"]\n[portal]\naddress \
                = \"127.0.0.1:8026\"\n\
             url = \"https://held.bücher.example:8443/x\"\n[notices]\nincident_mail = [\"ops@bücher.example\"]\n\
             alert_webhooks = [\"https://chat.bücher.example/x\"]\n[engine.auth]\ntrusted_authserv = \
             [\"mx.grüße.example\"]\n\
             [engine.rspamd]\naddress = \"rspamd.bücher.example:11333\"\n",
            crate::config::EXAMPLE
        );
        let config = Config::parse(&text, Path::new("/etc/reprieve")).expect("a right one");
        assert_eq!(config.hostname, "mx.xn--bcher-kva.example");
        assert_eq!(config.portal.url, "https://held.xn--bcher-kva.example:8443/x");
        assert_eq!(
            config.http_hosts(),
            ["held.xn--bcher-kva.example", "localhost", "mx.xn--bcher-kva.example", "xn--bro-hoa.example"]
        );
        assert_eq!(config.announcements.mail[0].as_str(), "ops@xn--bcher-kva.example");
        assert_eq!(config.engines.auth.expect("on").trusted_authserv, ["mx.xn--gre-6ka8l.example"]);
        assert_eq!(config.engines.rspamd.expect("on").address, "rspamd.xn--bcher-kva.example:11333");
    }
}
