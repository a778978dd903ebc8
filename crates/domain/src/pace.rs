//! How quickly one next hop is sent what is released: as quickly as it takes it well, and never so that live mail waits
//! for it.
//!
//! It begins slowly and doubles each second while the hop has no complaint; from the first complaint on it climbs by
//! steps and halves at each further one (additive increase, multiplicative decrease). A complaint is a second in which
//! more than a tenth of the mails was put off, or in which answers came twice as late as they did at their best; the
//! first mail of all that is put off ends the doubling. Time is given: spans since some beginning.

use std::time::Duration;

/// Mails a second at first, as a rule, and the step of the climb.
pub const RATE_FIRST: f64 = 20.0;
/// Mails a second at least: a hop that always complains is still asked.
const RATE_MIN: f64 = 1.0;
/// The span after which the pace is looked at.
const WINDOW: Duration = Duration::from_secs(1);
/// No hop is called slow that answers within this: two machines' own noise is larger than twice a millisecond.
const LATENCY_FINE: Duration = Duration::from_millis(100);
/// Without anything sent for so long, nothing is known of the hop any more.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// The pace of one hop.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Mails a second at first.
    first: f64,
    /// Mails a second at most, whatever the hop bears.
    limit: f64,
    rate: f64,
    /// Whether it has complained yet.
    climbs: bool,
    /// Mails that may be sent at once; never more than those of a second.
    tokens: f64,
    filled: Duration,
    /// The mean latency of its best second.
    best: Option<Duration>,
    window: Window,
}

/// What was seen since the pace was looked at last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Window {
    began: Duration,
    sent: u32,
    answers: u32,
    latency: Duration,
    complaints: u32,
}

impl Pace {
    /// A pace of `first` mails a second at first and of `limit` at most, from `now` on.
    pub fn new(first: f64, limit: f64, now: Duration) -> Self {
        let rate = first.min(limit);
        let window = Window { began: now, ..Window::default() };
        Self { first, limit, rate, climbs: false, tokens: rate, filled: now, best: None, window }
    }

    /// Mails a second, as of now.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes the place of one mail; or says after which span to ask again.
    ///
    /// # Errors
    /// The span to wait.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        if now.saturating_sub(self.filled) > FORGOTTEN {
            *self = Self::new(self.first, self.limit, now);
        }
        self.look(now);
        self.tokens = (self.tokens + now.saturating_sub(self.filled).as_secs_f64() * self.rate).min(self.rate.max(1.0));
        self.filled = self.filled.max(now);
        if self.tokens < 1.0 {
            // A little more: what is rounded down would be asked for once too often.
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / self.rate) + Duration::from_micros(1));
        }
        self.tokens -= 1.0;
        self.window.sent += 1;
        Ok(())
    }

    /// Hears after how long the hop answered.
    pub fn answered(&mut self, latency: Duration) {
        self.window.answers += 1;
        self.window.latency += latency;
    }

    /// Hears that the hop puts a mail off, or is not there.
    pub fn complained(&mut self) {
        self.window.complaints += 1;
    }

    /// Looks at the last window, if it is over.
    fn look(&mut self, now: Duration) {
        let Window { began, sent, answers, latency, complaints } = self.window;
        if now.saturating_sub(began) < WINDOW {
            return;
        }
        let mean = latency.checked_div(answers);
        let best = self.best.into_iter().chain(mean).min();
        let is_slow = mean.zip(best).is_some_and(|(mean, best)| mean > LATENCY_FINE.max(best * 2));
        self.best = best;
        self.climbs |= complaints > 0 || is_slow;
        // One mailbox that is full says nothing about the hop; a tenth of all does.
        if is_slow || complaints * 10 > sent.max(1) {
            self.rate = (self.rate / 2.0).max(RATE_MIN);
        } else if answers > 0 && f64::from(sent) >= self.rate / 2.0 {
            // A pace that is not used is not known to be borne.
            self.rate = if self.climbs { self.rate + RATE_FIRST } else { self.rate * 2.0 }.min(self.limit);
        }
        self.window = Window { began: now, ..Window::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of sending as much as it lets, each answered in `latency`, of which `complaints` temporarily. Returns
    /// how much was sent.
    fn second(pace: &mut Pace, at: u64, latency: Duration, complaints: u32) -> u32 {
        let mut sent = 0;
        for step in 0..1000 {
            while pace.take(Duration::from_secs(at) + Duration::from_millis(step)).is_ok() {
                pace.answered(latency);
                if sent < complaints {
                    pace.complained();
                }
                sent += 1;
            }
        }
        sent
    }

    const QUICK: Duration = Duration::from_millis(5);

    #[test]
    fn it_doubles_each_second_while_the_hop_takes_it_well() {
        let mut pace = Pace::new(RATE_FIRST, 1000.0, Duration::ZERO);
        let sent: Vec<u32> = (0..8).map(|at| second(&mut pace, at, QUICK, 0)).collect();
        // The first second has what may go at once besides.
        assert_eq!(sent[0], 39);
        for (at, pair) in sent.windows(2).enumerate().skip(1) {
            assert!(pair[1] > pair[0] * 19 / 10 || pair[1] >= 999, "second {at}: {sent:?}");
        }
        assert_eq!(pace.rate(), 1000.0, "and no quicker than it may");
    }

    fn after_five_good_seconds() -> Pace {
        let mut pace = Pace::new(RATE_FIRST, 1000.0, Duration::ZERO);
        for at in 0..5 {
            second(&mut pace, at, QUICK, 0);
        }
        pace
    }

    #[test]
    fn a_complaint_halves_it_and_then_it_climbs_by_steps() {
        let mut pace = after_five_good_seconds();
        second(&mut pace, 5, QUICK, 1000);
        let before = pace.rate();
        second(&mut pace, 6, QUICK, 0);
        assert_eq!(pace.rate(), before / 2.0);
        second(&mut pace, 7, QUICK, 0);
        assert_eq!(pace.rate(), before / 2.0 + RATE_FIRST);
    }

    #[test]
    fn a_full_mailbox_ends_the_doubling_and_does_not_stop_the_climb() {
        let mut pace = after_five_good_seconds();
        second(&mut pace, 5, QUICK, 1);
        let before = pace.rate();
        second(&mut pace, 6, QUICK, 1);
        assert_eq!(pace.rate(), before + RATE_FIRST);
    }

    #[test]
    fn slowness_is_a_complaint_but_noise_is_none() {
        let mut pace = Pace::new(RATE_FIRST, 1000.0, Duration::ZERO);
        second(&mut pace, 0, QUICK, 0);
        second(&mut pace, 1, Duration::from_millis(90), 0);
        second(&mut pace, 2, QUICK, 0);
        assert_eq!(pace.rate(), 80.0, "eighteen times as slow as at its best, and still quick");
        second(&mut pace, 3, Duration::from_millis(300), 0);
        second(&mut pace, 4, QUICK, 0);
        assert_eq!(pace.rate(), 80.0, "doubled, then halved");
    }

    #[test]
    fn a_hop_that_always_complains_is_asked_once_a_second() {
        let mut pace = Pace::new(RATE_FIRST, 1000.0, Duration::ZERO);
        for at in 0..20 {
            second(&mut pace, at, QUICK, 1000);
        }
        assert_eq!(second(&mut pace, 20, QUICK, 1000), 1);
    }

    #[test]
    fn what_is_not_used_does_not_grow_and_is_forgotten() {
        let mut pace = Pace::new(RATE_FIRST, 1000.0, Duration::ZERO);
        for at in 0..30 {
            pace.take(Duration::from_secs(at)).expect("one a second is little");
            pace.answered(QUICK);
        }
        assert_eq!(pace.rate(), RATE_FIRST);
        for at in 30..33 {
            second(&mut pace, at, QUICK, 0);
        }
        assert!(pace.rate() > RATE_FIRST);
        pace.take(Duration::from_secs(200)).expect("long rested");
        assert_eq!(pace.rate(), RATE_FIRST);
    }

    #[test]
    fn who_has_to_wait_is_told_how_long() {
        let mut pace = Pace::new(RATE_FIRST, 1000.0, Duration::ZERO);
        let at = Duration::from_millis(500);
        while pace.take(at).is_ok() {}
        let wait = pace.take(at).expect_err("all is taken");
        assert!(pace.take(at + wait / 2).is_err());
        assert!(pace.take(at + wait).is_ok());
    }
}
