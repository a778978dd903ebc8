//! What ends, and what comes back: the same on both databases.

use std::sync::Arc;
use std::time::Duration;

use domain::detection::Category;
use domain::ledger::{Account, Move};
use domain::removal::{GRACE, Reading, Uptime};
use domain::{Digest, Timestamp, UnitId};
use store::mail::moves::UnitMove;
use store::quarantine::recovery::Ended;
use store::upkeep::reading::Remembered;
use store::upkeep::scrub::{Damage, Pass};
use store::{Scope, Store, StoreError};

use super::{ALL, DAY, arrival, at, check_balanced, mail_id};

/// The bytes of what has ended are kept for a whole day after that end, whenever it had come; and as long it can be
/// taken back.
pub(crate) async fn recovering(store: &Store) {
    let day = |days: i64| at(days * DAY);
    let grace = |now: Timestamp| now.before(GRACE);
    let (units, body) = ([("a@ours.example", Account::Held), ("b@ours.example", Account::Held)], b"kept for a month");
    let digest = Digest::of(body);
    drop(store.blobs().put(Arc::new(body.to_vec()), digest).await.expect("puts"));
    store.mail.record_arrival(arrival(91, body, &units)).await.expect("records");
    // After a month it expires, a little at a time.
    let now = day(31);
    let expire = |now: Timestamp, most| store.upkeep.expire_held(Category::Malware, now.before(GRACE * 30), now, most);
    assert_eq!(expire(now, 1).await.expect("expires"), 1, "no more than may go");
    while expire(now, 1).await.expect("expires") > 0 {}
    let account = || async {
        store
            .quarantine
            .accounts_of(mail_id(91))
            .await
            .expect("reads")
            .into_iter()
            .map(|(_, is)| is)
            .collect::<Vec<_>>()
    };
    assert_eq!(account().await, [Account::Expired; 2]);
    // It came a month ago, and ended just now: rows and bytes stay together.
    let dropped = |now: Timestamp| store.upkeep.drop_blobs(grace(now), ALL);
    let purged = |now: Timestamp| store.upkeep.purge_records(now.before(GRACE * 5), now, ALL);
    while dropped(now).await.expect("drops") + purged(now).await.expect("purges") > 0 {}
    assert_eq!(account().await, [Account::Expired; 2]);
    assert_eq!(store.blobs().get(digest).await.expect("gets"), body);
    // All that expired is taken back, and has its whole time anew.
    let ended = Ended { since: now, expired: true, deleted: false };
    let (count, units) = store.quarantine.recoverable(&ended, &Scope::All, 1000).await.expect("reads");
    assert!(count as usize == units.len() && units.iter().filter(|(unit, _)| unit.mail == mail_id(91)).count() == 2);
    let other = Scope::Domains(vec!["other.example".into()]);
    assert_eq!(
        store.quarantine.recoverable(&ended, &other, 1000).await.expect("reads").0,
        0,
        "of one's own domains only"
    );
    let back = store.quarantine.recover(units.clone(), now, "anna", "the clock was wrong").await.expect("takes back");
    assert_eq!(back.len(), units.len(), "{units:?}");
    assert_eq!(account().await, [Account::Held; 2]);
    assert!(
        store.quarantine.recover(units, now, "anna", "again").await.expect("takes back").is_empty(),
        "once is enough"
    );
    assert_eq!(expire(day(32), ALL).await.expect("expires"), 0, "not again a day later");
    while expire(day(62), ALL).await.expect("expires") > 0 {}
    assert_eq!(account().await, [Account::Expired; 2]);
    // A person's deletion is taken back as well; it takes the bytes a day after the last unit has ended.
    let (unit, now) = (UnitId { mail: mail_id(91), number: 1 }, day(62));
    assert_eq!(
        store.quarantine.recover(vec![(unit, Account::Expired)], now, "anna", "wanted").await.expect("takes back"),
        [unit]
    );
    let delete = UnitMove {
        unit,
        from: Account::Held,
        by: Move::Deleted,
        at: day(70),
        actor: "anna".into(),
        reason: "x".into(),
    };
    store.mail.move_units(vec![delete]).await.expect("deletes");
    while dropped(at(71 * DAY - 1)).await.expect("drops") > 0 {}
    assert!(store.blobs().has(digest), "one unit ended a week ago, the other within the day");
    while dropped(at(71 * DAY + 1)).await.expect("drops") > 0 {}
    assert!(!store.blobs().has(digest));
    let (_, units) = store
        .quarantine
        .recoverable(&Ended { since: at(0), expired: true, deleted: true }, &Scope::All, 1000)
        .await
        .expect("reads");
    assert!(units.iter().all(|(unit, _)| unit.mail != mail_id(91)), "without its bytes it is gone");
    let gone = store.quarantine.recover(vec![(unit, Account::Deleted)], day(72), "anna", "late").await.expect("asks");
    assert!(gone.is_empty());
    assert_eq!(account().await, [Account::Expired, Account::Deleted]);
    check_balanced(store).await;
}

/// A removal that has been decided does not take the bytes of what was taken back before it was done.
pub(crate) async fn recovered_in_between(store: &Store) {
    let (body, unit) = (b"taken back in between", UnitId { mail: mail_id(92), number: 0 });
    let digest = Digest::of(body);
    drop(store.blobs().put(Arc::new(body.to_vec()), digest).await.expect("puts"));
    store.mail.record_arrival(arrival(92, body, &[("a@ours.example", Account::Held)])).await.expect("records");
    let step = |by, from, second| UnitMove { unit, from, by, at: at(second), actor: "x".into(), reason: "x".into() };
    store.mail.move_units(vec![step(Move::Deleted, Account::Held, 100)]).await.expect("deletes");
    let (dropped, back) = tokio::join!(
        store.upkeep.drop_blobs(at(200), ALL),
        store.mail.move_units(vec![step(Move::Recovered, Account::Deleted, 300)])
    );
    dropped.expect("drops");
    match back {
        Ok(()) => assert!(store.blobs().has(digest), "it is held, so its bytes are there"),
        Err(error) => assert!(matches!(error, StoreError::Refused(_)) && !store.blobs().has(digest), "{error}"),
    }
    check_balanced(store).await;
}

/// What the clock is believed beside, and how far the check of all bytes is, outlive a restart.
pub(crate) async fn remembered(store: &Store) {
    assert!(store.upkeep.newest_moment().await.expect("reads").is_some_and(|newest| newest >= at(0)));
    assert_eq!(store.upkeep.clock_reading().await.expect("reads"), None);
    let uptime = Uptime { boot: "b".into(), up: Duration::from_secs(3) };
    let reading = Reading { at: at(1), uptime, unproven: Duration::from_secs(5) };
    let first = Remembered { reading, confirmed: None, turn: 1 };
    assert!(store.upkeep.remember_reading(first.clone()).await.expect("remembers"));
    assert!(!store.upkeep.remember_reading(first.clone()).await.expect("asks"), "there is one already");
    assert_eq!(store.upkeep.clock_reading().await.expect("reads"), Some(first.clone()));
    // A person confirms the clock while another process, which has read what was there before, judges it.
    let late = Remembered { turn: 2, ..first.clone() };
    let confirmed = Remembered { reading: Reading { at: at(2), ..first.reading }, confirmed: Some(at(2)), turn: 2 };
    assert!(store.upkeep.remember_reading(confirmed.clone()).await.expect("remembers"));
    assert!(!store.upkeep.remember_reading(late).await.expect("asks"), "what was confirmed is not overwritten");
    assert_eq!(store.upkeep.clock_reading().await.expect("reads"), Some(confirmed));
    assert_eq!(store.upkeep.scrub_pass().await.expect("reads"), None);
    let place = Some(Digest::of(b"x"));
    let pass = Pass { began: at(1), place, is_done: false, blobs: 3, bytes: 9, last: None };
    store.upkeep.keep_scrub_pass(pass.clone()).await.expect("keeps");
    assert_eq!(store.upkeep.scrub_pass().await.expect("reads"), Some(pass.clone()));
    let pass = Pass { is_done: true, last: Some((at(5), 3, 9)), ..pass };
    store.upkeep.keep_scrub_pass(pass.clone()).await.expect("keeps");
    assert_eq!(store.upkeep.scrub_pass().await.expect("reads"), Some(pass));
    let blobs = store.upkeep.blobs_after(None, 1000).await.expect("reads");
    assert!(!blobs.is_empty() && blobs.windows(2).all(|two| two[0].0.hex() < two[1].0.hex()), "each once, in order");
    assert_eq!(store.upkeep.blobs_after(Some(blobs[0].0), 1).await.expect("reads"), blobs[1..2]);
    let (blob, mail) = blobs[0];
    assert!(store.upkeep.messages_of_blob(blob, 10).await.expect("reads").contains(&mail));
    let damage = Damage { blob, mail, found: at(3), why: "changed".into() };
    store.upkeep.record_damaged_blob(damage.clone()).await.expect("remembers");
    store.upkeep.record_damaged_blob(damage.clone()).await.expect("remembers");
    assert_eq!(store.upkeep.damaged_blobs(10).await.expect("reads"), (1, vec![damage]));
    store.upkeep.forget_damaged_blob(blob).await.expect("forgets");
    assert_eq!(store.upkeep.damaged_blobs(10).await.expect("reads"), (0, vec![]));
}
