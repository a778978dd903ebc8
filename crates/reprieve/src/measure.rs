//! What is counted, under which names, for Prometheus. Every name and label is here, so that none is misspelt elsewhere.

use std::sync::OnceLock;
use std::time::Duration;

use domain::Examination;
use domain::envelope::Direction;
use domain::release::ReleaseEvent;
use domain::verdict::Verdict;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds of the durations, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 90.0];

/// Begins to count. Without this (tests, the demo) counting costs nothing and shows nothing.
pub fn start() {
    let built = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .and_then(|builder| builder.install_recorder());
    match built {
        Ok(handle) => drop(HANDLE.set(handle)),
        Err(error) => tracing::warn!(%error, "metrics are not counted"),
    }
}

/// All counts in Prometheus' text format; nothing if counting was not begun.
pub fn render() -> Option<String> {
    HANDLE.get().map(PrometheusHandle::render)
}

/// One verdict for one unit.
pub fn verdict(direction: Direction, verdict: &Verdict, enforced: bool) {
    let labels = [
        ("direction", direction.as_str()),
        ("category", verdict.category.as_str()),
        ("disposition", verdict.disposition.as_str()),
        ("enforced", if enforced { "true" } else { "false" }),
    ];
    metrics::counter!("reprieve_units_total", &labels).increment(1);
}

/// One examination: findings by detection and version, outcomes by engine, and the time that each took.
pub fn examination(examination: &Examination) {
    for finding in &examination.findings {
        let (code, version) = (finding.detection.to_string(), finding.detection_version.to_string());
        metrics::counter!("reprieve_findings_total", "detection" => code, "version" => version).increment(1);
    }
    for engine in &examination.engines {
        let outcome = format!("{:?}", engine.outcome);
        metrics::counter!("reprieve_engine_outcomes_total", "engine" => engine.engine.clone(), "outcome" => outcome)
            .increment(1);
        metrics::histogram!("reprieve_engine_seconds", "engine" => engine.engine.clone())
            .record(engine.millis / 1000.0);
    }
}

/// How many items of a reconciler fail, and rest until they are tried again.
pub fn failing_items(reconciler: &'static str, count: usize) {
    metrics::gauge!("reprieve_failing_items", "reconciler" => reconciler).set(count as f64);
}

/// One answer to a final dot, and how long it took.
pub fn answer(code: u16, took: Duration) {
    metrics::counter!("reprieve_answers_total", "code" => code.to_string()).increment(1);
    metrics::histogram!("reprieve_answer_seconds").record(took.as_secs_f64());
}

/// How an attempt to release ended.
pub fn release(event: ReleaseEvent) {
    metrics::counter!("reprieve_releases_total", "event" => format!("{event:?}")).increment(1);
}

/// Sets how many mails a second are released to a hop at most, as of now.
pub fn release_rate(hop: &str, rate: f64) {
    metrics::gauge!("reprieve_release_rate", "hop" => hop.to_owned()).set(rate);
}
