//! The part of the story that is told to whoever watches from outside: each fact once, in the order of commits, and
//! what is missing is said.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use domain::detection::{DetectionCode, DetectionVersion, RulesetId};
use domain::event::{Event, EventKind, Fact, Missing};
use domain::ledger::{Account, Move};
use domain::sentinel::Suspect;
use domain::{MailId, UnitId};
use store::audit::Act;
use store::blob::Blobs;
use store::events::EventSink;
use store::incident::{IncidentChange, NewIncident};
use store::mail::arrival::Arrival;
use store::mail::moves::UnitMove;
use store::{Store, StoreError, database};

use super::{ALL, DAY, arrival, at, key};

fn mail(n: u8, account: Account) -> Arrival {
    let id = MailId::new(at(9_500 + i64::from(n)), [9; 10]);
    Arrival { mail_id: id, ..arrival(1, &[9, n], &[("e@ours.example", account)]) }
}

/// All events from an entry on, and where that ends.
async fn told(store: &Store, mut from: u64) -> (Vec<Event>, u64) {
    let mut events = Vec::new();
    loop {
        let page = store.events.page(from).await.expect("reads");
        assert!(page.next >= from && page.next <= page.end.max(from));
        events.extend(page.events);
        if page.next == from {
            return (events, from);
        }
        from = page.next;
    }
}

fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(known_by).collect()
}

/// What an event is known by within its epoch.
fn known_by(event: &Event) -> String {
    let id = event.id();
    let known = id.strip_prefix(&format!("{}/", event.epoch)).unwrap_or(&id);
    assert!(event.epoch.is_empty() || known.len() < id.len(), "{id}");
    known.to_owned()
}

fn missing(events: &[Event]) -> Vec<Missing> {
    let missing = events.iter().filter_map(|event| match &event.fact {
        Fact::Missing(missing) => Some(missing.clone()),
        _ => None,
    });
    missing.collect()
}

fn new_incident() -> NewIncident {
    let suspect =
        Suspect { code: DetectionCode::parse("IMG-0009").expect("code"), version: DetectionVersion::of(&[b"events"]) };
    NewIncident {
        at: at(9_602),
        by: "ann".into(),
        in_force: None,
        is_convicted: false,
        suspect,
        ruleset: RulesetId::from_text("0123456789abcdef"),
        cause: "it is wrong".into(),
        public_text: String::new(),
        next_update: at(9_700),
    }
}

pub(crate) async fn story(store: &Store) {
    let (whole, end) = told(store, 0).await;
    assert_eq!(end, store.events.end().await.expect("reads"));
    assert!(whole.is_sorted_by_key(|event| event.sequence), "in the order of commits");
    assert_eq!(whole.iter().map(Event::id).collect::<BTreeSet<_>>().len(), whole.len(), "each once");
    // Mail that was delivered has been purged by now, on PostgreSQL: one is delivered below.
    for kind in EventKind::ALL.into_iter().filter(|kind| *kind != EventKind::Delivery) {
        assert!(whole.iter().any(|event| event.kind() == Some(kind)), "{kind:?} is in this story");
    }
    assert!(matches!(whole[0].fact, Fact::Missing(_)), "its first entries were pruned");
    let end = delivered(store, end).await;

    // What is written now is told now, in its order.
    let held = mail(1, Account::Held);
    let unit = UnitId { mail: held.mail_id, number: 0 };
    store.mail.record_arrival(held).await.expect("records");
    let act = |action: &str| Act {
        at: at(9_600),
        actor: "ann".into(),
        action: action.into(),
        object: unit.to_string(),
        reason: "for the record".into(),
        detail: String::new(),
    };
    store.audit.record_act(act("quarantine.deny")).await.expect("records");
    let by = |by, from| UnitMove { unit, from, by, at: at(9_601), actor: "ann".into(), reason: "why".into() };
    store.mail.move_units(vec![by(Move::Denied, Account::Held)]).await.expect("moves");
    let incident = store.incidents.open(new_incident()).await.expect("opens");
    let note = IncidentChange::note(&incident, at(9_603), "ann", "we look into it");
    store.incidents.change(note).await.expect("changes");
    let (events, next) = told(store, end).await;
    let seq = events[1].sequence;
    let expected = [
        format!("{unit}/0"),
        format!("audit/{seq}"),
        format!("{unit}/1"),
        format!("{incident}/1"),
        format!("{incident}/2"),
    ];
    assert_eq!(ids(&events), expected);
    let sequences: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (end..end + 5).collect::<Vec<u64>>(), "each has an entry of its own");
    let Fact::Unit(verdict) = &events[0].fact else { panic!("a verdict") };
    assert_eq!((verdict.recipient.as_str(), verdict.mail.findings.len()), ("e@ours.example", 1));
    assert_eq!((verdict.mail.files[0].name.as_str(), verdict.mail.urls.len()), ("logo.png", 1));
    let Fact::Incident(said) = &events[3].fact else { panic!("a line of an incident") };
    assert_eq!((said.what.as_str(), said.detection.as_str()), ("opened", "IMG-0009"));
    let Fact::Audit(entry) = &events[1].fact else { panic!("an entry") };
    assert_eq!(entry.reason, "for the record");
    assert_eq!(told(store, next).await.0, [], "and no more than once");
    assert!(store.audit.verify_audit(true).await.expect("verifies").faults.is_empty(), "a batch of no rows is sound");

    places(store, next).await;
    gone(store).await;
}

/// Mail that passes has events as well: that it came, and what the next hop answered.
async fn delivered(store: &Store, from: u64) -> u64 {
    let passing = mail(9, Account::Forwarding);
    let unit = UnitId { mail: passing.mail_id, number: 0 };
    store.mail.record_arrival(passing).await.expect("records");
    let (actor, reason) = ("gateway".into(), "250 ok".into());
    let accepted = UnitMove { unit, from: Account::Forwarding, by: Move::HopAccepted, at: at(9_602), actor, reason };
    store.mail.move_units(vec![accepted]).await.expect("moves");
    let (events, next) = told(store, from).await;
    let kinds: Vec<Option<EventKind>> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds, [Some(EventKind::Verdict), Some(EventKind::Delivery)]);
    next
}

/// How far a sink is, is kept; two who tell the same sink do not both move on.
async fn places(store: &Store, end: u64) {
    let sink = EventSink {
        name: "siem".into(),
        position: end - 2,
        content: String::new(),
        destination: String::new(),
        taken: Some(at(9_610)),
    };
    store.events.add_sink(sink.clone()).await.expect("keeps");
    let lag = store.events.lag(end - 2).await.expect("reads");
    assert_eq!((lag.entries, lag.since), (2, Some(at(9_602))));
    store.events.record_taken("siem", end - 2, end, at(9_611)).await.expect("moves on");
    let again = store.events.record_taken("siem", end - 2, end - 1, at(9_612)).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "another has told it meanwhile");
    store
        .events
        .keep_sink(EventSink { content: "subjects".into(), destination: "file:x".into(), ..sink.clone() })
        .await
        .expect("keeps");
    let known = store.events.sinks().await.expect("reads");
    let expected = EventSink {
        position: end,
        content: "subjects".into(),
        destination: "file:x".into(),
        taken: Some(at(9_611)),
        ..sink
    };
    assert_eq!(known, [expected], "what it is told is another, where it is stays");
    let lag = store.events.lag(end).await.expect("reads");
    assert_eq!((lag.entries, lag.since), (0, None));
}

/// Whoever comes too late is told what is gone.
async fn gone(store: &Store) {
    let from = store.events.end().await.expect("reads");
    for n in 2..5 {
        let passed = mail(n, Account::Forwarding);
        let unit = UnitId { mail: passed.mail_id, number: 0 };
        store.mail.record_arrival(passed).await.expect("records");
        let (by, at) = (Move::HopAccepted, at(9_500));
        let (actor, reason) = ("gateway".into(), "250 ok".into());
        let one = UnitMove { unit, from: Account::Forwarding, by, at, actor, reason };
        store.mail.move_units(vec![one]).await.expect("moves");
    }
    assert_eq!(told(store, from).await.0.len(), 6);
    let late = at(DAY * 400);
    while store.upkeep.purge_records(at(DAY * 100), late, ALL).await.expect("purges") > 0 {}
    let (events, _) = told(store, from).await;
    assert_eq!(
        missing(&events),
        [Missing { from, to: from + 5, events: Some(6), too_long: None }],
        "what is gone, as one"
    );
    assert_eq!(events[0].sequence, from + 5, "whoever goes on behind it has been told");
    assert!(events[1..].iter().all(|event| matches!(event.fact, Fact::Audit(_))), "the purges themselves");

    while store.audit.prune_audit(at(DAY * 50_000)).await.expect("prunes") > 0 {}
    let end = store.events.end().await.expect("reads");
    let (events, next) = told(store, from).await;
    assert_eq!(missing(&events), [Missing { from, to: end - 1, events: None, too_long: None }]);
    assert_eq!((events.len(), next), (1, end));
    assert_eq!(told(store, end).await, (vec![], end));
}

/// Nothing that is committed is missed, by however many writers at once, and wherever a reader looks in between.
pub(crate) async fn many_writers(url: &str, folder: &Path) {
    let open = |node: &'static str| {
        let blobs = Blobs::open(&folder.join("blobs")).expect("blobs");
        async move { Store::open(url, blobs, node, &key(), at(0)).await.expect("opens") }
    };
    let (one, two) = (open("one").await, open("two").await);
    let mut from = one.events.end().await.expect("reads");
    let writes = |store: Store, numbers: std::ops::Range<u8>| async move {
        for n in numbers {
            while store.mail.record_arrival(mail(n, Account::Forwarding)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    let (first, second) = (tokio::spawn(writes(one.clone(), 100..115)), tokio::spawn(writes(two.clone(), 200..215)));
    let mut events = Vec::new();
    while !(first.is_finished() && second.is_finished()) {
        let (more, next) = told(&one, from).await;
        events.extend(more);
        from = next;
    }
    first.await.expect("writes");
    second.await.expect("writes");
    events.extend(told(&one, from).await.0);
    let expected: BTreeSet<String> =
        (100..115).chain(200..215).map(|n| format!("{}/0/0", mail(n, Account::Held).mail_id)).collect();
    assert_eq!(events.len(), expected.len(), "each once");
    assert_eq!(ids(&events).into_iter().collect::<BTreeSet<_>>(), expected);
    one.close().await;
    two.close().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_keeps_no_event_behind_it_from_being_told() {
    let folder = tempfile::tempdir().expect("folder");
    let url = &database::sqlite_url(&folder.path().join("test.db"));
    let blobs = Blobs::open(&folder.path().join("blobs")).expect("blobs");
    let store = &Store::open(url, blobs, "n", &key(), at(0)).await.expect("opens");
    let from = store.events.end().await.expect("reads");
    store.mail.record_arrival(mail(60, Account::Held)).await.expect("records");
    store.incidents.open(new_incident()).await.expect("opens");
    store.mail.record_arrival(mail(61, Account::Held)).await.expect("records");
    let (whole, _) = told(store, from).await;
    let mut admin = database::connect(url).await.expect("connects");
    let damaged = mail(60, Account::Held).mail_id;
    for (damage, repair, is_left_out) in [
        ("update unit set is_enforced = 'x' where mail_id = $1", "is_enforced = 1", true),
        ("update message set size_bytes = 'x' where mail_id = $1", "size_bytes = 3", true),
        ("update ledger set at_us = 'x' where mail_id = $1", "at_us = 3", true),
        ("update finding set evidence = x'ff' where mail_id = $1", "evidence = ''", false),
        ("update part set size_bytes = 'x' where mail_id = $1", "size_bytes = 3", false),
        ("update incident_event set is_public = 'x' where event_no = 1 and $1 <> ''", "is_public = 0", true),
    ] {
        let mut set = async |sql: String| {
            let sql = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(damaged.to_string());
            sql.execute(&mut admin).await.expect("is set").rows_affected()
        };
        assert!(set(damage.to_owned()).await > 0, "{damage}");
        let (events, _) = told(store, from).await;
        assert_eq!(events.last(), whole.last(), "{damage}");
        assert_eq!(events.len(), whole.len(), "each is there, or said to be missing: {damage}");
        let gone: u64 = missing(&events).iter().filter_map(|one| one.events).sum();
        let lost = events.iter().filter_map(|event| match &event.fact {
            Fact::Unit(unit) => Some(unit.mail.unreadable),
            _ => None,
        });
        assert_eq!((gone, lost.sum()), if is_left_out { (1, 0) } else { (0, 1) }, "{damage}");
        let (before, rest) = damage.split_once(" set ").expect("an update");
        let condition = rest.split_once(" where ").expect("a condition").1;
        set(format!("{before} set {repair} where {condition}")).await;
    }
    assert_eq!(ids(&told(store, from).await.0), ids(&whole));
    // A sink whose row cannot be read is told everything again, and no other is.
    let sink = EventSink {
        name: "a".into(),
        position: 3,
        content: String::new(),
        destination: String::new(),
        taken: Some(at(9_700)),
    };
    store.events.add_sink(sink.clone()).await.expect("adds");
    store.events.add_sink(EventSink { name: "b".into(), ..sink.clone() }).await.expect("adds");
    sqlx::query("update event_sink set position = 'x' where name = 'a'").execute(&mut admin).await.expect("damages");
    let places = |sinks: Vec<EventSink>| {
        sinks.into_iter().map(|sink| (sink.name.clone(), sink.position, sink.is_lost())).collect::<Vec<_>>()
    };
    let is = |name: &str, position, is_lost| (name.to_owned(), position, is_lost);
    let known = places(store.events.sinks().await.expect("reads"));
    assert_eq!(known, [is("a", 0, true), is("b", 3, false)]);
    store.events.add_sink(sink).await.expect("adds");
    assert!(!store.events.sinks().await.expect("reads")[0].is_lost());
}

/// It has ids of its own, and a reader of before goes on where the backup ended.
#[tokio::test]
async fn what_is_recorded_after_a_restore_is_known_from_what_was_told() {
    let folder = tempfile::tempdir().expect("folder");
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    std::fs::create_dir(&data).expect("a folder");
    let open = |second| {
        let data = data.clone();
        async move { Store::open_embedded(&data, "n", &key(), at(second)).await.expect("opens") }
    };
    let act = |action: &str| Act {
        at: at(9_600),
        actor: "ann".into(),
        action: action.into(),
        object: String::new(),
        reason: String::new(),
        detail: String::new(),
    };
    let store = open(9_600).await;
    store.audit.record_act(act("before")).await.expect("records");
    store.upkeep.back_up(&data, &backup, at(9_600)).await.expect("backs up");
    for action in ["lost", "lost as well"] {
        store.audit.record_act(act(action)).await.expect("records");
    }
    let page = store.events.page(0).await.expect("reads");
    let (was, epoch, came) = (page.events, page.epoch, page.next);
    store.close().await;
    let store = open(9_601).await;
    assert_eq!(store.events.page(0).await.expect("reads").events, was, "a start is no restore");
    store.close().await;

    std::fs::remove_dir_all(&data).expect("is lost");
    std::fs::rename(&backup, &data).expect("comes back");
    let store = open(9_602).await;
    store.audit.record_act(act("after")).await.expect("records");
    let page = store.events.page(0).await.expect("reads");
    assert_ne!(page.epoch, epoch);
    assert_eq!(page.events[0], was[0], "what was told already is what it was");
    assert!(!ids(&page.events).is_empty() && page.events[1].sequence == was[1].sequence, "the same number");
    assert!(was.iter().all(|event| event.id() != page.events[1].id()), "and another id");
    let next = store.events.page(came).await.expect("reads");
    assert_eq!((next.events, next.next, next.end), (vec![], 2, 2), "beyond the end there is nothing, and it says so");
    let from = store.events.resolved(&epoch, came).await.expect("reads");
    assert_eq!(store.events.page(from).await.expect("reads").events, page.events[1..]);
    store.close().await;
}
