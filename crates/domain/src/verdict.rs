//! [`decide`]: the one function that turns what was found into what is done.
//!
//! A verdict is a pure function of recorded things, so it can be explained, recomputed under another
//! containment state or without a detection, compared, and taken back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::containment::{Containment, Level};
use crate::detection::{Category, DetectionCode, DetectionVersion, RulesetId};
use crate::entry::EntryFact;
use crate::envelope::{Envelope, Recipient};
use crate::finding::{EngineReport, Examination, Finding, MemoryClass, MemoryFact, Outcome};
use crate::message::Family;
use crate::policy::{Disposition, OnFailure, Policy, PolicyId};

/// Carriers of ours that content needs to pass under a pardon: our own logo has them, a stranger's picture has not.
const PARDON_INTERNAL_MIN: u64 = 5;

/// Why: a constant for machines, a sentence for people, and the finding that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A machine constant, such as `detection` or `engine-timeout`.
    pub code: String,
    /// A sentence.
    pub text: String,
    /// The detection, where one is the reason.
    pub detection: Option<DetectionCode>,
    /// Its version.
    pub detection_version: Option<DetectionVersion>,
}

/// What is decided for one unit, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What the message is.
    pub category: Category,
    /// What is to be done with this unit.
    pub disposition: Disposition,
    /// Why, the deciding reason first.
    pub reasons: Vec<Reason>,
    /// The ruleset version.
    pub ruleset: RulesetId,
    /// The policy version.
    pub policy: PolicyId,
    /// The containment epoch.
    pub containment_epoch: u64,
}

impl Verdict {
    /// The detection that decided, if one did.
    pub fn cause(&self) -> Option<(&DetectionCode, &DetectionVersion)> {
        let reason = self.reasons.first()?;
        Some((reason.detection.as_ref()?, reason.detection_version.as_ref()?))
    }
}

/// Decides one unit. No clock, no I/O, no randomness: everything it needs is in its arguments.
///
/// The category is the worst of the findings that may act; the disposition is the first policy rule
/// that fits it; where several families share that category, the strictest disposition. Then an
/// engine's failure is weighed: it never changes the category, only what is done.
pub fn decide(
    examination: &Examination,
    _envelope: &Envelope,
    unit: &Recipient,
    policy: &Policy,
    containment: &Containment,
) -> Verdict {
    let mut reasons = Vec::new();
    let entries: Vec<&EntryFact> = examination.facts.entries.iter().filter(|entry| entry.reach.covers(unit)).collect();
    let (cleared, acting): (Vec<&Finding>, Vec<&Finding>) = examination
        .findings
        .iter()
        .filter(|finding| acts(finding, examination, containment))
        .partition(|finding| entries.iter().any(|entry| entry.clears(finding)));
    let blocks: Vec<&&EntryFact> = entries.iter().filter(|entry| !entry.allow).collect();
    let found = acting.iter().map(|finding| finding.category).chain(blocks.first().map(|_| Category::PolicyRule));
    let category = found.max().unwrap_or(Category::Clean);
    let mut disposition = Disposition::Deliver;
    for finding in acting.iter().filter(|finding| finding.category == category) {
        let (wanted, rule) = policy_says(policy, category, finding.family, unit);
        let reason = because_of(finding, wanted, rule);
        if wanted > disposition {
            disposition = wanted;
            reasons.insert(0, reason);
        } else {
            reasons.push(reason);
        }
    }
    for block in &blocks {
        // People have said so: it is held, and no more than that.
        let reason = because_of_entry(block);
        if disposition < Disposition::Hold {
            disposition = Disposition::Hold;
            reasons.insert(0, reason);
        } else {
            reasons.push(reason);
        }
    }
    reasons.extend(acting.iter().filter(|finding| finding.category != category).map(|finding| {
        let (wanted, rule) = policy_says(policy, finding.category, finding.family, unit);
        because_of(finding, wanted, rule)
    }));
    reasons.extend(cleared.iter().filter_map(|finding| {
        let entry = entries.iter().find(|entry| entry.clears(finding))?;
        let text = format!("{} counts more than {} ({})", entry.shown(), finding.detection, finding.detection_version);
        Some(Reason { code: "entry".into(), text, detection: None, detection_version: None })
    }));
    if disposition == Disposition::Hold {
        let delaying = acting.iter().filter(|finding| delays(finding, examination, containment));
        let versions: BTreeSet<_> = delaying.map(|one| (&one.detection, &one.detection_version)).collect();
        reasons.extend(versions.into_iter().map(|(code, version)| because_delayed(code, version)));
    }
    let held_back = examination.findings.iter().filter(|finding| finding.may_act());
    let held_back = held_back.filter(|finding| holds_back(finding, examination, containment));
    reasons.extend(held_back.map(because_contained));
    for report in &examination.engines {
        if let Some((wanted, reason)) = failure(report, policy) {
            if wanted > disposition && !(disposition == Disposition::Hold && wanted == Disposition::Defer) {
                disposition = wanted;
                reasons.insert(0, reason);
            } else {
                reasons.push(reason);
            }
        }
    }
    if acting.is_empty()
        && blocks.is_empty()
        && let Some(rule) = policy.rule(Category::Clean, Family::Mail, unit)
    {
        // A site may hold or tag even clean mail, for a trial or for a domain under attack.
        disposition = disposition.max(rule.disposition);
        let text = format!("policy rule '{}' says {} for clean mail", rule.name, rule.disposition.as_str());
        reasons.push(Reason { code: "policy".into(), text, detection: None, detection_version: None });
    }
    if reasons.is_empty() {
        reasons.push(Reason {
            code: "clean".into(),
            text: "nothing that acts was found".into(),
            detection: None,
            detection_version: None,
        });
    }
    Verdict {
        category,
        disposition,
        reasons,
        ruleset: examination.ruleset.clone(),
        policy: policy.id(),
        containment_epoch: containment.epoch,
    }
}

/// What the verdict would be without this detection: the counterfactual, from recorded findings alone.
pub fn decide_without(
    code: &DetectionCode,
    examination: &Examination,
    envelope: &Envelope,
    unit: &Recipient,
    policy: &Policy,
    containment: &Containment,
) -> Verdict {
    let mut without = examination.clone();
    without.findings.retain(|finding| finding.detection != *code);
    decide(&without, envelope, unit, policy, containment)
}

/// Whether a finding may act: its effect and mode say so, and containment does not hold it back.
fn acts(finding: &Finding, examination: &Examination, containment: &Containment) -> bool {
    finding.may_act() && !holds_back(finding, examination, containment)
}

/// Whether containment keeps a finding from acting. What an independent engine says as well is never touched.
fn holds_back(finding: &Finding, examination: &Examination, containment: &Containment) -> bool {
    let Some(level) = containment.level(&finding.detection, &finding.detection_version) else { return false };
    if examination.is_corroborated(finding) {
        return false;
    }
    let is_known = examination.facts.sender.is_some_and(|sender| sender.established);
    let of_detection =
        |other: &&Finding| other.detection == finding.detection && other.detection_version == finding.detection_version;
    // All that it hit in this mail must be vouched for, not the one part only.
    let memory = |other: &Finding| other.part.and_then(|part| examination.facts.memory.get(&part));
    let all_vouched = |enough: &dyn Fn(&MemoryFact) -> bool| {
        examination.findings.iter().filter(of_detection).all(|other| memory(other).is_some_and(enough))
    };
    match level {
        Level::Pardon => all_vouched(&|known| known.class == MemoryClass::C3 && known.internal >= PARDON_INTERNAL_MIN),
        Level::Contained => match &finding.previous {
            Some(previous) => !previous.hit,
            None => is_known && all_vouched(&|known| known.class != MemoryClass::Unknown),
        },
        Level::Probation => is_known,
        Level::Delay => false,
    }
}

/// Whether a finding holds mail of somebody whom we know while its version is on probation.
fn delays(finding: &Finding, examination: &Examination, containment: &Containment) -> bool {
    containment.level(&finding.detection, &finding.detection_version) == Some(Level::Delay)
        && examination.facts.sender.is_some_and(|sender| sender.established)
}

fn policy_says<'p>(policy: &'p Policy, category: Category, family: Family, unit: &Recipient) -> (Disposition, &'p str) {
    match policy.rule(category, family, unit) {
        // Promise 7 stands above any policy that slipped through its check.
        Some(rule) if matches!(rule.disposition, Disposition::Reject | Disposition::Redirect) => {
            (Disposition::Hold, &rule.name)
        }
        Some(rule) => (rule.disposition, &rule.name),
        None => (Disposition::Deliver, "no rule"),
    }
}

fn because_of(finding: &Finding, wanted: Disposition, rule: &str) -> Reason {
    let place = match finding.part {
        Some(part) => format!("part {part}"),
        None => "the message".to_owned(),
    };
    Reason {
        code: "detection".into(),
        text: format!(
            "{} ({}) saw {} in {place}: {}, so policy rule '{rule}' says {}",
            finding.detection,
            finding.detection_version,
            finding.evidence,
            finding.category.as_str(),
            wanted.as_str()
        ),
        detection: Some(finding.detection.clone()),
        detection_version: Some(finding.detection_version.clone()),
    }
}

fn because_contained(finding: &Finding) -> Reason {
    let Finding { detection, detection_version, previous, .. } = finding;
    let instead = match previous {
        Some(previous) => format!("its previous form ({}) does not hit", previous.detection_version),
        None => "the past vouches for what it hit".to_owned(),
    };
    let text = format!("{detection} ({detection_version}) is contained, and {instead}");
    Reason { code: "contained".into(), text, detection: None, detection_version: None }
}

fn because_delayed(code: &DetectionCode, version: &DetectionVersion) -> Reason {
    let text = format!(
        "delayed: {code} ({version}) is on probation, since it was forced past a gate and hits what is known to be \
         good; people are called"
    );
    Reason { code: "delayed".into(), text, detection: None, detection_version: None }
}

fn because_of_entry(entry: &EntryFact) -> Reason {
    let text = format!("{} says Hold", entry.shown());
    Reason { code: "entry".into(), text, detection: None, detection_version: None }
}

fn failure(report: &EngineReport, policy: &Policy) -> Option<(Disposition, Reason)> {
    if !report.is_missed() {
        return None;
    }
    let code = match report.outcome {
        Outcome::Error => "engine-error",
        Outcome::Timeout => "engine-timeout",
        Outcome::Done | Outcome::Skipped => return None,
    };
    let (disposition, what) = match policy.on_failure(&report.engine) {
        OnFailure::Continue => (Disposition::Deliver, "going on without it"),
        OnFailure::Defer => (Disposition::Defer, "the sender is asked to try again"),
        OnFailure::Hold => (Disposition::Hold, "held until it has been examined again"),
    };
    let text = format!("engine {} did not finish ({}); {what}", report.engine, report.detail);
    Some((disposition, Reason { code: code.into(), text, detection: None, detection_version: None }))
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
