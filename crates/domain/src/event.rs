//! Events: what is recorded, one fact each, for whoever watches a site from outside (a SIEM).
//!
//! An event is read from the record and never written beside it. Its place is the entry of the audit log that its
//! transaction made: that is the order of commits, and a reader that has come to an entry misses nothing before it.
//! What an event says of a mail is what a log may say; subject, file names, URLs, evidence and reasons are there only
//! for whom they were switched on. [`line()`] makes text of it, with the fields of the Elastic Common Schema.

mod ecs;

use std::sync::Arc;

use crate::audit::Entry;
use crate::id::UnitId;
use crate::time::Timestamp;

pub use ecs::{ECS_VERSION, LIST_MAX, Source, TEXT_CHARS, ascii, line};

/// Which events somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// A mail came, or was examined again, and has a verdict for one recipient.
    Verdict,
    /// What becomes of mail that is held: its release, step by step; denied, deleted, expired, taken back.
    Release,
    /// What the next hop answered to mail that passes.
    Delivery,
    /// A line of an incident.
    Incident,
    /// An entry of the audit log.
    Audit,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Verdict, Self::Release, Self::Delivery, Self::Incident, Self::Audit];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Release => "release",
            Self::Delivery => "delivery",
            Self::Incident => "incident",
            Self::Audit => "audit",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What an event may say beyond what a log may: nothing, unless it is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Subjects.
    pub subjects: bool,
    /// Names of attached files, with their sizes and hashes.
    pub file_names: bool,
    /// URLs in the mail.
    pub urls: bool,
    /// What a detection saw: it may quote the mail.
    pub evidence: bool,
    /// Why somebody did something, in their words, what a next hop said, and what an entry of the audit log was about
    /// where that is more than an id.
    pub reasons: bool,
}

impl Content {
    /// The names of what is switched on.
    pub fn words(self) -> Vec<&'static str> {
        let Self { subjects, file_names, urls, evidence, reasons } = self;
        let all = [
            (subjects, "subjects"),
            (file_names, "file_names"),
            (urls, "urls"),
            (evidence, "evidence"),
            (reasons, "reasons"),
        ];
        all.into_iter().filter(|(is_on, _)| *is_on).map(|(_, word)| word).collect()
    }
}

/// A recorded fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Since which restore of the record that entry has been this one; empty in a record of before there were epochs.
    pub epoch: String,
    /// The entry of the audit log that its transaction made. Several events may have one.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub fact: Fact,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A unit (a mail for one recipient) was moved, or got a verdict.
    Unit(UnitFact),
    /// Something was said in an incident.
    Incident(IncidentFact),
    /// Somebody did something.
    Audit(Entry),
    /// What came before is not there any more.
    Missing(Missing),
}

/// A step of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitFact {
    /// Which.
    pub unit: UnitId,
    /// The number of the step.
    pub step: i64,
    /// Where it was; `outside` when it came.
    pub from: String,
    /// Where it is now.
    pub to: String,
    /// What moved it: `arrived`, or the name of a move.
    pub by: String,
    /// Who.
    pub actor: String,
    /// Why; empty if that is not known.
    pub reason: String,
    /// For whom.
    pub recipient: String,
    /// In which direction.
    pub direction: String,
    /// What was decided for it.
    pub disposition: String,
    /// Whether that was acted on.
    pub is_enforced: bool,
    /// Whether the verdict that is told is a later one: the mail was examined again meanwhile.
    pub is_revised: bool,
    /// The mail.
    pub mail: Arc<MailFact>,
}

/// What is known of a mail.
#[derive(Clone, Debug, PartialEq)]
pub struct MailFact {
    /// When it came.
    pub received: Timestamp,
    /// From which address of the network.
    pub client_ip: String,
    /// What the client called itself.
    pub client_helo: String,
    /// As whom it had signed in, if it had.
    pub login: Option<String>,
    /// The sender of the envelope; empty for bounces.
    pub sender: String,
    /// The field From as it was written.
    pub header_from: String,
    /// The field Message-ID.
    pub message_id: Option<String>,
    /// The field Subject.
    pub subject: String,
    /// Bytes.
    pub size: u64,
    /// The hash of its bytes.
    pub sha256: String,
    /// What it is.
    pub category: String,
    /// The ruleset that examined it.
    pub ruleset: String,
    /// The policy that decided.
    pub policy: String,
    /// URLs in it.
    pub urls: Vec<String>,
    /// What was found and counts.
    pub findings: Vec<FindingFact>,
    /// Its files.
    pub files: Vec<FileFact>,
    /// How many of its findings and files cannot be read, and are none of these.
    pub unreadable: u64,
}

/// What a detection found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFact {
    /// Which detection.
    pub detection: String,
    /// Its version.
    pub version: String,
    /// Who looked.
    pub engine: String,
    /// What it takes the mail for.
    pub category: String,
    /// What follows from it.
    pub effect: String,
    /// What it saw.
    pub evidence: String,
}

/// A file in a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFact {
    /// Its name.
    pub name: String,
    /// Its declared type.
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    /// Its hash.
    pub sha256: String,
}

/// A line of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentFact {
    /// The incident.
    pub incident: String,
    /// The number of the line.
    pub number: i64,
    /// Who.
    pub actor: String,
    /// The stage that it came to, or what else was done.
    pub what: String,
    /// What it says.
    pub text: String,
    /// Whether the public sees it.
    pub is_public: bool,
    /// The detection that it is about.
    pub detection: String,
    /// Its version.
    pub version: String,
}

/// What a reader cannot have any more, since its time was over before it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The first entry of the audit log of which something is missing.
    pub from: u64,
    /// The last.
    pub to: u64,
    /// How many events that are, of all kinds; none where that is not known.
    pub events: Option<u64>,
    /// The id of an event that is too long for whom it is told.
    pub too_long: Option<String>,
}

impl Event {
    /// Its kind; none for what is missing, which everybody is told.
    pub fn kind(&self) -> Option<EventKind> {
        match &self.fact {
            Fact::Unit(unit) => Some(unit.kind()),
            Fact::Incident(_) => Some(EventKind::Incident),
            Fact::Audit(_) => Some(EventKind::Audit),
            Fact::Missing(_) => None,
        }
    }

    /// The name of its kind.
    pub fn kind_name(&self) -> &'static str {
        self.kind().map_or("missing", EventKind::as_str)
    }

    /// Whether it is one of these kinds, or must be told anyway.
    pub fn is_wanted(&self, kinds: &[EventKind]) -> bool {
        self.kind().is_none_or(|kind| kinds.contains(&kind))
    }

    /// What it is known by: the same whenever and to whomever it is told, so that who gets it twice can drop it. What
    /// is recorded after a restore has another epoch, and so no id that was told already.
    pub fn id(&self) -> String {
        let id = match &self.fact {
            Fact::Unit(unit) => format!("{}/{}", unit.unit, unit.step),
            Fact::Incident(line) => format!("{}/{}", line.incident, line.number),
            Fact::Audit(entry) => format!("audit/{}", entry.seq),
            // It names its epoch.
            Fact::Missing(Missing { too_long: Some(id), .. }) => return format!("missing/{id}"),
            Fact::Missing(missing) => format!("missing/{}-{}", missing.from, missing.to),
        };
        if self.epoch.is_empty() { id } else { format!("{}/{id}", self.epoch) }
    }
}

impl UnitFact {
    /// Whether it brings a verdict.
    pub fn is_verdict(&self) -> bool {
        matches!(self.by.as_str(), "arrived" | "reexamined")
    }

    fn kind(&self) -> EventKind {
        match self.by.as_str() {
            "arrived" | "reexamined" => EventKind::Verdict,
            "hop_accepted" | "hop_refused" | "answer_lost" | "confirmed" | "lapsed" => EventKind::Delivery,
            _ => EventKind::Release,
        }
    }
}
