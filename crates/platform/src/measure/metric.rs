//! Every metric by its name, with what it says. `# HELP` and `# TYPE` of the exposition and the page of the guide are
//! written from this list.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What a number means over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from 0 at each start.
    Counter,
    /// What is so now.
    Gauge,
    /// How often a value was under each of some bounds.
    Histogram,
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, with the unit where it has one.
    pub name: &'static str,
    /// What its number means over time.
    pub kind: Kind,
    /// Its labels; empty where it is one series.
    pub labels: &'static [&'static str],
    /// What it counts, in a sentence.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($kind:ident $constant:ident = $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub(super) const $constant: &str = $name;)*

        /// All metrics, in the order of the guide.
        pub const ALL: &[Metric] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

metrics! {
    Gauge BUILD_INFO = "reprieve_build_info" ["version"] "Always 1; the version of the program is its label.";
    Gauge READY = "reprieve_ready" [] "1 while mail is taken, else 0 (452 or 451 is answered).";

    Counter UNITS = "reprieve_units_total" ["direction", "category", "disposition", "enforced"]
        "Units (a message for one recipient) that got a verdict.";
    Counter FINDINGS = "reprieve_findings_total" ["detection", "version"] "Findings, by detection and its version.";
    Counter ANSWERS = "reprieve_answers_total" ["code"] "Answers to the end of a message, by SMTP reply code.";
    Histogram ANSWER_SECONDS = "reprieve_answer_seconds" []
        "Time from the end of a message to its answer, the next hop's included.";
    Counter ENGINE_OUTCOMES = "reprieve_engine_outcomes_total" ["engine", "outcome"]
        "Examinations by an engine, by how they ended.";
    Histogram ENGINE_SECONDS = "reprieve_engine_seconds" ["engine"] "Time that an engine took for one message.";

    Gauge LEDGER_UNITS = "reprieve_ledger_units" ["account"]
        "Units in each account of the ledger at its last check; held is the quarantine.";
    Gauge LEDGER_CONSISTENT = "reprieve_ledger_consistent" [] "1 when the last check of the ledger found no fault.";
    Gauge OPEN_ALERTS = "reprieve_open_alerts" ["kind"] "Alerts that nobody has acknowledged.";
    Gauge INCIDENTS = "reprieve_open_incidents" ["stage"] "Incidents that are not resolved.";
    Gauge CONTAINED = "reprieve_contained_detections" []
        "Detections that are held back: contained, pardoned or given back on trial.";
    Gauge ON_PROBATION = "reprieve_detections_on_probation" []
        "Detection versions that were forced and are on probation: they hold as policy says.";
    Counter PROBATION_MAILS = "reprieve_probation_mails_total" ["stage"]
        "Mails that a detection version on probation held, by what became of them.";
    Gauge PANIC_SWITCH = "reprieve_panic_switch" []
        "0 normal, 1 bypass (mail passes unexamined), 2 all mail is put off.";
    Counter RELEASES = "reprieve_releases_total" ["event"] "Attempts to release held mail, by how they ended.";
    Gauge RELEASE_RATE = "reprieve_release_rate" ["hop"] "Mails a second that are released to a next hop at most.";

    Gauge RECONCILER_FAILING = "reprieve_reconciler_failing" ["reconciler"]
        "1 when the last round of a background task failed.";
    Gauge RECONCILER_ROUND = "reprieve_reconciler_last_round_timestamp_seconds" ["reconciler"]
        "When the last round of a background task ended, in seconds since 1970.";
    Gauge FAILING_ITEMS = "reprieve_failing_items" ["reconciler"]
        "Things that a background task could not do, and tries again.";
    Counter EVENTS_TOLD = "reprieve_events_told_total" ["sink"] "Events that a sink has taken.";
    Counter EVENT_FAILURES = "reprieve_event_sink_failures_total" ["sink"]
        "Times that a sink of events did not take what it was told.";
    Gauge EVENT_LAG = "reprieve_event_sink_behind_entries" ["sink"]
        "Entries of the audit log of which a sink of events has not taken everything.";
    Gauge EVENT_LAG_SECONDS = "reprieve_event_sink_behind_seconds" ["sink"]
        "Age of the first of them; 0 where there is none.";
    Counter TRACES_TOLD = "reprieve_traces_told_total" [] "Ways of mail that the collector of traces has taken.";
    Counter TRACES_DROPPED = "reprieve_traces_dropped_total" ["reason"]
        "Ways of mail that were not told as traces: no room in the queue, or not taken by the collector.";
    Gauge VOLUME_FREE = "reprieve_volume_free_bytes" [] "Free space of the store's volume.";
    Gauge VOLUME_FLOOR = "reprieve_volume_floor_bytes" [] "Free space under which no mail is taken.";
    Gauge CERTIFICATE = "reprieve_tls_certificate_expires_timestamp_seconds" ["file"]
        "When the certificate of a listener expires, in seconds since 1970.";
    Gauge REMOVAL_SUSPENDED = "reprieve_removal_suspended" []
        "1 while the clock is doubted and nothing is removed for its age.";
    Counter REMOVED = "reprieve_removed_total" ["what"] "What was removed because its time was over.";
    Counter SCRUBBED = "reprieve_scrub_bytes_total" [] "Stored bytes that were read again and checked.";
    Gauge DAMAGED = "reprieve_damaged_blobs" [] "Stored messages that are damaged or missing.";

    Gauge CONNECTIONS = "reprieve_connections" [] "SMTP connections of clients that are open.";
    Gauge LIMIT = "reprieve_limit" ["what"] "How much there may be of something scarce.";
    Gauge LIMIT_USED_MOST = "reprieve_limit_used_most" ["what"]
        "The most of it that was in use at once since the start.";
    Counter REFUSED = "reprieve_refused_total" ["what", "over"] "Refusals because a limit was reached, by whose.";
    Counter SENT_AWAY = "reprieve_sent_away_total" ["over"] "Idle clients that were sent away for newcomers.";
    Counter SENT_OFF = "reprieve_sent_off_total" ["reason"] "Clients that were sent off for what they did too much of.";
    Counter TALKED_EARLY = "reprieve_talked_early_total" [] "Clients that talked before they were greeted.";
    Counter REPEATS_REFUSED = "reprieve_repeats_refused_total" []
        "Commands that would have asked a next hop again too often.";
    Counter RECIPIENTS_REFUSED = "reprieve_recipients_over_limit_total" []
        "Recipients that were refused since their message has as many as it may.";
    Counter TAKEN_BACK = "reprieve_hop_connections_taken_back_total" []
        "Connections to next hops that idle transactions gave to busy ones.";
    Counter HTTP_REFUSED = "reprieve_http_refused_total" ["listener", "reason"]
        "Connections and requests of HTTP that were refused or cut.";
    Gauge HTTP_CONNECTIONS = "reprieve_http_connections" ["listener"] "Connections of HTTP that are open.";
    Counter CUT = "reprieve_cut_at_stop_total" ["what"] "Sessions and rounds that a stop has cut.";
}

/// Tells the exposition what each metric says.
pub(super) fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
}

/// The metrics as a table in Markdown.
pub fn reference() -> String {
    let row = |metric: &Metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let kind = format!("{:?}", metric.kind).to_lowercase();
        format!("| `{}` | {kind} | {} | {} |\n", metric.name, labels.join(", "), metric.help)
    };
    let rows: String = ALL.iter().map(row).collect();
    format!("| metric | kind | labels | what it says |\n|---|---|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Where the table of the guide begins and ends.
    const MARKS: [&str; 2] = ["<!-- written from crates/platform/src/measure/metric.rs -->\n", "<!-- end -->"];

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        let names: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len(), "each once");
        for metric in ALL {
            let Metric { name, kind, help, .. } = metric;
            assert!(name.starts_with("reprieve_") && help.ends_with('.'), "{name}: {help}");
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert!(*kind != Kind::Histogram || name.ends_with("_seconds"), "{name}");
        }
    }

    #[test]
    fn the_guide_lists_all_of_them() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/monitoring.md");
        let page = std::fs::read_to_string(&path).expect("the page");
        let (before, rest) = page.split_once(MARKS[0]).expect("the beginning of the table");
        let (there, after) = rest.split_once(MARKS[1]).expect("the end of the table");
        let expected = format!("\n{}\n", reference());
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, [before, MARKS[0], &expected, MARKS[1], after].concat()).expect("is written");
        } else {
            assert_eq!(there, expected, "run this test with INSTA_UPDATE=always, then read `git diff`");
        }
    }
}
