//! Tests of `decide`: rows in, disposition out.

use super::*;
use crate::address::Address;
use crate::detection::Effect;
use crate::digest::Digest;
use crate::envelope::{Client, Direction, MailParams, RcptParams};
use crate::finding::{Facts, MemoryFact, PreviousForm};
use crate::message::Message;

fn code(text: &str) -> DetectionCode {
    DetectionCode::parse(text).expect("code")
}

fn finding(detection: &str, category: Category, effect: Effect, family: Family) -> Finding {
    Finding {
        detection: code(detection),
        detection_version: DetectionVersion::of(&[b"v1"]),
        engine: "yara".into(),
        category,
        effect,
        mode: Mode::Enforce,
        part: Some(0),
        family,
        offset: None,
        evidence: "x".into(),
        previous: None,
    }
}

fn examination(findings: Vec<Finding>) -> Examination {
    Examination {
        ruleset: RulesetId::from_text("r"),
        message: Message {
            sha256: Digest::of(b""),
            body_sha256: Digest::of(b""),
            size: 0,
            message_id: None,
            subject: String::new(),
            from: String::new(),
            from_domain: String::new(),
            auto_submitted: None,
            authentication_results: Vec::new(),
            received_count: 0,
            text_sha256: None,
            url_domains: Vec::new(),
            parts: Vec::new(),
            ambiguities: Vec::new(),
        },
        findings,
        engines: Vec::new(),
        facts: Facts::default(),
    }
}

fn unit() -> Recipient {
    Recipient {
        address: Address::parse("a@ours.example").expect("valid"),
        params: RcptParams::default(),
        direction: Direction::Inbound,
        domain: "ours.example".into(),
    }
}

fn envelope() -> Envelope {
    let ip = "192.0.2.1".parse().expect("ip");
    Envelope {
        client: Client { ip, peer: ip, helo: "h".into(), protocol: "ESMTP".into(), login: None },
        sender: None,
        params: MailParams::default(),
        recipients: vec![unit()],
    }
}

fn verdict(examination: &Examination, policy: &Policy, containment: &Containment) -> Verdict {
    decide(examination, &envelope(), &unit(), policy, containment)
}

fn check(findings: Vec<Finding>, category: Category, disposition: Disposition) {
    let verdict = verdict(&examination(findings), &Policy::standard(), &Containment::default());
    assert_eq!((verdict.category, verdict.disposition), (category, disposition), "{:?}", verdict.reasons);
}

#[test]
fn effects_and_precedence() {
    use Category as C;
    use Disposition as D;
    check(vec![], C::Clean, D::Deliver);
    check(vec![finding("A-1", C::Malware, Effect::Fact, Family::Image)], C::Clean, D::Deliver);
    check(vec![finding("A-1", C::Malware, Effect::Weak, Family::Image)], C::Clean, D::Deliver);
    check(vec![finding("A-1", C::Spam, Effect::Hold, Family::Text)], C::Spam, D::Junk);
    check(
        vec![
            finding("A-1", C::Spam, Effect::Hold, Family::Text),
            finding("B-1", C::Malware, Effect::Hold, Family::Other),
        ],
        C::Malware,
        D::Hold,
    );
    check(vec![finding("A-1", C::Unscannable, Effect::Hold, Family::Pdf)], C::Unscannable, D::Tag);
    check(
        vec![
            finding("A-1", C::Unscannable, Effect::Hold, Family::Pdf),
            finding("A-1", C::Unscannable, Effect::Hold, Family::Archive),
        ],
        C::Unscannable,
        D::Hold,
    );
}

#[test]
fn a_shadow_finding_never_acts() {
    let mut shadow = finding("A-1", Category::Malware, Effect::Block, Family::Other);
    shadow.mode = Mode::Shadow;
    check(vec![shadow], Category::Clean, Disposition::Deliver);
}

#[test]
fn an_engines_failure_is_policy_and_never_a_category() {
    for (on_failure, disposition) in [
        (OnFailure::Continue, Disposition::Deliver),
        (OnFailure::Defer, Disposition::Defer),
        (OnFailure::Hold, Disposition::Hold),
    ] {
        let mut exam = examination(vec![]);
        exam.engines.push(EngineReport {
            engine: "clamd".into(),
            version: "1".into(),
            data_version: String::new(),
            outcome: Outcome::Timeout,
            millis: 1.0,
            detail: "no answer".into(),
        });
        let mut policy = Policy::standard();
        policy.on_failure.insert("clamd".into(), on_failure);
        let got = verdict(&exam, &policy, &Containment::default());
        assert_eq!((got.category, got.disposition), (Category::Clean, disposition));
        assert_eq!(got.reasons[0].code, "engine-timeout");
    }
}

#[test]
fn a_failure_does_not_turn_a_hold_into_a_retry() {
    let mut exam = examination(vec![finding("A-1", Category::Malware, Effect::Hold, Family::Other)]);
    exam.engines.push(EngineReport {
        engine: "clamd".into(),
        version: String::new(),
        data_version: String::new(),
        outcome: Outcome::Error,
        millis: 0.0,
        detail: "gone".into(),
    });
    let got = verdict(&exam, &Policy::standard(), &Containment::default());
    assert_eq!(got.disposition, Disposition::Hold);
    assert_eq!(got.cause().map(|(code, _)| code.as_str()), Some("A-1"));
}

#[test]
fn containment_gives_way_to_the_previous_form_and_then_to_the_past() {
    let hit = finding("A-1", Category::Malware, Effect::Hold, Family::Image);
    let contained =
        Containment { epoch: 1, contained: [(hit.detection.clone(), hit.detection_version.clone())].into() };
    let with_previous = |hit_before| {
        let mut hit = hit.clone();
        hit.previous = Some(PreviousForm { detection_version: DetectionVersion::of(&[b"v0"]), hit: hit_before });
        verdict(&examination(vec![hit]), &Policy::standard(), &contained).disposition
    };
    assert_eq!(with_previous(false), Disposition::Deliver);
    assert_eq!(with_previous(true), Disposition::Hold);
    let mut exam = examination(vec![hit.clone()]);
    assert_eq!(
        verdict(&exam, &Policy::standard(), &contained).disposition,
        Disposition::Hold,
        "nothing vouches for it"
    );
    exam.facts.memory.insert(0, MemoryFact { class: MemoryClass::C1, carriers: 9, identities: 2 });
    assert_eq!(verdict(&exam, &Policy::standard(), &contained).disposition, Disposition::Deliver);
    let other_version =
        Containment { epoch: 2, contained: [(hit.detection.clone(), DetectionVersion::of(&[b"v2"]))].into() };
    assert_eq!(
        verdict(&exam, &Policy::standard(), &other_version).disposition,
        Disposition::Hold,
        "only that version is contained"
    );
}

#[test]
fn without_the_detection_the_verdict_is_another() {
    let exam = examination(vec![
        finding("A-1", Category::Malware, Effect::Hold, Family::Image),
        finding("B-1", Category::Spam, Effect::Hold, Family::Text),
    ]);
    let got = decide_without(&code("A-1"), &exam, &envelope(), &unit(), &Policy::standard(), &Containment::default());
    assert_eq!((got.category, got.disposition), (Category::Spam, Disposition::Junk));
}

#[test]
fn the_first_rule_that_fits_decides() {
    let mut policy = Policy::standard();
    let mut rule = policy.rules[0].clone();
    rule.disposition = Disposition::Tag;
    rule.domains = vec!["lab.example".into()];
    policy.rules.insert(0, rule);
    let exam = examination(vec![finding("A-1", Category::Malware, Effect::Hold, Family::Other)]);
    assert_eq!(verdict(&exam, &policy, &Containment::default()).disposition, Disposition::Hold);
    let mut lab = unit();
    lab.domain = "lab.example".into();
    assert_eq!(decide(&exam, &envelope(), &lab, &policy, &Containment::default()).disposition, Disposition::Tag);
}
