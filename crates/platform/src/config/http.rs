//! `[http]`: what the listeners of API, console and portal allow those who have not signed in yet.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::DomainName;
use ipnet::IpNet;

use super::Config;
use super::contradiction::{is_reached, not_above, not_everybody};
use super::names::{host_name, network};
use super::section::Section;
use super::shown::{Shown, list};

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
pub(super) fn http(root: &mut Section<'_>) -> HttpConfig {
    let about = "The listeners of API, console and portal. Each of them has all of these limits for itself.";
    let mut section = root.section("http", about);
    let it = &mut section;
    let config = HttpConfig {
        connections_max: it
            .setting(
                "connections",
                "Connections in all; idle strangers make room for others, and those beyond get 503.",
            )
            .count(CONNECTIONS_MIN as u64..=100_000, 256) as usize,
        connections_per_ip_max: it
            .setting("connections_per_ip", "Connections of one address, or of one /64 of IPv6; those beyond get 429.")
            .count(1..=100_000, 32) as usize,
        header_timeout: it
            .setting("header_timeout_s", "How long a client may take for the header of a request.")
            .shown_as("header_timeout")
            .seconds(1..=600, 10),
        body_timeout: it
            .setting("body_timeout_s", "The same for its body.")
            .shown_as("body_timeout")
            .seconds(1..=3600, 300),
        bytes_per_second_min: it
            .setting(
                "bytes_per_second",
                "Bytes a second that a body, and an answer, must move at least, once ten seconds are over.",
            )
            .count(0..=1_048_576, 1024),
        idle_timeout: it
            .setting("idle_timeout_s", "How long a client may take until its next request.")
            .shown_as("idle_timeout")
            .seconds(1..=3600, 60),
        write_timeout: it
            .setting("write_timeout_s", "How long a client may take nothing of an answer.")
            .shown_as("write_timeout")
            .seconds(1..=3600, 30),
        streams_max: it
            .setting("streams", "Pages that follow an incident, at once; those beyond get 503.")
            .count(1..=10_000, 64) as usize,
        streams_per_ip_max: it.setting("streams_per_ip", "The same of one address.").count(1..=10_000, 16) as usize,
        header_bytes_max: it
            .setting("header_kib", "The header of a request; a larger one gets 431.")
            .shown_as("header")
            .kib(8..=1024, 64) as usize,
        passwords_at_once: it
            .setting("passwords_at_once", "Passwords that are hashed at once, of 19 MiB of memory each.")
            .count(1..=64, 2) as usize,
        passwords_waiting_max: it
            .setting("passwords_waiting", "Passwords that may wait to be hashed; those beyond get 429.")
            .count(1..=10_000, 64) as usize,
        proxies: it
            .setting(
                "proxies",
                "Proxies that say who their client is (X-Forwarded-For or Forwarded); no others are believed. They \
                 have no share as an address, their clients do.",
            )
            .example("[\"127.0.0.1\"]")
            .list("addresses and networks", network),
        hosts: it
            .setting(
                "hosts",
                "Names by which people come, beside your hostname, the hosts of [portal] url and [oidc] console, \
                 localhost, and addresses; by any other name they get 421.",
            )
            .example("[\"mail-protection.example.com\"]")
            .list("host names", |text| host_name(text).map(DomainName::from)),
    };
    not_everybody(&section, "proxies", &config.proxies, "anybody could say who their client is");
    let why = "there are not so many";
    is_reached(&section, "connections_per_ip", "connections", why);
    is_reached(&section, "streams_per_ip", "streams", why);
    is_reached(&section, "streams", "connections", "each is a connection");
    let why = "those that are hashed are among those that wait";
    not_above(&section, "passwords_at_once", "passwords_waiting", why);
    section.end();
    config
}

/// Shows by which names people may come, and what the system allows.
pub(super) fn show(config: &Config, shown: &mut Shown) {
    shown.set("http", "hosts", list(config.http_hosts()));
    // File descriptors may be too few for what the file asks for.
    shown.set("http", "connections", config.http.connections_max);
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
        assert_eq!(config.notices.announcements.mail[0].as_str(), "ops@xn--bcher-kva.example");
        assert_eq!(config.engines.auth.expect("on").trusted_authserv, ["mx.xn--gre-6ka8l.example"]);
        assert_eq!(config.engines.rspamd.expect("on").address, "rspamd.xn--bcher-kva.example:11333");
    }
}
