//! How often a token, a session, a name or an address may ask: a bucket each, so that one runaway script takes the API
//! from nobody else.
//!
//! Strangers choose what buckets are called. So a bucket is known by the digest of that, whatever its length; there are
//! so many and no more; and those that are full again are given back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Digest, Timestamp};

use crate::error::ServiceError;

/// For how long a token may save up what it did not ask.
const BURST: Duration = Duration::from_secs(10);
/// Buckets at most. Over it those that will be full soonest, whose owners asked least, go first.
const BUCKETS_MAX: usize = 10_000;
/// Buckets that are given up together, so that not every new one has to look through all.
const GIVEN_UP: usize = BUCKETS_MAX / 10;

/// The buckets of all tokens.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    /// After how long there is another request.
    one: Duration,
    /// For how long they are saved up.
    most: Duration,
    buckets: Arc<Mutex<Buckets>>,
}

#[derive(Debug, Default)]
struct Buckets {
    /// When each will be full again.
    full_at: HashMap<Digest, Timestamp>,
    /// When full ones were given back last.
    swept: Option<Timestamp>,
}

impl Buckets {
    /// Gives back what is full, every so often; and makes room for one more.
    fn make_room(&mut self, every: Duration, now: Timestamp) {
        let is_due = self.swept.is_none_or(|at| now.since(at) >= every || now < at);
        if is_due || self.full_at.len() >= BUCKETS_MAX {
            self.swept = Some(now);
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        if self.full_at.len() >= BUCKETS_MAX {
            let mut soonest: Vec<(Timestamp, Digest)> = self.full_at.iter().map(|(key, at)| (*at, *key)).collect();
            soonest.select_nth_unstable(GIVEN_UP);
            for (_, key) in &soonest[..GIVEN_UP] {
                self.full_at.remove(key);
            }
        }
        if self.full_at.capacity() > 1024 && self.full_at.len() < self.full_at.capacity() / 8 {
            self.full_at.shrink_to_fit();
        }
    }
}

impl Rates {
    /// Buckets that refill with `per_second` requests.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { one: Duration::from_secs(1) / per_second.max(1), most: BURST, buckets: Arc::default() }
    }

    /// Buckets that refill with one request every `one`, and hold `burst` of them.
    pub(crate) fn slow(one: Duration, burst: u32) -> Self {
        Self { one, most: one * burst, buckets: Arc::default() }
    }

    /// The same as [`Rates::take`], with the answer for who asks too often.
    ///
    /// # Errors
    /// [`ServiceError::TooMany`] with the seconds to wait.
    pub(crate) fn take_one(&self, whose: &str, now: Timestamp) -> Result<(), ServiceError> {
        self.take(whose, now).map_err(|wait| ServiceError::TooMany(wait.as_secs().max(1)))
    }

    /// Takes a request out of the bucket of whoever `whose` names, or says after how long there is one again.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn take(&self, whose: &str, now: Timestamp) -> Result<(), Duration> {
        let (one, most) = (self.one, self.most);
        let key = Digest::of(whose.as_bytes());
        let mut buckets = self.buckets.lock().expect("nobody panics while holding the buckets");
        buckets.make_room(most, now);
        let full_at = buckets.full_at.entry(key).or_insert(now);
        let missing = full_at.since(now) + one;
        if missing > most {
            return Err(missing - most);
        }
        *full_at = now.after(missing);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rates = Rates::new(5);
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        for _ in 0..50 {
            rates.take("t", now).expect("the burst");
        }
        assert_eq!(rates.take("t", now), Err(Duration::from_millis(200)));
        rates.take("other", now).expect("another token has a bucket of its own");
        rates.take("t", now.after(Duration::from_millis(200))).expect("one came back");
        assert!(rates.take("t", now.after(Duration::from_millis(210))).is_err());
    }

    #[test]
    fn a_slow_one_fills_slowly() {
        let rates = Rates::slow(Duration::from_secs(60), 2);
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let mut taken = (0..10).filter(|second| rates.take("t", now.after(Duration::from_secs(*second))).is_ok());
        assert_eq!((taken.next(), taken.next(), taken.next()), (Some(0), Some(1), None));
        assert!(rates.take("t", now.after(Duration::from_secs(60))).is_ok());
    }

    /// What buckets hold in memory: their keys have one size, whatever they are the digest of.
    fn held(rates: &Rates) -> (usize, usize) {
        let buckets = rates.buckets.lock().expect("nobody panicked");
        (buckets.full_at.len(), buckets.full_at.capacity() * size_of::<(Digest, Timestamp)>())
    }

    #[test]
    fn names_of_strangers_take_no_memory_to_speak_of() {
        let rates = Rates::new(1);
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let long = "x".repeat(2_000_000);
        for number in 0..50 {
            rates.take(&format!("name {number}{long}"), now).expect("a new one");
        }
        assert!(held(&rates).1 < 64 << 10, "{:?}", held(&rates));
        for number in 0..3 * BUCKETS_MAX {
            rates.take(&format!("name {number}"), now).expect("a new one");
        }
        let (count, bytes) = held(&rates);
        assert!(count <= BUCKETS_MAX && bytes < 2 << 20, "{count} {bytes}");
        rates.take("somebody", now.after(BURST)).expect("later");
        let (count, bytes) = held(&rates);
        assert!(count == 1 && bytes < 64 << 10, "they are given back: {count} {bytes}");
    }

    #[test]
    fn who_asks_most_is_not_forgotten_for_others() {
        let rates = Rates::new(1);
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        while rates.take("name of somebody", now).is_ok() {}
        for number in 0..3 * BUCKETS_MAX {
            rates.take(&format!("name {number}"), now).expect("a new one");
        }
        assert!(rates.take("name of somebody", now).is_err());
    }
}
