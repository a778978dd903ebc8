//! Two processes on one store: who has lost a claim and does not know it yet changes nothing any more.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::ledger::Move;
use domain::query::Query;
use domain::release::{ReleaseEvent, ReleaseState};
use domain::{Digest, ReleaseId, Timestamp};
use sqlx::Row;
use store::blob::Blobs;
use store::database::Dialect;
use store::explorer::bulk::{Bulk, BulkItem, BulkPlace, BulkStage, BulkVerb, PENDING};
use store::mail::moves::UnitMove;
use store::notices::alert::{AlertKind, NewAlert};
use store::notices::claim::{LEASE as NOTICE_LEASE, NoticeClaim, ONCE};
use store::release::Claim;
use store::{Scope, Store, StoreError};

use super::{ALL, Account, DAY, LEASE, arrival, at, check_balanced, key, unit};

/// The right to tell something that nobody else is telling.
pub(crate) async fn claimed(store: &Store, key: &str, now: Timestamp) -> NoticeClaim {
    store.notices.claim_notice(key, now, ONCE).await.expect("claims").expect("nobody else tells it")
}

pub(crate) async fn two_processes(store: &Store, url: &str, folder: &Path) {
    let blobs = Blobs::open(&folder.join("blobs")).expect("blobs");
    let other = Store::open(url, blobs, "other", &key(), at(0)).await.expect("opens");
    a_late_release(store, &other).await;
    taken_back_or_gone(store, &other).await;
    if Dialect::of(url) == Dialect::Postgres {
        for end in [Ending::Bytes, Ending::Record] {
            taken_back_while_another_removes(store, &other, url, end).await;
        }
        a_release_that_is_claimed_between_look_and_write(store, url).await;
    }
    notices(store, &other).await;
    jobs(store, &other).await;
    check_balanced(store).await;
    other.close().await;
}

/// What retention does with what has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Bytes,
    Record,
}

/// A message that was deleted at `second`, with its bytes.
async fn deleted(store: &Store, n: u8, second: i64) -> Digest {
    let body = [n, 3, 3];
    let digest = Digest::of(&body);
    drop(store.blobs().put(Arc::new(body.to_vec()), digest).await.expect("puts"));
    store.mail.record_arrival(arrival(n, &body, &[("late@ours.example", Account::Held)])).await.expect("records");
    store.mail.move_units(vec![moved(n, Account::Held, Move::Deleted, second)]).await.expect("deletes");
    digest
}

fn moved(n: u8, from: Account, by: Move, second: i64) -> UnitMove {
    UnitMove { unit: unit(n, 0), from, by, at: at(second), actor: "x".into(), reason: "x".into() }
}

/// Two processes, one of which takes back what the other removes: it is held with its bytes, or refused.
async fn taken_back_or_gone(store: &Store, other: &Store) {
    for n in 220..226 {
        let digest = deleted(store, n, 300).await;
        let back = moved(n, Account::Deleted, Move::Recovered, 500);
        let (back, dropped) = tokio::join!(store.mail.move_units(vec![back]), other.upkeep.drop_blobs(at(400), ALL));
        dropped.expect("drops");
        match back {
            Ok(()) => assert!(other.blobs().has(digest), "it is held, so its bytes are there"),
            Err(error) => assert!(matches!(error, StoreError::Refused(_)), "{error}"),
        }
    }
}

/// One process has looked that the bytes are there, and has not written yet that they are needed again, when the other
/// removes them.
async fn taken_back_while_another_removes(store: &Store, other: &Store, url: &str, end: Ending) {
    let n = if end == Ending::Bytes { 226 } else { 227 };
    let digest = deleted(store, n, 300).await;
    // Whoever takes it back waits for this, between its look and its write.
    let mut lock = store::database::connect(url).await.expect("connects");
    sqlx::query("begin").execute(&mut lock).await.expect("begins");
    let sql = "update unit set reply = reply where mail_id = $1";
    sqlx::query(sql).bind(unit(n, 0).mail.to_string()).execute(&mut lock).await.expect("locks");
    let back = tokio::spawn({
        let store = store.clone();
        async move { store.mail.move_units(vec![moved(n, Account::Deleted, Move::Recovered, 500)]).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let removed = tokio::spawn({
        let other = other.clone();
        async move {
            match end {
                Ending::Bytes => other.upkeep.drop_blobs(at(400), ALL).await,
                Ending::Record => other.upkeep.purge_records(at(DAY * 40), at(DAY * 80), ALL).await,
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!back.is_finished() && !removed.is_finished(), "the one waits for the lock, the other for the one");
    sqlx::query("rollback").execute(&mut lock).await.expect("ends");
    back.await.expect("runs").expect("takes back");
    // It may be refused, because it is in custody again.
    let _ = removed.await.expect("runs");
    assert_eq!(store.quarantine.accounts_of(unit(n, 0).mail).await.expect("reads"), [(0, Account::Held)]);
    assert!(store.blobs().has(digest), "it is held, so its bytes are there");
    assert_eq!(
        store.upkeep.messages_of_blob(digest, 1).await.expect("reads"),
        [unit(n, 0).mail],
        "its record names them"
    );
}

/// A release that a worker is sending, claimed at `second`.
async fn sent(store: &Store, n: u8, second: i64) -> Claim {
    store.mail.record_arrival(arrival(n, &[n, 1], &[("late@ours.example", Account::Held)])).await.expect("records");
    store.releases.request_release(unit(n, 0), "anna", "", at(second)).await.expect("asks");
    let claim = store.releases.claim_releases("n/1", at(second), LEASE).await.expect("claims").remove(0);
    store.releases.start_attempt(&claim, at(second)).await.expect("attempt");
    claim
}

async fn a_late_release(store: &Store, other: &Store) {
    let old = sent(store, 251, 5000).await;
    assert_eq!(other.releases.end_leases(None, at(5100)).await.expect("ends"), 1);
    other.releases.decide_doubt(&old.release, ReleaseEvent::Repeat, "once more", at(6000)).await.expect("repeats");
    let new = other.releases.claim_releases("other/1", at(6001), LEASE).await.expect("claims").remove(0);
    other.releases.start_attempt(&new, at(6002)).await.expect("attempt");
    // The state is what the old worker believes it to be; the fence is not.
    for event in [ReleaseEvent::Accepted, ReleaseEvent::Refused, ReleaseEvent::PutOff] {
        let late = store.releases.conclude_release(&old, event, "250 late", at(6003), at(6003)).await;
        assert!(matches!(late, Err(StoreError::Refused(_))), "{event:?}: {late:?}");
    }
    assert!(matches!(store.releases.start_attempt(&old, at(6003)).await, Err(StoreError::Refused(_))));
    let row = other.releases.releases_of(unit(251, 0).mail).await.expect("reads").remove(0);
    assert_eq!((row.state, row.attempt), (ReleaseState::Attempting, 2), "the new worker's");
    other
        .releases
        .conclude_release(&new, ReleaseEvent::Accepted, "250 ok", at(6004), at(6004))
        .await
        .expect("concludes");
}

/// The old worker has looked already, and writes when another has claimed the row and is just as far with it.
async fn a_release_that_is_claimed_between_look_and_write(store: &Store, url: &str) {
    let old = sent(store, 252, 7000).await;
    let mut other = store::database::connect(url).await.expect("connects");
    let run = async |other: &mut sqlx::AnyConnection, sql: &'static str| {
        sqlx::query(sql).execute(other).await.expect("runs");
    };
    run(&mut other, "begin").await;
    let sql = "update release_item set fence = fence + 1, lease_owner = 'other/2' where release_id = $1";
    sqlx::query(sql).bind(old.release.as_str().to_owned()).execute(&mut other).await.expect("claims");
    let late = tokio::spawn({
        let (releases, old) = (store.releases.clone(), old.clone());
        async move { releases.conclude_release(&old, ReleaseEvent::Accepted, "250 late", at(7002), at(7002)).await }
    });
    // It has read the row as it was before, and waits for the row's lock.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!late.is_finished(), "it waits");
    run(&mut other, "commit").await;
    let late = late.await.expect("runs");
    assert!(matches!(late, Err(StoreError::Refused(_))), "{late:?}");
    assert_eq!(state(&mut other, &old.release).await, ("attempting".to_owned(), 2, "other/2".to_owned()));
    // The ledger is whole again when that claim has ended as well.
    store.releases.end_leases(None, at(9000)).await.expect("ends");
    store.releases.decide_doubt(&old.release, ReleaseEvent::Settled, "found", at(9001)).await.expect("settles");
}

async fn state(connection: &mut sqlx::AnyConnection, release: &ReleaseId) -> (String, i64, String) {
    let sql = "select state, fence, lease_owner from release_item where release_id = $1";
    let row = sqlx::query(sql).bind(release.as_str().to_owned()).fetch_one(connection).await.expect("reads");
    (
        row.try_get("state").expect("state"),
        row.try_get("fence").expect("fence"),
        row.try_get("lease_owner").expect("owner"),
    )
}

async fn notices(store: &Store, other: &Store) {
    let new =
        NewAlert { key: "two".into(), at: at(5000), kind: AlertKind::Books, subject: "s".into(), text: "t".into() };
    store.notices.raise_alert(new).await.expect("calls");
    let number = store.notices.alerts_not_yet_told("pager", at(4999)).await.expect("reads")[0].number;
    let now = at(5001);
    // One of two tells it; when that one cannot, or dies, the other does.
    let first = claimed(store, "call", now).await;
    assert_eq!(other.notices.claim_notice("call", now, ONCE).await.expect("asks"), None, "it is being told");
    store.notices.give_up_claim(first.clone(), now).await.expect("gives up");
    let second = claimed(other, "call", now).await;
    assert_eq!((first.fence, second.fence), (1, 2));
    // The first comes back late: nothing is remembered, and nothing of the second's is taken away.
    let late = store.notices.record_alert_told(first.clone(), number, "pager", now, "200".into()).await;
    assert!(matches!(late, Err(StoreError::Refused(_))), "{late:?}");
    store.notices.give_up_claim(first, now).await.expect("changes nothing");
    assert_eq!(store.notices.claim_notice("call", now, ONCE).await.expect("asks"), None);
    assert_eq!(store.notices.alerts_not_yet_told("pager", at(4999)).await.expect("reads").len(), 1);
    let beyond = now.after(NOTICE_LEASE);
    let third = claimed(store, "call", beyond).await;
    assert_eq!(third.fence, 3, "a lease that is over");
    assert_eq!(other.notices.end_claims("other/", beyond).await.expect("ends"), 0, "only its own");
    store.notices.record_alert_told(third.clone(), number, "pager", beyond, "200".into()).await.expect("remembers");
    assert!(store.notices.alerts_not_yet_told("pager", at(4999)).await.expect("reads").is_empty());
    let twice = store.notices.record_alert_told(third, number, "pager", beyond, "200".into()).await;
    assert!(matches!(twice, Err(StoreError::Refused(_))), "told is told: {twice:?}");
    assert_eq!(
        other.notices.claim_notice("call", beyond.after(NOTICE_LEASE * 2), ONCE).await.expect("asks"),
        None,
        "once"
    );
    // A node that starts again has nobody to wait for.
    claimed(store, "other call", now).await;
    assert_eq!(other.notices.end_claims("n/", now).await.expect("ends"), 1);
    claimed(other, "other call", now).await;
}

async fn jobs(store: &Store, other: &Store) {
    let query = "recipient:late@ours.example";
    Query::parse(query, at(5000)).expect("a query");
    let bulk = Bulk {
        number: 0,
        verb: BulkVerb::Deny,
        query: query.into(),
        scope: Scope::All,
        actor: "anna".into(),
        reason: "r".into(),
        made: at(5000),
        stage: BulkStage::Running,
        moved: at(5000),
        place: BulkPlace::Begin,
        fence: 0,
    };
    let number = store.explorer.begin_job(bulk).await.expect("begins");
    let seen = store.explorer.job(number).await.expect("reads");
    let old = store.explorer.claim_job(&seen, at(5001)).await.expect("claims").expect("nobody has it");
    assert_eq!(other.explorer.claim_job(&seen, at(5001)).await.expect("asks"), None, "by what it was");
    assert_eq!(other.explorer.claim_job(&old, at(5001)).await.expect("asks"), None, "by what it is");
    let old = store.explorer.claim_job(&old, at(5002)).await.expect("claims").expect("its own");
    let later = at(5002).after(store::explorer::bulk::LEASE);
    let new = other.explorer.claim_job(&old, later).await.expect("claims").expect("the lease is over");
    let item = |outcome: &str| BulkItem {
        unit: unit(251, 0),
        recipient: "late@ours.example".into(),
        outcome: outcome.into(),
        reply: String::new(),
    };
    let late = store.explorer.record_found_units(&old, BulkPlace::End, vec![item(PENDING)], later).await;
    assert!(matches!(late, Err(StoreError::Refused(_))), "{late:?}");
    assert_eq!(store.explorer.units_of_job(number, None, None, 9).await.expect("reads"), []);
    other.explorer.record_found_units(&new, BulkPlace::End, vec![item(PENDING)], later).await.expect("finds");
    assert!(matches!(
        store.explorer.record_results(&old, vec![item("already")], later).await,
        Err(StoreError::Refused(_))
    ));
    other.explorer.record_results(&new, vec![item("done")], later).await.expect("acts");
    other.explorer.record_results(&new, vec![item("already")], later).await.expect("twice is once");
    assert_eq!(store.explorer.count_units_of_job(number).await.expect("counts"), [("done".to_owned(), 1)]);
    assert!(matches!(store.explorer.finish_job(&old, later).await, Err(StoreError::Refused(_))));
    assert_eq!(store.explorer.job(number).await.expect("reads").stage, BulkStage::Running);
    other.explorer.finish_job(&new, later).await.expect("finishes");
    assert_eq!(store.explorer.job(number).await.expect("reads").stage, BulkStage::Done);
}
