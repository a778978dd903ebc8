//! The pipeline: a message through every engine, within its budget, into one [`Examination`].

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use domain::Digest;
use domain::envelope::Envelope;
use domain::finding::{EngineReport, Examination, Facts, Finding, Outcome, SHADOW};
use domain::message::{Family, Part, Tail};
use serde::{Deserialize, Serialize};

use crate::eyes::Eyes;
use crate::family;
use crate::in_force::{Candidate, InForce};
use crate::limits::{Budget, Limits};
use crate::mime::{self, Decoded, Parsed};
use crate::picture;
use crate::ruleset::Ruleset;
use crate::structure::{self, Check, Signal};
use crate::unpack::{self, Allowance, Member};
use crate::yara::YaraError;

/// Findings kept of one message at most; the rest is counted in the report.
const FINDINGS_MAX: usize = 500;

/// What an engine may know of the envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeFacts {
    /// The reverse path; empty for the null sender.
    pub sender: String,
    /// The forward paths.
    pub recipients: Vec<String>,
}

impl EnvelopeFacts {
    /// What an engine may know of this envelope.
    pub fn of(envelope: &Envelope) -> Self {
        let recipients = envelope.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
        Self { sender: envelope.sender_text().to_owned(), recipients }
    }
}

/// One worker's view of what is in force. Making one costs a millisecond, using it again costs nothing.
pub struct Examiner<'r> {
    live: Eyes<'r>,
    candidate: Option<Beside<'r>>,
    limits: Limits,
    /// Time spent on the mail itself, and on what only watches.
    spent: Duration,
    spent_in_shadow: Duration,
}

/// The candidate of a roll-out.
struct Beside<'r> {
    candidate: &'r Candidate,
    /// Present while it acts anywhere.
    whole: Option<Eyes<'r>>,
    changed: Eyes<'r>,
}

/// A shadow may take a quarter of the time that the mail itself takes, and this much at first.
const SHADOW_SHARE: u32 = 4;
const SHADOW_GRACE: Duration = Duration::from_millis(200);

impl<'r> Examiner<'r> {
    /// An examiner over what is in force.
    pub fn new(in_force: &'r InForce, limits: Limits) -> Self {
        let InForce { live, candidate, modes } = in_force;
        let candidate = candidate.as_ref().map(|candidate| Beside {
            candidate,
            whole: (candidate.buckets > 0).then(|| Eyes::new(&candidate.whole, modes, false)),
            changed: Eyes::new(&candidate.changed, modes, true),
        });
        let (spent, spent_in_shadow) = (Duration::ZERO, Duration::ZERO);
        Self { live: Eyes::new(live, modes, false), candidate, limits, spent, spent_in_shadow }
    }

    /// Examines one message as received. Never fails: what went wrong is in the reports.
    pub fn examine(&mut self, raw: &[u8], envelope: &EnvelopeFacts, budget: Budget) -> Examination {
        let began = Instant::now();
        let read = mime::read(raw);
        let mut parsed = mime::parse(raw, read.as_ref(), &self.limits);
        let signals = take_apart(&mut parsed, &self.limits, budget);
        let structure_report = report("structure", env!("CARGO_PKG_VERSION"), began, Outcome::Done, String::new());
        let canary_bucket = self.candidate.as_ref().map(|beside| beside.candidate.bucket(raw, envelope));
        let (eyes, shadow) = match (&mut self.candidate, canary_bucket) {
            (Some(Beside { candidate, whole: Some(whole), .. }), Some(bucket)) if bucket < candidate.buckets => {
                (whole, None)
            }
            (Some(beside), _) => (&mut self.live, Some(&mut beside.changed)),
            (None, _) => (&mut self.live, None),
        };
        let mut findings = eyes.judge(&signals);
        let yara_began = Instant::now();
        let scanned = eyes.scan(raw, &parsed, budget, &mut findings);
        let mut engines = vec![structure_report, yara_report("yara", yara_began, scanned)];
        self.spent += began.elapsed();
        if let Some(shadow) = shadow {
            let began = Instant::now();
            engines.push(if self.spent_in_shadow > self.spent / SHADOW_SHARE + SHADOW_GRACE {
                let why = "over its share of the time".to_owned();
                report(SHADOW, "yara-x 1.22", began, Outcome::Skipped, why)
            } else {
                watch(shadow, raw, &parsed, &signals, budget, &mut findings)
            });
            self.spent_in_shadow += began.elapsed();
        }
        findings.truncate(FINDINGS_MAX);
        Examination {
            ruleset: eyes.ruleset.id.clone(),
            message: parsed.message,
            findings,
            engines,
            facts: Facts { canary_bucket, ..Facts::default() },
        }
    }
}

impl Examiner<'_> {
    /// What the ruleset in force finds in one decoded part alone: how a backtest and a probe look at retained parts.
    ///
    /// # Errors
    /// When the time is over or the engine fails.
    pub fn examine_part(
        &mut self,
        bytes: &[u8],
        name: &str,
        declared: &str,
        budget: Budget,
    ) -> Result<Vec<Finding>, YaraError> {
        let mut parsed = mime::alone(bytes, name, declared);
        let signals = take_apart(&mut parsed, &self.limits, budget);
        let mut findings = self.live.judge(&signals);
        for part in &parsed.parts {
            self.live.scan_part(part, budget, &mut findings)?;
        }
        Ok(findings)
    }
}

/// What a candidate sees of a message on which it does not act. Its faults are its own, panics among them.
fn watch(
    shadow: &mut Eyes<'_>,
    raw: &[u8],
    parsed: &Parsed<'_>,
    signals: &[Signal],
    budget: Budget,
    findings: &mut Vec<Finding>,
) -> EngineReport {
    let began = Instant::now();
    let mut seen = Vec::new();
    let watched = catch_unwind(AssertUnwindSafe(|| {
        seen = shadow.judge(signals);
        shadow.scan(raw, parsed, budget, &mut seen)
    }));
    findings.extend(seen);
    let scanned = watched.unwrap_or_else(|_| Err(YaraError::Failed("it panicked".into())));
    yara_report(SHADOW, began, scanned)
}

/// Opens everything that can be opened, and looks at all parts: what every ruleset's structure detections rest on.
pub(crate) fn take_apart(parsed: &mut Parsed<'_>, limits: &Limits, budget: Budget) -> Vec<Signal> {
    let mut signals: Vec<Signal> =
        std::mem::take(&mut parsed.limit_hits).into_iter().map(structure::of_limit).collect();
    let members = unpack_all(parsed, &mut signals, limits, budget);
    let attachments: Vec<bool> = parsed.parts.iter().map(|part| part.is_attachment).collect();
    signals.extend(structure::look(&parsed.message, &attachments, &members));
    signals
}

fn yara_report(engine: &str, began: Instant, scanned: Result<(), YaraError>) -> EngineReport {
    let (outcome, detail) = match scanned {
        Ok(()) => (Outcome::Done, String::new()),
        Err(error @ YaraError::Timeout) => (Outcome::Timeout, error.to_string()),
        Err(error) => (Outcome::Error, error.to_string()),
    };
    report(engine, "yara-x 1.22", began, outcome, detail)
}

fn report(engine: &str, version: &str, began: Instant, outcome: Outcome, detail: String) -> EngineReport {
    let millis = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    EngineReport {
        engine: engine.into(),
        version: version.into(),
        data_version: String::new(),
        outcome,
        millis,
        detail,
    }
}

/// Opens everything that holds something, breadth first; what comes out becomes parts. Returns which parts came out of something.
fn unpack_all(parsed: &mut Parsed<'_>, signals: &mut Vec<Signal>, limits: &Limits, budget: Budget) -> Vec<bool> {
    let mut allowance = Allowance::new(limits, budget);
    let mut members = vec![false; parsed.parts.len()];
    let mut depths = vec![0_u32; parsed.parts.len()];
    let mut at = 0;
    while at < parsed.parts.len() {
        let part = parsed.message.parts[at].clone();
        if depths[at] >= limits.archive_depth_max && unpack::is_container(part.family) {
            let evidence = format!("archives nested over {} levels", limits.archive_depth_max);
            signals.push(Signal::of_part(Check::Limit, &part, evidence));
        } else if depths[at] < limits.archive_depth_max {
            for member in open(parsed, at, &part, signals, &mut allowance) {
                if parsed.parts.len() >= limits.parts_max {
                    let evidence = format!("more than {} parts", limits.parts_max);
                    signals.push(Signal::of_part(Check::Limit, &part, evidence));
                    break;
                }
                adopt(parsed, &part, member);
                members.push(true);
                depths.push(depths[at] + 1);
            }
        }
        at += 1;
    }
    members
}

/// What comes out of one part.
fn open(
    parsed: &mut Parsed<'_>,
    at: usize,
    part: &Part,
    signals: &mut Vec<Signal>,
    allowance: &mut Allowance<'_>,
) -> Vec<Member> {
    match part.family {
        Family::Archive => {
            let (found, closed) = unpack::open(&part.content_type, &parsed.parts[at].bytes, &part.name, allowance);
            signals.extend(closed.into_iter().map(|closed| structure::of_closed(closed, part)));
            found
        }
        Family::Image => {
            let seen = picture::look(&parsed.parts[at].bytes, part);
            signals.extend(seen.signals);
            parsed.message.parts[at].tail = seen.tail;
            seen.hidden.into_iter().map(|hidden| Member { name: hidden.name, bytes: hidden.bytes }).collect()
        }
        _ => Vec::new(),
    }
}

fn adopt(parsed: &mut Parsed<'_>, parent: &Part, member: Member) {
    let number = u32::try_from(parsed.parts.len()).unwrap_or(u32::MAX);
    let name = mime::clean(&member.name);
    let (family, content_type) = family::sniff(&member.bytes, &name);
    parsed.message.parts.push(Part {
        number,
        parent: Some(parent.number),
        sha256: Digest::of(&member.bytes),
        size: member.bytes.len() as u64,
        family,
        content_type: content_type.to_owned(),
        declared: String::new(),
        name: name.clone(),
        tail: Tail::NotWalked,
    });
    let bytes = Cow::Owned(member.bytes);
    parsed.parts.push(Decoded { number, family, name, bytes, is_text: false, is_attachment: true });
}

/// The examination of a message that could not be examined: its bytes are named, its engines report why not.
pub fn unfinished(raw: &[u8], ruleset: &Ruleset, outcome: Outcome, why: &str) -> Examination {
    let parsed = mime::parse(raw, None, &Limits::default());
    let began = Instant::now();
    let engines = ["structure", "yara"].map(|engine| report(engine, "", began, outcome, why.to_owned()));
    Examination {
        ruleset: ruleset.id.clone(),
        message: parsed.message,
        findings: Vec::new(),
        engines: engines.into(),
        facts: Facts::default(),
    }
}
