//! The whole memory, page by page, with the domains behind it; and who has answered whom with which content.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::identity::{Establish, Kind};
use domain::message::{Family, Part};
use domain::{Digest, Direction};
use store::Store;
use store::known_good::GoodPart;
use store::known_good::conversation::{AnswerWith, SentMail};
use store::known_good::memory::Meeting;
use store::known_good::recall::PageOf;

use crate::{at, examination};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn content(number: u8) -> Digest {
    Digest::of(&[b'r', number])
}

async fn people(store: &Store) {
    let now = at(0);
    let meeting = |name: &str, kind, node: &str| Meeting {
        identity: name.into(),
        kind,
        node: node.into(),
        mails: 20,
        answered: 5,
        is_bad: false,
        first: now.before(30 * DAY),
        at: now,
    };
    let people = vec![
        meeting("r-bert", Kind::Login, "ours"),
        meeting("r-carla", Kind::Login, "ours"),
        meeting("r-anna", Kind::Domain, "r-partner"),
        meeting("r-one", Kind::Address, "r-provider"),
        meeting("r-two", Kind::Address, "r-provider"),
        // Of before domains were written down.
        meeting("r-old", Kind::Domain, ""),
    ];
    store.known_good.record_meetings(people).await.expect("meets");
    let bad = Meeting { is_bad: true, ..meeting("r-bad", Kind::Domain, "r-evil") };
    store.known_good.record_meetings(vec![bad]).await.expect("meets");
}

async fn contents(store: &Store) {
    let part = examination(b"one").message.parts[0].clone();
    let good = |number: u8, carrier: &str, days: u32| GoodPart {
        part: Part { sha256: content(number), ..part.clone() },
        print: None,
        carrier: carrier.into(),
        direction: Direction::Inbound,
        is_kept: true,
        mails: 1,
        first: at(0).before(DAY * days),
        seen: at(0).before(DAY * days),
    };
    let parts = vec![
        good(1, "r-bert", 20),
        good(1, "r-carla", 20),
        good(1, "r-anna", 20),
        good(2, "r-one", 20),
        good(2, "r-two", 20),
        good(2, "r-old", 20),
        // Too young, and of nobody whom we know.
        good(3, "r-anna", 2),
        good(4, "r-bad", 20),
        // Anna has had it since the draft only.
        good(5, "r-bert", 20),
        good(5, "r-anna", 0),
    ];
    store.known_good.learn_good(parts, Vec::new()).await.expect("learns");
}

pub(crate) async fn story(store: &Store) {
    people(store).await;
    contents(store).await;
    let (rule, drafted) = (Establish::default(), at(0).before(Duration::from_secs(3600)));
    let mut found = Vec::new();
    let mut after = None;
    loop {
        // Pages of two, whatever else the memory holds.
        let page = PageOf { after, most: 2, families: None, drafted };
        let page = store.known_good.recollected_parts(page, &rule, at(0)).await.expect("reads");
        found.extend(page.found);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let domains = |number: u8| {
        let one = found.iter().find(|one| one.exhibit.content.sha256 == content(number))?;
        Some(one.exhibit.carriers.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(domains(1), Some(vec!["ours", "r-partner"]), "all accounts of ours are one");
    assert_eq!(domains(2), Some(vec!["r-old", "r-provider"]), "addresses at one provider are one");
    assert_eq!((domains(3), domains(4)), (None, None));
    assert_eq!(domains(5), Some(vec!["ours"]), "who carries it since the draft does not testify");
    let none = BTreeSet::from([Family::Pdf]);
    let page = PageOf { after: None, most: 100, families: Some(&none), drafted };
    let page = store.known_good.recollected_parts(page, &rule, at(0)).await.expect("reads");
    assert!(page.found.iter().all(|one| one.exhibit.content.sha256 != content(1)));
    let named = store.known_good.contents_beginning(&content(1).hex()[..12]).await.expect("reads");
    assert_eq!(named, BTreeSet::from([content(1)]));
    conversation(store).await;
}

async fn conversation(store: &Store) {
    let (rule, now) = (Establish::default(), at(0));
    let sent = |message: &str, identity: &str, node: &str| SentMail {
        message: message.into(),
        identity: identity.into(),
        node: node.into(),
        at: now.before(20 * DAY),
    };
    let answer = |answered: &str, identity: &str, node: &str, days: u32| AnswerWith {
        content: content(1),
        answered: answered.into(),
        identity: identity.into(),
        node: node.into(),
        at: now.before(DAY * days),
    };
    let mails = vec![
        sent("r-m1", "r-anna", "r-partner"),
        sent("r-m2", "r-bert", "ours"),
        // Who comes later does not take an id over.
        sent("r-m1", "r-bad", "r-evil"),
        sent("r-m3", "r-bad", "r-evil"),
    ];
    let answers = vec![
        answer("r-m1", "r-bert", "ours", 19),
        answer("r-m2", "r-anna", "r-partner", 19),
        // Within a domain, of an unknown mail, with somebody whom nobody knows, and after the moment that counts.
        answer("r-m2", "r-carla", "ours", 19),
        answer("r-m9", "r-anna", "r-partner", 19),
        answer("r-m3", "r-carla", "ours", 19),
        answer("r-m1", "r-two", "r-provider", 1),
    ];
    store.known_good.remember_conversation(mails, answers).await.expect("remembers");
    let before = now.before(3 * DAY);
    let asked = [content(1), content(2)];
    let found = store.known_good.answers_with(&asked, before, &rule, now).await.expect("reads");
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let both = BTreeSet::from([pair("ours", "r-partner"), pair("r-partner", "ours")]);
    assert_eq!((found.len(), &found[&content(1)]), (1, &both));
    // What is old goes, and what is beyond the bound.
    while store.known_good.forget_conversation(now.before(10 * DAY), 100).await.expect("forgets") {}
    let found = store.known_good.answers_with(&asked, now, &rule, now).await.expect("reads");
    assert!(found.is_empty(), "the mails that were answered are forgotten: {found:?}");
    let again = vec![sent("r-m4", "r-anna", "r-partner"), sent("r-m5", "r-anna", "r-partner")];
    store.known_good.remember_conversation(again, vec![answer("r-m4", "r-bert", "ours", 2)]).await.expect("remembers");
    store.known_good.forget_conversation(now.before(99 * DAY), 0).await.expect("forgets");
    let found = store.known_good.answers_with(&asked, now, &rule, now).await.expect("reads");
    assert!(found.is_empty(), "none is kept where none may be: {found:?}");
}
