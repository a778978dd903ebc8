//! What is asked for of everything that a query fits is done, unit by unit, with a result for each.

use std::time::Duration;

use domain::ledger::{Account, Move};
use domain::{MailId, UnitId};
use store::Scope;
use store::explorer::bulk::{Bulk, BulkPlace, BulkStage, BulkVerb};

use crate::site::{BEN, HARMLESS, MALWARE, Site, round};

async fn begin(site: &Site, verb: BulkVerb, query: &str) -> i64 {
    site.clock.advance(Duration::from_secs(1));
    let made = site.parts.shared.clock.now();
    let bulk = Bulk {
        number: 0,
        verb,
        query: query.into(),
        scope: Scope::All,
        actor: "anna".into(),
        reason: "all of it".into(),
        made,
        stage: BulkStage::Running,
        moved: made,
        place: BulkPlace::Begin,
        fence: 0,
    };
    site.store.explorer.begin_job(bulk).await.expect("begins")
}

/// Rounds until none has more to do; how many there were.
async fn to_the_end(site: &Site) -> usize {
    let worker = site.parts.bulk_worker();
    let mut rounds = 1;
    while round(&worker).await {
        rounds += 1;
        assert!(rounds < 50, "it does not end");
    }
    rounds
}

/// The outcomes of a job, and the reason of each that was refused.
async fn outcomes(site: &Site, job: i64) -> Vec<(MailId, String, String)> {
    let items = site.store.explorer.units_of_job(job, None, None, 100).await.expect("reads");
    let mut told: Vec<_> = items.into_iter().map(|item| (item.unit.mail, item.outcome, item.reply)).collect();
    told.sort();
    told
}

fn done(mail: MailId, outcome: &str, reply: &str) -> (MailId, String, String) {
    (mail, outcome.to_owned(), reply.to_owned())
}

async fn account(site: &Site, mail: MailId) -> Account {
    site.store.quarantine.accounts_of(mail).await.expect("reads")[0].1
}

pub(crate) async fn all_that_a_query_fits_is_released_once() {
    let site = Site::new().await;
    let (one, two) = (site.hold(HARMLESS, &[BEN]).await, site.hold(MALWARE, &[BEN]).await);
    let asked = site.hold("a third", &[BEN]).await;
    let now = site.parts.shared.clock.now();
    let unit = UnitId { mail: asked, number: 0 };
    site.store.releases.request_release(unit, "a person", "it is needed", now).await.expect("asks");
    let job = begin(&site, BulkVerb::Release, "").await;
    let late = site.hold("what comes later", &[BEN]).await;
    assert!(to_the_end(&site).await > 2, "a page is found, acted on, and then it ends");
    assert_eq!(outcomes(&site, job).await, [done(one, "done", ""), done(two, "done", ""), done(asked, "already", "")]);
    assert_eq!((account(&site, one).await, account(&site, late).await), (Account::Releasing, Account::Held));
    assert_eq!(site.store.explorer.job(job).await.expect("reads").stage, BulkStage::Done);
    assert_eq!(site.last_moved(one).await, ("anna".to_owned(), "all of it".to_owned()));
    assert_eq!(to_the_end(&site).await, 1, "nothing is left of it");
}

pub(crate) async fn what_is_denied_or_deleted_says_what_became_of_each() {
    let site = Site::new().await;
    let (one, two) = (site.hold(HARMLESS, &[BEN]).await, site.hold(MALWARE, &[BEN]).await);
    let denied = site.hold("a third", &[BEN]).await;
    site.settle(UnitId { mail: denied, number: 0 }, Move::Denied).await;
    let now = site.parts.shared.clock.now();
    site.store.releases.request_release(UnitId { mail: two, number: 0 }, "a person", "r", now).await.expect("asks");
    let deny = begin(&site, BulkVerb::Deny, "").await;
    to_the_end(&site).await;
    let wanted = [done(one, "done", ""), done(two, "refused", "it is releasing"), done(denied, "already", "")];
    assert_eq!(outcomes(&site, deny).await, wanted);
    let delete = begin(&site, BulkVerb::Delete, "").await;
    to_the_end(&site).await;
    let wanted = [done(one, "done", ""), done(two, "refused", "it is releasing"), done(denied, "done", "")];
    assert_eq!(outcomes(&site, delete).await, wanted);
    let again = begin(&site, BulkVerb::Delete, "").await;
    to_the_end(&site).await;
    let wanted = [done(one, "already", ""), done(two, "refused", "it is releasing"), done(denied, "already", "")];
    assert_eq!(outcomes(&site, again).await, wanted);
    assert_eq!([account(&site, one).await, account(&site, denied).await], [Account::Deleted; 2]);
    let release = begin(&site, BulkVerb::Release, "").await;
    to_the_end(&site).await;
    let wanted =
        [done(one, "refused", "it is deleted"), done(two, "already", ""), done(denied, "refused", "it is deleted")];
    assert_eq!(outcomes(&site, release).await, wanted);
}

pub(crate) async fn a_job_that_is_cancelled_or_waits_does_nothing() {
    let site = Site::new().await;
    let mail = site.hold(HARMLESS, &[BEN]).await;
    let job = begin(&site, BulkVerb::Release, "").await;
    site.store.explorer.cancel_job(job, site.parts.shared.clock.now()).await.expect("cancels");
    assert_eq!(to_the_end(&site).await, 1);
    assert_eq!((account(&site, mail).await, outcomes(&site, job).await), (Account::Held, Vec::new()));
}

pub(crate) async fn many_pages_are_gone_through() {
    let site = Site::new().await;
    for n in 0..105 {
        site.hold(&format!("number {n}"), &[BEN]).await;
    }
    let job = begin(&site, BulkVerb::Deny, "").await;
    assert!(to_the_end(&site).await >= 5, "two pages, each found and then acted on");
    let counts = site.store.explorer.count_units_of_job(job).await.expect("counts");
    assert_eq!(counts, [("done".to_owned(), 105)]);
}
