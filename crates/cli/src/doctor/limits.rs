//! How near the running service has come to its limits, and how often it refused for one: from its metrics, which begin
//! with its start.

use crate::client::Client;
use platform::measure::Scarce;

use super::{Finding, Health};

/// What is counted when something is refused, and the setting that would have let it.
struct Refusal {
    metric: &'static str,
    /// Labels that the counter has.
    labels: &'static [(&'static str, &'static str)],
    setting: &'static str,
}

const fn refusal(
    metric: &'static str,
    labels: &'static [(&'static str, &'static str)],
    setting: &'static str,
) -> Refusal {
    Refusal { metric, labels, setting }
}

const REFUSED: &str = "reprieve_refused_total";
const HTTP: &str = "reprieve_http_refused_total";
const ENGINE: &str = "reprieve_engine_outcomes_total";

/// What may have been refused of each, with the setting to raise.
fn refusals(what: Scarce) -> &'static [Refusal] {
    match what {
        Scarce::Connections => {
            const ALL: &[Refusal] = &[
                refusal(REFUSED, &[("what", "connection"), ("over", "client")], "connections_per_ip"),
                refusal(REFUSED, &[("what", "connection"), ("over", "network")], "connections_per_network"),
                refusal(REFUSED, &[("what", "connection"), ("over", "strangers")], "percent_strangers or connections"),
                refusal(REFUSED, &[("what", "connection"), ("over", "others")], "connections"),
                refusal(REFUSED, &[("what", "connection"), ("over", "ours")], "connections"),
                refusal(REFUSED, &[("what", "connection"), ("over", "all")], "connections"),
            ];
            ALL
        }
        Scarce::HopConnections => {
            const ALL: &[Refusal] = &[
                refusal(REFUSED, &[("what", "hop_connection"), ("over", "client")], "percent_per_client"),
                refusal(REFUSED, &[("what", "hop_connection"), ("over", "network")], "percent_per_network"),
                refusal(
                    REFUSED,
                    &[("what", "hop_connection"), ("over", "strangers")],
                    "percent_strangers or hop_connections",
                ),
                refusal(REFUSED, &[("what", "hop_connection"), ("over", "others")], "hop_connections"),
                refusal(REFUSED, &[("what", "hop_connection"), ("over", "ours")], "hop_connections"),
                refusal(REFUSED, &[("what", "hop_connection"), ("over", "all")], "hop_connections"),
                refusal("reprieve_repeats_refused_total", &[], "repeated_recipients"),
            ];
            ALL
        }
        Scarce::Memory => {
            const ALL: &[Refusal] = &[
                refusal(REFUSED, &[("what", "memory"), ("over", "client")], "percent_per_client"),
                refusal(REFUSED, &[("what", "memory"), ("over", "network")], "percent_per_network"),
                refusal(REFUSED, &[("what", "memory"), ("over", "strangers")], "percent_strangers or in_flight_mib"),
                refusal(REFUSED, &[("what", "memory"), ("over", "others")], "in_flight_mib"),
                refusal(REFUSED, &[("what", "memory"), ("over", "ours")], "in_flight_mib"),
                refusal(REFUSED, &[("what", "memory"), ("over", "all")], "in_flight_mib"),
            ];
            ALL
        }
        Scarce::Recipients => {
            const ALL: &[Refusal] = &[refusal("reprieve_recipients_over_limit_total", &[], "recipients")];
            ALL
        }
        Scarce::Examinations => {
            const ALL: &[Refusal] = &[
                refusal(REFUSED, &[("what", "examination")], "examine_deadline_s, or give it more cores"),
                refusal(ENGINE, &[("engine", "structure"), ("outcome", "Timeout")], "examine_deadline_s"),
            ];
            ALL
        }
        Scarce::Http => {
            const ALL: &[Refusal] = &[
                refusal(HTTP, &[("reason", "total")], "connections of [http]"),
                refusal(HTTP, &[("reason", "made room")], "connections of [http]"),
                refusal(HTTP, &[("reason", "address")], "connections_per_ip of [http]"),
                refusal(HTTP, &[("reason", "client")], "connections_per_ip of [http]"),
                refusal(HTTP, &[("reason", "header")], "header_kib of [http]"),
                refusal(HTTP, &[("reason", "passwords")], "passwords_at_once of [http]"),
            ];
            ALL
        }
        Scarce::Streams => {
            const ALL: &[Refusal] = &[refusal(HTTP, &[("reason", "streams")], "streams or streams_per_ip of [http]")];
            ALL
        }
    }
}

/// What each is called for people.
fn name(what: Scarce) -> &'static str {
    match what {
        Scarce::Connections => "client connections",
        Scarce::HopConnections => "connections to a next hop",
        Scarce::Memory => "memory for mail",
        Scarce::Recipients => "recipients of one message",
        Scarce::Examinations => "messages in examination",
        Scarce::Http => "HTTP connections",
        Scarce::Streams => "event streams",
    }
}

/// The section: a line for each limit that all share.
pub(super) async fn limits(client: &Client) -> Vec<Finding> {
    match client.get_bytes("/metrics").await {
        Ok(text) => lines(&String::from_utf8_lossy(&text)),
        Err(_) => vec![Finding {
            what: "limits".into(),
            health: Health::Warning,
            detail: "not running; their use is counted while it runs".into(),
        }],
    }
}

fn lines(metrics: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = Scarce::ALL.into_iter().map(|what| line(metrics, what)).collect();
    let of = |reason| sum(metrics, "reprieve_sent_off_total", &[("reason", reason)]);
    let detail = format!(
        "{} disconnected for errors, {} for junk_commands, {} for refused_recipients, {} for time, since the start",
        of("errors"),
        of("junk_commands"),
        of("refused_recipients"),
        of("time")
    );
    found.push(Finding { what: "limits: disconnected clients".into(), health: Health::Ok, detail });
    found
}

fn line(metrics: &str, what: Scarce) -> Finding {
    let label = [("what", what.as_str())];
    let (most, limit) = (sum(metrics, "reprieve_limit_used_most", &label), sum(metrics, "reprieve_limit", &label));
    let percent = most.saturating_mul(100) / limit.max(1);
    let shown = |count: u64| if what == Scarce::Memory { format!("{} MiB", count >> 20) } else { count.to_string() };
    let used = format!("peak {} of {} ({percent} %)", shown(most), shown(limit));
    let mut refused: Vec<(u64, &str)> = Vec::new();
    for one in refusals(what) {
        let count = sum(metrics, one.metric, one.labels);
        match refused.iter_mut().find(|(_, setting)| *setting == one.setting) {
            Some((all, _)) => *all += count,
            None => refused.push((count, one.setting)),
        }
    }
    refused.retain(|(count, _)| *count > 0);
    let what = format!("limits: {}", name(what));
    if refused.is_empty() {
        return Finding { what, health: Health::Ok, detail: format!("{used}, none refused since the start") };
    }
    let told: Vec<String> = refused
        .iter()
        .map(|(count, setting)| format!("{count} refused (if that is good traffic, raise {setting})"))
        .collect();
    Finding { what, health: Health::Warning, detail: format!("{used}; since the start {}", told.join(", ")) }
}

/// The sum of all values of a metric that have these labels.
fn sum(metrics: &str, name: &str, labels: &[(&str, &str)]) -> u64 {
    let of = |line: &str| {
        let (series, value) = line.rsplit_once(' ')?;
        let (metric, found) = series.split_once('{').unwrap_or((series, ""));
        let has = |(key, wanted): &(&str, &str)| found.contains(&format!("{key}=\"{wanted}\""));
        (metric == name && labels.iter().all(has)).then(|| value.parse::<f64>().ok()).flatten()
    };
    metrics.lines().filter_map(of).sum::<f64>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "# TYPE reprieve_limit gauge\nreprieve_limit{what=\"connections\"} \
        1000\nreprieve_limit{what=\"memory\"} 536870912\n\
        reprieve_limit{what=\"hop_connections\"} 80\nreprieve_limit_used_most{what=\"connections\"} 930\n\
        reprieve_limit_used_most{what=\"memory\"} 1048576\n\
        reprieve_refused_total{what=\"connection\",over=\"client\"} \
        7\nreprieve_refused_total{what=\"connection\",over=\"all\"} 2\n\
        reprieve_refused_total{what=\"connection\",over=\"others\"} 1\n\
        reprieve_http_refused_total{listener=\"api\",reason=\"streams\"} \
        3\nreprieve_http_refused_total{listener=\"portal\",reason=\"streams\"} 1\n\
        reprieve_sent_off_total{reason=\"errors\"} 5\n";

    #[test]
    fn who_was_refused_leads_to_the_setting_that_would_have_let_them() {
        let lines = lines(METRICS);
        let of = |what: &str| {
            let found = lines.iter().find(|line| line.what.ends_with(what)).expect(what);
            (found.health, found.detail.as_str())
        };
        let (health, detail) = of("client connections");
        assert_eq!(health, Health::Warning);
        assert!(detail.starts_with("peak 930 of 1000 (93 %); since the start 7 refused"), "{detail}");
        assert!(detail.contains("raise connections_per_ip)") && detail.contains("3 refused"), "{detail}");
        assert!(detail.contains("raise connections)"), "{detail}");
        assert_eq!(of("memory for mail"), (Health::Ok, "peak 1 MiB of 512 MiB (0 %), none refused since the start"));
        assert_eq!(of("connections to a next hop").0, Health::Ok);
        assert!(of("event streams").1.contains("4 refused"));
        assert!(of("disconnected clients").1.starts_with("5 disconnected for errors, 0"));
    }
}
