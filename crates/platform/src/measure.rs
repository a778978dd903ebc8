//! What is counted for Prometheus. Every label is here, and every name in [`metric`], so that none is misspelt
//! elsewhere.

pub mod metric;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::envelope::Direction;
use domain::ledger::Account;
use domain::release::ReleaseEvent;
use domain::share::Over;
use domain::verdict::Verdict;
use domain::{Examination, Timestamp};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use store::upkeep::ledger::Balance;
use wire::smtp::session::Excess;

use crate::panic_switch::SwitchPosition;

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// What there is a limit on that all share, as metrics and `reprieve doctor` name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scarce {
    /// Connections of SMTP clients.
    Connections,
    /// Connections to one next hop for live mail: at the hop that has most.
    HopConnections,
    /// Bytes of mail that is coming in.
    Memory,
    /// Recipients of one message.
    Recipients,
    /// Live mails that are examined or wait for it.
    Examinations,
    /// Connections of HTTP, at the listener that has most.
    Http,
    /// Streams of events, at the listener that has most.
    Streams,
}

impl Scarce {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Connections,
        Self::HopConnections,
        Self::Memory,
        Self::Recipients,
        Self::Examinations,
        Self::Http,
        Self::Streams,
    ];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::HopConnections => "hop_connections",
            Self::Memory => "memory",
            Self::Recipients => "recipients",
            Self::Examinations => "examinations",
            Self::Http => "http_connections",
            Self::Streams => "streams",
        }
    }
}

/// The most of each that was in use at once, since the start.
static MOST: [AtomicU64; Scarce::ALL.len()] = [const { AtomicU64::new(0) }; Scarce::ALL.len()];

/// Sets how much there may be of something.
pub fn limit(what: Scarce, limit: u64) {
    metrics::gauge!(metric::LIMIT, "what" => what.as_str()).set(limit as f64);
    let most = MOST[what as usize].load(Ordering::Relaxed);
    metrics::gauge!(metric::LIMIT_USED_MOST, "what" => what.as_str()).set(most as f64);
}

/// Until when the certificate in a file is valid, in seconds since 1970.
pub fn certificate(file: &Path, until: Timestamp) {
    let gauge = metrics::gauge!(metric::CERTIFICATE, "file" => file.display().to_string());
    gauge.set(until.as_micros() as f64 / 1e6);
}

/// So much of something is in use now; what is remembered is the most since the start.
pub fn in_use(what: Scarce, now: u64) {
    // It is the rare case that it is more than ever.
    if MOST[what as usize].fetch_max(now, Ordering::Relaxed) < now {
        metrics::gauge!(metric::LIMIT_USED_MOST, "what" => what.as_str()).set(now as f64);
    }
}

/// Upper bounds of the durations, in seconds.
const SECONDS: [f64; 15] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 90.0];

/// Begins to count. Without this (tests, the demo) counting costs nothing and shows nothing.
pub fn start() {
    let built = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .and_then(|builder| builder.install_recorder());
    match built {
        Ok(handle) => {
            drop(HANDLE.set(handle));
            metric::describe();
            metrics::gauge!(metric::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        }
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
    metrics::counter!(metric::UNITS, &labels).increment(1);
}

/// One examination: findings by detection and version, outcomes by engine, and the time that each took.
pub fn examination(examination: &Examination) {
    for finding in &examination.findings {
        let (code, version) = (finding.detection.to_string(), finding.detection_version.to_string());
        metrics::counter!(metric::FINDINGS, "detection" => code, "version" => version).increment(1);
    }
    for engine in &examination.engines {
        let outcome = format!("{:?}", engine.outcome);
        metrics::counter!(metric::ENGINE_OUTCOMES, "engine" => engine.engine.clone(), "outcome" => outcome)
            .increment(1);
        metrics::histogram!(metric::ENGINE_SECONDS, "engine" => engine.engine.clone()).record(engine.millis / 1000.0);
    }
}

/// How many items of a reconciler fail, and rest until they are tried again.
pub fn failing_items(reconciler: &'static str, count: usize) {
    metrics::gauge!(metric::FAILING_ITEMS, "reconciler" => reconciler).set(count as f64);
}

/// One answer to a final dot, and how long it took.
pub fn answer(code: u16, took: Duration) {
    metrics::counter!(metric::ANSWERS, "code" => code.to_string()).increment(1);
    metrics::histogram!(metric::ANSWER_SECONDS).record(took.as_secs_f64());
}

/// Sets whether a mail would be taken now, as of this look.
pub fn ready(is_ready: bool) {
    metrics::gauge!(metric::READY).set(if is_ready { 1.0 } else { 0.0 });
}

/// Sessions and rounds that a stop has cut, since they had not ended in time.
pub fn cut(what: &'static str, count: usize) {
    metrics::counter!(metric::CUT, "what" => what).increment(count as u64);
}

/// What the last check of the ledger said.
pub fn ledger(balance: &Balance) {
    for account in Account::ALL {
        let units = balance.accounts.get(account.as_str()).copied().unwrap_or(0);
        metrics::gauge!(metric::LEDGER_UNITS, "account" => account.as_str()).set(units as f64);
    }
    metrics::gauge!(metric::LEDGER_CONSISTENT).set(if balance.is_balanced() { 1.0 } else { 0.0 });
}

/// How many alerts of a kind nobody has acknowledged.
pub fn open_alerts(kind: &'static str, count: usize) {
    metrics::gauge!(metric::OPEN_ALERTS, "kind" => kind).set(count as f64);
}

/// How many incidents stand at a stage.
pub fn open_incidents(stage: &'static str, count: usize) {
    metrics::gauge!(metric::INCIDENTS, "stage" => stage).set(count as f64);
}

/// How many detections are held back.
pub fn contained(count: usize) {
    metrics::gauge!(metric::CONTAINED).set(count as f64);
}

/// How many detections are on probation.
pub fn on_probation(count: usize) {
    metrics::gauge!(metric::ON_PROBATION).set(count as f64);
}

/// How far a sink of events is behind: entries of the audit log, and the age of the first of them.
pub fn event_lag(sink: &str, entries: u64, age: Duration) {
    metrics::gauge!(metric::EVENT_LAG, "sink" => sink.to_owned()).set(entries as f64);
    let age = if entries == 0 { 0.0 } else { age.as_secs_f64() };
    metrics::gauge!(metric::EVENT_LAG_SECONDS, "sink" => sink.to_owned()).set(age);
}

/// So many events were taken by a sink.
pub fn events_told(sink: &str, count: usize) {
    metrics::counter!(metric::EVENTS_TOLD, "sink" => sink.to_owned()).increment(count as u64);
}

/// A sink of events did not take what it was told.
pub fn event_failure(sink: &str) {
    metrics::counter!(metric::EVENT_FAILURES, "sink" => sink.to_owned()).increment(1);
}

/// Ways of mail are told from now on: their counts are there from the start.
pub fn traces_begin() {
    traces_told(0);
    traces_dropped("queue", 0);
    traces_dropped("not_taken", 0);
}

/// So many ways of mail were taken by the collector.
pub fn traces_told(count: usize) {
    metrics::counter!(metric::TRACES_TOLD).increment(count as u64);
}

/// So many ways of mail were not told: there was no room in the `queue`, or they were `not_taken`.
pub fn traces_dropped(reason: &'static str, count: usize) {
    metrics::counter!(metric::TRACES_DROPPED, "reason" => reason).increment(count as u64);
}

/// Puts what histograms were given into their buckets: without a scrape it would be kept one by one.
pub fn upkeep() {
    if let Some(handle) = HANDLE.get() {
        handle.run_upkeep();
    }
}

/// Where the panic switch stands.
pub fn panic_switch(position: SwitchPosition) {
    metrics::gauge!(metric::PANIC_SWITCH).set(f64::from(position as u8));
}

/// How the last round of a background task went.
pub fn round(reconciler: &'static str, ended: Timestamp, has_failed: bool) {
    metrics::gauge!(metric::RECONCILER_FAILING, "reconciler" => reconciler).set(if has_failed { 1.0 } else { 0.0 });
    metrics::gauge!(metric::RECONCILER_ROUND, "reconciler" => reconciler).set(ended.as_micros() as f64 / 1e6);
}

/// The room on the store's volume.
pub fn volume(free_bytes: u64, floor_bytes: u64) {
    metrics::gauge!(metric::VOLUME_FREE).set(free_bytes as f64);
    metrics::gauge!(metric::VOLUME_FLOOR).set(floor_bytes as f64);
}

/// How an attempt to release ended.
pub fn release(event: ReleaseEvent) {
    metrics::counter!(metric::RELEASES, "event" => format!("{event:?}")).increment(1);
}

/// Whether the clock is doubted: then nothing is removed for its age.
pub fn clock_doubted(is_doubted: bool) {
    metrics::gauge!(metric::REMOVAL_SUSPENDED).set(if is_doubted { 1.0 } else { 0.0 });
}

/// Mails that versions on probation have brought to stand there: delayed, let out (each possibly a lost catch), kept
/// or settled.
pub fn probation(stage: &'static str, mails: u64) {
    metrics::counter!(metric::PROBATION_MAILS, "stage" => stage).increment(mails);
}

/// Things that went because their time was over: units, bytes of messages, records, entries of the audit log.
pub fn removed(what: &'static str, count: usize) {
    metrics::counter!(metric::REMOVED, "what" => what).increment(count as u64);
}

/// Stored bytes that were read and checked.
pub fn scrubbed(bytes: u64) {
    metrics::counter!(metric::SCRUBBED).increment(bytes);
}

/// How many blobs are known to be damaged or missing.
pub fn damaged(blobs: u64) {
    metrics::gauge!(metric::DAMAGED).set(blobs as f64);
}

/// Sets how many mails a second are released to a hop at most, as of now.
pub fn release_rate(hop: &str, rate: f64) {
    metrics::gauge!(metric::RELEASE_RATE, "hop" => hop.to_owned()).set(rate);
}

/// Connections of clients that are open now.
pub fn connections(open: u64) {
    metrics::gauge!(metric::CONNECTIONS).set(open as f64);
}

/// Something scarce was refused: `what` is `connection`, `hop_connection`, `memory` or `examination`, and `over` the
/// bound that was met.
pub fn refused(what: &'static str, over: Over) {
    metrics::counter!(metric::REFUSED, "what" => what, "over" => over.as_str()).increment(1);
}

/// An idle client was sent away for a newcomer.
pub fn sent_away(over: Over) {
    metrics::counter!(metric::SENT_AWAY, "over" => over.as_str()).increment(1);
}

/// A transaction that waited for its client lost its connection to the next hop to one that had use for it.
pub fn taken_back() {
    metrics::counter!(metric::TAKEN_BACK).increment(1);
}

/// A connection or request of HTTP that was refused or cut, by listener and reason.
pub fn http_refused(listener: &'static str, why: &'static str) {
    metrics::counter!(metric::HTTP_REFUSED, "listener" => listener, "reason" => why).increment(1);
}

/// Sets how many connections of HTTP there are, as of now.
pub fn http_connections(listener: &'static str, count: usize) {
    metrics::gauge!(metric::HTTP_CONNECTIONS, "listener" => listener).set(count as f64);
}

/// A client talked before it was greeted.
pub fn talked_early() {
    metrics::counter!(metric::TALKED_EARLY).increment(1);
}

/// A client made us ask a next hop again too often.
pub fn repeats_refused() {
    metrics::counter!(metric::REPEATS_REFUSED).increment(1);
}

/// Recipients were refused since their message has as many as it may.
pub fn recipients_refused(count: u64) {
    metrics::counter!(metric::RECIPIENTS_REFUSED).increment(count);
}

/// A client was sent off for what it did too much of.
pub fn sent_off(excess: Excess) {
    let reason = match excess {
        Excess::Errors => "errors",
        Excess::Junk => "junk_commands",
        Excess::RefusedRecipients => "refused_recipients",
    };
    metrics::counter!(metric::SENT_OFF, "reason" => reason).increment(1);
}

/// A client was sent off since it took longer than it may.
pub fn sent_off_slow() {
    metrics::counter!(metric::SENT_OFF, "reason" => "time").increment(1);
}
