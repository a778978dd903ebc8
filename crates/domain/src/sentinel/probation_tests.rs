//! The tables of a probation, every combination of them, and what is asked of a mail before it leaves.

use super::*;
use crate::address::Address;
use crate::containment::HeldBack;
use crate::detection::{DetectionCode, DetectionVersion, Effect, Mode, RulesetId};
use crate::digest::Digest;
use crate::envelope::{Client, Direction, MailParams, RcptParams, Recipient};
use crate::finding::{Facts, PreviousForm, SenderFact};
use crate::message::{Message, Tail};

#[test]
fn a_version_is_on_probation_for_one_combination_of_thirty_two() {
    let mut on = 0;
    for bits in 0..32_u32 {
        let bit = |at: u32| bits >> at & 1 == 1;
        let now = Circumstances {
            is_in_force: bit(0),
            hits_known_good: bit(1),
            is_confirmed: bit(2),
            is_held_back: bit(3),
            may_act: bit(4),
        };
        let found = standing(now);
        on += u32::from(found == Standing::OnProbation);
        let said = match now {
            _ if !bit(0) => Standing::Withdrawn,
            _ if !bit(1) => Standing::Unsuspected,
            _ if bit(2) => Standing::Confirmed,
            _ if !bit(4) => Standing::OnlyCalls,
            _ if bit(3) => Standing::HeldBack,
            _ => Standing::OnProbation,
        };
        assert_eq!(found, said, "{now:?}");
        let goes_on = matches!(found, Standing::OnProbation | Standing::HeldBack);
        assert_eq!(found.why_it_ends().is_none(), goes_on);
    }
    assert_eq!(on, 1);
}

#[test]
fn a_mail_is_decided_about_once() {
    for from in Stage::ALL {
        assert_eq!(Stage::parse(from.as_str()), Some(from));
        for (by, to) in [(Step::LetOut, Stage::LetOut), (Step::Keep, Stage::Kept), (Step::Settle, Stage::Settled)] {
            let allowed = from == Stage::Delayed;
            assert_eq!(from.on(by), if allowed { Ok(to) } else { Err(Refused { from, by }) });
        }
    }
}

/// A mail that a version on probation holds, with all that is asked of it; a test takes some of it away.
struct Held {
    suspect: Suspect,
    examination: Examination,
    envelope: Envelope,
    containment: Containment,
    conversed: BTreeSet<String>,
    received: Timestamp,
    let_out: u32,
}

const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

fn part(number: u32, family: Family, name: &str, bytes: &[u8]) -> Part {
    Part {
        number,
        parent: None,
        sha256: Digest::of(bytes),
        size: bytes.len() as u64,
        family,
        content_type: "application/octet-stream".into(),
        declared: "application/octet-stream".into(),
        name: name.into(),
        tail: Tail::None,
    }
}

fn finding(suspect: &Suspect, part: Option<u32>) -> Finding {
    let before = DetectionVersion::of(&[b"v0"]);
    Finding {
        detection: suspect.code.clone(),
        detection_version: suspect.version.clone(),
        engine: "yara".into(),
        category: Category::Malware,
        effect: Effect::Hold,
        mode: Mode::Enforce,
        part,
        family: Family::Image,
        offset: None,
        evidence: "x".into(),
        previous: Some(PreviousForm { detection_version: before, hit: false }),
    }
}

impl Held {
    fn new() -> Self {
        let code = DetectionCode::parse("IMG-0001").expect("a code");
        let suspect = Suspect { code, version: DetectionVersion::of(&[b"v1"]) };
        let logo = part(1, Family::Image, "image001.png", b"logo");
        let message = Message {
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
            urls: Vec::new(),
            fingerprints: Default::default(),
            parts: vec![part(0, Family::Text, "", b"thank you"), logo.clone()],
            ambiguities: Vec::new(),
        };
        let sender = Some(SenderFact { established: true, internal: false });
        let examination = Examination {
            ruleset: RulesetId::from_text("r"),
            message,
            findings: vec![finding(&suspect, Some(1))],
            engines: Vec::new(),
            facts: Facts { sender, ..Facts::default() },
        };
        let (ip, address) = ("192.0.2.1".parse().expect("ip"), Address::parse("a@ours.example").expect("an address"));
        let (domain, params) = (address.domain(), RcptParams::default());
        let envelope = Envelope {
            client: Client { ip, peer: ip, helo: "h".into(), protocol: "ESMTP".into(), login: None },
            sender: None,
            params: MailParams::default(),
            recipients: vec![Recipient { address, params, direction: Direction::Inbound, domain }],
        };
        let held_back = HeldBack { version: suspect.version.clone(), level: Level::Delay };
        let containment = Containment { epoch: 1, held_back: [(suspect.code.clone(), held_back)].into() };
        let conversed = [logo.sha256.hex()].into();
        let received = NOW.before(DELAY);
        Self { suspect, examination, envelope, containment, conversed, received, let_out: 0 }
    }

    fn stays(&self) -> Option<Stays> {
        let policy = Policy::standard();
        let Self { suspect, examination, envelope, containment, conversed, received, let_out } = self;
        let (received, let_out, policy) = (*received, *let_out, &policy);
        let look = Look { suspect, examination, envelope, policy, containment, conversed, received, let_out };
        why_it_stays(&look, NOW)
    }

    fn with(change: impl FnOnce(&mut Self)) -> Option<Stays> {
        let mut held = Self::new();
        change(&mut held);
        held.stays()
    }
}

/// Something that is taken away from a mail that would leave.
type Change = fn(&mut Held);

/// What each condition alone keeps, and for which reason; in the order in which they are asked.
fn conditions() -> Vec<(Change, Stays)> {
    let another: Change = |held| {
        let mut other = finding(&held.suspect, Some(0));
        other.detection = DetectionCode::parse("TXT-0001").expect("a code");
        other.category = Category::Spam;
        held.examination.findings.push(other);
    };
    vec![
        (|held| held.containment = Containment::default(), Stays::Over),
        (|held| held.examination.facts.sender = Some(SenderFact::default()), Stays::Stranger),
        (|held| held.examination.findings[0].previous = None, Stays::NoPreviousForm),
        (|held| held.conversed = BTreeSet::new(), Stays::NewContent),
        (another, Stays::AnotherObjects),
        (
            |held| held.examination.message.parts.push(part(2, Family::Executable, "setup", b"MZ")),
            Stays::MayRun("setup".into()),
        ),
        (
            |held| {
                held.envelope.recipients[0].direction = Direction::Outbound;
                held.received = NOW.before(STALE + Duration::from_secs(1));
            },
            Stays::Old,
        ),
        (|held| held.let_out = LET_OUT_MAX, Stays::Full),
    ]
}

/// Every combination of what is asked for: a mail leaves for one of them, and the first that is missing is the reason.
#[test]
fn a_mail_leaves_only_when_all_of_it_holds() {
    let all = conditions();
    let mut left = 0;
    for bits in 0..1_u32 << all.len() {
        let missing: Vec<&(Change, Stays)> =
            all.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, one)| one).collect();
        let stays = Held::with(|held| missing.iter().for_each(|(change, _)| change(held)));
        assert_eq!(stays, missing.first().map(|(_, stays)| stays.clone()), "{bits:b}");
        left += u32::from(stays.is_none());
    }
    assert_eq!(left, 1);
}

#[test]
fn every_part_that_it_hits_must_be_of_the_past() {
    let hit_more = |part_of: Option<u32>| {
        Held::with(|held| {
            held.examination.message.parts.push(part(2, Family::Image, "new.png", b"what an attacker sends today"));
            held.examination.findings.push(finding(&held.suspect, part_of));
        })
    };
    assert_eq!(hit_more(Some(1)), None, "the same part twice");
    assert_eq!(hit_more(Some(2)), Some(Stays::NewContent));
    assert_eq!(hit_more(None), Some(Stays::NewContent), "what speaks of the mail as a whole has no content");
    assert_eq!(hit_more(Some(9)), Some(Stays::NewContent), "nor has a part that is not there");
}

#[test]
fn the_earlier_form_and_other_levels_decide() {
    let hits_before = |held: &mut Held| held.examination.findings[0].previous.as_mut().expect("one").hit = true;
    assert_eq!(Held::with(hits_before), Some(Stays::PreviousFormHits));
    assert_eq!(Held::with(|held| held.examination.findings.clear()), Some(Stays::NotHit));
    for level in [Level::Pardon, Level::Contained, Level::Probation] {
        let other = |held: &mut Held| held.containment.held_back.values_mut().for_each(|one| one.level = level);
        assert_eq!(Held::with(other), Some(Stays::Over), "{level:?}");
    }
}

#[test]
fn another_engine_that_says_the_same_or_a_block_keeps_it() {
    let engine = |held: &mut Held| {
        let mut other = finding(&held.suspect, None);
        (other.engine, other.detection) = ("clamd".into(), DetectionCode::parse("clamd:Win.Test").expect("a code"));
        held.examination.findings.push(other);
    };
    assert_eq!(Held::with(engine), Some(Stays::AnotherObjects));
    let fact = |held: &mut Held| {
        let mut other = finding(&held.suspect, Some(0));
        (other.effect, other.detection) = (Effect::Fact, DetectionCode::parse("FCT-0001").expect("a code"));
        held.examination.findings.push(other);
    };
    assert_eq!(Held::with(fact), None, "a fact objects to nothing");
}

#[test]
fn what_may_run_stays_and_what_is_only_read_does_not() {
    let with = |family, name: &str, bytes: &'static [u8]| {
        let name = name.to_owned();
        Held::with(move |held| held.examination.message.parts.push(part(2, family, &name, bytes)))
    };
    for (family, name) in [
        (Family::Text, "invoice.txt"),
        (Family::Text, ""),
        (Family::Image, "photo.JPG"),
        (Family::Image, "image"),
        (Family::Pdf, "offer.pdf"),
        (Family::Html, ""),
        (Family::Media, "call.mp3"),
    ] {
        assert_eq!(with(family, name, b"new"), None, "{family:?} {name}");
    }
    for (family, name) in [
        (Family::Text, "invoice.js"),
        (Family::Image, "photo.png.exe"),
        (Family::Image, "photo.scr "),
        (Family::Html, "open.html"),
        (Family::Html, "open"),
        (Family::Archive, ""),
        (Family::Office, "offer.docx"),
        (Family::Other, "data"),
        (Family::Script, ""),
        (Family::Pdf, "offer.lnk"),
    ] {
        assert!(matches!(with(family, name, b"new"), Some(Stays::MayRun(_))), "{family:?} {name}");
    }
    // The same bytes as ever do not run because of what they may carry; under a name that runs, or as a program, they
    // do.
    assert_eq!(with(Family::Office, "offer.docx", b"logo"), None);
    assert!(matches!(with(Family::Office, "offer.docm", b"logo"), Some(Stays::MayRun(_))));
    assert!(matches!(with(Family::Executable, "", b"logo"), Some(Stays::MayRun(_))));
    let drawing = Held::with(|held| {
        let mut drawing = part(2, Family::Image, "drawing", b"new");
        drawing.content_type = "image/svg+xml".into();
        held.examination.message.parts.push(drawing);
    });
    assert_eq!(drawing, Some(Stays::MayRun("drawing".into())));
}

#[test]
fn time_alone_releases_nothing() {
    // However long it waits: what is missing is missing.
    for days in [1_u32, 30, 3000] {
        let waited = Held::with(|held| {
            held.received = NOW.before(days * Duration::from_secs(24 * 3600));
            held.conversed.clear();
        });
        assert_eq!(waited, Some(Stays::NewContent));
    }
}

#[test]
fn every_reason_is_a_sentence() {
    let all = conditions().into_iter().map(|(_, stays)| stays);
    for stays in all.chain([Stays::NotHit, Stays::PreviousFormHits]) {
        let said = stays.to_string();
        assert!(said.split(' ').count() > 3 && !said.ends_with('.'), "{said}");
    }
}
