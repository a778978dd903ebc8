//! The look-alike pack: files and mails that look harmful and are not, at least five for each detection, and pictures
//! that look innocent and are not. All of them are made here, by our own generators; none is anybody's.
//!
//! A ruleset that holds one of the innocent makes the mistake that this product exists for, and is not published. Of
//! pictures the pack holds one file for each row of the table of picture signals and more. It is a
//! gate, a test and a specification; `docs/look-alikes.md` lists it.

mod archive;
mod carrier;
mod code;
mod document;
mod letter;
mod link;
mod mail;
mod name;
mod page;
mod picture;
mod scene;
mod score;
mod sender;
mod svg;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::detection::{DetectionCode, Mode};
use domain::finding::{Finding, Outcome};
use domain::rollout::{Gate, GateReport, LINES_MAX};

use crate::examine::Examiner;
use crate::in_force::InForce;
use crate::limits::{Budget, Limits};
use crate::ruleset::Ruleset;
use crate::ruleset::lint::fixture_envelope;
use letter::Letter;

/// Time for one specimen.
const SPECIMEN_TIME: Duration = Duration::from_secs(10);

/// What a specimen is examined as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A file of this name and declared type, as a part of a mail.
    File,
    /// A whole mail to Bert, whose domain is ours, as it came over the wire.
    Mail,
}

/// One file or mail of the pack.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// What it is, for people; unique among the innocent, and among the harmful.
    pub name: &'static str,
    /// The file name that a mail would give it.
    pub file: &'static str,
    /// The content type that a mail would declare.
    pub declared: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it is examined as.
    pub form: Form,
    /// The codes of the detections that an innocent one looks like; none of them may find anything in it.
    pub like: &'static [&'static str],
    /// The check that finds it, for a harmful one; none for an innocent one.
    pub harm: Option<&'static str>,
}

impl Specimen {
    fn innocent(
        like: &'static [&'static str],
        name: &'static str,
        file: &'static str,
        declared: &'static str,
        bytes: Vec<u8>,
    ) -> Self {
        Self { name, file, declared, bytes, form: Form::File, like, harm: None }
    }

    fn mail(like: &'static [&'static str], name: &'static str, letter: &Letter) -> Self {
        Self::mail_of(like, name, letter.build())
    }

    fn mail_of(like: &'static [&'static str], name: &'static str, bytes: Vec<u8>) -> Self {
        let (file, declared) = ("mail.eml", "message/rfc822");
        Self { name, file, declared, bytes, form: Form::Mail, like, harm: None }
    }

    fn harmful(
        name: &'static str,
        file: &'static str,
        declared: &'static str,
        bytes: Vec<u8>,
        check: &'static str,
    ) -> Self {
        Self { name, file, declared, bytes, form: Form::File, like: &[], harm: Some(check) }
    }

    /// What the ruleset in force finds in it.
    ///
    /// # Errors
    /// When an engine fails, or the time is over.
    pub fn findings(&self, examiner: &mut Examiner<'_>) -> Result<Vec<Finding>, String> {
        let budget = Budget::starting_now(SPECIMEN_TIME);
        if self.form == Form::File {
            let found = examiner.examine_part(&self.bytes, self.file, self.declared, budget);
            return found.map_err(|error| error.to_string());
        }
        let examination = examiner.examine(&self.bytes, &fixture_envelope(&self.bytes), budget);
        match examination.engines.into_iter().find(|engine| engine.outcome != Outcome::Done) {
            Some(failed) => Err(format!("{}: {}", failed.engine, failed.detail)),
            None => Ok(examination.findings),
        }
    }
}

/// The whole pack.
pub fn pack() -> Vec<Specimen> {
    let others = [
        archive::innocent(),
        archive::harmful(),
        document::innocent(),
        link::innocent(),
        mail::innocent(),
        name::innocent(),
        page::innocent(),
        score::innocent(),
        page::harmful(),
        sender::innocent(),
        text::innocent(),
    ];
    [pictures(), others.concat()].concat()
}

/// The pictures of the pack, the innocent and the harmful.
pub fn pictures() -> Vec<Specimen> {
    [picture::innocent(), picture::harmful(), svg::innocent(), svg::harmful()].concat()
}

/// What a naive detection says: "data behind the end of the picture". It is here to show what it gets wrong.
pub fn naive_trailing_data(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xd8, ..] => !bytes.ends_with(&[0xff, 0xd9]),
        [0x89, b'P', b'N', b'G', ..] => bytes.len() < 12 || &bytes[bytes.len() - 8..bytes.len() - 4] != b"IEND",
        [b'G', b'I', b'F', b'8', ..] => !bytes.ends_with(&[0x3b]),
        _ => false,
    }
}

/// The gate: no detection of `codes` holds an innocent specimen, and the ruleset as a whole still finds each harmful
/// one.
pub fn gate(ruleset: &Arc<Ruleset>, codes: &BTreeSet<DetectionCode>) -> GateReport {
    let in_force = InForce { live: ruleset.clone(), candidate: None, modes: std::collections::BTreeMap::new() };
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    let pack = pack();
    let (mut held, mut missed) = (0, 0);
    for specimen in &pack {
        let findings = match specimen.findings(&mut examiner) {
            Ok(findings) => findings,
            Err(error) => {
                faults.push(format!("{}: {error}", specimen.name));
                continue;
            }
        };
        let acting: BTreeSet<&DetectionCode> = findings
            .iter()
            .filter(|finding| finding.effect.acts() && finding.mode == Mode::Enforce)
            .map(|finding| &finding.detection)
            .collect();
        match specimen.harm {
            None => {
                let own: Vec<&str> =
                    acting.iter().filter(|code| codes.contains(**code)).map(|code| code.as_str()).collect();
                if !own.is_empty() {
                    held += 1;
                    faults.push(format!("{} holds the innocent '{}'", own.join(", "), specimen.name));
                }
            }
            Some(_) if acting.is_empty() => {
                missed += 1;
                notes.push(format!("the harmful '{}' is not found", specimen.name));
            }
            Some(_) => {}
        }
    }
    let innocent = pack.iter().filter(|specimen| specimen.harm.is_none()).count();
    let harmful = pack.len() - innocent;
    faults.truncate(LINES_MAX);
    GateReport {
        gate: Gate::LookAlike,
        passed: faults.is_empty(),
        summary: format!("holds {held} of {innocent} innocent look-alikes, misses {missed} of {harmful} harmful files"),
        faults,
        notes,
    }
}
