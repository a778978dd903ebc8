//! What is in force, handed over to another process as bytes, sees what it saw here.

use std::collections::BTreeMap;
use std::time::Duration;

use detect::examine::Examiner;
use detect::in_force::{Candidate, InForce};
use detect::limits::{Budget, Limits};
use detect::mime::wire_form;
use detect::ruleset::lint::fixture_envelope;
use detect::ruleset::{Ruleset, load, shipped_files};
use domain::detection::{DetectionCode, Mode};
use domain::finding::Finding;
use domain::token::TokenKey;

/// The shipped ruleset with a rule that has changed, a plain file of rules beside it, and a candidate that changes it
/// again.
fn in_force() -> InForce {
    let before = Ruleset::shipped().expect("loads");
    let with = |rule: &str| {
        let mut files = shipped_files();
        let text = String::from_utf8(files["EIC-0001/rule.yar"].clone()).expect("text");
        files.insert(
            "EIC-0001/rule.yar".into(),
            text.replace("condition:", &format!("condition: {rule} and")).into_bytes(),
        );
        files.insert("mine.yar".into(), b"rule of_mine { strings: $a = \"please\" condition: $a }".to_vec());
        load::from_files(files).expect("loads")
    };
    let mut live = with("filesize > 10");
    assert!(live.remember_previous(before.stored()).is_empty());
    let candidate = Candidate::new(with("filesize > 20"), &live, 1, TokenKey::new([7; 32])).expect("loads");
    let modes = BTreeMap::from([(DetectionCode::parse("URL-0001").expect("a code"), Mode::Off)]);
    InForce { live: live.into(), candidate: Some(candidate), modes }
}

fn seen(in_force: &InForce) -> Vec<(String, Vec<Finding>, Option<u16>)> {
    let mut examiner = Examiner::new(in_force, Limits::default());
    let fixtures = shipped_files().into_iter().filter(|(path, _)| path.ends_with(".eml"));
    let examined = fixtures.map(|(path, bytes)| {
        let budget = Budget::starting_now(Duration::from_secs(10));
        let examination = examiner.examine(&wire_form(&bytes), &fixture_envelope(&bytes), budget);
        (path, examination.findings, examination.facts.canary_bucket)
    });
    examined.collect()
}

#[test]
fn a_packed_ruleset_sees_what_it_saw() {
    let here = in_force();
    let packed = here.pack().expect("can be written down");
    let there = InForce::unpack(&packed).expect("comes back");
    assert_eq!((&there.live.id, &there.modes), (&here.live.id, &here.modes));
    let (here, there) = (seen(&here), seen(&there));
    assert_eq!(here, there);
    let found = |by: fn(&Finding) -> bool| here.iter().flat_map(|(_, findings, _)| findings).any(by);
    assert!(found(|finding| finding.detection.as_str() == "of_mine"), "a plain rule has hit");
    assert!(found(|finding| finding.previous.is_some()), "an earlier form was asked");
    assert!(found(|finding| finding.mode == Mode::Shadow), "the candidate has watched");
}

#[test]
fn a_packed_ruleset_that_is_cut_off_is_refused() {
    let packed = InForce::only(Ruleset::shipped().expect("loads")).pack().expect("can be written down");
    for length in [0, 7, 8, 100, packed.len() / 2, packed.len() - 1] {
        assert!(InForce::unpack(&packed[..length]).is_err(), "{length} of {} bytes", packed.len());
    }
}
