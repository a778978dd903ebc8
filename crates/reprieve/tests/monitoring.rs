//! What Prometheus reads of a running service, and the alert rules and the dashboard that are shipped for it.

#![allow(clippy::print_stderr)]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use platform::measure::metric::{ALL, Kind};
use serde_json::Value;
use support::{Gateway, Sink, Talk, bad, clean, config};

fn shipped(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/monitoring").join(name)
}

fn metrics(gateway: &Gateway) -> String {
    let url = format!("http://{}/metrics", gateway.api);
    let asked = Command::new("curl").args(["-sf", &url]).output().expect("curl");
    String::from_utf8(asked.stdout).expect("UTF-8")
}

/// The names of metrics in an expression or a page.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("reprieve_")).collect()
}

/// The names that an exposition has for a metric.
fn series(name: &str, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Histogram => ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).to_vec(),
        Kind::Counter | Kind::Gauge => vec![name.to_owned()],
    }
}

#[test]
fn every_metric_of_a_service_says_what_it_is() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    for mail in [clean("1"), bad("2")] {
        Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &mail);
    }
    // Gauges of background tasks are set by their first round.
    let began = Instant::now();
    let mut text = metrics(&gateway);
    while !text.contains("reprieve_open_incidents") || !text.contains("reprieve_ledger_units") {
        assert!(began.elapsed() < Duration::from_secs(60), "{text}");
        std::thread::sleep(Duration::from_millis(200));
        text = metrics(&gateway);
    }
    let known: BTreeSet<String> = ALL.iter().flat_map(|metric| series(metric.name, metric.kind)).collect();
    let samples = text.lines().filter(|line| line.starts_with("reprieve_"));
    let found: BTreeSet<&str> = samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
    for name in &found {
        assert!(known.contains(*name), "{name} is not in the list of metrics");
    }
    for metric in
        ALL.iter().filter(|metric| series(metric.name, metric.kind).iter().any(|name| found.contains(name.as_str())))
    {
        assert!(text.contains(&format!("# HELP {} {}", metric.name, metric.help)), "{}", metric.name);
    }
    for name in [
        "reprieve_build_info",
        "reprieve_units_total",
        "reprieve_open_alerts",
        "reprieve_volume_free_bytes",
        "reprieve_reconciler_last_round_timestamp_seconds",
        "reprieve_panic_switch",
        "reprieve_ready",
    ] {
        assert!(found.contains(name), "{name}: {found:?}");
    }
    // Nobody's address is in them.
    assert!(!text.contains("ours.example") && !text.contains("x.example"), "{text}");
}

#[test]
fn rules_and_dashboard_ask_for_metrics_that_there_are() {
    let known: BTreeSet<String> = ALL.iter().flat_map(|metric| series(metric.name, metric.kind)).collect();
    let board = std::fs::read_to_string(shipped("dashboard.json")).expect("a dashboard");
    let board: Value = serde_json::from_str(&board).expect("JSON");
    let panels = board["panels"].as_array().expect("panels");
    let mut ids = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64()), "an id stands for one panel: {panel}");
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64() < Some(24) && place["w"].as_u64() > Some(0), "{panel}");
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().expect("targets");
        for expression in targets.iter().map(|target| target["expr"].as_str().expect("an expression")) {
            assert!(!names(expression).is_empty(), "{expression}");
            asked.extend(names(expression));
        }
    }
    let rules = std::fs::read_to_string(shipped("reprieve.rules.yml")).expect("rules");
    asked.extend(names(&rules));
    for name in &asked {
        assert!(known.contains(*name), "{name} is no metric");
    }
    assert!(panels.len() > 20 && asked.len() > 25, "{} panels, {} metrics", panels.len(), asked.len());
}

#[test]
fn promtool_finds_no_fault_in_the_rules() {
    if Command::new("promtool").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "promtool is not installed");
        eprintln!("skipped: promtool is not installed (Debian's package prometheus)");
        return;
    }
    for words in [["check", "rules", "reprieve.rules.yml"], ["test", "rules", "reprieve.rules.test.yml"]] {
        let ended = Command::new("promtool").args(words).current_dir(shipped("")).output().expect("promtool");
        let said = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(ended.status.success(), "{words:?}: {said}");
    }
}
