//! May anything be removed because of its age? Only while the clock agrees with the time that has certainly passed; and
//! then a little at a time.
//!
//! An age is a difference of two readings of a clock, and a clock can jump: a battery that died, a virtual machine that
//! was resumed, a wrong time server. A machine that was switched off for a month looks the same from within. Neither is
//! a reason to empty a quarantine within seconds, so removal waits until a person says that the clock is right, or
//! until so much time has run that the clock is explained.

use std::fmt;
use std::time::Duration;

use crate::Timestamp;

/// How long rows and bytes of what was released, deleted or expired are kept, from that end on: as long can it be taken
/// back.
pub const GRACE: Duration = Duration::from_secs(24 * 3600);
/// What a clock was believed without proof is forgotten over so many times as long as it was: half a day within a month
/// of running. So a few minutes of every restart never add up, and a clock that is set forward again and again gains
/// hardly more than by its first jump.
const FORGOTTEN_IN: u32 = 60;
/// Removal is allowed to be this many times as fast as mail comes in.
const TIMES_THE_INTAKE: u64 = 2;
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

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
    /// By how much the moment is later than what running time proves: jumps that were believed since a person confirmed
    /// the clock, so far as they are not forgotten.
    pub unproven: Duration,
}

/// What makes a clock doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is later than the time that has certainly passed explains.
    Ahead {
        /// By so much.
        by: Duration,
        /// So much was believed before, without proof.
        before: Duration,
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
    /// That of a store without one: it is as old as what was recorded in it last.
    pub fn of_a_record(at: Timestamp) -> Self {
        Self { at, uptime: Uptime { boot: String::new(), up: Duration::ZERO }, unproven: Duration::ZERO }
    }

    /// The moment that has certainly come by now: nobody knows how long a machine was off, so that counts for nothing.
    pub fn reached(&self, uptime: &Uptime) -> Timestamp {
        self.ran(uptime).map_or(self.at, |ran| self.at.after(ran))
    }

    /// How long the machine has run since; none when it was started anew, or does not say.
    fn ran(&self, uptime: &Uptime) -> Option<Duration> {
        let is_same = !uptime.boot.is_empty() && uptime.boot == self.uptime.boot;
        uptime.up.checked_sub(self.uptime.up).filter(|_| is_same)
    }

    /// The same moment or a later one, so far as this machine has run since a reading of its own: where several
    /// machines share a store, the last one is mostly another's, which proves nothing here.
    pub fn beside(self, own: &Self, uptime: &Uptime) -> Self {
        let reached = own.reached(uptime);
        let ran = reached.since(self.reached(uptime));
        if ran.is_zero() {
            return self;
        }
        Self { at: reached, uptime: uptime.clone(), unproven: forget(self.unproven, reached.since(self.at)) }
    }

    /// Whether a clock that says `now` is believed, and the reading to remember in place of this one. It may be ahead
    /// of what running time proves by `bound`, all jumps together that are not forgotten. A clock in doubt teaches
    /// nothing, but the time that runs meanwhile counts: after as long as it seems to have jumped it is explained, and
    /// believed again.
    pub fn judge(&self, now: Timestamp, uptime: &Uptime, bound: Duration) -> (Option<Doubt>, Self) {
        let reached = self.reached(uptime);
        let before = forget(self.unproven, reached.since(self.at));
        let (ahead, behind) = (now.since(reached), reached.since(now));
        let doubt = if ahead > bound.saturating_sub(before) {
            Some(Doubt::Ahead { by: ahead, before, restarted: self.ran(uptime).is_none() })
        } else if behind > bound {
            Some(Doubt::Behind { by: behind })
        } else {
            None
        };
        let (at, unproven) = match doubt {
            Some(_) => (reached, before),
            // What was set back was not gained.
            None => (now, (before + ahead).saturating_sub(behind)),
        };
        (doubt, Self { at, uptime: uptime.clone(), unproven })
    }
}

/// What is left of an unproven span when so much time has run.
fn forget(unproven: Duration, ran: Duration) -> Duration {
    unproven.saturating_sub(ran / FORGOTTEN_IN)
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead { by, before, restarted: true } => write!(
                f,
                "it is {} later than the last time that is known to have come{}: the clock was set forward, an older \
                    database was restored, \
                 or this machine was off for so long; nothing here can tell which",
                span(*by),
                also(*before)
            ),
            Self::Ahead { by, before, restarted: false } => {
                write!(
                    f,
                    "it is {} later than this machine has run{}: the clock was set forward",
                    span(*by),
                    also(*before)
                )
            }
            Self::Behind { by } => {
                write!(f, "it is {} earlier than a time that had come before: the clock was set back", span(*by))
            }
        }
    }
}

/// What was believed before, where it matters.
fn also(before: Duration) -> String {
    if before < MINUTE { String::new() } else { format!(", after {} that nothing proves either", span(before)) }
}

/// A span as people say it, in its largest whole unit.
fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds >= 2 * 24 * 3600 => format!("{} days", seconds / (24 * 3600)),
        seconds if seconds >= 2 * 3600 => format!("{} hours", seconds / 3600),
        seconds => format!("{} minutes", seconds / 60),
    }
}

/// How much of a kind may go in an hour: `least` of it in any case, and twice what comes in, so that a store never
/// grows for being careful.
pub fn per_hour(least: u64, came_in_a_day: u64) -> u64 {
    least.max((came_in_a_day * TIMES_THE_INTAKE).div_ceil(24))
}

/// How much of a kind may still go: it is earned by time that runs, not by the time that a clock shows, and an hour's
/// worth can be saved up.
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
    use proptest::prelude::*;

    const BOUND: Duration = Duration::from_secs(12 * 3600);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn start() -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000)
    }

    fn up(boot: &str, up: Duration) -> Uptime {
        Uptime { boot: boot.into(), up }
    }

    fn ahead(by: Duration, restarted: bool) -> Doubt {
        Doubt::Ahead { by, before: Duration::ZERO, restarted }
    }

    fn reading() -> Reading {
        Reading { at: start(), uptime: up("a", HOUR), unproven: Duration::ZERO }
    }

    #[test]
    fn a_clock_that_goes_as_the_machine_runs_is_believed_and_remembered() {
        let later = up("a", HOUR + DAY * 40);
        let (doubt, next) = reading().judge(start().after(DAY * 40), &later, BOUND);
        let at = start().after(DAY * 40);
        assert_eq!((doubt, next), (None, Reading { at, uptime: later, unproven: Duration::ZERO }));
    }

    #[test]
    fn a_jump_forward_is_doubted_until_as_much_time_has_run() {
        let jump = DAY * 40;
        let mut reading = reading();
        for day in 0..=40 {
            let uptime = up("a", HOUR + DAY * day);
            let now = start().after(jump + DAY * day);
            let (doubt, next) = reading.judge(now, &uptime, BOUND);
            assert_eq!(doubt, Some(ahead(jump, false)), "a clock 40 days ahead stays ahead");
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
        assert_eq!(doubt, Some(ahead(DAY * 20, false)));
        assert_eq!(next.judge(now, &up("a", HOUR + DAY * 39 + HOUR * 13), BOUND).0, None);
    }

    #[test]
    fn a_machine_that_was_off_cannot_be_told_from_a_jump() {
        let (doubt, next) = reading().judge(start().after(DAY * 40), &up("b", HOUR), BOUND);
        assert_eq!(doubt, Some(ahead(DAY * 40, true)));
        assert!(doubt.expect("doubted").to_string().contains("off for so long"));
        assert_eq!(next, Reading { uptime: up("b", HOUR), ..reading() }, "what cannot be known counts for nothing");
        let (doubt, _) = reading().judge(start().after(HOUR * 11), &up("b", HOUR), BOUND);
        assert_eq!(doubt, None, "a night off is within the bound");
    }

    #[test]
    fn a_process_that_starts_again_on_the_same_machine_goes_on_where_it_was() {
        assert_eq!(reading().judge(start().after(DAY), &up("a", HOUR + DAY), BOUND).0, None);
        // Without a name of the start nothing is known of it.
        let nameless = Reading { uptime: up("", HOUR), ..reading() };
        let (doubt, _) = nameless.judge(start().after(DAY), &up("", HOUR + DAY), BOUND);
        assert_eq!(doubt, Some(ahead(DAY, true)));
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
    fn jumps_within_the_bound_add_up_until_they_are_forgotten() {
        let (doubt, next) = reading().judge(start().after(HOUR * 11), &up("b", HOUR), BOUND);
        assert_eq!((doubt, next.unproven), (None, HOUR * 11));
        let (doubt, next) = next.judge(start().after(HOUR * 22), &up("c", HOUR), BOUND);
        let doubted = doubt.expect("a second night is too much");
        assert_eq!(doubted, Doubt::Ahead { by: HOUR * 11, before: HOUR * 11, restarted: true });
        assert!(doubted.to_string().contains("after 11 hours that nothing proves either"), "{doubted}");
        // Ten hours are forgotten in 600; the clock goes on meanwhile.
        let later = |hours: u32| (start().after(HOUR * (22 + hours)), up("c", HOUR * (1 + hours)));
        let (now, uptime) = later(599);
        assert!(next.judge(now, &uptime, BOUND).0.is_some());
        let (now, uptime) = later(600);
        assert_eq!(next.judge(now, &uptime, BOUND).0, None);
        // A restart of two minutes every day, for ten years.
        let mut reading = reading();
        for day in 1..=3650_u32 {
            let boot = day.to_string();
            let (doubt, started) = reading.judge(reading.at.after(MINUTE * 2), &up(&boot, Duration::ZERO), BOUND);
            assert_eq!(doubt, None, "day {day}");
            let (doubt, next) = started.judge(start().after(DAY * day), &up(&boot, DAY - MINUTE * 2), BOUND);
            assert_eq!(doubt, None, "day {day}");
            reading = next;
        }
        assert!(reading.unproven < HOUR);
    }

    #[test]
    fn a_clock_that_swings_around_the_right_time_gains_nothing() {
        let mut reading = reading();
        for turn in 1..=1000_u32 {
            let right = start().after(HOUR * turn);
            let now = if turn % 2 == 0 { right } else { right.before(HOUR * 2) };
            let (doubt, next) = reading.judge(now, &up("a", HOUR * (1 + turn)), BOUND);
            assert_eq!(doubt, None, "turn {turn}");
            reading = next;
        }
    }

    #[test]
    fn two_machines_on_one_store_prove_their_time_each() {
        let machine = |name: &str, minutes: u32| up(name, HOUR * 7 + MINUTE * minutes);
        let (mut shared, mut own) = (reading(), [None, None]);
        for minute in 0..10_000_u32 {
            let which = minute as usize % 2;
            let (now, uptime) = (start().after(MINUTE * minute), machine(["x", "y"][which], minute));
            if let Some(own) = &own[which] {
                shared = shared.beside(own, &uptime);
            }
            let (doubt, next) = shared.judge(now, &uptime, BOUND);
            assert_eq!(doubt, None, "minute {minute}");
            own[which] = Some(next.clone());
            shared = next;
        }
        assert!(shared.unproven < HOUR, "{shared:?}");
    }

    /// What happens to a clock between two looks.
    #[derive(Clone, Debug)]
    struct Turn {
        ran: Duration,
        jump: Duration,
        is_back: bool,
        is_restarted: bool,
    }

    fn turns() -> impl Strategy<Value = Vec<Turn>> {
        let turn = (0_u64..200_000, 0_u64..60_000, any::<bool>(), any::<bool>());
        let turn = turn.prop_map(|(ran, jump, is_back, is_restarted)| Turn {
            ran: Duration::from_secs(ran),
            jump: Duration::from_secs(jump),
            is_back,
            is_restarted,
        });
        proptest::collection::vec(turn, 1..60)
    }

    proptest! {
        /// Whatever jumps: beside the time that has run the clock gains the bound, and what is forgotten meanwhile.
        #[test]
        fn no_row_of_jumps_gains_more_than_the_bound(turns in turns()) {
            let (mut reading, mut clock, mut boot, mut ran) = (reading(), start(), 0, Duration::ZERO);
            let mut uptime = up("a", HOUR);
            for turn in turns {
                if turn.is_restarted {
                    boot += 1;
                    uptime = up(&boot.to_string(), Duration::ZERO);
                }
                uptime.up += turn.ran;
                ran += turn.ran;
                clock = clock.after(turn.ran);
                clock = if turn.is_back { clock.before(turn.jump) } else { clock.after(turn.jump) };
                let (doubt, next) = reading.judge(clock, &uptime, BOUND);
                prop_assert!(doubt.is_some() || next.at == clock);
                prop_assert!(next.unproven <= BOUND);
                let gained = next.at.since(start().after(ran));
                prop_assert!(gained <= BOUND + ran / FORGOTTEN_IN, "{gained:?} of {ran:?}");
                reading = next;
            }
        }
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
