//! Whom we know, and what they have carried.

use std::time::Duration;

use domain::finding::MemoryClass;
use domain::identity::{Establish, Kind};
use domain::message::{Family, Part};
use domain::{Digest, Direction};
use store::Store;
use store::known_good::memory::Meeting;
use store::known_good::{GoodMail, GoodPart};

use crate::{at, envelope, examination, mail_id};

pub(crate) async fn story(store: &Store) {
    let month = Duration::from_secs(30 * 24 * 3600);
    let now = at(0);
    let meeting = |name: &str, kind, mails, answered| Meeting {
        identity: name.into(),
        kind,
        node: if kind == Kind::Login { "ours".into() } else { format!("domain of {name}") },
        mails,
        answered,
        is_bad: false,
        first: now.before(month),
        at: now,
    };
    store
        .known_good
        .record_meetings(vec![
            meeting("ours", Kind::Login, 1, 0),
            meeting("known", Kind::Domain, 20, 3),
            meeting("news", Kind::Domain, 90, 0),
        ])
        .await
        .expect("meets");
    let rule = Establish::default();
    let who = |name: &str| name.to_owned();
    let known =
        store.known_good.acquaintances(&[who("ours"), who("known"), who("news"), who("nobody")]).await.expect("reads");
    let established = |name: &str| known.get(name).is_some_and(|one| one.is_established(&rule, now));
    assert_eq!(["ours", "known", "news", "nobody"].map(established), [true, true, false, false]);
    let part = examination(b"one").message.parts[0].clone();
    let good = |carrier: &str| GoodPart {
        part: Part { sha256: Digest::of(b"memory"), ..part.clone() },
        print: None,
        carrier: carrier.into(),
        direction: Direction::Inbound,
        is_kept: true,
        mails: 1,
        first: now.before(month),
        seen: now,
    };
    let mail = GoodMail {
        sha256: Digest::of(b"whole"),
        mail_id: mail_id(9),
        size: 5,
        seen: now.before(month),
        envelope: envelope(&["a@ours.example"]),
        carrier: "known".into(),
        text: None,
        layout: None,
    };
    store.known_good.learn_good(vec![good("ours"), good("known"), good("news")], vec![mail]).await.expect("learns");
    let content = Digest::of(b"memory");
    let remembered = store.known_good.remembered(&[content, Digest::of(b"else")], &rule, now).await.expect("reads");
    let one = &remembered[&content];
    assert_eq!((remembered.len(), one.standing.carriers, one.internal), (1, 2, 1), "a newsletter vouches for nothing");
    assert_eq!(one.standing.class(now, 20), MemoryClass::C1);
    let exhibits = store.known_good.contents_that_testify(None, 10, Digest::of(b"x"), &rule, now).await.expect("reads");
    assert_eq!(exhibits.len(), 1);
    let mails = store.known_good.mails_that_testify(10, &rule, now).await.expect("reads");
    assert_eq!(mails[0].mail.as_ref().map(|(mail, _)| *mail), Some(mail_id(9)));
    assert_eq!(
        store.known_good.contents_by_class(Family::Image, now.before(month), now).await.expect("reads"),
        [0, 1, 0, 0]
    );
    let strength = store.known_good.memory_strength(&rule, now).await.expect("reads");
    assert_eq!((strength.identities, strength.established, strength.internal, strength.eligible), (3, 2, 1, 1));
    // Something bad takes it away.
    store
        .known_good
        .record_meetings(vec![Meeting { is_bad: true, ..meeting("known", Kind::Domain, 0, 0) }])
        .await
        .expect("meets");
    let known = store.known_good.acquaintances(&[who("known")]).await.expect("reads");
    assert!(!known["known"].is_established(&rule, now));
    assert_eq!((known["known"].mails, known["known"].first_seen), (20, now.before(month)));
}
