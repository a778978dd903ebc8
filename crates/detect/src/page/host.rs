//! Hosts: which are of the public internet, and which are of somebody's own network.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Top-level names that are on no list of public suffixes and stand for public ones: documentation and tests use them
/// (RFC 2606).
const STAND_FOR_PUBLIC: [&str; 2] = ["example", "invalid"];

/// Whether a name is one of the public internet: its end is on the list of public suffixes.
pub(crate) fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_lowercase();
    let Some((_, last)) = name.rsplit_once('.') else { return false };
    // Names of home networks end so (RFC 8375), and those of addresses.
    if last == "arpa" {
        return false;
    }
    STAND_FOR_PUBLIC.contains(&last)
        || psl::domain(name.as_bytes()).is_some_and(|domain| domain.suffix().typ().is_some())
}

/// Whether an address is one of the public internet. Those of documentation (RFC 5737) stand for public ones.
pub(crate) fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // Shared by the customers of one provider (RFC 6598).
    let is_shared = first == 100 && (64..128).contains(&second);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || is_shared
        || first == 0)
}

/// The same of an address of the sixth version: unique local ones (RFC 4193) and those of one link are private.
pub(crate) fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let first = address.segments()[0];
    let is_private = (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80;
    !(is_private || address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_the_own_network_are_not_public() {
        for name in ["files.example.com", "www.example.co.uk", "evil.example", "m\u{fc}nchen.de", "a.invalid."] {
            assert!(is_public_name(name), "{name}");
        }
        for name in ["server", "server.local", "files.corp", "nas.fritz.box.lan", "printer.home.arpa", "x.internal", ""]
        {
            assert!(!is_public_name(name), "{name}");
        }
        for (address, public) in
            [("203.0.113.9", true), ("10.1.2.3", false), ("100.64.0.1", false), ("8.8.8.8", true), ("0.0.48.57", false)]
        {
            assert_eq!(is_public_v4(address.parse().expect("an address")), public, "{address}");
        }
        for (address, public) in
            [("2001:db8::1", true), ("fd00::1", false), ("fe80::1", false), ("::ffff:10.0.0.1", false)]
        {
            assert_eq!(is_public_v6(address.parse().expect("an address")), public, "{address}");
        }
    }
}
