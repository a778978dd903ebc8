//! The pipeline: a message through every engine, within its budget, into one [`Examination`].

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Instant;

use domain::Digest;
use domain::detection::{DetectionCode, Mode};
use domain::envelope::Envelope;
use domain::finding::{EngineReport, Examination, Facts, Finding, Outcome, PreviousForm};
use domain::header;
use domain::message::{Family, Part, Tail};
use serde::{Deserialize, Serialize};

use crate::family;
use crate::limits::{Budget, Limits};
use crate::mime::{self, Decoded, Parsed};
use crate::ruleset::Ruleset;
use crate::structure::{self, Check, Signal};
use crate::unpack::{self, Allowance};
use crate::yara::{Hit, Layer, Scanners, YaraError};

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

/// One worker's view of a ruleset. Making one costs a millisecond, using it again costs nothing.
pub struct Examiner<'r> {
    ruleset: &'r Ruleset,
    scanners: Scanners<'r>,
    /// The earlier forms of what has changed, run where today's form hits and nowhere else.
    previous: Option<(&'r Ruleset, Scanners<'r>)>,
    limits: Limits,
}

impl<'r> Examiner<'r> {
    /// An examiner over a ruleset.
    pub fn new(ruleset: &'r Ruleset, limits: Limits) -> Self {
        let previous = ruleset.previous.as_deref().map(|previous| (previous, previous.yara.scanners()));
        Self { ruleset, scanners: ruleset.yara.scanners(), previous, limits }
    }

    /// Examines one message as received. Never fails: what went wrong is in the reports.
    pub fn examine(&mut self, raw: &[u8], _envelope: &EnvelopeFacts, budget: Budget) -> Examination {
        let began = Instant::now();
        let read = mime::read(raw);
        let mut parsed = mime::parse(raw, read.as_ref(), &self.limits);
        let mut signals: Vec<Signal> =
            std::mem::take(&mut parsed.limit_hits).into_iter().map(structure::of_limit).collect();
        let members = unpack_all(&mut parsed, &mut signals, &self.limits, budget);
        let attachments: Vec<bool> = parsed.parts.iter().map(|part| part.is_attachment).collect();
        signals.extend(structure::look(&parsed.message, &attachments, &members));
        let mut findings = self.findings_of(signals);
        let structure_report = report("structure", env!("CARGO_PKG_VERSION"), began, Outcome::Done, String::new());
        let began = Instant::now();
        let scanned = self.scan(raw, &parsed, budget, &mut findings);
        let (outcome, detail) = match scanned {
            Ok(()) => (Outcome::Done, String::new()),
            Err(error @ YaraError::Timeout) => (Outcome::Timeout, error.to_string()),
            Err(error) => (Outcome::Error, error.to_string()),
        };
        let yara_report = report("yara", "yara-x 1.22", began, outcome, detail);
        findings.truncate(FINDINGS_MAX);
        Examination {
            ruleset: self.ruleset.id.clone(),
            message: parsed.message,
            findings,
            engines: vec![structure_report, yara_report],
            facts: Facts::default(),
        }
    }

    fn findings_of(&self, signals: Vec<Signal>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for signal in signals {
            for code in self.ruleset.checks.get(&signal.check).into_iter().flatten() {
                let mut found = self.finding(code, signal.part, signal.family, None, signal.evidence.clone());
                if let (Some(finding), Some((previous, _))) = (&mut found, &self.previous) {
                    let acted = previous.checks.get(&signal.check).is_some_and(|codes| codes.contains(code));
                    finding.previous = form_of(previous, code, acted);
                }
                findings.extend(found);
            }
        }
        findings
    }

    fn finding(
        &self,
        code: &DetectionCode,
        part: Option<u32>,
        family: Family,
        offset: Option<u64>,
        evidence: String,
    ) -> Option<Finding> {
        let detection = self.ruleset.detections.get(code).filter(|detection| detection.mode != Mode::Off)?;
        Some(Finding {
            detection: code.clone(),
            detection_version: detection.version.clone(),
            engine: detection.engine.clone(),
            category: detection.category,
            effect: detection.effect,
            mode: detection.mode,
            part,
            family,
            offset,
            evidence: evidence.chars().take(200).collect(),
            previous: None,
        })
    }

    fn scan(
        &mut self,
        raw: &[u8],
        parsed: &Parsed<'_>,
        budget: Budget,
        findings: &mut Vec<Finding>,
    ) -> Result<(), YaraError> {
        self.scan_one(Layer::Raw, raw, None, budget, findings)?;
        self.scan_one(Layer::Header, &raw[..header::body_start(raw)], None, budget, findings)?;
        for part in &parsed.parts {
            if part.is_text {
                self.scan_one(Layer::Text, &part.bytes, Some(part), budget, findings)?;
            }
            self.scan_one(Layer::Part, &part.bytes, Some(part), budget, findings)?;
        }
        Ok(())
    }

    /// Which earlier forms hit the same bytes; asked only where a detection that has one hits. None when it cannot be told: an earlier
    /// form that fails or runs out of time takes nothing from what today's form has found.
    fn earlier_hits(
        &mut self,
        layer: Layer,
        bytes: &[u8],
        hits: &[Hit],
        budget: Budget,
    ) -> Option<HashSet<DetectionCode>> {
        let (previous, scanners) = self.previous.as_mut()?;
        let rules = &self.ruleset.rules;
        let code_of = |hit: &Hit| rules.get(&(hit.namespace.clone(), hit.rule.clone()));
        if !hits.iter().filter_map(code_of).any(|code| previous.detections.contains_key(code)) {
            return None;
        }
        let earlier = scanners.scan(layer, bytes, budget.left()).ok()?;
        Some(earlier.into_iter().filter_map(|hit| previous.rules.get(&(hit.namespace, hit.rule)).cloned()).collect())
    }

    fn scan_one(
        &mut self,
        layer: Layer,
        bytes: &[u8],
        part: Option<&Decoded<'_>>,
        budget: Budget,
        findings: &mut Vec<Finding>,
    ) -> Result<(), YaraError> {
        if !self.scanners.reads(layer) || bytes.is_empty() {
            return Ok(());
        }
        let family = part.map_or(Family::Mail, |part| part.family);
        let hits = self.scanners.scan(layer, bytes, budget.left())?;
        let earlier = self.earlier_hits(layer, bytes, &hits, budget);
        for hit in hits {
            let Hit { namespace, rule, offset, evidence } = hit;
            let Some(code) = self.ruleset.rules.get(&(namespace, rule)) else { continue };
            let wanted =
                self.ruleset.detections.get(code).is_some_and(|d| layer != Layer::Part || d.target.reads(family));
            if wanted {
                let mut found = self.finding(code, part.map(|part| part.number), family, offset, evidence);
                if let (Some(finding), Some((previous, _)), Some(earlier)) = (&mut found, &self.previous, &earlier) {
                    finding.previous = form_of(previous, code, earlier.contains(code));
                }
                findings.extend(found);
            }
        }
        Ok(())
    }
}

/// What the earlier form of a detection says, where it has one.
fn form_of(previous: &Ruleset, code: &DetectionCode, hit: bool) -> Option<PreviousForm> {
    let detection = previous.detections.get(code)?;
    Some(PreviousForm { detection_version: detection.version.clone(), hit })
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

/// Opens all archives, breadth first; members become parts. Returns which parts are members.
fn unpack_all(parsed: &mut Parsed<'_>, signals: &mut Vec<Signal>, limits: &Limits, budget: Budget) -> Vec<bool> {
    let mut allowance = Allowance::new(limits, budget);
    let mut members = vec![false; parsed.parts.len()];
    let mut depths = vec![0_u32; parsed.parts.len()];
    let mut at = 0;
    while at < parsed.parts.len() {
        let part = parsed.message.parts[at].clone();
        if unpack::is_container(part.family) {
            if depths[at] >= limits.archive_depth_max {
                let evidence = format!("archives nested over {} levels", limits.archive_depth_max);
                signals.push(Signal { check: Check::Limit, part: Some(part.number), family: part.family, evidence });
            } else {
                let (found, closed) =
                    unpack::open(&part.content_type, &parsed.parts[at].bytes, &part.name, &mut allowance);
                signals.extend(closed.into_iter().map(|closed| structure::of_closed(closed, &part)));
                for member in found {
                    if parsed.parts.len() >= limits.parts_max {
                        let evidence = format!("more than {} parts", limits.parts_max);
                        signals.push(Signal {
                            check: Check::Limit,
                            part: Some(part.number),
                            family: part.family,
                            evidence,
                        });
                        break;
                    }
                    adopt(parsed, &part, member);
                    members.push(true);
                    depths.push(depths[at] + 1);
                }
            }
        }
        at += 1;
    }
    members
}

fn adopt(parsed: &mut Parsed<'_>, parent: &Part, member: unpack::Member) {
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
        name,
        tail: Tail::NotWalked,
    });
    parsed.parts.push(Decoded { number, family, bytes: Cow::Owned(member.bytes), is_text: false, is_attachment: true });
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
