//! Tests of a suspicion: the numbers of the method, and what convicts.

use super::*;
use crate::sentinel::evidence::{PROBE_MAX, probe_value};

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000 + (seconds * 1e6) as i64)
}

/// The event streams of the method's model, and its numbers after each event.
#[test]
fn the_same_numbers_as_the_model() {
    let mut weights = Weights::of_shares([0.0; 4]);
    let mut suspicion = Suspicion::new(Settings::default());
    let mut events = 0;
    for line in include_str!("model.tsv").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| fields[at].parse::<f64>().expect("a number");
        if fields[0] == "run" {
            let shares: Vec<f64> = fields[2].split(' ').map(|share| share.parse().expect("a share")).collect();
            weights = Weights::of_shares(shares.try_into().expect("four shares"));
            suspicion = Suspicion::new(Settings::default());
            continue;
        }
        let class = match fields[3] {
            "C1" => MemoryClass::C1,
            "C2" => MemoryClass::C2,
            "C3" => MemoryClass::C3,
            _ => MemoryClass::Unknown,
        };
        let carriers = fields[4].split(',').filter(|name| *name != "-").map(str::to_owned).collect();
        let (identity, content) = (fields[1].to_owned(), Some(fields[2].to_owned()));
        let now = at(number(0));
        suspicion.on(&Event::Hit(Hit { at: now, identity, content, class, carriers, weights }));
        assert!((suspicion.live() / number(5) - 1.0).abs() < 1e-9, "{} instead of {line}", suspicion.live());
        if let [hits, seen, value, convicted] = fields[7..] {
            assert!(suspicion.wants_probe(now), "{line}");
            let (hits, seen) = (hits.parse().expect("hits"), seen.parse().expect("contents"));
            let proved = probe_value(hits, seen);
            assert!((proved / value.parse::<f64>().expect("evidence") - 1.0).abs() < 1e-9, "{proved}: {line}");
            suspicion.on(&Event::Probed { at: now, hits, seen, value: proved });
            assert_eq!(suspicion.state() == State::Contained, convicted == "1", "{line}");
        } else {
            // Without a probe the model knows no more than a pardon.
            assert_eq!(suspicion.state() == State::Pardon, fields[6] == "1", "{line}");
        }
        events += 1;
    }
    assert!(events > 80, "{events}");
}

fn hit(n: u32, class: MemoryClass, carriers: u32) -> Event {
    let carriers = (0..carriers).map(|carrier| format!("c{n}-{carrier}")).collect();
    let weights = Weights::of_shares([0.49, 0.15, 0.24, 0.13]);
    let (identity, content) = (format!("i{n}"), Some(format!("p{n}")));
    Event::Hit(Hit { at: at(f64::from(n)), identity, content, class, carriers, weights })
}

#[test]
fn new_content_opens_an_investigation_and_convicts_nobody() {
    let mut suspicion = Suspicion::new(Settings::default());
    for n in 0..500 {
        suspicion.on(&hit(n, MemoryClass::Unknown, 0));
    }
    assert_eq!((suspicion.state(), suspicion.wants_probe(at(500.0))), (State::Suspect, true));
    assert!(suspicion.live() < 1.0);
    suspicion.on(&Event::Probed { at: at(501.0), hits: 0, seen: 2000, value: probe_value(0, 2000) });
    assert_eq!(suspicion.state(), State::Live);
    assert!(!suspicion.wants_probe(at(502.0)), "once an hour");
    assert!(suspicion.wants_probe(at(501.0 + 3600.0)));
}

#[test]
fn a_carrier_vouches_once() {
    let mut suspicion = Suspicion::new(Settings::default());
    let same = (0..5).map(|n| format!("c{n}")).collect::<BTreeSet<_>>();
    for n in 0..50 {
        let Event::Hit(mut one) = hit(n, MemoryClass::C2, 0) else { unreachable!() };
        one.carriers = same.clone();
        suspicion.on(&Event::Hit(one));
    }
    assert!((suspicion.live() - 12.5).abs() < 1e-9, "{}", suspicion.live());
    let (hits, hit, witnesses) = suspicion.counts();
    assert_eq!((hits, hit, witnesses), (50, 50, 1));
}

#[test]
fn live_witnesses_alone_pardon_and_a_probe_convicts() {
    let mut suspicion = Suspicion::new(Settings::default());
    for n in 0..4 {
        suspicion.on(&hit(n, MemoryClass::C3, 20));
    }
    assert_eq!(suspicion.state(), State::Pardon);
    suspicion.on(&Event::Probed { at: at(9.0), hits: 3, seen: 600, value: PROBE_MAX });
    assert_eq!(suspicion.state(), State::Pardon, "three hits of a probe are too few");
    suspicion.on(&Event::Probed { at: at(10.0), hits: 4, seen: 600, value: probe_value(4, 600) });
    assert_eq!(suspicion.state(), State::Contained);
    suspicion.on(&Event::Moved { at: at(11.0), by: SuspicionStep::Corrected });
    assert_eq!(suspicion.state(), State::Probation);
    suspicion.on(&Event::Moved { at: at(12.0), by: SuspicionStep::Restored });
    assert_eq!((suspicion.state(), suspicion.evidence()), (State::Live, 1.0));
}

#[test]
fn the_whole_memory_convicts_what_was_forced() {
    let past = |votes, domains| Past { votes, seen: 120, domains, contents: vec!["a".into()], ..Past::default() };
    let fresh = || Suspicion::new(Settings { trip: TRIP_AFTER_CHANGE, ..Settings::default() });
    let state = |past: Past| {
        let mut suspicion = fresh();
        suspicion.on(&Event::Recalled { at: at(1.0), past });
        suspicion.state()
    };
    assert_eq!(state(past(4, 0)), State::Contained);
    assert_eq!(state(past(3, 0)), State::Live, "four are asked for");
    assert_eq!(state(past(3, 1)), State::Contained, "or three that one domain converses with");
    assert_eq!(state(past(1, 40)), State::Live, "conversation alone convicts nobody");
    // However many live witnesses there are: who has poisoned the past sends as many as he likes.
    let mut poisoned = fresh();
    (0..50).for_each(|n| drop(poisoned.on(&hit(n, MemoryClass::C2, 5))));
    poisoned.on(&Event::Recalled { at: at(60.0), past: Past { seen: 20_000, ..past(20, 0) } });
    assert_eq!(poisoned.state(), State::Pardon);
    assert!(poisoned.live() > TRIP);
    // An old journal knows nothing of it, and a new line is read again as it was written.
    let event = Event::Recalled { at: at(1.0), past: past(3, 1) };
    let text = serde_json::to_string(&event).expect("text");
    assert_eq!(serde_json::from_str::<Event>(&text).expect("the same"), event);
    let mut given_back = fresh();
    given_back.on(&event);
    given_back.on(&Event::Moved { at: at(2.0), by: SuspicionStep::Restored });
    assert_eq!((given_back.state(), given_back.past()), (State::Live, None), "a person has the last word");
}

#[test]
fn suspicion_ends_after_a_while() {
    let mut suspicion = Suspicion::new(Settings::default());
    (0..3).for_each(|n| drop(suspicion.on(&hit(n, MemoryClass::Unknown, 0))));
    assert_eq!(suspicion.state(), State::Suspect);
    assert!(!suspicion.is_stale(at(60.0)));
    let later = at(3.0 + 15.0 * 60.0);
    assert!(suspicion.is_stale(later));
    suspicion.on(&Event::Waited { at: later });
    assert_eq!(suspicion.state(), State::Live);
}

/// A right detection at the worst mix that the bounds allow, 12 hits that may testify a day: pardons in 200 years of it
/// (theory: at most 12 x 365 / 10,000 = 0.44 a year).
#[test]
fn false_alarms_are_as_rare_as_the_theory_says() {
    let weights = Weights::of_shares([0.49, 0.15, 0.24, 0.13]);
    let mut state = 7_u64;
    let mut draw = || {
        // Numerical Recipes' linear congruence; its high bits are good enough to count with.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut alarms, years) = (0, 200);
    let mut live = 1.0_f64;
    for _ in 0..12 * 365 * years {
        let class = match draw() {
            x if x < 0.939 => MemoryClass::Unknown,
            x if x < 0.989 => MemoryClass::C1,
            x if x < 0.999 => MemoryClass::C2,
            _ => MemoryClass::C3,
        };
        live = live.max(1.0) * weights.of_class(class);
        if live >= TRIP {
            alarms += 1;
            live = 1.0;
        }
    }
    assert!(f64::from(alarms) / f64::from(years) <= 0.44, "{alarms} alarms in {years} years");
}
