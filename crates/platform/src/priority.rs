//! Live mail comes first: while it is being worked on, those who can wait begin nothing new.
//!
//! Low priority alone does not do that. What was begun before a live mail came runs to its end in the same writer and
//! on the same cores, and the kernel knows nothing of the steps between which a client has the word.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// After the last step of live mail it is expected to go on for so long: a client answers within that, or nobody
/// notices a delay.
const EXPECTED: Duration = Duration::from_millis(5);
/// The longest that one piece of work waits for live mail: so a replay goes on, slowly, beside mail that never stops.
const LONGEST: Duration = Duration::from_millis(40);
/// How often who waits looks again.
const LOOK: Duration = Duration::from_millis(2);

/// Says whether live mail is under way. Clones are the same.
#[derive(Clone, Debug)]
pub struct Priority(Arc<Road>);

#[derive(Debug)]
struct Road {
    began: Instant,
    under_way: AtomicUsize,
    /// Microseconds since `began` until which live mail is expected to go on.
    until: AtomicU64,
}

impl Default for Priority {
    fn default() -> Self {
        Self(Arc::new(Road { began: Instant::now(), under_way: AtomicUsize::new(0), until: AtomicU64::new(0) }))
    }
}

impl Priority {
    /// A step of live mail begins; it ends when the answer is dropped.
    #[must_use]
    pub fn enter(&self) -> Passing {
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        Passing(self.0.clone())
    }

    /// Waits while live mail is under way, but no longer than 40 ms.
    pub async fn give(&self) {
        let deadline = Instant::now() + LONGEST;
        while self.is_taken() && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_taken(&self) -> bool {
        let road = &self.0;
        road.under_way.load(Ordering::Relaxed) > 0 || micros(road.began.elapsed()) < road.until.load(Ordering::Relaxed)
    }
}

/// A step of live mail.
#[derive(Debug)]
pub struct Passing(Arc<Road>);

impl Drop for Passing {
    fn drop(&mut self) {
        let until = micros(self.0.began.elapsed() + EXPECTED);
        self.0.until.fetch_max(until, Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_empty_road_is_taken_by_nobody() {
        let way = Priority::default();
        assert!(!way.is_taken());
        way.give().await;
    }

    #[tokio::test]
    async fn who_waits_waits_until_it_is_free_and_a_moment_longer() {
        let way = Priority::default();
        let passing = way.enter();
        let other = way.enter();
        assert!(way.is_taken());
        drop(passing);
        assert!(way.is_taken(), "one is still there");
        drop(other);
        assert!(way.is_taken(), "the client is about to go on");
        tokio::time::sleep(EXPECTED + LOOK).await;
        assert!(!way.is_taken());
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let way = Priority::default();
        let _passing = way.enter();
        way.give().await;
        assert!(way.is_taken(), "it went on all the same");
    }
}
