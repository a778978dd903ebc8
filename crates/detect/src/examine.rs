//! The pipeline: a message through every engine, within its budget, into one [`Examination`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use domain::authentication::Authentication;
use domain::envelope::{Border, Client, Direction, Envelope};
use domain::finding::{EngineReport, Examination, Facts, Finding, Outcome, SHADOW};
use domain::message::Family;
use serde::{Deserialize, Serialize};

use crate::classifier::{Asked, ForModels, feature, neutral};
use crate::in_force::{Candidate, InForce};
use crate::limits::{Budget, Limits};
use crate::mime::{self, Parsed};
use crate::pixel_reader::PixelReader;
use crate::rule_runner::RuleRunner;
use crate::ruleset::Ruleset;
use crate::scorecard::feature::Features;
use crate::seen::Seen;
use crate::structure::{Check, Signal};
use crate::take_apart::take_apart;
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
    /// The accepted domains of this site, which others may imitate.
    pub own_domains: Vec<String>,
    /// Who handed it in; none when that is not known.
    pub client: Option<Client>,
    /// Whether it comes from outside.
    pub is_inbound: bool,
    /// Whether its client is of outside as well: one of ours passes on what others have sent, and says nothing about
    /// them.
    pub is_of_stranger: bool,
    /// How the mail authenticates; none when nobody has looked.
    pub authentication: Option<Authentication>,
}

impl EnvelopeFacts {
    /// What an engine may know of this envelope.
    pub fn of(envelope: &Envelope, border: &Border) -> Self {
        let recipients = envelope.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
        Self {
            sender: envelope.sender_text().to_owned(),
            recipients,
            own_domains: border.accepted_domains.iter().map(ToString::to_string).collect(),
            client: Some(envelope.client.clone()),
            is_of_stranger: border.is_stranger(envelope.client.ip),
            is_inbound: envelope.recipients.iter().all(|unit| unit.direction == Direction::Inbound),
            authentication: None,
        }
    }
}

/// One worker's view of what is in force. Making one costs a millisecond, using it again costs nothing.
pub struct Examiner<'r> {
    live: RuleRunner<'r>,
    candidate: Option<Beside<'r>>,
    limits: Limits,
    reader: PixelReader,
    /// Time spent on the mail itself, and on what only watches.
    spent: Duration,
    spent_in_shadow: Duration,
}

/// The candidate of a roll-out.
struct Beside<'r> {
    candidate: &'r Candidate,
    /// Present while it acts anywhere.
    whole: Option<RuleRunner<'r>>,
    changed: RuleRunner<'r>,
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
            whole: (candidate.buckets > 0).then(|| RuleRunner::new(&candidate.whole, modes, false)),
            changed: RuleRunner::new(&candidate.changed, modes, true),
        });
        let (spent, spent_in_shadow) = (Duration::ZERO, Duration::ZERO);
        let reader = PixelReader::default();
        Self { live: RuleRunner::new(live, modes, false), candidate, limits, reader, spent, spent_in_shadow }
    }

    /// Examines one message as received. Never fails: what went wrong is in the reports.
    pub fn examine(&mut self, raw: &[u8], envelope: &EnvelopeFacts, budget: Budget) -> Examination {
        let began = Instant::now();
        let read = mime::read_within(raw, &self.limits);
        let mut parsed = mime::parse(raw, read.as_ref(), &self.limits);
        let (signals, seen) = take_apart(&mut parsed, envelope, &self.limits, budget, &mut self.reader);
        let structure_report = report("structure", env!("CARGO_PKG_VERSION"), began, Outcome::Done, String::new());
        let canary_bucket = self.candidate.as_ref().map(|beside| beside.candidate.bucket(raw, envelope));
        let (runner, shadow) = match (&mut self.candidate, canary_bucket) {
            (Some(Beside { candidate, whole: Some(whole), .. }), Some(bucket)) if bucket < candidate.buckets => {
                (whole, None)
            }
            (Some(beside), _) => (&mut self.live, Some(&mut beside.changed)),
            (None, _) => (&mut self.live, None),
        };
        let mut findings = runner.judge(&signals);
        let yara_began = Instant::now();
        let scanned = runner.scan(raw, &parsed, budget, &mut findings);
        let mut engines = vec![structure_report, yara_report("yara", yara_began, scanned)];
        let asked = runner.asked().or(shadow.as_ref().map(|runner| runner.asked()).unwrap_or_default());
        let has_cards = runner.has_cards() || shadow.as_ref().is_some_and(|runner| runner.has_cards());
        let named = (has_cards || asked.second).then(|| Features::of(raw, &parsed, &seen, &signals, envelope));
        let looked = Looked { raw, parsed: &parsed, seen: &seen, signals: &signals, envelope };
        let mail = looked.for_models(asked, &findings, named.unwrap_or_default());
        findings.extend(runner.weigh(&mail));
        findings.extend(runner.score(&mail.named));
        self.spent += began.elapsed();
        if let Some(shadow) = shadow {
            let began = Instant::now();
            engines.push(if self.spent_in_shadow > self.spent / SHADOW_SHARE + SHADOW_GRACE {
                let why = "over its share of the time".to_owned();
                report(SHADOW, "yara-x 1.22", began, Outcome::Skipped, why)
            } else {
                watch(shadow, &looked, &mail, budget, &mut findings)
            });
            self.spent_in_shadow += began.elapsed();
        }
        findings.truncate(FINDINGS_MAX);
        Examination {
            ruleset: runner.ruleset.id.clone(),
            message: parsed.message,
            findings,
            engines,
            facts: Facts { canary_bucket, authentication: envelope.authentication.clone(), ..Facts::default() },
        }
    }
}

impl Examiner<'_> {
    /// What trained models see of a message: what one is trained on and evaluated by.
    pub fn read_for_models(&mut self, raw: &[u8], envelope: &EnvelopeFacts, asked: Asked, budget: Budget) -> ForModels {
        let read = mime::read_within(raw, &self.limits);
        let mut parsed = mime::parse(raw, read.as_ref(), &self.limits);
        let (signals, seen) = take_apart(&mut parsed, envelope, &self.limits, budget, &mut self.reader);
        let mut findings = Vec::new();
        if asked.first {
            findings = self.live.judge(&signals);
            // A rule that runs out of time is a word less.
            let _ = self.live.scan(raw, &parsed, budget, &mut findings);
        }
        let named = Features::of(raw, &parsed, &seen, &signals, envelope);
        let looked = Looked { raw, parsed: &parsed, seen: &seen, signals: &signals, envelope };
        looked.for_models(asked, &findings, named)
    }

    /// The named features of a message: what a scorecard weighs.
    pub fn named_features(&mut self, raw: &[u8], envelope: &EnvelopeFacts, budget: Budget) -> Features {
        self.timed_features(raw, envelope, budget).0
    }

    /// The same, and what reading them took, once the message is taken apart.
    pub fn timed_features(&mut self, raw: &[u8], envelope: &EnvelopeFacts, budget: Budget) -> (Features, Duration) {
        let read = mime::read_within(raw, &self.limits);
        let mut parsed = mime::parse(raw, read.as_ref(), &self.limits);
        let (signals, seen) = take_apart(&mut parsed, envelope, &self.limits, budget, &mut self.reader);
        let began = Instant::now();
        let features = Features::of(raw, &parsed, &seen, &signals, envelope);
        (features, began.elapsed())
    }

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
        let envelope = EnvelopeFacts::default();
        let (signals, _) = take_apart(&mut parsed, &envelope, &self.limits, budget, &mut self.reader);
        let mut findings = self.live.judge(&signals);
        for part in &parsed.parts {
            self.live.scan_part(part, budget, &mut findings)?;
        }
        Ok(findings)
    }
}

/// What was seen of a message before any ruleset judged it.
struct Looked<'m> {
    raw: &'m [u8],
    parsed: &'m Parsed<'m>,
    seen: &'m Seen,
    signals: &'m [Signal],
    envelope: &'m EnvelopeFacts,
}

impl Looked<'_> {
    /// What models ask for of it, `findings` being what rules have found so far.
    fn for_models(&self, asked: Asked, findings: &[Finding], named: Features) -> ForModels {
        let authentication = self.envelope.authentication.as_ref();
        let first = asked.first.then(|| feature::features(self.parsed, findings, authentication));
        let neutral = || neutral::features(self.raw, self.parsed, self.seen, &named, self.envelope);
        let (second, recipients) = asked.second.then(neutral).unwrap_or_default();
        ForModels { first: first.unwrap_or_default(), second, recipients, named }
    }
}

/// What a candidate sees of a message on which it does not act. Its faults are its own, panics among them.
fn watch(
    shadow: &mut RuleRunner<'_>,
    looked: &Looked<'_>,
    mail: &ForModels,
    budget: Budget,
    findings: &mut Vec<Finding>,
) -> EngineReport {
    let began = Instant::now();
    let mut seen = Vec::new();
    let watched = catch_unwind(AssertUnwindSafe(|| {
        seen = shadow.judge(looked.signals);
        seen.extend(shadow.weigh(mail));
        seen.extend(shadow.score(&mail.named));
        shadow.scan(looked.raw, looked.parsed, budget, &mut seen)
    }));
    findings.extend(seen);
    let scanned = watched.unwrap_or_else(|_| Err(YaraError::Failed("it panicked".into())));
    yara_report(SHADOW, began, scanned)
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

/// The examination of a message that ended the process which examined it, twice: it cannot be scanned, and policy says
/// what becomes of such. With a ruleset that has no detection for limits it is a failure, as any other.
pub fn unscannable(raw: &[u8], in_force: &InForce, why: &str) -> Examination {
    let signal =
        Signal { check: Check::Limit, part: None, family: Family::Mail, offset: None, evidence: why.to_owned() };
    let findings = RuleRunner::new(&in_force.live, &in_force.modes, false).judge(&[signal]);
    let outcome = if findings.is_empty() { Outcome::Error } else { Outcome::Skipped };
    Examination { findings, ..unfinished(raw, &in_force.live, outcome, why) }
}
