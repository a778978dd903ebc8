//! How often a token may ask: a bucket each, so that one runaway script takes the API from nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;

/// For how long a token may save up what it did not ask.
const BURST: Duration = Duration::from_secs(10);
/// Buckets at which full ones are thrown away.
const BUCKETS_MAX: usize = 1000;

/// The buckets of all tokens.
#[derive(Clone, Debug)]
pub struct Rates {
    /// After how long there is another request.
    one: Duration,
    /// For how long they are saved up.
    most: Duration,
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
}

/// What a token may still ask, as the moment at which its bucket would be full again.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    full_at: Timestamp,
}

impl Rates {
    /// Buckets that refill with `per_second` requests.
    pub fn new(per_second: u32) -> Self {
        Self { one: Duration::from_secs(1) / per_second.max(1), most: BURST, buckets: Arc::default() }
    }

    /// Buckets that refill with one request every `one`, and hold `burst` of them.
    pub fn slow(one: Duration, burst: u32) -> Self {
        Self { one, most: one * burst, buckets: Arc::default() }
    }

    /// Takes a request out of a token's bucket, or says after how long there is one again.
    ///
    /// # Errors
    /// How long to wait.
    pub fn take(&self, token: &str, now: Timestamp) -> Result<(), Duration> {
        let (one, most) = (self.one, self.most);
        let mut buckets = self.buckets.lock().expect("nobody panics while holding the buckets");
        if buckets.len() > BUCKETS_MAX {
            buckets.retain(|_, bucket| bucket.full_at > now);
        }
        let bucket = buckets.entry(token.to_owned()).or_insert(Bucket { full_at: now });
        let missing = bucket.full_at.since(now) + one;
        if missing > most {
            return Err(missing - most);
        }
        bucket.full_at = now.after(missing);
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
}
