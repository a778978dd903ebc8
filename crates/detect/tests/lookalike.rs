//! The look-alike pack against the shipped ruleset: no innocent file is held, each harmful one is found by the check
//! that is meant to find it, and the naive detection shows what happens without all this.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use detect::examine::Examiner;
use detect::in_force::InForce;
use detect::limits::Limits;
use detect::lookalike::{self, Specimen, naive_trailing_data, pack};
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
        let findings = specimen.findings(&mut examiner).expect("a specimen can be examined");
        let acting: BTreeSet<&str> =
            findings.iter().filter(|finding| finding.effect.acts()).map(|finding| finding.detection.as_str()).collect();
        let found: BTreeSet<&str> = findings.iter().map(|finding| finding.detection.as_str()).collect();
        let is_right = match specimen.harm {
            None => acting.is_empty() && !specimen.like.iter().any(|code| found.contains(code)),
            Some(wanted) => acting.iter().any(|code| checks.get(*code).is_some_and(|check| check == wanted)),
        };
        if !is_right {
            let seen: Vec<String> =
                findings.iter().map(|one| format!("{} ({})", one.detection, one.evidence)).collect();
            wrong.push(format!("'{}' is like {:?}{:?}: {seen:?}", specimen.name, specimen.like, specimen.harm));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many innocent specimens each detection has at least, and the pack as a whole.
const EACH_MIN: usize = 5;
const ALL_MIN: usize = 300;

/// The innocent specimens of each detection.
fn by_detection() -> BTreeMap<String, Vec<&'static str>> {
    let mut by_code: BTreeMap<String, Vec<&str>> =
        shipped().detections.keys().map(|code| (code.to_string(), Vec::new())).collect();
    for specimen in pack().into_iter().filter(|specimen| specimen.harm.is_none()) {
        assert!(!specimen.like.is_empty(), "'{}' is like nothing", specimen.name);
        for code in specimen.like {
            let names = by_code.get_mut(*code).unwrap_or_else(|| panic!("'{}' is like {code}", specimen.name));
            names.push(specimen.name);
        }
    }
    by_code
}

#[test]
fn each_detection_has_five_innocent_look_alikes() {
    let few: Vec<String> = by_detection()
        .into_iter()
        .filter(|(_, names)| names.len() < EACH_MIN)
        .map(|(code, names)| format!("{code} has {}", names.len()))
        .collect();
    assert!(few.is_empty(), "{}", few.join("\n"));
}

/// The table of `docs/look-alikes.md` is written from the pack.
#[test]
fn the_table_of_look_alikes_is_up_to_date() {
    let ruleset = shipped();
    let mut text = TABLE_HEAD.to_owned();
    for (code, names) in by_detection() {
        let title = ruleset.detections.iter().find(|(known, _)| known.as_str() == code).map(|(_, one)| &one.title);
        text.push_str(&format!("| {code} | {} | {} |\n", title.expect("it is shipped"), names.join("; ")));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/look-alikes.md");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &text).expect("is written");
    }
    let is_same = std::fs::read_to_string(&path).is_ok_and(|there| there == text);
    assert!(is_same, "docs/look-alikes.md is not of this pack: run with INSTA_UPDATE=always, then read `git diff`");
}

const TABLE_HEAD: &str = "# Look-alikes\n\n\
    What looks like the target of each shipped detection and is innocent, at least five for each. All of it is made\n\
    by `detect::lookalike` and examined by `detect/tests/lookalike.rs`: the detection finds nothing in any of them,\n\
    and no detection holds one. A version of the ruleset that does is not published. That test writes this table.\n\n\
    | code | detection | innocent look-alikes |\n|---|---|---|\n";

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
fn the_pack_is_large_its_names_are_unique_and_its_files_small() {
    let pack = pack();
    let (innocent, harmful): (Vec<_>, Vec<_>) = pack.iter().partition(|specimen| specimen.harm.is_none());
    for of_a_kind in [&innocent, &harmful] {
        let mut seen = BTreeSet::new();
        let twice: Vec<&str> = of_a_kind.iter().map(|one| one.name).filter(|name| !seen.insert(*name)).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
    let is_large = |specimen: &&&Specimen| specimen.bytes.len() > BYTES_MAX && specimen.file != "a0.bmp";
    let large: Vec<&str> = innocent.iter().filter(is_large).map(|one| one.name).collect();
    assert!(large.is_empty(), "{large:?}");
    assert!(innocent.len() >= ALL_MIN && harmful.len() >= 40, "{} and {}", innocent.len(), harmful.len());
}

/// Bytes of a specimen at most; a blank scan is larger.
const BYTES_MAX: usize = 64 << 10;
