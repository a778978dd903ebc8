//! What is in force, for people: by the names of the file, defaults included. No secret is in it: of files only their
//! paths, of a webhook only its host.

use std::fmt::{Debug, Display};
use std::time::Duration;

use detect::clamd::{Address, Clamd};
use detect::limits::Limits;
use domain::Direction;
use domain::detection::Category;

use super::{Config, ContainmentMode, GatewayLimits, HopConfig, InDoubtPolicy, KnownGoodConfig, ListenerConfig, Mode};
use crate::webhook::Webhook;

/// A section of the file with what is set in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// As in the file, such as `next_hop.inbound`.
    pub name: String,
    /// Each key with its value.
    pub settings: Vec<(&'static str, String)>,
}

fn section(name: impl Into<String>, settings: Vec<(&'static str, String)>) -> Section {
    Section { name: name.into(), settings }
}

/// All sections, in the order of the file.
pub fn shown(config: &Config) -> Vec<Section> {
    let mut all = vec![general(config)];
    all.extend(config.listeners.iter().map(listener));
    all.extend(config.hops.iter().map(|(direction, hop)| next_hop(*direction, hop)));
    all.extend([engines(config), examination(&config.examination), limits(&config.limits)]);
    all.extend([retention(config), known_good(&config.known_good)]);
    all.extend([
        rollout(config),
        sentinel(config),
        release(config),
        notices(config),
        api(config),
        http(config),
        portal(config),
    ]);
    all.extend(config.oidc.as_ref().map(|oidc| {
        let settings =
            vec![("issuer", oidc.issuer.clone()), ("client_id", oidc.client_id.clone()), ("claim", oidc.claim.clone())];
        section("oidc", settings)
    }));
    all
}

fn general(config: &Config) -> Section {
    let mode = |direction: &Direction| {
        let mode = match config.mode(*direction) {
            Mode::Observe => "observe",
            Mode::Enforce => "enforce",
        };
        format!("{} {mode}", direction.as_str().to_lowercase())
    };
    section(
        "",
        vec![
            ("hostname", config.hostname.clone()),
            ("authserv_id", config.authserv_id.clone()),
            ("mode", list(Direction::ALL.iter().map(mode))),
            ("accepted_domains", list(&config.border.accepted_domains)),
            ("trusted_networks", list(&config.border.trusted_networks)),
            ("data_dir", config.data_dir.display().to_string()),
            ("ruleset", config.ruleset.as_ref().map_or("the shipped one".into(), |path| path.display().to_string())),
            ("policy", config.policy.id().as_str().to_owned()),
            ("panic_file", config.panic_file.display().to_string()),
        ],
    )
}

fn listener(one: &ListenerConfig) -> Section {
    let mut settings = vec![
        ("role", one.role.as_str().to_owned()),
        ("xclient_from", list(&one.xclient_from)),
        ("proxy_from", list(&one.proxy_from)),
        ("bare_newline", word(&one.bare_newline)),
        ("tls", one.tls.as_ref().map_or("none".into(), |(certificate, _)| certificate.display().to_string())),
    ];
    if one.role == super::Role::Submission {
        settings.push(("sender_login_enforced", yes(one.sender_login_enforced)));
    }
    section(format!("listener {}", one.address), settings)
}

fn next_hop(direction: Direction, hop: &HopConfig) -> Section {
    let name = format!("next_hop.{}", direction.as_str().to_lowercase());
    section(name, vec![("address", hop.address.clone()), ("tls", word(&hop.tls))])
}

fn engines(config: &Config) -> Section {
    let engines = &config.engines;
    let off = || "off".to_owned();
    let auth = engines.auth.as_ref();
    section(
        "engine",
        vec![
            ("auth", auth.map_or_else(off, |auth| format!("{} a mail", span(auth.timeout)))),
            ("auth.name_server", engines.name_server.map_or("the system's".into(), |address| address.to_string())),
            ("auth.trusted_sealers", auth.map_or_else(off, |auth| list(&auth.trusted_sealers))),
            ("auth.trusted_authserv", auth.map_or_else(off, |auth| list(&auth.trusted_authserv))),
            ("dnsbl.zones", engines.dnsbl.as_ref().map_or_else(off, |(zones, _)| list(zones))),
            ("clamd", engines.clamd.as_ref().map_or_else(off, clamd)),
            (
                "rspamd",
                engines.rspamd.as_ref().map_or_else(off, |one| format!("{}, {}", one.address, span(one.timeout))),
            ),
        ],
    )
}

fn clamd(one: &Clamd) -> String {
    let place = match &one.address {
        Address::Tcp(address) => address.clone(),
        Address::Unix(path) => path.display().to_string(),
    };
    format!("{place}, {}", span(one.timeout))
}

fn examination(limits: &Limits) -> Section {
    section(
        "examination",
        vec![
            ("mime_depth", limits.mime_depth_max.to_string()),
            ("parts", limits.parts_max.to_string()),
            ("archive_depth", limits.archive_depth_max.to_string()),
            ("archive_entries", limits.archive_entries_max.to_string()),
            ("unpacked", bytes(limits.unpacked_bytes_max)),
            ("unpacked_ratio", limits.ratio_max.to_string()),
            ("nested_mails", limits.nested_mails_max.to_string()),
            ("headers", bytes(limits.headers_bytes_max as u64)),
            ("header_lines", limits.header_lines_max.to_string()),
            ("encoded_mails", limits.encoded_mails_max.to_string()),
            ("encoded", bytes(limits.encoded_bytes_max as u64)),
        ],
    )
}

fn limits(limits: &GatewayLimits) -> Section {
    section(
        "limits",
        vec![
            ("message_bytes", bytes(limits.message_bytes_max as u64)),
            ("recipients", limits.recipients_max.to_string()),
            ("connections", limits.connections_max.to_string()),
            ("connections_per_ip", limits.connections_per_ip_max.to_string()),
            ("connections_per_network", limits.connections_per_network_max.to_string()),
            ("hop_connections", limits.hop_connections_max.to_string()),
            ("hop_wait", span(limits.hop_wait)),
            ("repeated_recipients", limits.repeats_max.to_string()),
            ("percent_per_client", limits.percents.client.to_string()),
            ("percent_per_network", limits.percents.network.to_string()),
            ("percent_strangers", limits.percents.strangers.to_string()),
            ("percent_strangers_and_known", limits.percents.others.to_string()),
            ("stress_percent", limits.stress_percent.to_string()),
            ("greeting_pause", span(limits.greeting_pause)),
            ("data_bytes_per_second", limits.data_bytes_per_second.to_string()),
            ("data_deadline", span(limits.data_deadline)),
            ("visit", span(limits.visit)),
            ("known_mails", limits.known.mails.to_string()),
            ("known_hours", (limits.known.age.as_secs() / 3600).to_string()),
            ("known_days", (limits.known.kept.as_secs() / 86_400).to_string()),
            ("errors", limits.tolerance.errors_max.to_string()),
            ("junk_commands", limits.tolerance.junk_max.to_string()),
            ("refused_recipients", limits.tolerance.refused_recipients_max.to_string()),
            ("in_flight_bytes", bytes(limits.in_flight_bytes_max)),
            ("reply_deadline", span(limits.reply_deadline)),
            ("examine_deadline", span(limits.examine_deadline)),
            ("command_deadline", span(limits.command_deadline)),
            ("drain", span(limits.drain)),
        ],
    )
}

fn retention(config: &Config) -> Section {
    let kept = &config.retention;
    let of = |category: &Category| {
        kept.held_of.get(category).map(|span_of| format!("{} {}", category.as_str(), span(*span_of)))
    };
    section(
        "retention",
        vec![
            ("held", span(kept.held)),
            ("held, by category", list(Category::ALL.iter().filter_map(of))),
            ("records", span(kept.records)),
            ("audit", span(kept.audit)),
            ("disk_floor", bytes(kept.disk_floor_bytes)),
            ("clock_jump", span(kept.clock_jump)),
            ("removals_per_hour", kept.removals_per_hour.to_string()),
            ("scrub", span(kept.scrub)),
            ("scrub_per_second", bytes(kept.scrub_bytes_per_second)),
        ],
    )
}

fn known_good(kept: &KnownGoodConfig) -> Section {
    section(
        "known_good",
        vec![
            ("on", yes(kept.is_on)),
            ("without", list(&kept.without)),
            ("bytes", bytes(kept.bytes_max)),
            ("part_bytes", bytes(kept.part_bytes_max)),
            ("remembered", span(kept.remembered)),
            ("mails_a_day", kept.mails_a_day.to_string()),
            ("mails", kept.mails_max.to_string()),
            ("key_file", kept.key_file.display().to_string()),
        ],
    )
}

fn rollout(config: &Config) -> Section {
    let pace = &config.rollout;
    section(
        "rollout",
        vec![
            (
                "shadow",
                format!("{} to {}, or {} messages", span(pace.shadow), span(pace.shadow_most), pace.shadow_messages),
            ),
            ("canary 1, 10 and 50 %", list(pace.canary.map(span))),
        ],
    )
}

fn sentinel(config: &Config) -> Section {
    let sentinel = &config.sentinel;
    let containment = match sentinel.containment {
        ContainmentMode::Automatic => "automatic",
        ContainmentMode::Recommend => "recommend",
    };
    let known = &sentinel.establish;
    section(
        "sentinel",
        vec![
            ("containment", containment.to_owned()),
            ("replay without a person", yes(sentinel.replays)),
            ("established from", format!("{} mails, {}, {} answers", known.mails, span(known.age), known.answered)),
            ("trust_from", yes(known.trusts_from)),
            ("trust_weak_memory", yes(sentinel.trusts_weak_memory)),
        ],
    )
}

fn release(config: &Config) -> Section {
    let in_doubt = match config.in_doubt {
        InDoubtPolicy::Resend => "resend",
        InDoubtPolicy::Ask => "ask",
    };
    section(
        "release",
        vec![
            ("in_doubt", in_doubt.to_owned()),
            ("connections", config.release_connections.to_string()),
            ("mails a second, at most", config.release_per_second.to_string()),
            (
                "two persons",
                config
                    .two_persons_above
                    .map_or("never".into(), |most| format!("for malware, above {most} units, and past the gates")),
            ),
        ],
    )
}

fn notices(config: &Config) -> Section {
    let told = &config.announcements;
    let hosts = |hooks: &[Webhook]| list(hooks.iter().map(|hook| host(&hook.url).to_owned()));
    section(
        "notices",
        vec![
            ("outbound", yes(config.tells_senders)),
            ("incident_digest", yes(config.tells_affected)),
            ("incidents, webhooks", hosts(&told.webhooks)),
            ("incidents, mail", list(&told.mail)),
            ("operators, webhooks", hosts(&told.alert_webhooks)),
            ("operators, mail", list(&told.alert_mail)),
        ],
    )
}

fn api(config: &Config) -> Section {
    section(
        "api",
        vec![
            ("address", config.api_address.to_string()),
            ("socket", config.api_socket.display().to_string()),
            ("requests_per_second", config.api_requests_per_second.to_string()),
        ],
    )
}

fn http(config: &Config) -> Section {
    let http = &config.http;
    section(
        "http",
        vec![
            ("connections", http.connections_max.to_string()),
            ("connections_per_ip", http.connections_per_ip_max.to_string()),
            ("header_timeout", span(http.header_timeout)),
            ("body_timeout", span(http.body_timeout)),
            ("bytes_per_second", http.bytes_per_second_min.to_string()),
            ("idle_timeout", span(http.idle_timeout)),
            ("write_timeout", span(http.write_timeout)),
            ("streams", http.streams_max.to_string()),
            ("streams_per_ip", http.streams_per_ip_max.to_string()),
            ("header", bytes(http.header_bytes_max as u64)),
            ("passwords_at_once", http.passwords_at_once.to_string()),
            ("passwords_waiting", http.passwords_waiting_max.to_string()),
            ("proxies", list(&http.proxies)),
            ("hosts", list(config.http_hosts())),
        ],
    )
}

fn portal(config: &Config) -> Section {
    let portal = &config.portal;
    section(
        "portal",
        vec![
            ("address", portal.address.map_or("off".into(), |address| address.to_string())),
            ("url", portal.url.clone()),
            ("notices", word(&portal.notices)),
        ],
    )
}

fn list<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    if all.is_empty() { "none".into() } else { all.join(", ") }
}

fn word(value: &impl Debug) -> String {
    format!("{value:?}").to_lowercase()
}

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

/// The host of a URL: what stands behind it may be a secret.
fn host(url: &str) -> &str {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    place.split(['/', '?', '#']).next().unwrap_or_default().rsplit('@').next().unwrap_or_default()
}

/// In the largest unit that leaves no rest.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        _ if time.subsec_millis() > 0 => return format!("{} ms", time.as_millis()),
        0 => (0, "s"),
        _ if seconds.is_multiple_of(86_400) => (seconds / 86_400, "d"),
        _ if seconds.is_multiple_of(3600) => (seconds / 3600, "h"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "min"),
        _ => (seconds, "s"),
    };
    format!("{count} {unit}")
}

fn bytes(count: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| count >= *size && count.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{} {unit}", count / size),
        None => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_as_it_is_in_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("reprieve.toml");
        std::fs::write(&file, format!("hostname = \"gw.example.com\"\n{}", crate::config::EXAMPLE))
            .expect("is written");
        let config = Config::load(&file).expect("the example is right");
        let mut out = String::new();
        for section in shown(&config) {
            out.push_str(&format!("[{}]\n", section.name));
            for (key, value) in section.settings {
                out.push_str(&format!("{key} = {value}\n"));
            }
        }
        insta::assert_snapshot!(out);
    }

    #[test]
    fn of_a_webhook_only_its_host_is_shown() {
        assert_eq!(host("https://user:secret@hooks.example:8443/T0/B1/xyz?token=1"), "hooks.example:8443");
        assert_eq!(
            (span(Duration::from_millis(1500)), span(Duration::from_secs(90))),
            ("1500 ms".into(), "90 s".into())
        );
        assert_eq!((bytes(50 << 20), bytes(1000)), ("50 MiB".into(), "1000 bytes".into()));
    }
}
