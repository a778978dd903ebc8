//! One ruleset looking at one parsed message: signals and matches become findings.

use std::collections::{BTreeMap, HashSet};

use domain::detection::{DetectionCode, Mode};
use domain::finding::{Finding, PreviousForm};
use domain::header;
use domain::message::Family;

use crate::classifier::{Asked, ForModels};
use crate::limits::Budget;
use crate::mime::{Decoded, Parsed};
use crate::ruleset::Ruleset;
use crate::scorecard::feature::Features;
use crate::structure::Signal;
use crate::yara::{Hit, Layer, Scanners, YaraError};

/// Characters of evidence that are kept.
const EVIDENCE_CHARS_MAX: usize = 500;

/// A ruleset with scanners of its own.
pub(crate) struct RuleRunner<'r> {
    pub(crate) ruleset: &'r Ruleset,
    scanners: Scanners<'r>,
    /// The earlier forms of what has changed, run where today's form hits and nowhere else.
    previous: Option<(&'r Ruleset, Scanners<'r>)>,
    modes: &'r BTreeMap<DetectionCode, Mode>,
    /// Whatever it sees is recorded only.
    in_shadow: bool,
}

impl<'r> RuleRunner<'r> {
    pub(crate) fn new(ruleset: &'r Ruleset, modes: &'r BTreeMap<DetectionCode, Mode>, in_shadow: bool) -> Self {
        let previous = ruleset.previous.as_deref().map(|previous| (previous, previous.yara.scanners()));
        Self { ruleset, scanners: ruleset.yara.scanners(), previous, modes, in_shadow }
    }

    /// What the detections on structure make of the signals.
    pub(crate) fn judge(&self, signals: &[Signal]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for signal in signals {
            for code in self.ruleset.checks.get(&signal.check).into_iter().flatten() {
                let mut found = self.finding(code, signal.part, signal.family, signal.offset, signal.evidence.clone());
                if let (Some(finding), Some((previous, _))) = (&mut found, &self.previous) {
                    let acted = previous.checks.get(&signal.check).is_some_and(|codes| codes.contains(code));
                    finding.previous = form_of(previous, code, acted);
                }
                findings.extend(found);
            }
        }
        findings
    }

    /// What the trained models in force here, and their earlier forms, want to see of a mail.
    pub(crate) fn asked(&self) -> Asked {
        let earlier = self.previous.iter().flat_map(|(previous, _)| previous.models.values());
        Asked::by(self.ruleset.models.values().chain(earlier))
    }

    /// What trained models make of a mail.
    pub(crate) fn weigh(&self, mail: &ForModels) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (code, model) in &self.ruleset.models {
            let score = model.score(mail);
            if !model.acts(&score, &mail.named) {
                continue;
            }
            let mut found = self.finding(code, None, Family::Mail, None, score.evidence());
            if let (Some(finding), Some((previous, _))) = (&mut found, &self.previous) {
                let earlier = previous.models.get(code);
                let acted = earlier.is_some_and(|model| model.acts(&model.score(mail), &mail.named));
                finding.previous = form_of(previous, code, acted);
            }
            findings.extend(found);
        }
        findings
    }

    /// Whether a scorecard is in force here.
    pub(crate) fn has_cards(&self) -> bool {
        !self.ruleset.cards.is_empty()
    }

    /// What the scorecards make of a mail's named features.
    pub(crate) fn score(&self, features: &Features) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (code, card) in &self.ruleset.cards {
            let score = card.score(features);
            if !card.acts(&score, features) {
                continue;
            }
            let mut found = self.finding(code, None, Family::Mail, None, score.evidence());
            if let (Some(finding), Some((previous, _))) = (&mut found, &self.previous) {
                let earlier = previous.cards.get(code);
                let acted = earlier.is_some_and(|card| card.acts(&card.score(features), features));
                finding.previous = form_of(previous, code, acted);
            }
            findings.extend(found);
        }
        findings
    }

    /// Runs the rules on everything that they read.
    ///
    /// # Errors
    /// When the time is over or the engine fails; what was found before stays in `findings`.
    pub(crate) fn scan(
        &mut self,
        raw: &[u8],
        parsed: &Parsed<'_>,
        budget: Budget,
        findings: &mut Vec<Finding>,
    ) -> Result<(), YaraError> {
        self.scan_one(Layer::Raw, raw, None, budget, findings)?;
        self.scan_one(Layer::Header, &raw[..header::body_start(raw)], None, budget, findings)?;
        for part in &parsed.parts {
            self.scan_part(part, budget, findings)?;
        }
        Ok(())
    }

    /// Runs the rules on one part.
    ///
    /// # Errors
    /// As [`RuleRunner::scan`].
    pub(crate) fn scan_part(
        &mut self,
        part: &Decoded<'_>,
        budget: Budget,
        findings: &mut Vec<Finding>,
    ) -> Result<(), YaraError> {
        if part.is_text {
            self.scan_one(Layer::Text, &part.bytes, Some(part), budget, findings)?;
        }
        self.scan_one(Layer::Part, &part.bytes, Some(part), budget, findings)
    }

    fn finding(
        &self,
        code: &DetectionCode,
        part: Option<u32>,
        family: Family,
        offset: Option<u64>,
        evidence: String,
    ) -> Option<Finding> {
        let detection = self.ruleset.detections.get(code)?;
        let mode = match self.modes.get(code).copied().unwrap_or(detection.mode) {
            Mode::Off => return None,
            _ if self.in_shadow => Mode::Shadow,
            mode => mode,
        };
        Some(Finding {
            detection: code.clone(),
            detection_version: detection.version.clone(),
            engine: detection.engine.clone(),
            category: detection.category,
            effect: detection.effect,
            mode,
            part,
            family,
            offset,
            evidence: evidence.chars().take(EVIDENCE_CHARS_MAX).collect(),
            previous: None,
        })
    }

    /// Which earlier forms hit the same bytes; asked only where a detection that has one hits. None when it cannot be
    /// told: an earlier form that fails or runs out of time takes nothing from what today's form has found.
    fn earlier_hits(
        &mut self,
        layer: Layer,
        bytes: &[u8],
        name: &str,
        hits: &[Hit],
        budget: Budget,
    ) -> Option<HashSet<DetectionCode>> {
        let (previous, scanners) = self.previous.as_mut()?;
        let rules = &self.ruleset.rules;
        let code_of = |hit: &Hit| rules.get(&(hit.namespace.clone(), hit.rule.clone()));
        if !hits.iter().filter_map(code_of).any(|code| previous.detections.contains_key(code)) {
            return None;
        }
        let earlier = scanners.scan(layer, bytes, name, budget.left()).ok()?;
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
        let name = part.map_or("", |part| part.name.as_str());
        let hits = self.scanners.scan(layer, bytes, name, budget.left())?;
        let earlier = self.earlier_hits(layer, bytes, name, &hits, budget);
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
