//! The shipped ruleset: what its fixtures lead to, and what its versions depend on (that each hits its hit is
//! `ruleset::lint`).

use std::collections::BTreeSet;
use std::time::Duration;

use detect::examine::Examiner;
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::mime::wire_form;
use detect::ruleset::lint::fixture_envelope;
use detect::ruleset::{Ruleset, shipped_files};

fn codes(examiner: &mut Examiner<'_>, mail: &[u8]) -> BTreeSet<String> {
    let budget = Budget::starting_now(Duration::from_secs(10));
    let examination = examiner.examine(&wire_form(mail), &fixture_envelope(mail), budget);
    examination.findings.iter().map(|finding| finding.detection.to_string()).collect()
}

/// What each fixture leads to, all findings together: a change of a detection shows here.
#[test]
fn findings_of_all_fixtures() {
    let ruleset = Ruleset::shipped().expect("the shipped ruleset loads");
    let in_force = InForce::only(ruleset);
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mut shown = String::new();
    for (path, bytes) in shipped_files().iter().filter(|(path, _)| path.ends_with(".eml")) {
        let codes = codes(&mut examiner, bytes).into_iter().collect::<Vec<_>>().join(" ");
        shown.push_str(&format!("{path:<20} {codes}\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_broken_ruleset_tells_all_its_faults_at_once() {
    let mut files = shipped_files();
    files.insert("EIC-0001/rule.yar".into(), b"rule EIC_0001 { condition: nonsense }".to_vec());
    files.insert("EXE-0001/detection.toml".into(), b"code = \"EXE-0009\"".to_vec());
    files.insert("loose.yar".into(), b"rule loose { strings: $a = ".to_vec());
    let errors = detect::ruleset::load::from_files(files).expect_err("broken").0.join("\n");
    for fault in ["EIC-0001", "EXE-0001/detection.toml"] {
        assert!(errors.contains(fault), "{fault} not in:\n{errors}");
    }
}

#[test]
fn a_version_changes_with_its_detection_only() {
    let before = Ruleset::shipped().expect("loads");
    let mut files = shipped_files();
    let text = String::from_utf8(files["EXE-0001/detection.toml"].clone()).expect("text");
    files.insert("EXE-0001/detection.toml".into(), format!("# a comment changes nothing\n{text}").into_bytes());
    let commented = detect::ruleset::load::from_files(files.clone()).expect("loads");
    assert_eq!(commented.id, before.id);
    files.insert("EXE-0001/detection.toml".into(), text.replace("\"Hold\"", "\"Block\"").into_bytes());
    let after = detect::ruleset::load::from_files(files).expect("loads");
    assert_ne!(after.id, before.id);
    let changed: Vec<&str> =
        before.versions().zip(after.versions()).filter(|(a, b)| a != b).map(|((code, _), _)| code.as_str()).collect();
    assert_eq!(changed, ["EXE-0001"]);
}
