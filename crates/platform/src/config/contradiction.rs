//! Settings that contradict one another. Each may be right by itself; together one of them is never reached, or undoes
//! what the other is for.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::section::Section;
use super::unit::Unit;

/// A number as it is in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    /// Its key in the section.
    pub(super) key: &'static str,
    /// Its value, as it stands in the file.
    pub(super) value: u64,
    /// What it counts.
    pub(super) unit: Unit,
}

impl Number {
    fn common(&self) -> u64 {
        self.unit.in_smallest(self.value)
    }
}

/// `low` must not be above `high`, whichever of them is written; `why` says what would happen.
pub(super) fn not_above(section: &Section<'_>, low: &'static str, high: &'static str, why: &str) {
    let (low, high) = (section.number(low), section.number(high));
    if low.common() > high.common() {
        contradict(section, low, high, "above", why);
    }
}

/// As [`not_above`], where a default for `low` is right whatever `high` is: it is only a fault to write what is never
/// reached.
pub(super) fn is_reached(section: &Section<'_>, low: &'static str, high: &'static str, why: &str) {
    if section.has(low) {
        not_above(section, low, high, why);
    }
}

/// `low` must be below `high`.
pub(super) fn below(section: &Section<'_>, low: &'static str, high: &'static str, why: &str) {
    number_below(section, section.number(low), section.number(high), why);
}

/// As [`below`], of numbers that do not both stand under a key of the section.
pub(super) fn number_below(section: &Section<'_>, low: Number, high: Number, why: &str) {
    if low.common() >= high.common() {
        contradict(section, low, high, "not below", why);
    }
}

fn contradict(section: &Section<'_>, low: Number, high: Number, how: &str, why: &str) {
    let is_told = |one: Number| section.reading.has_fault(&section.name(one.key));
    if is_told(low) || is_told(high) {
        return;
    }
    // Where one of them is not written, the other is what can be changed.
    let at = if section.has(low.key) { low.key } else { high.key };
    let default = |one: Number| if section.has(one.key) { "" } else { ", its default" };
    let what = format!(
        "{} ({}{}) is {how} {} ({}{}): {why}; lower the one or raise the other",
        low.key,
        low.value,
        default(low),
        high.key,
        high.value,
        default(high)
    );
    section.fault(at, what);
}

/// A list of those who are believed must not hold everybody.
pub(super) fn not_everybody(section: &Section<'_>, key: &str, listed: &[IpNet], why: &str) {
    // Two halves are the whole as well.
    if IpNet::aggregate(&listed.to_vec()).iter().any(|network| network.prefix_len() == 0) {
        let what = format!("holds every address: {why}. List the addresses that are meant, such as [\"192.0.2.10\"]");
        section.fault(key, what);
    }
}

/// Two cannot listen at one address, and a next hop is not ourselves.
pub(super) fn one_each(
    root: &Section<'_>,
    listening: &[(String, &'static str, SocketAddr)],
    hops: &BTreeMap<String, String>,
) {
    let meet = |one: SocketAddr, other: SocketAddr| {
        let any = one.ip().is_unspecified() || other.ip().is_unspecified();
        one.port() != 0 && one.port() == other.port() && (any || one.ip() == other.ip())
    };
    for (at, (name, top, address)) in listening.iter().enumerate() {
        if let Some((first, ..)) = listening[..at].iter().find(|(.., other)| meet(*address, *other)) {
            let what = format!("{address} is that of {first} as well: give each an address of its own");
            root.reading.fault(root.place(top), name, what);
        }
    }
    for (direction, address) in hops {
        if let Some((name, ..)) = listening.iter().find(|(.., listener)| reaches(address, *listener)) {
            let what =
                format!("{address} is our own {name}: mail would go round in a ring. Name the host that delivers it");
            root.reading.fault(root.place("next_hop"), &format!("next_hop.{direction}.address"), what);
        }
    }
}

/// Whether who connects to a next hop reaches a listener of ours. Of names only those are known that are this host
/// wherever they are asked for (RFC 6761, section 6.3).
fn reaches(hop: &str, listener: SocketAddr) -> bool {
    let Some((host, port)) = hop.rsplit_once(':') else { return false };
    if listener.port() == 0 || port.parse() != Ok(listener.port()) {
        return false;
    }
    let at = |ip: IpAddr| {
        // The unspecified address, as one to connect to, is this host.
        let is_ours = ip.is_loopback() || ip.is_unspecified();
        ip == listener.ip()
            || is_ours && listener.ip().is_unspecified()
            || ip.is_unspecified() && listener.ip().is_loopback()
    };
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return at(Ipv4Addr::LOCALHOST.into()) || at(Ipv6Addr::LOCALHOST.into());
    }
    host.trim_matches(['[', ']']).parse().is_ok_and(at)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, EXAMPLE};

    fn faults(more: &str) -> Vec<String> {
        let found = Config::parse(&format!("{EXAMPLE}\n{more}"), Path::new("/etc/reprieve")).err().unwrap_or_default();
        found.into_iter().map(|fault| format!("{}: {}", fault.key, fault.what)).collect()
    }

    #[test]
    fn a_next_hop_that_is_ourselves_is_known_by_each_of_its_names() {
        for (hop, listener) in [
            ("127.0.0.1:25", "127.0.0.1:25"),
            ("localhost:25", "127.0.0.1:25"),
            ("LOCALHOST.:25", "[::1]:25"),
            ("mail.localhost:25", "0.0.0.0:25"),
            ("127.0.0.1:25", "0.0.0.0:25"),
            ("[::1]:25", "[::]:25"),
            ("0.0.0.0:25", "127.0.0.1:25"),
        ] {
            assert!(super::reaches(hop, listener.parse().expect("an address")), "{hop} {listener}");
        }
        for (hop, listener) in [
            ("127.0.0.1:10025", "127.0.0.1:10024"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("mail.example.com:25", "0.0.0.0:25"),
            ("localhost.example.com:25", "0.0.0.0:25"),
            ("192.0.2.7:25", "127.0.0.1:25"),
            ("localhost:25", "192.0.2.7:25"),
        ] {
            assert!(!super::reaches(hop, listener.parse().expect("an address")), "{hop} {listener}");
        }
    }

    #[test]
    fn settings_that_contradict_one_another_are_refused() {
        for (text, key, words) in [
            (
                "[limits]\npercent_strangers = 95",
                "limits.percent_strangers",
                "percent_strangers_and_known (90, its default)",
            ),
            (
                "[limits]\npercent_strangers_and_known = 60",
                "limits.percent_strangers_and_known",
                "percent_strangers (70, its default)",
            ),
            ("[limits]\npercent_per_client = 50", "limits.percent_per_client", "percent_per_network"),
            ("[limits]\npercent_per_network = 95", "limits.percent_per_network", "percent_strangers_and_known"),
            ("[limits]\nconnections_per_ip = 200", "limits.connections_per_ip", "connections_per_network"),
            ("[limits]\nconnections_per_network = 2000", "limits.connections_per_network", "connections (1000"),
            ("[limits]\nhop_wait_s = 85", "limits.hop_wait_s", "reply_deadline_s"),
            ("[limits]\nexamine_deadline_s = 100", "limits.examine_deadline_s", "reply_deadline_s"),
            ("[limits]\ncommand_deadline_s = 600\nvisit_s = 300", "limits.command_deadline_s", "visit_s"),
            ("[limits]\nmessage_bytes = 104857600\nin_flight_mib = 64", "limits.message_bytes", "in_flight_mib"),
            ("[limits]\nknown_hours = 49\nknown_days = 2", "limits.known_hours", "known_days"),
            (
                "[engine.clamd]\naddress = \"127.0.0.1:3310\"\ntimeout_s = 90",
                "engine.clamd.timeout_s",
                "reply_deadline_s",
            ),
            ("[retention]\nclock_jump_hours = 48\nheld_days = 2", "retention.clock_jump_hours", "held_days"),
            (
                "[retention]\nclock_jump_hours = 48\n[retention.held_days_of]\nSpam = 1",
                "retention.clock_jump_hours",
                "held_days",
            ),
            ("[known_good]\npart_kib = 2048\nmib = 1", "known_good.part_kib", "mib"),
            ("[known_good]\nmails_a_day = 300\nmails = 200", "known_good.mails_a_day", "mails"),
            (
                "[rollout]\nshadow_minutes = 100\nshadow_minutes_most = 99",
                "rollout.shadow_minutes",
                "shadow_minutes_most",
            ),
            ("[http]\nconnections_per_ip = 300", "http.connections_per_ip", "connections"),
            ("[http]\nstreams_per_ip = 65", "http.streams_per_ip", "streams"),
            ("[http]\nstreams = 300", "http.streams", "connections"),
            ("[http]\nproxies = [\"0.0.0.0/0\"]", "http.proxies", "every address"),
            ("[http]\nproxies = [\"10.0.0.1\", \"::/0\"]", "http.proxies", "every address"),
            ("[http]\nproxies = [\"0.0.0.0/1\", \"128.0.0.0/1\"]", "http.proxies", "every address"),
            ("[portal]\naddress = \"127.0.0.1:8025\"\nurl = \"https://h.example\"", "portal.address", "that of api"),
        ] {
            let found = faults(text);
            assert_eq!(found.len(), 1, "{text}: {found:#?}");
            assert!(found[0].starts_with(&format!("{key}: ")) && found[0].contains(words), "{text}: {found:#?}");
        }
    }

    #[test]
    fn nobody_is_believed_by_default() {
        let with = |from: &str, to: &str| {
            let text = EXAMPLE.replacen(from, to, 1);
            assert_ne!(text, EXAMPLE);
            let found = Config::parse(&text, Path::new("/etc/reprieve")).err().unwrap_or_default();
            found.into_iter().map(|fault| format!("{}: {}: {}", fault.line, fault.key, fault.what)).collect::<Vec<_>>()
        };
        for (from, to, key) in [
            ("xclient_from = [\"127.0.0.1\"]", "xclient_from = [\"0.0.0.0/0\"]", "listener.xclient_from"),
            ("#: proxy_from = [\"192.0.2.10\"]", "proxy_from = [\"::/0\"]", "listener.proxy_from"),
            ("trusted_networks = []", "trusted_networks = [\"10.0.0.0/8\", \"0.0.0.0/0\"]", "trusted_networks"),
            ("\"127.0.0.1:10026\"", "\"0.0.0.0:10024\"", "listener.address"),
            ("address = \"127.0.0.1:10025\"", "address = \"127.0.0.1:10024\"", "next_hop"),
        ] {
            let found = with(from, to);
            assert!(!found.is_empty() && found.iter().all(|fault| fault.contains(key)), "{to}: {found:#?}");
            assert!(!found[0].starts_with("1: "), "the line: {found:#?}");
        }
    }

    #[test]
    fn a_default_that_another_setting_makes_idle_is_no_fault() {
        for text in [
            "[limits]\nconnections = 20",
            "[limits]\nconnections_per_network = 10",
            "[limits]\npercent_per_network = 20",
            "[limits]\nvisit_s = 10",
            "[limits]\nreply_deadline_s = 2",
            "[limits]\nin_flight_mib = 64",
            "[http]\nconnections = 16",
            "[http]\nstreams = 1",
            "[known_good]\nmib = 1",
            "[known_good]\nmails = 10",
            "[rollout]\nshadow_minutes_most = 120",
        ] {
            assert_eq!(faults(text), Vec::<String>::new(), "{text}");
        }
    }
}
