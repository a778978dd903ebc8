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
    pub async fn turn(&self, hop: &str) {
        while let Err(wait) = self.of(hop, |pace, now| pace.take(now)) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Hears after how long a hop answered a mail.
    pub fn answered(&self, hop: &str, latency: Duration) {
        let rate = self.of(hop, |pace, _| {
            pace.answered(latency);
            pace.rate()
        });
        measure::release_rate(hop, rate);
    }

    /// Hears that a hop put a mail off, or was not there.
    pub fn complained(&self, hop: &str) {
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
