//! Who asks: the peer, or whom a listed proxy in front speaks for.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;
use ipnet::IpNet;

/// Bytes of the fields that name clients, at most: a proxy writes a handful of addresses.
const FIELD_BYTES_MAX: usize = 4096;

/// What is counted as one: an address, of IPv6 the network that one customer has.
pub fn counted(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(six) => Ipv6Addr::from(u128::from(six) & (u128::MAX << 64)).into(),
        four => four,
    }
}

/// Whether an address is in one of these networks.
pub(super) fn is_listed(networks: &[IpNet], ip: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&ip.to_canonical()))
}

/// The client of a request that a listed proxy passes on: the last address that no listed proxy has. None when the
/// proxy says nothing that can be read, or two things that differ: then a client has said one of them.
pub(super) fn behind(proxies: &[IpNet], headers: &HeaderMap) -> Option<IpAddr> {
    let text = |name: &str| {
        let all: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        Some(all.join(",")).filter(|text| !text.is_empty() && text.len() <= FIELD_BYTES_MAX)
    };
    let last = |addresses: Vec<Option<IpAddr>>| {
        addresses.into_iter().rev().find(|ip| ip.is_none_or(|ip| !is_listed(proxies, ip))).flatten()
    };
    let plain = text("x-forwarded-for").map(|text| last(text.split(',').map(address).collect()));
    let standard = text("forwarded").map(|text| last(text.split(',').map(forwarded_for).collect()));
    match (plain, standard) {
        (Some(one), Some(other)) if one != other => None,
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => None,
    }
}

/// `for=` of one element of Forwarded (RFC 7239 section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pair = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    pair.filter(|(name, _)| name.eq_ignore_ascii_case("for")).find_map(|(_, value)| address(value.trim_matches('"')))
}

/// An address with or without a port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port).map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn client(fields: &[(&'static str, &str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), value.parse().expect("a value"));
        }
        behind(&["10.0.0.0/8".parse().expect("a network")], &headers).map(|ip| ip.to_string())
    }

    #[test]
    fn the_client_is_the_last_that_no_proxy_of_ours_is() {
        let is = |fields: &[(&'static str, &str)], expected: Option<&str>| {
            assert_eq!(client(fields).as_deref(), expected, "{fields:?}");
        };
        is(&[("x-forwarded-for", "203.0.113.9")], Some("203.0.113.9"));
        // What the client itself said stands before what the proxy has seen.
        is(&[("x-forwarded-for", "192.0.2.1, 203.0.113.9, 10.1.1.1")], Some("203.0.113.9"));
        is(&[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "203.0.113.9")], Some("203.0.113.9"));
        is(&[("x-forwarded-for", "192.0.2.1, nonsense")], None);
        is(&[("forwarded", "for=192.0.2.1, for=\"[2001:db8::1]:4711\";proto=https")], Some("2001:db8::1"));
        is(&[("forwarded", "for=unknown")], None);
        is(&[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=203.0.113.9")], None);
        is(&[("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")], Some("203.0.113.9"));
        is(&[], None);
    }

    #[test]
    fn a_network_of_one_customer_counts_as_one() {
        let of = |text: &str| counted(text.parse().expect("an address")).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!((of("192.0.2.1"), of("::ffff:192.0.2.1")), ("192.0.2.1".into(), "192.0.2.1".into()));
    }
}
