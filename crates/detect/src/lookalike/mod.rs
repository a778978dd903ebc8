//! The look-alike pack: pictures that look harmful and are not, and pictures that look innocent and are not. All of
//! them are made here, by our own generators; none is anybody's.
//!
//! A ruleset that holds one of the innocent makes the mistake that this product exists for, and is not published. The
//! pack holds one file for each row of the table of picture signals (methods section 3) and more; it is a gate, a test
//! and a specification.

mod carrier;
mod picture;
mod scene;
mod svg;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::detection::{DetectionCode, Mode};
use domain::rollout::{Gate, GateReport, LINES_MAX};

use crate::examine::Examiner;
use crate::in_force::InForce;
use crate::limits::{Budget, Limits};
use crate::ruleset::Ruleset;

/// Time for one specimen.
const SPECIMEN_TIME: Duration = Duration::from_secs(10);

/// One file of the pack.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// What it is, for people; unique.
    pub name: &'static str,
    /// The file name that a mail would give it.
    pub file: &'static str,
    /// The content type that a mail would declare.
    pub declared: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The check that finds it, for a harmful one; none for an innocent one.
    pub harm: Option<&'static str>,
}

impl Specimen {
    fn innocent(name: &'static str, file: &'static str, declared: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, file, declared, bytes, harm: None }
    }

    fn harmful(
        name: &'static str,
        file: &'static str,
        declared: &'static str,
        bytes: Vec<u8>,
        check: &'static str,
    ) -> Self {
        Self { name, file, declared, bytes, harm: Some(check) }
    }
}

/// The whole pack.
pub fn pack() -> Vec<Specimen> {
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
        let budget = Budget::starting_now(SPECIMEN_TIME);
        let findings = match examiner.examine_part(&specimen.bytes, specimen.file, specimen.declared, budget) {
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
