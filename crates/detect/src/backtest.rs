//! A ruleset against content that is known to be good: what it would have held, and for how well known it is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::Digest;
use domain::detection::{DetectionCode, Mode, Target};
use domain::finding::{Finding, MemoryClass};
use domain::message::Family;
use domain::rollout::{self, GateReport, GoodHit};

use crate::examine::{EnvelopeFacts, Examiner};
use crate::family;
use crate::in_force::InForce;
use crate::limits::{Budget, Limits};
use crate::mime;
use crate::ruleset::Ruleset;

/// Digits of a content's hash that are shown.
const SHOWN_DIGITS: usize = 16;
/// Time for one content.
const CONTENT_TIME: Duration = Duration::from_secs(10);

/// A run over known-good content. Parts with the same bytes count once.
pub struct Backtest<'r> {
    examiner: Examiner<'r>,
    ruleset: &'r Ruleset,
    /// The families that are read; none for all.
    families: Option<BTreeSet<Family>>,
    reads_mails: bool,
    seen: BTreeSet<Digest>,
    hits: Vec<GoodHit>,
    failures: Vec<String>,
}

/// What a backtest runs: the new and changed detections of a version, with whatever mode they have of their own.
pub fn of(changed: Arc<Ruleset>) -> InForce {
    InForce { live: changed, candidate: None, modes: std::collections::BTreeMap::new() }
}

/// Whether any detection needs whole messages: it reads the raw bytes, the header or the text of a mail.
pub fn reads_mails(ruleset: &Ruleset) -> bool {
    ruleset.detections.values().any(|one| !matches!(one.target, Target::Part(_)))
}

/// The families that its detections on parts read; none means all of them.
pub fn reads_families(ruleset: &Ruleset) -> Option<BTreeSet<Family>> {
    let targets = ruleset.detections.values().map(|detection| detection.target);
    let mut families = BTreeSet::new();
    for target in targets {
        match target {
            Target::Part(None) => return None,
            Target::Part(Some(family)) => drop(families.insert(family)),
            Target::Raw | Target::Header | Target::Text => {}
        }
    }
    Some(families)
}

/// Whether parts of this family may hold parts of others.
fn holds_others(family: Family) -> bool {
    matches!(family, Family::Archive | Family::Mail)
}

impl<'r> Backtest<'r> {
    /// A run of what [`of`] made.
    pub fn new(changed: &'r InForce) -> Self {
        let examiner = Examiner::new(changed, Limits::default());
        let ruleset = changed.live.as_ref();
        Self {
            examiner,
            ruleset,
            families: reads_families(ruleset),
            reads_mails: reads_mails(ruleset),
            seen: BTreeSet::new(),
            hits: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Looks at a retained part; one that no detection reads does not count, however many there are.
    pub fn part(&mut self, bytes: &[u8], name: &str, declared: &str, class: MemoryClass) {
        let (family, _) = family::sniff(bytes, name);
        let is_read =
            |families: &BTreeSet<Family>| families.contains(&family) || (holds_others(family) && !families.is_empty());
        if !self.families.as_ref().is_none_or(is_read) || !self.seen.insert(Digest::of(bytes)) {
            return;
        }
        let label = if name.is_empty() { "a part without a name" } else { name };
        match self.examiner.examine_part(bytes, name, declared, Budget::starting_now(CONTENT_TIME)) {
            Ok(findings) => self.note(&findings, class, label, Digest::of(bytes)),
            Err(error) => self.failures.push(format!("{label}: {error}")),
        }
    }

    /// Looks at a whole mail and at each distinct part of it: what reads parts looks at the parts, what reads mails at
    /// the mail.
    pub fn mail(&mut self, raw: &[u8], class: MemoryClass, label: &str) {
        let read = mime::read(raw);
        let parsed = mime::parse(raw, read.as_ref(), &Limits::default());
        let parts = parsed.parts.iter().zip(&parsed.message.parts).filter(|(part, _)| !part.is_text);
        for (part, facts) in parts {
            self.part(&part.bytes, &facts.name, &facts.declared, class);
        }
        self.mail_alone(raw, class, label);
    }

    /// Looks at a whole mail with what does not read parts.
    pub fn mail_alone(&mut self, raw: &[u8], class: MemoryClass, label: &str) {
        if !self.reads_mails || !self.seen.insert(Digest::of(raw)) {
            return;
        }
        let budget = Budget::starting_now(CONTENT_TIME);
        let examination = self.examiner.examine(raw, &EnvelopeFacts::default(), budget);
        if let Some(failed) = examination.engines.iter().find(|engine| engine.is_missed()) {
            self.failures.push(format!("{label}: {}", failed.detail));
        }
        // A hit of what reads parts is told once, for the part.
        let reads_part = |finding: &Finding| {
            let detection = self.ruleset.detections.get(&finding.detection);
            detection.is_some_and(|detection| matches!(detection.target, Target::Part(_)))
        };
        let of_mail: Vec<Finding> = examination.findings.iter().filter(|one| !reads_part(one)).cloned().collect();
        self.note(&of_mail, class, label, Digest::of(raw));
    }

    fn note(&mut self, findings: &[Finding], class: MemoryClass, label: &str, content: Digest) {
        let acting = findings.iter().filter(|finding| finding.effect.acts() && finding.mode == Mode::Enforce);
        let codes: BTreeSet<&DetectionCode> = acting.map(|finding| &finding.detection).collect();
        if codes.is_empty() {
            return;
        }
        let codes = codes.into_iter().map(DetectionCode::as_str).collect::<Vec<_>>().join(", ");
        let class_word = match class {
            MemoryClass::Unknown => "",
            MemoryClass::C1 => " (C1, seen clean for days)",
            MemoryClass::C2 => " (C2, well known)",
            MemoryClass::C3 => " (C3, everybody's)",
        };
        // By this hash somebody who knows better says that it is bad.
        let hash = &content.hex()[..SHOWN_DIGITS];
        self.hits.push(GoodHit { class, what: format!("{codes} would hold {label}{class_word}, SHA-256 {hash}") });
    }

    /// What the gate says.
    pub fn end(self) -> GateReport {
        let mut report = rollout::judge_backtest(self.seen.len(), self.hits);
        if !self.failures.is_empty() {
            report.passed = false;
            report.faults.extend(self.failures.into_iter().take(rollout::LINES_MAX));
        }
        report.notes.insert(0, format!("{} detections new or changed", self.ruleset.detections.len()));
        report
    }
}
