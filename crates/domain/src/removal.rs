//! May anything be removed because of its age? Only while the clock agrees with the time that has certainly passed; and then a little at a time.
//!
//! An age is a difference of two readings of a clock, and a clock can jump: a battery that died, a virtual machine that was resumed, a wrong time
//! server. A machine that was switched off for a month looks the same from within. Neither is a reason to empty a quarantine within seconds, so
//! removal waits until a person says that the clock is right, or until so much time has run that the clock is explained.

use std::fmt;
use std::time::Duration;

use crate::Timestamp;

/// How long rows and bytes of what was released, deleted or expired are kept, from that end on: as long can it be taken back.
pub const GRACE: Duration = Duration::from_secs(24 * 3600);
/// Removal is allowed to be this many times as fast as mail comes in.
const TIMES_THE_INTAKE: u64 = 2;
const HOUR: Duration = Duration::from_secs(3600);

/// How long a machine has run, and since which start of it: what a clock that is set does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uptime {
    /// Names the start; empty where the system does not say.
    pub boot: String,
    /// Since then, time asleep included.
    pub up: Duration,
}

/// A moment that had certainly come when a machine had run for so long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The moment.
    pub at: Timestamp,
    /// How long the machine had run then.
    pub uptime: Uptime,
}

/// What makes a clock doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is later than the time that has certainly passed explains.
    Ahead {
        /// By so much.
        by: Duration,
        /// Whether the machine was started anew in between, so that it may have been off for as long.
        restarted: bool,
    },
    /// It is earlier than a moment that had come before.
    Behind {
        /// By so much.
        by: Duration,
    },
}

impl Reading {
    /// The moment that has certainly come by now: nobody knows how long a machine was off, so that counts for nothing.
    pub fn reached(&self, uptime: &Uptime) -> Timestamp {
        self.ran(uptime).map_or(self.at, |ran| self.at.after(ran))
    }

    /// How long the machine has run since; none when it was started anew, or does not say.
    fn ran(&self, uptime: &Uptime) -> Option<Duration> {
        let is_same = !uptime.boot.is_empty() && uptime.boot == self.uptime.boot;
        uptime.up.checked_sub(self.uptime.up).filter(|_| is_same)
    }

    /// Whether a clock that says `now` is believed, and the reading to remember in place of this one. A clock in doubt teaches nothing, but the time
    /// that runs meanwhile counts: after as long as it seems to have jumped it is explained, and believed again.
    pub fn judge(&self, now: Timestamp, uptime: &Uptime, bound: Duration) -> (Option<Doubt>, Self) {
        let reached = self.reached(uptime);
        let (ahead, behind) = (now.since(reached), reached.since(now));
        let doubt = if ahead > bound {
            Some(Doubt::Ahead { by: ahead, restarted: self.ran(uptime).is_none() })
        } else if behind > bound {
            Some(Doubt::Behind { by: behind })
        } else {
            None
        };
        let at = if doubt.is_some() { reached } else { now };
        (doubt, Self { at, uptime: uptime.clone() })
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead { by, restarted: true } => write!(
                f,
                "it is {} later than the last time that is known to have come: the clock was set forward, an older database was restored, \
                 or this machine was off for so long; nothing here can tell which",
                span(*by)
            ),
            Self::Ahead { by, restarted: false } => {
                write!(f, "it is {} later than this machine has run: the clock was set forward", span(*by))
            }
            Self::Behind { by } => {
                write!(f, "it is {} earlier than a time that had come before: the clock was set back", span(*by))
            }
        }
    }
}

/// A span as people say it, in its largest whole unit.
fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds >= 2 * 24 * 3600 => format!("{} days", seconds / (24 * 3600)),
        seconds if seconds >= 2 * 3600 => format!("{} hours", seconds / 3600),
        seconds => format!("{} minutes", seconds / 60),
    }
}

/// How much of a kind may go in an hour: `least` of it in any case, and twice what comes in, so that a store never grows for being careful.
pub fn per_hour(least: u64, came_in_a_day: u64) -> u64 {
    least.max((came_in_a_day * TIMES_THE_INTAKE).div_ceil(24))
}

/// How much of a kind may still go: it is earned by time that runs, not by the time that a clock shows, and an hour's worth can be saved up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quota(f64);

impl Quota {
    /// Earns what may go in `ran`.
    pub fn earn(&mut self, ran: Duration, per_hour: u64) {
        let most = per_hour as f64;
        self.0 = (self.0 + most * ran.as_secs_f64() / HOUR.as_secs_f64()).min(most);
    }

    /// How much may go now.
    pub fn left(&self) -> u64 {
        // Rounding of floating point must not cost the last of a share; a negative number becomes none.
        (self.0 + 1e-6) as u64
    }

    /// So much has gone; more than was left is made up for later.
    pub fn spend(&mut self, gone: usize) {
        self.0 -= gone as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(12 * 3600);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn start() -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000)
    }

    fn up(boot: &str, up: Duration) -> Uptime {
        Uptime { boot: boot.into(), up }
    }

    fn reading() -> Reading {
        Reading { at: start(), uptime: up("a", HOUR) }
    }

    #[test]
    fn a_clock_that_goes_as_the_machine_runs_is_believed_and_remembered() {
        let later = up("a", HOUR + DAY * 40);
        let (doubt, next) = reading().judge(start().after(DAY * 40), &later, BOUND);
        assert_eq!((doubt, next), (None, Reading { at: start().after(DAY * 40), uptime: later }));
    }

    #[test]
    fn a_jump_forward_is_doubted_until_as_much_time_has_run() {
        let jump = DAY * 40;
        let mut reading = reading();
        for day in 0..=40 {
            let uptime = up("a", HOUR + DAY * day);
            let now = start().after(jump + DAY * day);
            let (doubt, next) = reading.judge(now, &uptime, BOUND);
            assert_eq!(doubt, Some(Doubt::Ahead { by: jump, restarted: false }), "a clock 40 days ahead stays ahead");
            reading = next;
        }
        // The clock is set right: what has run explains it at once.
        let (doubt, _) = reading.judge(start().after(DAY * 41), &up("a", HOUR + DAY * 41), BOUND);
        assert_eq!(doubt, None);
    }

    #[test]
    fn a_clock_that_stood_still_after_a_jump_is_explained_by_time_that_has_run() {
        let now = start().after(DAY * 40);
        let (doubt, next) = reading().judge(now, &up("a", HOUR + DAY * 20), BOUND);
        assert_eq!(doubt, Some(Doubt::Ahead { by: DAY * 20, restarted: false }));
        assert_eq!(next.judge(now, &up("a", HOUR + DAY * 39 + HOUR * 13), BOUND).0, None);
    }

    #[test]
    fn a_machine_that_was_off_cannot_be_told_from_a_jump() {
        let (doubt, next) = reading().judge(start().after(DAY * 40), &up("b", HOUR), BOUND);
        assert_eq!(doubt, Some(Doubt::Ahead { by: DAY * 40, restarted: true }));
        assert!(doubt.expect("doubted").to_string().contains("off for so long"));
        assert_eq!(next, Reading { at: start(), uptime: up("b", HOUR) }, "what cannot be known counts for nothing");
        let (doubt, _) = reading().judge(start().after(HOUR * 11), &up("b", HOUR), BOUND);
        assert_eq!(doubt, None, "a night off is within the bound");
    }

    #[test]
    fn a_process_that_starts_again_on_the_same_machine_goes_on_where_it_was() {
        assert_eq!(reading().judge(start().after(DAY), &up("a", HOUR + DAY), BOUND).0, None);
        // Without a name of the start nothing is known of it.
        let nameless = Reading { at: start(), uptime: up("", HOUR) };
        let (doubt, _) = nameless.judge(start().after(DAY), &up("", HOUR + DAY), BOUND);
        assert_eq!(doubt, Some(Doubt::Ahead { by: DAY, restarted: true }));
    }

    #[test]
    fn a_clock_that_was_set_back_is_doubted_and_believed_again_when_it_is_right() {
        let (doubt, next) = reading().judge(start().before(DAY * 3), &up("a", HOUR * 2), BOUND);
        assert_eq!(doubt, Some(Doubt::Behind { by: DAY * 3 + HOUR }));
        assert_eq!(next.judge(start().after(HOUR * 2), &up("a", HOUR * 3), BOUND).0, None);
    }

    #[test]
    fn a_jump_within_the_bound_moves_no_more_than_the_bound() {
        let (doubt, next) = reading().judge(start().after(BOUND), &up("a", HOUR), BOUND);
        assert_eq!((doubt, next.at), (None, start().after(BOUND)));
    }

    #[test]
    fn removal_is_gradual_and_faster_than_what_comes_in() {
        assert_eq!(per_hour(100, 24), 100);
        assert_eq!(per_hour(100, 24_000), 2000);
        let mut quota = Quota::default();
        assert_eq!(quota.left(), 0);
        quota.earn(Duration::from_secs(600), 60);
        assert_eq!(quota.left(), 10);
        quota.spend(7);
        assert_eq!(quota.left(), 3);
        quota.spend(13);
        assert_eq!(quota.left(), 0, "what was too much is made up for");
        quota.earn(Duration::from_secs(600), 60);
        assert_eq!(quota.left(), 0);
        quota.earn(DAY, 60);
        assert_eq!(quota.left(), 60, "an hour's worth at most");
    }
}
