//! What mail looks like: entries about it are tried on the mail of the last days, and on what is known to be good.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::entry::{Entry, Reach, Subject};
use domain::fingerprint::{Fingerprints, LayoutFingerprint, PictureFingerprint, SeenPicture, TextFingerprint};
use domain::identity::{Establish, Kind};
use domain::ledger::Account;
use domain::message::Part;
use domain::{Digest, Direction, MailId};
use store::known_good::memory::Meeting;
use store::known_good::{GoodMail, GoodPart};
use store::{Scope, Store};

use crate::{arrival, at, envelope, examination};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Seconds behind everything else of the story.
const LATER: i64 = 60 * 86_400;

fn id(n: u8) -> MailId {
    MailId::new(at(LATER + i64::from(n)), [n; 10])
}

fn picture(seed: u64) -> PictureFingerprint {
    let word = |n: u64| (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ n).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    PictureFingerprint::new([word(1), word(2), word(3), word(4)], 128)
}

fn layout(seed: u128) -> LayoutFingerprint {
    LayoutFingerprint::new(seed.wrapping_mul(0xD6E8_FEB8_6659_FD93_9E37_79B9_7F4A_7C15))
}

fn text(seed: u128) -> TextFingerprint {
    TextFingerprint::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15_D6E8_FEB8_6659_FD93))
}

async fn receive(store: &Store, n: u8, recipient: &str, account: Account, fingerprints: Fingerprints) {
    let mut arrival = arrival(n, format!("likeness {n}").as_bytes(), &[(recipient, account)]);
    let mut examination = (*arrival.examination).clone();
    examination.message.fingerprints = fingerprints;
    examination.findings.clear();
    arrival.examination = Arc::new(examination);
    arrival.mail_id = id(n);
    arrival.received = at(LATER + i64::from(n));
    if account == Account::Forwarding {
        arrival.units[0].enforced = false;
    }
    store.mail.record_arrival(arrival.clone()).await.expect("records");
    let read = store.mail.record(id(n)).await.expect("reads").examination.message.fingerprints;
    assert_eq!(read, arrival.examination.message.fingerprints);
}

async fn mail_of_the_last_days(store: &Store) {
    let shows = |seed: u64| Fingerprints {
        pictures: vec![SeenPicture { part: 0, pixels: 90_000, print: picture(seed) }],
        ..Fingerprints::default()
    };
    let says = |seed: u128| Fingerprints { text: Some(text(seed)), ..Fingerprints::default() };
    receive(store, 1, "a@like.example", Account::Held, shows(1)).await;
    receive(store, 2, "a@like.example", Account::Forwarding, shows(1)).await;
    receive(store, 3, "a@unlike.example", Account::Forwarding, shows(1)).await;
    receive(store, 4, "a@like.example", Account::Forwarding, shows(2)).await;
    receive(store, 5, "a@like.example", Account::Forwarding, says(3)).await;
    receive(store, 6, "a@like.example", Account::Forwarding, Fingerprints::default()).await;
    let subject = Subject::parse("picture", &picture(1).to_string()).expect("a picture");
    let alike = async |scope: &Scope, since: i64| {
        let is_like = |prints: &Fingerprints| subject.is_like(prints);
        store.mail.alike_since(at(since), scope, is_like).await.expect("compares")
    };
    let all = alike(&Scope::All, LATER).await;
    assert_eq!((all.compared, all.alike, all.is_all), (5, 3, true));
    assert!(all.delivered.contains(&id(2)) && all.delivered.contains(&id(3)) && !all.delivered.contains(&id(4)));
    let some = alike(&Scope::Domains(vec!["like.example".into()]), LATER).await;
    assert_eq!((some.compared, some.alike), (4, 2), "what others got is not counted");
    assert_eq!(alike(&Scope::All, LATER + 1_000_000).await.compared, 0);
}

async fn known_good(store: &Store) {
    let (rule, now) = (Establish::default(), at(0));
    let meeting = |name: &str, is_bad| Meeting {
        identity: name.into(),
        kind: Kind::Domain,
        node: name.into(),
        mails: 20,
        answered: 5,
        is_bad,
        first: now.before(30 * DAY),
        at: now,
    };
    let people = vec![meeting("l-partner", false), meeting("l-stranger", true)];
    store.known_good.record_meetings(people).await.expect("meets");
    let part = examination(b"one").message.parts[0].clone();
    let good = |seed: u64, carrier: &str, days: u32| GoodPart {
        part: Part { sha256: Digest::of(format!("likeness {seed}").as_bytes()), ..part.clone() },
        print: Some(picture(seed)),
        carrier: carrier.into(),
        direction: Direction::Inbound,
        is_kept: true,
        mails: 1,
        first: now.before(DAY * days),
        seen: now.before(DAY * days),
    };
    let mail = |seed: u8, carrier: &str, days: u32| GoodMail {
        sha256: Digest::of(&[b'l', seed]),
        mail_id: id(100 + seed),
        size: 5,
        seen: now.before(DAY * days),
        envelope: envelope(&["a@ours.example"]),
        carrier: carrier.into(),
        text: Some(text(u128::from(seed))),
        layout: Some(layout(u128::from(seed))),
    };
    let parts = vec![good(11, "l-partner", 20), good(12, "l-partner", 2), good(13, "l-stranger", 20)];
    let mails = vec![mail(21, "l-partner", 20), mail(22, "l-partner", 2), mail(23, "l-stranger", 20)];
    store.known_good.learn_good(parts, mails).await.expect("learns");
    // What comes again without a fingerprint keeps it.
    let again = GoodPart { print: None, ..good(11, "l-partner", 19) };
    store.known_good.learn_good(vec![again], Vec::new()).await.expect("learns");
    let asked = [11, 12, 13, 14].map(picture);
    let known = store.known_good.good_pictures(&asked, &rule, now).await.expect("asks");
    assert_eq!(known, BTreeSet::from([picture(11)]), "not what is young, of a stranger, or unknown");
    for (seed, is_good) in [(21, true), (22, false), (23, false), (24, false)] {
        assert_eq!(store.known_good.is_good_text(&text(seed), &rule, now).await.expect("asks"), is_good, "{seed}");
        assert_eq!(store.known_good.is_good_layout(&layout(seed), &rule, now).await.expect("asks"), is_good, "{seed}");
    }
    let bad = vec![Digest::of(b"likeness 11"), Digest::of(&[b'l', 21])];
    store.known_good.mark_bad(bad, now).await.expect("marks");
    assert!(store.known_good.good_pictures(&asked, &rule, now).await.expect("asks").is_empty());
    assert!(!store.known_good.is_good_text(&text(21), &rule, now).await.expect("asks"), "it was called bad");
    assert!(!store.known_good.is_good_layout(&layout(21), &rule, now).await.expect("asks"), "it was called bad");
}

async fn entries(store: &Store) {
    let now = at(LATER);
    for (kind, value) in [
        ("picture", format!("{},{}", picture(1), picture(2))),
        ("text", text(3).to_string()),
        ("layout", layout(4).to_string()),
    ] {
        let subject = Subject::parse(kind, &value).expect("a subject");
        let new = Entry {
            caused_by: Some(id(1)),
            id: 0,
            last_used: None,
            allow: false,
            subject: subject.clone(),
            reach: Reach::Everyone,
            clears_malware: false,
            owner: "anna".into(),
            reason: "a campaign".into(),
            made: now,
            expires: now.after(DAY),
        };
        let made = store.entries.add_entry(new).await.expect("adds");
        let kept = store.entries.entries(now).await.expect("lists");
        assert!(kept.iter().any(|one| one.id == made && one.subject == subject), "{kind}");
        store.entries.remove_entry(made, "anna".into(), now).await.expect("ends");
    }
}

pub(crate) async fn story(store: &Store) {
    mail_of_the_last_days(store).await;
    known_good(store).await;
    entries(store).await;
}
