//! `[http]`: what the listeners of API, console and portal allow those who have not signed in yet.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

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
    pub hosts: Vec<String>,
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
        proxies: Vec::new(),
        hosts: Vec::new(),
    };
    config.proxies = section.list("proxies", faults, network).unwrap_or_default();
    let name = |text: &str| host_name(text).map(|name| name.to_lowercase());
    config.hosts = section.list("hosts", faults, name).unwrap_or_default();
    section.end(faults);
    config
}

impl Config {
    /// The names by which people may come to API, console and portal, lower case: those of `[http] hosts`, our own, those of the portal's and the
    /// console's URL, and `localhost`. An address written as such is no name and needs none.
    pub fn http_hosts(&self) -> Vec<String> {
        let urls = [Some(self.portal.url.as_str()), self.oidc.as_ref().map(|oidc| oidc.console.as_str())];
        let of_urls = urls.into_iter().flatten().filter_map(host_of_url);
        let own = [self.hostname.to_lowercase(), "localhost".into()];
        let mut names: Vec<String> = self.http.hosts.iter().cloned().chain(own).chain(of_urls).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Listeners of API, console and portal over TCP.
    pub fn http_listeners(&self) -> usize {
        1 + usize::from(self.portal.address.is_some())
    }
}

/// The host of a URL, lower case; none for an empty one.
fn host_of_url(url: &str) -> Option<String> {
    let place = url.split_once("://")?.1;
    let authority = place.split(['/', '?', '#']).next()?;
    Some(name_of(authority.rsplit('@').next()?).to_lowercase()).filter(|name| !name.is_empty())
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
            "hostname = \"GW.example.com\"\n{}\n[http]\nhosts = [\"Mail.Example.org\"]\n[portal]\naddress = \"127.0.0.1:8026\"\n\
             url = \"https://held.example.com:8443/x\"\n",
            crate::config::EXAMPLE
        );
        let config = Config::parse(&text, Path::new("/etc/reprieve")).expect("a right one");
        assert_eq!(config.http_hosts(), ["gw.example.com", "held.example.com", "localhost", "mail.example.org"]);
        assert_eq!(config.http_listeners(), 2);
    }
}
