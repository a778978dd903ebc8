//! What a scan says of one file: as JSON, and for people.

use domain::detection::{Category, DetectionCode, DetectionVersion, Effect, RulesetId};
use domain::finding::EngineReport;
use domain::message::{Ambiguity, Part};
use domain::policy::{Disposition, PolicyId};
use domain::verdict::Reason;
use domain::{Digest, Direction};
use serde::Serialize;

use crate::terminal;

/// A file that was examined.
#[derive(Serialize)]
pub(super) struct Scanned {
    pub(super) category: Category,
    pub(super) disposition: Disposition,
    pub(super) direction: Direction,
    pub(super) ruleset: RulesetId,
    pub(super) policy: PolicyId,
    pub(super) reasons: Vec<Reason>,
    pub(super) findings: Vec<Seen>,
    pub(super) engines: Vec<EngineReport>,
    pub(super) counterfactuals: Vec<Counterfactual>,
    pub(super) parts: Vec<Part>,
    pub(super) ambiguities: Vec<Ambiguity>,
    /// What engines complain of.
    pub(super) error: Option<String>,
    pub(super) file: String,
    pub(super) sha256: Digest,
    /// Bytes of the file.
    pub(super) size: usize,
}

/// What a detection saw, and where.
#[derive(Serialize)]
pub(super) struct Seen {
    pub(super) detection: DetectionCode,
    pub(super) detection_version: DetectionVersion,
    pub(super) engine: String,
    pub(super) effect: Effect,
    pub(super) part: Option<u32>,
    pub(super) offset: Option<u64>,
    pub(super) evidence: String,
}

/// What the verdict would be without a detection.
#[derive(Serialize)]
pub(super) struct Counterfactual {
    pub(super) without: DetectionCode,
    pub(super) category: Category,
    pub(super) disposition: Disposition,
}

/// A file that could not be opened.
#[derive(Serialize)]
pub(super) struct Unopened {
    pub(super) file: String,
    pub(super) error: String,
}

impl Unopened {
    /// For people.
    pub(super) fn text(&self) -> String {
        format!("{}: {}", self.file, self.error)
    }
}

impl Scanned {
    /// For people: the verdict and its reasons; if `explain`, everything that was seen.
    pub(super) fn text(&self, explain: bool) -> String {
        let colour = match self.disposition {
            Disposition::Deliver => 32,
            Disposition::Hold => 31,
            _ => 33,
        };
        let verdict = format!("{} {}", self.category.as_str(), self.disposition.as_str());
        let mut out = vec![format!("{}: {}", self.file, terminal::coloured(&verdict, colour))];
        let reasons = self.reasons.iter().filter(|reason| reason.code != "clean");
        out.extend(reasons.map(|reason| format!("  because {}", terminal::in_one_line(&reason.text))));
        if explain {
            out.extend(self.explained());
        }
        out.join("\n")
    }

    fn explained(&self) -> Vec<String> {
        let mut out = Vec::new();
        for Counterfactual { without, category, disposition } in &self.counterfactuals {
            out.push(format!("  without {without}: {} {}", category.as_str(), disposition.as_str()));
        }
        for Part { number, content_type, size, name, declared, .. } in &self.parts {
            out.push(format!("  part {number} {content_type} {size} bytes '{name}' declared '{declared}'"));
        }
        for Seen { detection, detection_version, effect, evidence, .. } in &self.findings {
            out.push(format!("  {detection} ({detection_version}) {} {evidence}", effect.as_str()));
        }
        for EngineReport { engine, version, outcome, millis, detail, .. } in &self.engines {
            let (outcome, millis) = (outcome.as_str(), terminal::number(*millis));
            out.push(format!("  engine {engine} {version} {outcome} {millis} ms {detail}"));
        }
        out.push(format!("  ruleset {} policy {}", self.ruleset, self.policy.as_str()));
        out.iter().map(|line| terminal::in_one_line(line)).collect()
    }
}
