//! The look-alike pack against the shipped ruleset: no innocent file is held, each harmful one is found by the check
//! that is meant to find it, and the naive detection shows what happens without all this.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use detect::examine::Examiner;
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::lookalike::{self, naive_trailing_data, pack};
use detect::ruleset::{Ruleset, shipped_files};

fn shipped() -> Arc<Ruleset> {
    Arc::new(Ruleset::shipped().expect("the shipped ruleset loads"))
}

/// The check that each detection on structure acts on.
fn checks() -> BTreeMap<String, String> {
    let of = |(path, bytes): (&String, &Vec<u8>)| {
        let code = path.strip_suffix("/detection.toml")?;
        let text = std::str::from_utf8(bytes).ok()?;
        let check = text.lines().find_map(|line| line.strip_prefix("check = "))?;
        Some((code.to_owned(), check.trim_matches('"').to_owned()))
    };
    shipped_files().iter().filter_map(of).collect()
}

#[test]
fn every_specimen_is_what_it_says() {
    let in_force = InForce { live: shipped(), candidate: None, modes: BTreeMap::new() };
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let checks = checks();
    let mut wrong = Vec::new();
    for specimen in pack() {
        let budget = Budget::starting_now(Duration::from_secs(10));
        let findings = examiner
            .examine_part(&specimen.bytes, specimen.file, specimen.declared, budget)
            .expect("a specimen can be examined");
        let acting: BTreeSet<&str> = findings
            .iter()
            .filter(|finding| finding.effect.acts())
            .filter_map(|finding| checks.get(finding.detection.as_str()).map(String::as_str))
            .collect();
        let is_right = match specimen.harm {
            None => acting.is_empty(),
            Some(check) => acting.contains(check),
        };
        if !is_right {
            wrong.push(format!("'{}': wanted {:?}, got {acting:?}: {findings:#?}", specimen.name, specimen.harm));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_gate_lets_the_shipped_ruleset_through() {
    let ruleset = shipped();
    let codes = ruleset.detections.keys().cloned().collect();
    let report = lookalike::gate(&ruleset, &codes);
    assert!(report.passed && report.notes.is_empty(), "{report:#?}");
    insta::assert_snapshot!(report.summary);
}

/// The detection that this product exists because of: it holds innocent pictures and lets harmful ones through.
#[test]
fn the_naive_detection_gets_it_wrong() {
    let (mut held, mut missed) = (Vec::new(), Vec::new());
    for specimen in pack() {
        match (specimen.harm, naive_trailing_data(&specimen.bytes)) {
            (None, true) => held.push(specimen.name),
            (Some(_), false) => missed.push(specimen.name),
            _ => {}
        }
    }
    insta::assert_snapshot!(format!(
        "innocent, and held ({}):\n  {}\nharmful, and let through ({}):\n  {}",
        held.len(),
        held.join("\n  "),
        missed.len(),
        missed.join("\n  ")
    ));
}

/// A rule like the one of August 2024 does not get past the gate.
#[test]
fn the_gate_stops_a_rule_that_holds_every_jpeg_with_a_tail() {
    let rule = "rule trailing { condition: uint16be(0) == 0xffd8 and uint16be(filesize - 2) != 0xffd9 }";
    let files = BTreeMap::from([("trailing.yar".to_owned(), rule.as_bytes().to_vec())]);
    let own = detect::ruleset::load::from_files(files).expect("loads");
    let codes = own.detections.keys().cloned().collect();
    let whole = Arc::new(shipped().with(&own).expect("loads together"));
    let report = lookalike::gate(&whole, &codes);
    assert!(!report.passed && report.faults.len() >= 8, "{report:#?}");
}

#[test]
fn the_pack_is_large_and_its_names_are_unique() {
    let pack = pack();
    let names: BTreeSet<&str> = pack.iter().map(|specimen| specimen.name).collect();
    assert_eq!(names.len(), pack.len());
    let innocent = pack.iter().filter(|specimen| specimen.harm.is_none()).count();
    assert!(innocent >= 60 && pack.len() - innocent >= 40, "{innocent} of {}", pack.len());
}
