//! What engines saw in one message under one ruleset, and how each engine fared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::authentication::Authentication;
use crate::detection::{Category, DetectionCode, DetectionVersion, Effect, Mode, RulesetId};
use crate::entry::EntryFact;
use crate::message::{Family, Message};

/// "Detection D, in version V, saw evidence E in part P."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The detection.
    pub detection: DetectionCode,
    /// Its version at that time.
    pub detection_version: DetectionVersion,
    /// The engine that ran it.
    pub engine: String,
    /// What it makes of the message.
    pub category: Category,
    /// What it may do.
    pub effect: Effect,
    /// Whether the detection was to act; `Shadow` findings are recorded only.
    pub mode: Mode,
    /// The part it was seen in; `None` for the message as a whole.
    pub part: Option<u32>,
    /// The family of that part.
    pub family: Family,
    /// The byte in the part, or in the raw message, where the evidence begins.
    pub offset: Option<u64>,
    /// What was seen, safe to show: at most 500 printable characters.
    pub evidence: String,
    /// What the detection's previous version says about the same target, where this version is new.
    pub previous: Option<PreviousForm>,
}

impl Finding {
    /// Whether it leads to something by itself, unless a containment or an entry holds it back.
    pub fn may_act(&self) -> bool {
        self.effect.acts() && self.mode == Mode::Enforce
    }
}

/// The counterfactual kept beside a finding of a new detection version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousForm {
    /// The previous version.
    pub detection_version: DetectionVersion,
    /// Whether it hits as well.
    pub hit: bool,
}

/// The engine name of a candidate that runs beside the ruleset in force. Its failure is its own: it never touches the
/// mail.
pub const SHADOW: &str = "shadow";

/// How an engine fared on one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It looked at all it was to look at.
    Done,
    /// It failed; policy decides.
    Error,
    /// It ran out of time; policy decides.
    Timeout,
    /// It was not asked.
    Skipped,
}

impl Outcome {
    /// The shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Error => "Error",
            Self::Timeout => "Timeout",
            Self::Skipped => "Skipped",
        }
    }
}

/// One engine's report; its data version is recorded because it cannot be reproduced later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineReport {
    /// The engine.
    pub engine: String,
    /// The program's version.
    pub version: String,
    /// The version of its data, for engines that update themselves; empty for ours.
    pub data_version: String,
    /// How it fared.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub millis: f64,
    /// What went wrong, for people; empty when nothing did.
    pub detail: String,
}

impl EngineReport {
    /// Whether what this engine would have said is missing from the verdict.
    pub fn is_missed(&self) -> bool {
        self.engine != SHADOW && matches!(self.outcome, Outcome::Error | Outcome::Timeout)
    }
}

/// How well the past vouches for the content of a finding; resolved before `decide`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MemoryClass {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Seen clean for 72 hours by two identities.
    C1,
    /// Seen clean for 7 days by five identities.
    C2,
    /// Seen clean for 14 days by twenty identities.
    C3,
}

/// Facts from outside the message that were resolved before deciding, as they stood then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Allow and block entries that matched.
    pub entries: Vec<EntryFact>,
    /// The canary bucket of the conversation, 0 to 9999, once roll-outs use one.
    pub canary_bucket: Option<u16>,
    /// Whether sender and recipient have never met, once that is known.
    pub first_contact: Option<bool>,
    /// How the mail authenticates; none when nobody has looked.
    #[serde(default)]
    pub authentication: Option<Authentication>,
    /// What the content memory says of a part, by part number; asked for those that something acts on.
    pub memory: BTreeMap<u32, MemoryFact>,
    /// Who sent it, as far as that matters; none when nobody had to know.
    #[serde(default)]
    pub sender: Option<SenderFact>,
}

/// What is known of the sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderFact {
    /// One of ours, who has logged in; or an organisation that we have corresponded with for long.
    pub established: bool,
    /// One of ours.
    pub internal: bool,
}

/// What the memory said of one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryFact {
    /// The class.
    pub class: MemoryClass,
    /// How many mails carried it.
    pub carriers: u64,
    /// How many identities did.
    pub identities: u64,
    /// How many of them are ours.
    #[serde(default)]
    pub internal: u64,
}

/// All findings and reports for one message under one ruleset: with the envelope and the policy, all that a verdict
/// rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Examination {
    /// The ruleset it was made under.
    pub ruleset: RulesetId,
    /// The message's facts.
    pub message: Message,
    /// What was found, in the order of parts.
    pub findings: Vec<Finding>,
    /// Each engine's report.
    pub engines: Vec<EngineReport>,
    /// What was resolved before deciding.
    pub facts: Facts,
}

impl Examination {
    /// Whether an independent engine says the same of the same part; one that speaks of the whole mail speaks of all
    /// its parts.
    pub fn is_corroborated(&self, finding: &Finding) -> bool {
        self.findings.iter().any(|other| {
            other.may_act()
                && other.engine != finding.engine
                && (other.part == finding.part || other.part.is_none() || finding.part.is_none())
        })
    }

    /// Whether any engine failed or ran out of time, so that a later look may see more.
    pub fn is_partial(&self) -> bool {
        self.engines.iter().any(EngineReport::is_missed)
    }
}
