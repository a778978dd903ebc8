//! Legal hold: whatever is asked for in whatever order, nothing that is on hold is removed.

use std::collections::BTreeSet;

use domain::detection::Category;
use domain::hold::{Hold, Kind, Lifted};
use domain::ledger::{Account, Move};
use domain::removal::GRACE;
use domain::{Digest, MailId, Timestamp, UnitId};
use store::audit::Act;
use store::mail::arrival::Arrival;
use store::mail::moves::UnitMove;
use store::{Store, StoreError};

use super::{ALL, Arc, DAY, arrival, at, check_balanced};

/// Long after everything else of the story.
const LATER: i64 = 400 * DAY;
/// Orders of events that are played.
const ORDERS: u64 = 12;
/// Events of each.
const EVENTS: u64 = 40;

fn later(days: i64) -> Timestamp {
    at(LATER + days * DAY)
}

/// Mail number `n` of order `order`, of this test alone.
fn id(order: u8, n: u8) -> MailId {
    MailId::new(later(0), [order, n, 8, 8, 8, 8, 8, 8, 8, 8])
}

fn mail(order: u8, n: u8, subject: &str) -> (Arrival, Vec<u8>) {
    let body = vec![order, n, 8, 8];
    let recipient = format!("r{n}@ours.example");
    let one = arrival(1, &body, &[(recipient.as_str(), Account::Held), ("all@ours.example", Account::Held)]);
    let mut examination = one.examination.as_ref().clone();
    examination.message.subject = subject.into();
    let examination = Arc::new(examination);
    (Arrival { mail_id: id(order, n), received: later(0), examination, ..one }, body)
}

async fn keep(store: &Store, order: u8, n: u8, subject: &str) -> Digest {
    let (one, body) = mail(order, n, subject);
    let digest = Digest::of(&body);
    drop(store.blobs().put(Arc::new(body), digest).await.expect("puts"));
    store.mail.record_arrival(one).await.expect("records");
    digest
}

fn hold(kind: Kind, what: &str) -> Hold {
    let (reason, by) = ("a suit".to_owned(), "anna".to_owned());
    Hold { number: 0, kind, what: what.into(), reason, by, at: later(1), lifted: None }
}

fn lifted(at: Timestamp) -> Lifted {
    Lifted { at, by: "anna".into(), reason: "it is over".into() }
}

async fn accounts(store: &Store, mail: MailId) -> Vec<Account> {
    let all = store.quarantine.accounts_of(mail).await.expect("reads");
    all.into_iter().map(|(_, account)| account).collect()
}

async fn delete(store: &Store, mail: MailId, number: u32) -> Result<(), StoreError> {
    let (actor, reason) = ("bert".to_owned(), "away".to_owned());
    let unit = UnitId { mail, number };
    store
        .mail
        .move_units(vec![UnitMove { unit, from: Account::Held, by: Move::Deleted, at: later(2), actor, reason }])
        .await
}

/// Retention, until it finds nothing more.
async fn retain(store: &Store, now: Timestamp) {
    let upkeep = &store.upkeep;
    while upkeep.expire_held(Category::Malware, now.before(GRACE * 30), now, ALL).await.expect("expires") > 0 {}
    while upkeep.drop_blobs(now.before(GRACE), ALL).await.expect("drops") > 0 {}
    while upkeep.purge_records(now.before(GRACE * 60), now, ALL).await.expect("purges") > 0 {}
}

/// The lot of single holds.
pub(crate) async fn story(store: &Store) {
    retain(store, later(-1)).await;
    let digests = [keep(store, 200, 1, "held").await, keep(store, 200, 2, "free").await];
    let wrong = store.upkeep.add_hold(hold(Kind::Query, "state:held")).await;
    assert!(matches!(wrong, Err(StoreError::Refused(why)) if why.contains("state")));
    let unknown = store.upkeep.add_hold(hold(Kind::Mail, &id(200, 99).to_string())).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
    let first = store.upkeep.add_hold(hold(Kind::Person, "R1@ours.example")).await.expect("adds");
    assert!(!store.upkeep.held().await.expect("reads").is_counted, "not looked through yet");
    // Who looked at the record already or not: what is asked of a hold is asked of the hold itself.
    let refused = delete(store, id(200, 1), 1).await.expect_err("on hold, for every recipient");
    assert!(matches!(&refused, StoreError::Refused(why) if why.contains(&format!("hold {first}"))), "{refused}");
    delete(store, id(200, 2), 1).await.expect("free");
    while store.upkeep.look_for_held(later(1)).await.expect("looks") {}
    let held = store.upkeep.held().await.expect("reads");
    assert_eq!((held.holds, held.mails, held.bytes, held.is_counted), (1, 1, 4, true));
    assert_eq!(store.upkeep.holds_of(id(200, 1)).await.expect("reads").len(), 1);
    assert_eq!(store.upkeep.holds_of(id(200, 2)).await.expect("reads"), []);
    // What is said of it and done about it stays with it.
    let act = Act {
        at: later(1),
        actor: "anna".into(),
        action: "x".into(),
        object: id(200, 1).to_string(),
        reason: String::new(),
        detail: String::new(),
    };
    store.audit.record_act(act).await.expect("records");
    // What comes later falls under it.
    let third = keep(store, 200, 3, "r1@ours.example writes").await;
    let person = store.upkeep.add_hold(hold(Kind::Query, "subject:\"r1@OURS.example\"")).await.expect("adds");
    retain(store, later(100)).await;
    retain(store, later(102)).await;
    assert_eq!(accounts(store, id(200, 1)).await, [Account::Held; 2]);
    assert_eq!(accounts(store, id(200, 2)).await, [], "what is not on hold has gone");
    assert_eq!(accounts(store, id(200, 3)).await, [Account::Held; 2]);
    while store.audit.prune_audit(later(100)).await.expect("prunes") > 0 {}
    let acts = store.audit.audit_acts(None, 1000).await.expect("reads");
    assert!(acts.iter().any(|act| act.object == id(200, 1).to_string()), "its entries stay");
    assert!([digests[0], third].iter().all(|blob| store.blobs().has(*blob)) && !store.blobs().has(digests[1]));
    // Lifted, it goes its way, a day later.
    store.upkeep.lift_hold(first, lifted(later(102))).await.expect("lifts");
    assert!(matches!(store.upkeep.lift_hold(first, lifted(later(102))).await, Err(StoreError::NotFound(_))));
    retain(store, later(102)).await;
    assert_eq!(accounts(store, id(200, 1)).await, [Account::Held; 2], "who lifts one by mistake has a day");
    retain(store, later(104)).await;
    retain(store, later(106)).await;
    assert_eq!(accounts(store, id(200, 1)).await, []);
    assert!(!store.blobs().has(digests[0]) && store.blobs().has(third));
    store.upkeep.lift_hold(person, lifted(later(106))).await.expect("lifts");
    while store.upkeep.look_for_held(later(108)).await.expect("looks") {}
    assert_eq!(store.upkeep.mails_on_holds().await.expect("reads"), [].into(), "nothing is left of what was lifted");
    assert_eq!(store.upkeep.holds(true, 10).await.expect("reads").len(), 2, "but that they were");
    check_balanced(store).await;
    for order in 0..ORDERS {
        any_order(store, order).await;
    }
    meanwhile(store).await;
    check_balanced(store).await;
}

/// Numbers that a seed decides (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// In no order of holding, lifting, deleting, looking and retention is anything removed that is on hold.
async fn any_order(store: &Store, seed: u64) {
    let (mut dice, order) = (Dice(seed), seed as u8);
    let mut open: Vec<(u64, BTreeSet<u8>)> = Vec::new();
    let mut days = 61;
    for n in 0..6 {
        keep(store, order, n, if n % 2 == 0 { "even" } else { "odd" }).await;
    }
    let there = async |n: u8| !accounts(store, id(order, n)).await.is_empty();
    for _ in 0..EVENTS {
        let n = dice.below(6) as u8;
        match dice.below(9) {
            0 if there(n).await => {
                let one = hold(Kind::Mail, &id(order, n).to_string());
                open.push((store.upkeep.add_hold(one).await.expect("adds"), [n].into()));
            }
            1 => {
                let one = hold(Kind::Person, &format!("r{n}@ours.example"));
                open.push((store.upkeep.add_hold(one).await.expect("adds"), [n].into()));
            }
            2 => {
                let one = hold(Kind::Query, &format!("subject:{}", if n.is_multiple_of(2) { "even" } else { "odd" }));
                open.push((
                    store.upkeep.add_hold(one).await.expect("adds"),
                    (0..6).filter(|m| m % 2 == n % 2).collect(),
                ));
            }
            3 | 4 if !open.is_empty() => {
                let (number, _) = open.remove(dice.below(open.len() as u64) as usize);
                store.upkeep.lift_hold(number, lifted(later(days))).await.expect("lifts");
            }
            5 => {
                let is_held = accounts(store, id(order, n)).await.first() == Some(&Account::Held);
                let is_on = open.iter().any(|(_, mails)| mails.contains(&n));
                assert_eq!(delete(store, id(order, n), 0).await.is_ok(), is_held && !is_on, "seed {seed}, mail {n}");
            }
            6 => drop(store.upkeep.look_for_held(later(days)).await.expect("looks")),
            _ => {
                let kept: BTreeSet<u8> = open.iter().flat_map(|(_, mails)| mails.iter().copied()).collect();
                let mut before = Vec::new();
                for n in kept {
                    let has_bytes = store.blobs().has(Digest::of(&[order, n, 8, 8]));
                    before.push((n, accounts(store, id(order, n)).await, has_bytes));
                }
                days += dice.below(3) as i64;
                retain(store, later(days)).await;
                for (n, accounts_before, had_bytes) in before {
                    assert_eq!(accounts(store, id(order, n)).await, accounts_before, "seed {seed}, mail {n}");
                    let has_bytes = store.blobs().has(Digest::of(&[order, n, 8, 8]));
                    assert_eq!(has_bytes, had_bytes, "seed {seed}, mail {n}");
                }
            }
        }
    }
    for (number, _) in open {
        store.upkeep.lift_hold(number, lifted(later(days))).await.expect("lifts");
    }
    for round in 1..=4 {
        while store.upkeep.look_for_held(later(days + 2 * round)).await.expect("looks") {}
        retain(store, later(days + 2 * round)).await;
    }
    for n in 0..6 {
        assert_eq!(accounts(store, id(order, n)).await, [], "seed {seed}: nothing keeps it any more");
    }
}

/// A hold and a removal at the same time: one of them is first, and the answer says which.
async fn meanwhile(store: &Store) {
    for n in 100..120 {
        keep(store, 201, n, "raced").await;
        let one = hold(Kind::Mail, &id(201, n).to_string());
        let (held, deleted) = tokio::join!(store.upkeep.add_hold(one), delete(store, id(201, n), 0));
        let number = held.expect("adds");
        let expected = if deleted.is_ok() { Account::Deleted } else { Account::Held };
        assert_eq!(accounts(store, id(201, n)).await[0], expected);
        // Whatever came first: from now on its bytes and its record stay.
        retain(store, later(300)).await;
        assert_eq!(accounts(store, id(201, n)).await[0], expected);
        assert!(store.blobs().has(Digest::of(&[201, n, 8, 8])));
        store.upkeep.lift_hold(number, lifted(later(300))).await.expect("lifts");
    }
}
