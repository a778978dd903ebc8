//! Tests of `decide`: rows in, disposition out.

use super::*;
use crate::address::Address;
use crate::authentication::{AuthResult, Authentication, DmarcPolicy, Source};
use crate::containment::HeldBack;
use crate::detection::{Effect, Mode};
use crate::digest::Digest;
use crate::entry::{Entry, EntryBook, EntryFact, Reach, Subject};
use crate::envelope::{Client, Direction, MailParams, RcptParams};
use crate::finding::{Facts, MemoryFact, PreviousForm, SenderFact};
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
            correspondence: Default::default(),
            authentication_results: Vec::new(),
            received_count: 0,
            text_sha256: None,
            url_domains: Vec::new(),
            fingerprints: crate::fingerprint::Fingerprints::default(),
            urls: Vec::new(),
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

/// The containment of one version of a detection.
fn contained(epoch: u64, finding: &Finding, level: Level) -> Containment {
    let held = HeldBack { version: finding.detection_version.clone(), level };
    Containment { epoch, held_back: [(finding.detection.clone(), held)].into() }
}

fn known(class: MemoryClass, internal: u64) -> MemoryFact {
    MemoryFact { class, carriers: 9, identities: 2, internal }
}

const ESTABLISHED: Option<SenderFact> = Some(SenderFact { established: true, internal: false });

#[test]
fn containment_gives_way_to_the_previous_form_and_then_to_the_past() {
    let hit = finding("A-1", Category::Malware, Effect::Hold, Family::Image);
    let containment = contained(1, &hit, Level::Contained);
    let said = |exam: &Examination| verdict(exam, &Policy::standard(), &containment).disposition;
    let with_previous = |hit_before| {
        let mut hit = hit.clone();
        hit.previous = Some(PreviousForm { detection_version: DetectionVersion::of(&[b"v0"]), hit: hit_before });
        said(&examination(vec![hit]))
    };
    assert_eq!(with_previous(false), Disposition::Deliver);
    assert_eq!(with_previous(true), Disposition::Hold);
    let mut exam = examination(vec![hit.clone()]);
    assert_eq!(said(&exam), Disposition::Hold, "nothing vouches for it");
    exam.facts.memory.insert(0, known(MemoryClass::C1, 0));
    assert_eq!(said(&exam), Disposition::Hold, "nobody knows the sender");
    exam.facts.sender = ESTABLISHED;
    assert_eq!(said(&exam), Disposition::Deliver);
    let why = &verdict(&exam, &Policy::standard(), &containment).reasons[0];
    assert_eq!((why.code.as_str(), why.detection.is_none()), ("contained", true), "{}", why.text);
    let mut new_part = hit.clone();
    new_part.part = Some(1);
    exam.findings.push(new_part);
    assert_eq!(said(&exam), Disposition::Hold, "another part that it hit is new");
    exam.facts.memory.insert(1, known(MemoryClass::C2, 0));
    assert_eq!(said(&exam), Disposition::Deliver);
    let mut other = hit.clone();
    other.detection_version = DetectionVersion::of(&[b"v2"]);
    let other_version = contained(2, &other, Level::Contained);
    let got = verdict(&exam, &Policy::standard(), &other_version).disposition;
    assert_eq!(got, Disposition::Hold, "only that version is contained");
}

#[test]
fn what_another_engine_says_as_well_is_never_touched() {
    let mut hit = finding("A-1", Category::Malware, Effect::Hold, Family::Image);
    hit.previous = Some(PreviousForm { detection_version: DetectionVersion::of(&[b"v0"]), hit: false });
    let containment = contained(1, &hit, Level::Contained);
    for (engine, part, wanted) in [
        ("yara", Some(0), Disposition::Deliver),
        ("structure", Some(0), Disposition::Hold),
        ("structure", Some(1), Disposition::Deliver),
        ("clamd", None, Disposition::Hold),
    ] {
        // It only asks for a tag; that the first is held is what the containment would have taken back.
        let mut other = finding("B-1", Category::Bulk, Effect::Hold, Family::Image);
        (other.engine, other.part) = (engine.into(), part);
        let got = verdict(&examination(vec![hit.clone(), other]), &Policy::standard(), &containment);
        assert_eq!(got.disposition == Disposition::Hold, wanted == Disposition::Hold, "{engine} {part:?}: {got:?}");
    }
}

#[test]
fn a_pardon_lets_our_own_logo_pass_and_a_probation_acts_for_strangers() {
    let hit = finding("A-1", Category::Malware, Effect::Hold, Family::Image);
    let pardon = contained(1, &hit, Level::Pardon);
    let probation = contained(1, &hit, Level::Probation);
    let mut exam = examination(vec![hit]);
    let said = |exam: &Examination, state: &Containment| verdict(exam, &Policy::standard(), state).disposition;
    exam.facts.sender = ESTABLISHED;
    exam.facts.memory.insert(0, known(MemoryClass::C3, 4));
    assert_eq!(said(&exam, &pardon), Disposition::Hold);
    assert_eq!(said(&exam, &probation), Disposition::Deliver);
    exam.facts.memory.insert(0, known(MemoryClass::C3, 5));
    assert_eq!(said(&exam, &pardon), Disposition::Deliver);
    exam.facts.sender = Some(SenderFact::default());
    assert_eq!(said(&exam, &probation), Disposition::Hold);
}

/// A form that was forced holds as policy says; where we know the sender it says that this is a delay.
#[test]
fn a_forced_form_on_probation_delays_mail_of_those_whom_we_know() {
    let hit = finding("A-1", Category::Malware, Effect::Hold, Family::Image);
    let delay = contained(3, &hit, Level::Delay);
    let mut exam = examination(vec![hit.clone(), hit.clone()]);
    let delayed = |exam: &Examination, state: &Containment| {
        let got = verdict(exam, &Policy::standard(), state);
        assert_eq!(got.disposition, Disposition::Hold);
        assert_eq!(got.cause().map(|(code, _)| code.as_str()), Some("A-1"), "what holds it comes first");
        got.reasons.iter().filter(|reason| reason.code == "delayed").count()
    };
    assert_eq!(delayed(&exam, &delay), 0, "nobody knows the sender");
    exam.facts.sender = ESTABLISHED;
    assert_eq!((delayed(&exam, &delay), delayed(&exam, &Containment::default())), (1, 0));
    let tagged = examination(vec![finding("A-1", Category::Spam, Effect::Hold, Family::Text)]);
    let tagged = Examination { facts: exam.facts.clone(), ..tagged };
    let got = verdict(&tagged, &Policy::standard(), &delay);
    assert_eq!((got.disposition, got.reasons.len()), (Disposition::Junk, 1), "what is not held is not delayed");
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

fn entry(allow: bool, subject: Subject, reach: Reach) -> EntryFact {
    EntryFact { id: 7, allow, subject, reach, clears_malware: false, parts: Vec::new() }
}

fn with(findings: Vec<Finding>, entries: Vec<EntryFact>) -> (Category, Disposition, Vec<Reason>) {
    let mut examination = examination(findings);
    examination.facts.entries = entries;
    let verdict = verdict(&examination, &Policy::standard(), &Containment::default());
    (verdict.category, verdict.disposition, verdict.reasons)
}

#[test]
fn a_block_holds_and_does_no_more() {
    let block = || entry(false, Subject::Domain("evil.example".into()), Reach::Everyone);
    let (category, disposition, reasons) = with(vec![], vec![block()]);
    assert_eq!((category, disposition), (Category::PolicyRule, Disposition::Hold));
    assert_eq!(reasons[0].text, "block entry 7 for domain evil.example says Hold");
    let spam = finding("A-1", Category::Spam, Effect::Hold, Family::Text);
    let (category, disposition, reasons) = with(vec![spam], vec![block()]);
    assert_eq!((category, disposition, reasons.len()), (Category::PolicyRule, Disposition::Hold, 2));
    let malware = finding("B-1", Category::Malware, Effect::Hold, Family::Other);
    let (category, disposition, reasons) = with(vec![malware.clone()], vec![block()]);
    assert_eq!((category, disposition), (Category::Malware, Disposition::Hold));
    assert_eq!(reasons[0].detection, Some(code("B-1")), "the worse reason comes first");
    // It counts for those it is for; and a block counts more than an allow.
    let for_another = entry(false, Subject::Domain("evil.example".into()), Reach::Recipient("b@ours.example".into()));
    assert_eq!(with(vec![], vec![for_another]).1, Disposition::Deliver);
    for reach in [Reach::Recipient("a@ours.example".into()), Reach::Domain("ours.example".into())] {
        let allow = entry(true, Subject::Sender("x@evil.example".into()), Reach::Everyone);
        let block = entry(false, Subject::Sender("x@evil.example".into()), reach);
        assert_eq!(with(vec![], vec![allow, block]).1, Disposition::Hold);
    }
}

#[test]
fn an_allow_clears_what_guesses_and_a_file_what_speaks_of_it() {
    use Category as C;
    use Disposition as D;
    let of = |category| finding("A-1", category, Effect::Hold, Family::Other);
    for (category, disposition) in [
        (C::Bulk, D::Deliver),
        (C::Spam, D::Deliver),
        (C::Spoof, D::Deliver),
        (C::Phish, D::Deliver),
        (C::Unscannable, D::Hold),
        (C::FileTypeBlock, D::Hold),
        (C::HighConfidencePhish, D::Hold),
        (C::Malware, D::Hold),
    ] {
        let allow = entry(true, Subject::Sender("anna@partner.example".into()), Reach::Everyone);
        let (_, got, reasons) = with(vec![of(category)], vec![allow]);
        assert_eq!(got, disposition, "{category:?}: {reasons:?}");
        let is_said = reasons.iter().any(|reason| reason.text.contains("counts more than A-1"));
        assert_eq!(is_said, disposition == D::Deliver);
    }
    let file = |clears_malware, parts: Vec<u32>| EntryFact {
        clears_malware,
        parts,
        ..entry(true, Subject::File(Digest::of(b"x")), Reach::Everyone)
    };
    assert_eq!(with(vec![of(C::FileTypeBlock)], vec![file(false, vec![0])]).1, D::Deliver);
    assert_eq!(with(vec![of(C::Malware)], vec![file(false, vec![0])]).1, D::Hold);
    assert_eq!(with(vec![of(C::Malware)], vec![file(true, vec![0])]).1, D::Deliver);
    assert_eq!(with(vec![of(C::Malware)], vec![file(true, vec![1])]).1, D::Hold, "another part is another file");
    let of_message = Finding { part: None, ..of(C::Malware) };
    assert_eq!(with(vec![of_message.clone()], vec![file(true, vec![0])]).1, D::Hold, "of the message, not of the file");
    assert_eq!(with(vec![of_message], vec![file(true, vec![])]).1, D::Deliver, "the file is the message");
}

fn made(allow: bool, kind: &str, value: &str) -> Entry {
    let at = crate::Timestamp::from_micros(1);
    let subject = Subject::parse(kind, value).expect("value");
    let (owner, reason) = (String::new(), String::new());
    Entry {
        caused_by: None,
        id: 1,
        allow,
        subject,
        reach: Reach::Everyone,
        clears_malware: false,
        owner,
        reason,
        made: at,
        expires: at,
        last_used: None,
    }
}

fn matches(entry: Entry, examination: &Examination, sender: &str) -> bool {
    let envelope = Envelope { sender: Some(Address::parse(sender).expect("sender")), ..envelope() };
    !EntryBook::new(vec![entry]).matching(examination, &envelope).is_empty()
}

#[test]
fn entries_match_senders_links_files_and_addresses() {
    let mut mail = examination(vec![]);
    mail.message.from = "Anna@Mail.Partner.example".into();
    mail.message.from_domain = "mail.partner.example".into();
    mail.message.urls = vec!["www.evil.example/login?x=1".into()];
    for (kind, value, hits) in [
        ("sender", "anna@mail.partner.example", true),
        ("sender", "bounce@lists.example", true),
        ("sender", "x@mail.partner.example", false),
        ("domain", "partner.example", true),
        ("domain", "lists.example", true),
        ("domain", "artner.example", false),
        ("url", "evil.example", true),
        ("url", "evil.example/log", true),
        ("url", "www.evil.example/log", true),
        ("url", "www.evil.example/other", false),
        ("ip", "192.0.2.0/24", true),
        ("ip", "198.51.100.1", false),
        ("file", &mail.message.sha256.hex(), true),
    ] {
        assert_eq!(matches(made(false, kind, value), &mail, "bounce@lists.example"), hits, "{kind} {value}");
    }
}

#[test]
fn an_allow_for_a_sender_needs_somebody_who_vouches() {
    let allow = || made(true, "domain", "partner.example");
    let mut mail = examination(vec![]);
    mail.message.from = "anna@partner.example".into();
    mail.message.from_domain = "partner.example".into();
    assert!(matches(allow(), &mail, "x@other.example"), "nobody looks at authentication");
    let said = Authentication {
        source: Source::Own,
        spf: AuthResult::Fail,
        spf_domain: "other.example".into(),
        dkim: Vec::new(),
        dmarc: AuthResult::None,
        dmarc_policy: DmarcPolicy::None,
        arc: AuthResult::None,
        arc_sealer: String::new(),
        arc_trusted: false,
        aligned: None,
        field: String::new(),
    };
    mail.facts.authentication = Some(said.clone());
    assert!(!matches(allow(), &mail, "x@other.example"));
    assert!(matches(made(false, "domain", "partner.example"), &mail, "x@other.example"), "a block needs nobody");
    mail.facts.authentication = Some(Authentication { aligned: Some("partner.example".into()), ..said });
    assert!(matches(allow(), &mail, "x@other.example"));
    // DNS was to be asked and did not answer.
    mail.facts.authentication = None;
    mail.engines.push(EngineReport {
        engine: "auth".into(),
        version: String::new(),
        data_version: String::new(),
        outcome: Outcome::Timeout,
        millis: 0.0,
        detail: String::new(),
    });
    assert!(!matches(allow(), &mail, "x@other.example"));
}
