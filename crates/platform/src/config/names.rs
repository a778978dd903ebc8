//! Names and addresses as they are written in the file.

use std::net::SocketAddr;

use domain::DomainName;
use ipnet::IpNet;

/// A host name, in A-labels: what is written with U-labels is taken, and sent and compared as everybody does.
pub(super) fn host_name(text: &str) -> Result<String, String> {
    let name = if text.is_ascii() { text.to_owned() } else { DomainName::of(text).into() };
    let fits =
        !name.is_empty() && name.len() <= 255 && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    if fits { Ok(name) } else { Err("must be a host name, such as \"mx.example.com\" or \"bücher.example\"".into()) }
}

/// A domain in either kind of labels: `bücher.example` and `xn--bcher-kva.example` are one.
pub(super) fn domain_name(text: &str) -> Result<DomainName, String> {
    let name = DomainName::of(text);
    let why = "must be a domain, such as \"example.com\" or \"bücher.example\" (\".example.com\" for all below it)";
    host_name(&name).map(|_| name).map_err(|_| why.into())
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or(alone).map_err(|_| format!("'{text}' is not an address or a network, such as \"192.0.2.0/24\""))
}

/// An address with a port, where a listener of ours is.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("'{text}' is not an address with a port, such as \"127.0.0.1:2525\""))
}

/// `host:port`, the host in A-labels.
pub(super) fn host_and_port(text: &str) -> Result<String, String> {
    let split =
        text.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
    let read = split.and_then(|(host, port)| match host.is_ascii() {
        true => Some(text.to_owned()),
        false => Some(format!("{}:{port}", host_name(host).ok()?)),
    });
    read.ok_or_else(|| format!("'{text}' is not host:port, such as \"127.0.0.1:10025\""))
}

/// The name that the system has.
pub(super) fn system_hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    host_name(name.trim()).unwrap_or_else(|_| "localhost".into())
}
