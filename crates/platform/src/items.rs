//! The items of a reconciler's round, each by itself. One that fails or panics is counted, rests for a growing time and
//! is tried again; it ends no round, and keeps no other item waiting.
//!
//! What rests is remembered in memory, at most [`FAILING_MAX`] items a reconciler: after a restart everything is due at
//! once. Where a cursor has moved past an item it is kept in the store instead (`store::evidence::hearing`).

use std::any::Any;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;

use domain::Timestamp;
use store::StoreError;
use tokio::time::Instant;

/// Failing items that one reconciler remembers; of more than that, those whose turn comes soonest are tried in every
/// round.
pub const FAILING_MAX: usize = 10_000;
/// Why an item is not done when another process has claimed it.
pub const ELSEWHERE: &str = "another process has begun with it, or ended within its work";
/// How long an item rests after its second failure; twice as long after each further one. After the first it is tried
/// in the next round.
const REST_FIRST: Duration = Duration::from_secs(10);
/// How long it rests at most.
const REST_MAX: Duration = Duration::from_secs(600);
/// Items in a row that the database refuses, before it is the database that fails and not the items.
const REFUSALS_MAX: u32 = 3;
/// What was due for so long and has not been tried is an item no more.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Characters of a fault that are kept.
const FAULT_CHARS: usize = 300;

/// How long an item rests that has failed so often.
pub fn rest(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        more => REST_FIRST.saturating_mul(1 << (more - 2).min(16)).min(REST_MAX),
    }
}

/// An item that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// How often it has failed, without a success in between.
    pub failures: u32,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub next: Timestamp,
    /// Why it failed last.
    pub fault: String,
}

/// The failing items of one reconciler, by their names; all copies are one.
#[derive(Clone, Debug, Default)]
pub struct Items(Arc<Mutex<FailingItems>>);

#[derive(Debug, Default)]
struct FailingItems {
    failing: BTreeMap<String, Failing>,
    refusals: u32,
    /// How long an item rests at most, where that is less than usual.
    rest_max: Option<Duration>,
}

impl Items {
    /// Items that rest at most so long: where somebody who was away is to be told soon after, and asking costs little.
    pub fn resting_at_most(longest: Duration) -> Self {
        Self(Arc::new(Mutex::new(FailingItems { rest_max: Some(longest), ..FailingItems::default() })))
    }

    /// Whether this item may be tried: it does not rest.
    pub fn is_due(&self, item: &str, now: Timestamp) -> bool {
        self.known().failing.get(item).is_none_or(|one| one.next <= now)
    }

    /// How often this item has failed, without a success in between.
    pub fn failures(&self, item: &str) -> u32 {
        self.known().failing.get(item).map_or(0, |one| one.failures)
    }

    /// Does the work of one item, unless it rests. None when it rests, or has failed and rests now.
    ///
    /// # Errors
    /// When it is not the item that failed, but the store.
    pub async fn alone<T>(
        &self,
        item: &str,
        now: Timestamp,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        self.attempt(item, now, async { work.await.map(Ok) }).await
    }

    /// The same, for work that may fail by itself: that is its inner error.
    ///
    /// # Errors
    /// When it is not the item that failed, but the store.
    pub async fn attempt<T>(
        &self,
        item: &str,
        now: Timestamp,
        work: impl Future<Output = Result<Result<T, String>, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        if !self.is_due(item, now) {
            return Ok(None);
        }
        let began = Instant::now();
        let ended = caught(work).await;
        // Its rest begins when it has failed, and not when it began: that may be half a minute. Whole seconds: what
        // fails quickly moves no simulated clock.
        let now = now.after(Duration::from_secs(began.elapsed().as_secs()));
        match ended {
            Ok(Ok(Ok(done))) => {
                self.succeeded(item);
                Ok(Some(done))
            }
            Ok(Ok(Err(fault))) => {
                self.failed(item, now, &fault);
                Ok(None)
            }
            Ok(Err(error)) => {
                if self.is_of_store(&error) {
                    return Err(error);
                }
                self.failed(item, now, &error.to_string());
                Ok(None)
            }
            Err(panic) => {
                self.failed(item, now, &panic);
                Ok(None)
            }
        }
    }

    /// Counts a failure.
    pub fn failed(&self, item: &str, now: Timestamp, fault: &str) {
        tracing::warn!(item, fault, "it fails; tried again later, and nothing else waits for it");
        let mut known = self.known();
        known.failing.retain(|_, one| now.since(one.next) < FORGOTTEN);
        if known.failing.len() >= FAILING_MAX && !known.failing.contains_key(item) {
            let soonest = known.failing.iter().min_by_key(|(_, one)| one.next).map(|(name, _)| name.clone());
            soonest.map(|name| known.failing.remove(&name));
        }
        let longest = known.rest_max.unwrap_or(REST_MAX);
        let none = Failing { failures: 0, since: now, next: now, fault: String::new() };
        let one = known.failing.entry(item.to_owned()).or_insert(none);
        one.failures = one.failures.saturating_add(1);
        one.next = now.after(rest(one.failures).min(longest));
        one.fault = fault.chars().take(FAULT_CHARS).collect();
    }

    /// Forgets its failures.
    pub fn succeeded(&self, item: &str) {
        let mut known = self.known();
        known.failing.remove(item);
        known.refusals = 0;
    }

    /// Of these, those that are due, in their order, but those that have failed behind all that have not.
    pub fn due_of<T>(&self, all: Vec<T>, name: impl Fn(&T) -> String, now: Timestamp) -> Vec<(String, T)> {
        let mut due: Vec<(u32, String, T)> = Vec::new();
        for one in all {
            let item = name(&one);
            if self.is_due(&item, now) {
                due.push((self.failures(&item), item, one));
            }
        }
        due.sort_by_key(|(failures, ..)| *failures);
        due.into_iter().map(|(_, item, one)| (item, one)).collect()
    }

    /// All that fail, those first that have failed most often.
    pub fn failing(&self) -> Vec<(String, Failing)> {
        let mut all: Vec<_> = self.known().failing.iter().map(|(name, one)| (name.clone(), one.clone())).collect();
        all.sort_by_key(|(_, one)| std::cmp::Reverse(one.failures));
        all
    }

    /// Items of which a batch is asked for so that some are due: as many as rest.
    pub fn count(&self) -> i64 {
        i64::try_from(self.known().failing.len()).unwrap_or(i64::MAX)
    }

    fn is_of_store(&self, error: &StoreError) -> bool {
        let mut known = self.known();
        if matches!(error, StoreError::Sql(_)) {
            known.refusals += 1;
            if known.refusals < REFUSALS_MAX {
                return false;
            }
            known.refusals = 0;
            return true;
        }
        !error.may_be_of_item()
    }

    fn known(&self) -> MutexGuard<'_, FailingItems> {
        self.0.lock().expect("nobody panics while holding what fails")
    }
}

/// Waits for work that may panic; then with what it said.
///
/// # Errors
/// When it panicked.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panic) => Poll::Ready(Err(said(panic.as_ref()))),
    })
    .await
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("it panicked: {}", text.unwrap_or_else(|| "without a word".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000).after(Duration::from_secs(seconds))
    }

    async fn unreadable() -> Result<(), StoreError> {
        Err(StoreError::Unreadable("a column".into()))
    }

    #[test]
    fn what_may_come_back_soon_rests_for_less() {
        let (items, usual) = (Items::resting_at_most(Duration::from_secs(60)), Items::default());
        let begin = Timestamp::from_micros(1_794_996_000_000_000);
        for all in [&items, &usual] {
            (0..20).for_each(|_| all.failed("a sink", begin, "it is away"));
        }
        let rests = |all: &Items| all.failing()[0].1.next.since(begin);
        assert_eq!((rests(&items), rests(&usual)), (Duration::from_secs(60), REST_MAX));
    }

    #[tokio::test]
    async fn a_bad_item_rests_for_longer_each_time_and_no_other_waits() {
        let items = Items::default();
        for (second, is_tried) in [(0, true), (0, true), (9, false), (10, true), (29, false), (30, true), (60, false)] {
            assert_eq!(items.is_due("bad", at(second)), is_tried, "{second}");
            assert_eq!(items.alone("bad", at(second), unreadable()).await.expect("the store is sound"), None);
            assert_eq!(items.alone("good", at(second), async { Ok(7) }).await.expect("sound"), Some(7));
        }
        let failing = items.failing();
        assert_eq!((failing.len(), failing[0].0.as_str(), failing[0].1.failures), (1, "bad", 4));
        assert!(failing[0].1.fault.contains("a column"));
        assert_eq!(items.alone("bad", at(100), async { Ok(()) }).await.expect("sound"), Some(()));
        assert_eq!(items.failing(), []);
        assert_eq!((rest(0), rest(1), rest(5), rest(60)), (Duration::ZERO, Duration::ZERO, 8 * REST_FIRST, REST_MAX));
    }

    #[tokio::test]
    async fn a_rest_begins_when_it_has_failed() {
        let items = Items::default();
        let hangs = || async {
            tokio::time::sleep(Duration::from_millis(1050)).await;
            unreadable().await
        };
        for _ in 0..2 {
            assert_eq!(items.alone("bad", at(5), hangs()).await.expect("sound"), None);
            items.0.lock().expect("nobody panicked").failing.values_mut().for_each(|one| {
                assert!(one.next >= at(6), "{one:?}");
                one.next = at(5);
            });
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_of_its_item_alone() {
        let items = Items::default();
        let panics = async { if at(0) < at(1) { panic!("of this one") } else { Ok(()) } };
        assert_eq!(items.alone("bad", at(0), panics).await.expect("the store is sound"), None);
        assert!(items.failing()[0].1.fault.contains("of this one"), "{:?}", items.failing());
    }

    #[tokio::test]
    async fn a_store_that_fails_ends_the_round() {
        let items = Items::default();
        let broken = async { Err::<(), _>(StoreError::Broken("fsync".into())) };
        assert!(items.alone("a", at(0), broken).await.is_err());
        let refuses = || async { Err::<(), _>(StoreError::Sql("no".into())) };
        assert!(items.alone("b", at(0), refuses()).await.is_ok());
        assert!(items.alone("c", at(0), refuses()).await.is_ok());
        assert!(items.alone("d", at(0), refuses()).await.is_err(), "three in a row");
        assert!(items.alone("e", at(0), refuses()).await.is_ok());
        assert!(items.alone("f", at(0), async { Ok(()) }).await.is_ok());
        assert!(items.alone("g", at(0), refuses()).await.is_ok());
        assert!(items.alone("h", at(0), refuses()).await.is_ok());
    }

    #[test]
    fn what_fails_is_remembered_up_to_a_bound_and_not_for_ever() {
        let items = Items::default();
        for n in 0..FAILING_MAX + 5 {
            items.failed(&format!("{n}"), at(0), "why");
        }
        assert_eq!(items.failing().len(), FAILING_MAX);
        items.failed("later", at(3700), "why");
        assert_eq!(items.failing().len(), 1, "what nobody has tried for an hour is gone");
    }
}
