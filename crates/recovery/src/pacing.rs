//! The pace of releases to each next hop: who sends asks here for a turn. What is measured is a neighbour, so it is
//! measured by the real clock (docs/decisions/0015); the rule is `domain::pace`.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::pace::{Pace, RATE_FIRST};

use platform::measure;

/// The paces of all hops of this process.
#[derive(Debug)]
pub struct Pacing {
    began: Instant,
    /// Mails a second to one hop, at first and at most.
    first: f64,
    limit: f64,
    by_hop: Mutex<HashMap<String, Pace>>,
}

impl Pacing {
    /// Paces of at most `limit` mails a second.
    pub fn new(limit: u32) -> Self {
        Self { began: Instant::now(), first: RATE_FIRST, limit: f64::from(limit), by_hop: Mutex::default() }
    }

    /// The same without a slow beginning: in a drill the hop is the driver's own, and its clock stands still while
    /// anybody waits.
    pub fn of_drill(limit: u32) -> Self {
        Self { first: f64::from(limit), ..Self::new(limit) }
    }

    /// Waits until a mail may be sent to this hop.
    pub async fn wait_for_turn(&self, hop: &str) {
        while let Err(wait) = self.of(hop, |pace, now| pace.take(now)) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Hears after how long a hop answered a mail.
    pub fn hop_answered(&self, hop: &str, latency: Duration) {
        let rate = self.of(hop, |pace, _| {
            pace.answered(latency);
            pace.rate()
        });
        measure::release_rate(hop, rate);
    }

    /// Hears that a hop put a mail off, or was not there.
    pub fn hop_complained(&self, hop: &str) {
        self.of(hop, |pace, _| pace.complained());
    }

    fn of<T>(&self, hop: &str, then: impl FnOnce(&mut Pace, Duration) -> T) -> T {
        let now = self.began.elapsed();
        let mut paces = self.by_hop.lock().expect("nobody panics while holding the paces");
        if !paces.contains_key(hop) {
            paces.insert(hop.to_owned(), Pace::new(self.first, self.limit, now));
        }
        then(paces.get_mut(hop).expect("it is there now"), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mails that may be sent at once.
    fn at_once(pacing: &Pacing, hop: &str) -> usize {
        (0..1000).take_while(|_| pacing.of(hop, |pace, _| pace.take(Duration::ZERO)).is_ok()).count()
    }

    #[tokio::test]
    async fn each_hop_has_a_pace_of_its_own() {
        let pacing = Pacing::of_drill(100);
        let first = at_once(&pacing, "a");
        assert!(first > 0 && first < 1000, "{first}");
        assert_eq!((at_once(&pacing, "a"), at_once(&pacing, "b")), (0, first));
        let began = Instant::now();
        pacing.wait_for_turn("a").await;
        assert!(began.elapsed() > Duration::ZERO && began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn it_begins_slowly_but_in_a_drill_and_a_hop_that_complains_is_spared() {
        let rate = |pacing: &Pacing| pacing.of("a", |pace, _| pace.rate());
        let drill = Pacing::of_drill(1000);
        let usual = Pacing { began: Instant::now() + Duration::from_secs(3600), ..Pacing::new(1000) };
        assert_eq!((rate(&usual), rate(&drill)), (RATE_FIRST, 1000.0));
        // As many as are allowed, all answered quickly, in each of some seconds.
        let second = |at: u64| {
            let now = Duration::from_millis(1_001 * at);
            while usual.of("a", |pace, _| pace.take(now)).is_ok() {
                usual.hop_answered("a", Duration::from_millis(1));
            }
        };
        (0..4).for_each(second);
        let before = rate(&usual);
        assert!(before > RATE_FIRST, "{before}");
        (0..100).for_each(|_| usual.hop_complained("a"));
        second(4);
        assert!(rate(&usual) < before);
    }
}
