//! The reconciler of jobs over everything that a query fits: page by page, newest first, with a result for each unit.
//! What was found is written down before it is acted on, since what was acted on fits the query no more. Killed at any
//! line it acts again on what is pending: what it comes by twice is asked for once (`store::release`) or stands where
//! it was put.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::ledger::{Account, Move};
use domain::query::Query;
use domain::{MailId, UnitId};
use store::explorer::bulk::{Bulk, BulkItem, BulkPlace, BulkVerb, PENDING};
use store::explorer::explore::ExploreCursor;
use store::mail::moves::UnitMove;
use store::release::Requested;
use store::{ExplorerStore, MailStore, QuarantineStore, ReleaseStore, StoreError, failpoint};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::items::Items;
use platform::priority::Priority;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(5);
/// Units of one page.
const PAGE: usize = 100;
/// How long it looks for them.
const BUDGET: Duration = Duration::from_millis(500);
/// Rest between two pages, so that live mail comes first.
const PAUSE: Duration = Duration::from_millis(20);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct BulkWorker {
    /// All mail by queries.
    pub explorer: ExplorerStore,
    /// Mail and its units.
    pub mail: MailStore,
    /// What is held.
    pub quarantine: QuarantineStore,
    /// Releases.
    pub releases: ReleaseStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop, and who sends releases.
    pub signals: Signals,
    /// Live mail comes first.
    pub priority: Priority,
    /// The jobs that fail.
    pub items: Items,
}

impl Reconciler for BulkWorker {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "jobs", "a job over what a query fits could not go on")
            .or_when(&self.signals.bulk)
            .resting(PAUSE)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: a page of each job that runs. Returns whether any has more.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let (mut more, now) = (false, self.clock.now());
        for bulk in self.explorer.jobs(true).await? {
            let item = format!("job {}", bulk.number);
            let work = async {
                // One that another process goes on with is left to it.
                match self.explorer.claim_job(&bulk, now).await? {
                    Some(bulk) => self.act_or_look_for_more(&bulk).await,
                    None => Ok(false),
                }
            };
            more |= self.items.alone(&item, now, work).await?.unwrap_or(false);
        }
        Ok(more)
    }
}

impl BulkWorker {
    /// Acts on what is pending, or looks for more. Returns whether there may be more to do.
    async fn act_or_look_for_more(&self, bulk: &Bulk) -> Result<bool, StoreError> {
        self.priority.give().await;
        let pending = self.explorer.units_of_job(bulk.number, Some(PENDING), None, PAGE as i64).await?;
        if !pending.is_empty() {
            let acted = match bulk.verb {
                BulkVerb::Release => self.release(bulk, pending).await?,
                BulkVerb::Deny => self.settle(bulk, pending, Move::Denied).await?,
                BulkVerb::Delete => self.settle(bulk, pending, Move::Deleted).await?,
            };
            failpoint::step("bulk-acted");
            self.explorer.record_results(bulk, acted, self.clock.now()).await?;
            return Ok(true);
        }
        let after = match bulk.place {
            // Mail that came after the job is not meant.
            BulkPlace::Begin => ExploreCursor::before(bulk.made.after(Duration::from_millis(1))),
            BulkPlace::At(place) => place,
            BulkPlace::End => return self.explorer.finish_job(bulk, self.clock.now()).await.map(|()| false),
        };
        // It was read when the job was made, at the same moment.
        let query = Query::parse(&bulk.query, bulk.made).map_err(|error| StoreError::Unreadable(error.to_string()))?;
        let page = self.explorer.explore(&query, &bulk.scope, Some(after), PAGE, BUDGET).await?;
        let place = page.next.map_or(BulkPlace::End, BulkPlace::At);
        let found = page.rows.into_iter().map(|row| BulkItem {
            unit: UnitId { mail: row.mail_id, number: row.number },
            recipient: row.recipient,
            outcome: PENDING.into(),
            reply: String::new(),
        });
        self.explorer.record_found_units(bulk, place, found.collect(), self.clock.now()).await?;
        Ok(true)
    }

    /// Where each unit is now; and those of which that cannot be read, done with.
    async fn read_accounts(
        &self,
        items: Vec<BulkItem>,
    ) -> Result<(BTreeMap<UnitId, Account>, Vec<BulkItem>, Vec<BulkItem>), StoreError> {
        let mails: BTreeSet<MailId> = items.iter().map(|item| item.unit.mail).collect();
        let (mut accounts, mut unread) = (BTreeMap::new(), BTreeMap::new());
        for mail in mails {
            match self.quarantine.accounts_of(mail).await {
                Ok(units) => {
                    accounts.extend(units.into_iter().map(|(number, account)| (UnitId { mail, number }, account)));
                }
                Err(error) if error.may_be_of_item() => drop(unread.insert(mail, error.to_string())),
                Err(error) => return Err(error),
            }
        }
        let (mut readable, mut done) = (Vec::new(), Vec::new());
        for item in items {
            match unread.get(&item.unit.mail) {
                Some(why) => done.push(became(item, "refused", why)),
                None => readable.push(item),
            }
        }
        Ok((accounts, readable, done))
    }

    async fn release(&self, bulk: &Bulk, items: Vec<BulkItem>) -> Result<Vec<BulkItem>, StoreError> {
        let (accounts, items, mut acted) = self.read_accounts(items).await?;
        // Whose sender was told that it failed is released one by one, by somebody who has said so. What was purged is
        // gone.
        let (possible, rest): (Vec<BulkItem>, Vec<BulkItem>) = items
            .into_iter()
            .partition(|item| accounts.get(&item.unit).is_some_and(|account| *account != Account::Refused));
        let units: Vec<UnitId> = possible.iter().map(|item| item.unit).collect();
        acted.extend(rest.into_iter().map(|item| became(item, "refused", "its sender was told that it failed")));
        let answers = self.releases.request_releases(&units, &bulk.actor, &bulk.reason, self.clock.now()).await;
        match answers {
            Ok(answers) => acted.extend(possible.into_iter().zip(answers).map(|(item, answer)| asked(item, answer))),
            // One of them is refused, and takes the others with it: each by itself.
            Err(error) if error.may_be_of_item() => {
                for item in possible {
                    acted.push(self.release_one(bulk, item).await?);
                }
            }
            Err(error) => return Err(error),
        }
        self.signals.release.notify_one();
        Ok(acted)
    }

    async fn release_one(&self, bulk: &Bulk, item: BulkItem) -> Result<BulkItem, StoreError> {
        let answers = self.releases.request_releases(&[item.unit], &bulk.actor, &bulk.reason, self.clock.now()).await;
        match answers {
            Ok(mut answers) => Ok(match answers.pop() {
                Some(answer) => asked(item, answer),
                None => became(item, "refused", "its record is gone"),
            }),
            Err(error) if error.may_be_of_item() => Ok(became(item, "refused", &error.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn settle(&self, bulk: &Bulk, items: Vec<BulkItem>, by: Move) -> Result<Vec<BulkItem>, StoreError> {
        let (accounts, items, mut acted) = self.read_accounts(items).await?;
        for item in items {
            let Some(from) = accounts.get(&item.unit).copied() else {
                acted.push(became(item, "refused", "its record is gone"));
                continue;
            };
            let is_there = matches!((by, from), (Move::Denied, Account::Denied) | (Move::Deleted, Account::Deleted));
            acted.push(match from.on(by) {
                _ if is_there => became(item, "already", ""),
                Err(_) => became(item, "refused", &format!("it is {}", from.as_str())),
                Ok(_) => {
                    let (actor, reason) = (bulk.actor.clone(), bulk.reason.clone());
                    let step = UnitMove { unit: item.unit, from, by, at: self.clock.now(), actor, reason };
                    match self.mail.move_units(vec![step]).await {
                        Ok(()) => became(item, "done", ""),
                        Err(StoreError::Refused(why)) => became(item, "refused", &why),
                        Err(error) if error.may_be_of_item() => became(item, "refused", &error.to_string()),
                        Err(error) => return Err(error),
                    }
                }
            });
        }
        Ok(acted)
    }
}

fn asked(item: BulkItem, answer: Requested) -> BulkItem {
    match answer {
        Requested::Queued(_) => became(item, "done", ""),
        Requested::Already(..) => became(item, "already", ""),
        Requested::Impossible(account) => became(item, "refused", &format!("it is {}", account.as_str())),
    }
}

fn became(item: BulkItem, outcome: &str, reply: &str) -> BulkItem {
    BulkItem { outcome: outcome.to_owned(), reply: reply.to_owned(), ..item }
}
