//! Probation of a version that a person has put in force past a gate, where the gate had named known-good content.
//!
//! For strangers it acts as policy says. Mail of those whom we know is held as well, but as a delay: people are called
//! at once, and have [`DELAY`] to choose. Time alone releases nothing. What leaves by itself is what this version alone
//! holds, and only for content that was to and fro between three domains for two weeks before the version's first
//! draft: an attacker can send whatever he likes today, and none of that leaves. What leaves is counted as what may be
//! a catch that was lost, and it is [`LET_OUT_MAX`] mails of a version at most.
//!
//! Two tables: [`standing`] says whether a version is on probation, [`Stage::on`] what may become of a mail;
//! [`why_it_stays`] says which mail may leave.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::containment::{Containment, Level};
use crate::detection::Category;
use crate::envelope::Envelope;
use crate::finding::{Examination, Finding};
use crate::incident::{Outcome, STALE};
use crate::message::{Family, Part};
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::verdict::decide_without;

use super::Suspect;

/// How long people have to choose before the first look at a mail: it stays that long at least.
pub const DELAY: Duration = Duration::from_secs(15 * 60);
/// Mails that one version may let out; then people are called once more, and the rest stays.
pub const LET_OUT_MAX: u32 = 100;

/// Endings of names that programs show and do not run. What is missing here only stays until a person decides.
const READ_ONLY: [&str; 26] = [
    "asc", "bmp", "csv", "doc", "docx", "eml", "gif", "heic", "ics", "jpeg", "jpg", "log", "md", "mov", "mp3", "mp4",
    "odt", "pdf", "png", "pptx", "tif", "tiff", "txt", "wav", "webp", "xlsx",
];

/// What decides whether a version is on probation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// Whether it is in force.
    pub is_in_force: bool,
    /// Whether it was forced past a gate, and the whole memory has named known-good content that it hits.
    pub hits_known_good: bool,
    /// Whether a person has said that it is right: it is pinned.
    pub is_confirmed: bool,
    /// Whether it is held back further than that: contained, pardoned, or a corrected form that only watches.
    pub is_held_back: bool,
    /// Whether the sentinel acts by itself here.
    pub may_act: bool,
}

/// Whether a version is on probation, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is.
    OnProbation,
    /// It is in force no more.
    Withdrawn,
    /// Nothing that is known to be good was found to be hit by it, or a person gave it back.
    Unsuspected,
    /// A person has confirmed it.
    Confirmed,
    /// The sentinel only calls people here.
    OnlyCalls,
    /// More is done about it.
    HeldBack,
}

impl Standing {
    /// Why a probation that there was ends, as a sentence of the record; nothing while it lasts, and where what is done
    /// beyond it says so itself.
    pub fn why_it_ends(self) -> Option<&'static str> {
        Some(match self {
            Self::OnProbation | Self::HeldBack => return None,
            Self::Withdrawn => "it is in force no more: its probation is over",
            Self::Unsuspected => "nothing known to be good is held against it any more: its probation is over",
            Self::Confirmed => "somebody has confirmed that it is right: its probation is over",
            Self::OnlyCalls => "the sentinel only calls people now: mail that it holds is not let out by itself",
        })
    }
}

/// Whether a version is on probation: the first reason against it that there is.
pub fn standing(now: Circumstances) -> Standing {
    match now {
        Circumstances { is_in_force: false, .. } => Standing::Withdrawn,
        Circumstances { hits_known_good: false, .. } => Standing::Unsuspected,
        Circumstances { is_confirmed: true, .. } => Standing::Confirmed,
        Circumstances { may_act: false, .. } => Standing::OnlyCalls,
        Circumstances { is_held_back: true, .. } => Standing::HeldBack,
        _ => Standing::OnProbation,
    }
}

/// Where a mail stands that a version on probation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It waits until people had time to choose.
    Delayed,
    /// Its release was asked for: a catch that may be lost.
    LetOut,
    /// It stays until a person or the sentinel decides about the version.
    Kept,
    /// Somebody else had decided about it before.
    Settled,
}

/// What moves a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// All that is asked for holds.
    LetOut,
    /// Something that is asked for does not hold, and will not.
    Keep,
    /// It is held no more.
    Settle,
}

/// A step that this stage does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mail that is {} cannot move by {by:?}", from.as_str())]
pub struct Refused {
    /// The stage.
    pub from: Stage,
    /// The step.
    pub by: Step,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 4] = [Self::Delayed, Self::LetOut, Self::Kept, Self::Settled];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::LetOut => "let_out",
            Self::Kept => "kept",
            Self::Settled => "settled",
        }
    }

    /// What it says of a mail, for people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Delayed => "it waits until people had time to choose",
            Self::LetOut => "it was let out",
            Self::Kept => "it stays",
            Self::Settled => "it needs no decision of a probation",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }

    /// The one table: a mail is decided about once.
    ///
    /// # Errors
    /// When the stage does not allow the step.
    pub fn on(self, by: Step) -> Result<Self, Refused> {
        Ok(match (self, by) {
            (Self::Delayed, Step::LetOut) => Self::LetOut,
            (Self::Delayed, Step::Keep) => Self::Kept,
            (Self::Delayed, Step::Settle) => Self::Settled,
            (from, by) => return Err(Refused { from, by }),
        })
    }
}

/// Why a mail stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stays {
    /// Nobody knows its sender.
    Stranger,
    /// The version does not hit it any more, as it is examined now: what holds it is somebody else's to say.
    NotHit,
    /// The detection has no earlier form that would have let it pass.
    NoPreviousForm,
    /// The earlier form hits it as well.
    PreviousFormHits,
    /// It hits content that was not to and fro for two weeks before the first draft, or the mail as a whole.
    NewContent,
    /// Something else objects to it.
    AnotherObjects,
    /// A part of it may run: its name, or what it is when nothing is known of it.
    MayRun(String),
    /// It goes to strangers and is old: whoever wrote it should be asked.
    Old,
    /// As many have been let out as one version may.
    Full,
    /// The probation is over.
    Over,
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stranger => f.write_str("its sender is not known"),
            Self::NotHit => f.write_str("examined again, the detection does not hit it"),
            Self::NoPreviousForm => f.write_str("the detection has no previous form"),
            Self::PreviousFormHits => f.write_str("the previous form of the detection hits it as well"),
            Self::NewContent => {
                f.write_str("what it hits had not gone to and fro for two weeks before the version was drafted")
            }
            Self::AnotherObjects => f.write_str("something else objects to it as well"),
            Self::MayRun(part) => write!(f, "it has an attachment that may run: {part}"),
            Self::Old => f.write_str("it goes to strangers and has been held for over a day"),
            Self::Full => write!(f, "{LET_OUT_MAX} mails of this version have been let out, and no more may be"),
            Self::Over => f.write_str("the probation of the version is over"),
        }
    }
}

/// A mail that a version on probation holds, as it is examined now.
#[derive(Clone, Copy, Debug)]
pub struct Look<'l> {
    /// The version.
    pub suspect: &'l Suspect,
    /// What was found, by all that is in force now.
    pub examination: &'l Examination,
    /// From whom it came, and to whom.
    pub envelope: &'l Envelope,
    /// The policy.
    pub policy: &'l Policy,
    /// What is held back now.
    pub containment: &'l Containment,
    /// The hashes of contents that went to and fro before the version's first draft.
    pub conversed: &'l BTreeSet<String>,
    /// When it came.
    pub received: Timestamp,
    /// Mails that the version has let out.
    pub let_out: u32,
}

/// Why a mail stays; nothing when it may leave.
pub fn why_it_stays(look: &Look<'_>, now: Timestamp) -> Option<Stays> {
    let Look { suspect, examination, envelope, policy, containment, conversed, received, let_out } = *look;
    if containment.level(&suspect.code, &suspect.version) != Some(Level::Delay) {
        return Some(Stays::Over);
    }
    if !examination.facts.sender.is_some_and(|sender| sender.established) {
        return Some(Stays::Stranger);
    }
    let is_of = |finding: &&Finding| finding.detection == suspect.code && finding.detection_version == suspect.version;
    let hits: Vec<&Finding> = examination.findings.iter().filter(|one| one.may_act()).filter(is_of).collect();
    if hits.is_empty() {
        return Some(Stays::NotHit);
    }
    for hit in &hits {
        match &hit.previous {
            None => return Some(Stays::NoPreviousForm),
            Some(previous) if previous.hit => return Some(Stays::PreviousFormHits),
            Some(_) => {}
        }
    }
    let is_conversed = |part: &Part| conversed.contains(&part.sha256.hex());
    let part = |hit: &Finding| hit.part.and_then(|part| examination.message.part(part));
    if !hits.iter().all(|hit| part(hit).is_some_and(is_conversed)) {
        return Some(Stays::NewContent);
    }
    let objects = envelope.recipients.iter().any(|unit| {
        let without = decide_without(&suspect.code, examination, envelope, unit, policy, containment);
        without.category != Category::Clean || !without.disposition.passes()
    });
    if objects || hits.iter().any(|hit| examination.is_corroborated(hit)) {
        return Some(Stays::AnotherObjects);
    }
    if let Some(part) = examination.message.parts.iter().find(|part| may_run(part, is_conversed(part))) {
        let what = if part.name.is_empty() { part.family.as_str() } else { &part.name };
        return Some(Stays::MayRun(what.to_owned()));
    }
    let held = now.since(received);
    if envelope.recipients.iter().any(|unit| Outcome::of_passing(unit.direction, held) == Outcome::Asked) {
        return Some(Stays::Old);
    }
    (let_out >= LET_OUT_MAX).then_some(Stays::Full)
}

/// Whether a part may run when somebody opens it: by its name, whatever it is; as a program by its bytes, whoever has
/// sent it before; or as something that may carry one, unless it is content of the past.
fn may_run(part: &Part, is_conversed: bool) -> bool {
    let extension = part.name.rsplit_once('.').map(|(_, extension)| extension.trim_end().to_lowercase());
    if extension.is_some_and(|extension| !READ_ONLY.contains(&extension.as_str())) {
        return true;
    }
    match part.family {
        Family::Executable | Family::Script => true,
        _ if is_conversed => false,
        Family::Archive | Family::Office | Family::Other => true,
        // A page is what people read; a page that is attached runs in their browser, and so does a drawing.
        Family::Html => !part.name.is_empty(),
        Family::Image => part.content_type.contains("svg") || part.declared.contains("svg"),
        Family::Text | Family::Pdf | Family::Media | Family::Mail => false,
    }
}

// A mail is looked at long before whoever wrote it would have to be asked.
const _: () = assert!(DELAY.as_secs() < STALE.as_secs());

#[cfg(test)]
#[path = "probation_tests.rs"]
mod tests;
