//! Tests of what follows from what is believed.

use super::*;
use crate::containment::HeldBack;
use crate::detection::DetectionVersion;
use crate::finding::MemoryClass;
use crate::sentinel::state::SuspicionStep;
use crate::sentinel::suspicion::{Hit, TRIP_AFTER_CHANGE};
use crate::sentinel::{Event, Settings, Weights};
use proptest::prelude::*;

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000 + i64::from(seconds) * 1_000_000)
}

fn suspect(code: &str) -> Suspect {
    Suspect { code: DetectionCode::parse(code).expect("a code"), version: DetectionVersion::external("v1") }
}

fn hit(n: u32, class: MemoryClass) -> Event {
    let carriers = (0..20).map(|carrier| format!("c{n}-{carrier}")).collect();
    let weights = Weights::of_shares([0.49, 0.15, 0.24, 0.13]);
    let (identity, content) = (format!("i{n}"), Some(format!("p{n}")));
    Event::Hit(Hit { at: at(n), identity, content, class, carriers, weights })
}

fn convicted() -> Suspicion {
    Suspicion::replay(&[Event::Moved { at: at(1), by: SuspicionStep::Convicted }])
}

fn pardoned() -> Suspicion {
    let events: Vec<Event> = (0..4).map(|n| hit(n, MemoryClass::C3)).collect();
    Suspicion::replay(&events)
}

/// A snapshot that owns what it shows.
#[derive(Clone, Debug, Default)]
struct World {
    suspicions: BTreeMap<Suspect, Suspicion>,
    in_force: BTreeSet<Suspect>,
    contained: Containment,
    pinned: BTreeSet<DetectionCode>,
    members: BTreeMap<Suspect, BTreeSet<Suspect>>,
    may_act: bool,
    told: BTreeSet<StateOfSuspect>,
}

impl World {
    fn of(suspicions: &[(&str, Suspicion)]) -> Self {
        let suspicions: BTreeMap<Suspect, Suspicion> =
            suspicions.iter().map(|(code, one)| (suspect(code), one.clone())).collect();
        Self { in_force: suspicions.keys().cloned().collect(), suspicions, may_act: true, ..Self::default() }
    }

    fn diagnose(&self) -> Vec<Diagnosis> {
        diagnose(&Snapshot {
            suspicions: &self.suspicions,
            in_force: &self.in_force,
            contained: &self.contained,
            pinned: &self.pinned,
            members: &self.members,
            may_act: self.may_act,
            told: &self.told,
        })
    }

    fn actions(&self) -> Vec<(String, Vec<Action>)> {
        self.diagnose().into_iter().map(|one| (one.suspect.code.to_string(), one.actions)).collect()
    }

    fn hold_back(&mut self, suspect: &Suspect, level: Level) {
        self.contained.held_back.insert(suspect.code.clone(), HeldBack { version: suspect.version.clone(), level });
    }

    /// Does the first `most` of the acts, as somebody who is killed then.
    fn does(&mut self, diagnosis: &Diagnosis, most: usize) {
        for action in diagnosis.actions.iter().take(most) {
            match action {
                Action::Contain(level) => self.hold_back(&diagnosis.suspect, *level),
                Action::ContainTogether(members) => {
                    members.iter().for_each(|member| self.hold_back(member, Level::Contained));
                }
                Action::Call(_) | Action::OpenIncident => {}
            }
        }
        if most >= diagnosis.actions.len() {
            self.told.extend(diagnosis.told.clone());
        }
    }
}

#[test]
fn what_is_convicted_has_its_incident_before_it_is_contained() {
    let world = World::of(&[("IMG-0001", convicted()), ("IMG-0002", pardoned()), ("IMG-0003", Suspicion::default())]);
    let expected = [
        ("IMG-0001".to_owned(), vec![Action::OpenIncident, Action::Contain(Level::Contained)]),
        ("IMG-0002".to_owned(), vec![Action::Call(Call::Pardoned), Action::Contain(Level::Pardon)]),
    ];
    assert_eq!(world.actions(), expected);
}

#[test]
fn what_failed_half_way_is_done_again() {
    let mut world = World::of(&[("IMG-0001", convicted())]);
    let first = world.diagnose();
    world.does(&first[0], 1);
    assert_eq!(world.diagnose(), first, "the incident was opened, and nothing contained");
    world.does(&first[0], 2);
    assert_eq!(world.diagnose(), []);
}

#[test]
fn what_is_convicted_anew_is_contained_anew() {
    let mut world = World::of(&[("IMG-0001", convicted())]);
    let first = world.diagnose();
    world.does(&first[0], 2);
    world.contained = Containment::default();
    let again = [
        Event::Moved { at: at(1), by: SuspicionStep::Convicted },
        Event::Moved { at: at(2), by: SuspicionStep::Restored },
        Event::Moved { at: at(3), by: SuspicionStep::Convicted },
    ];
    world.suspicions.insert(suspect("IMG-0001"), Suspicion::replay(&again));
    assert_eq!(world.diagnose().len(), 1);
}

#[test]
fn people_are_asked_where_the_sentinel_may_not() {
    let mut world = World::of(&[("IMG-0001", convicted()), ("IMG-0002", convicted())]);
    world.may_act = false;
    world.pinned.insert(suspect("IMG-0002").code);
    let expected = [
        ("IMG-0001".to_owned(), vec![Action::Call(Call::Undecided), Action::OpenIncident]),
        ("IMG-0002".to_owned(), vec![Action::Call(Call::Pinned)]),
    ];
    assert_eq!(world.actions(), expected);
    for diagnosis in world.diagnose() {
        world.does(&diagnosis, 2);
    }
    assert_eq!(world.actions(), [], "people are called once");
}

#[test]
fn what_changed_together_is_contained_together() {
    let mut group = convicted();
    (0..20).for_each(|n| drop(group.on(&hit(n, MemoryClass::Unknown))));
    let one_hit = Suspicion::replay(&[hit(0, MemoryClass::Unknown)]);
    let codes = ["IMG-0001", "IMG-0002", "IMG-0003"];
    let mut world = World::of(&[("changed:ruleset", group), (codes[0], one_hit.clone()), (codes[1], one_hit)]);
    let members: BTreeSet<Suspect> = codes.into_iter().map(suspect).collect();
    world.members.insert(suspect("changed:ruleset"), members.clone());
    world.pinned.insert(suspect(codes[1]).code);
    let free = vec![suspect(codes[0]), suspect(codes[2])];
    assert_eq!(world.actions(), [("changed:ruleset".to_owned(), vec![Action::ContainTogether(free)])]);
    world.may_act = false;
    assert_eq!(world.actions(), [("changed:ruleset".to_owned(), vec![Action::Call(Call::Together)])]);
    world.members.insert(suspect("changed:ruleset"), members.into_iter().take(1).collect());
    assert_eq!(world.actions(), [], "one alone is no group");
}

#[test]
fn a_journal_says_what_it_is_judged_by() {
    let settings = Settings { trip: TRIP_AFTER_CHANGE, ..Settings::default() };
    // Evidence of two thousand convicts what has just come into force, and nothing else.
    let probed = Event::Probed { at: at(9), hits: 4, seen: 100, value: 2e3 };
    let opened = Event::Opened { at: at(0), settings };
    let fresh = [opened.clone(), probed.clone()];
    assert_eq!(Suspicion::replay(&fresh).state(), State::Contained);
    assert_eq!(Suspicion::replay(&fresh[1..]).state(), State::Live, "a journal without that line has the defaults");
    // What somebody says later changes nothing.
    let later = [Event::Opened { at: at(0), settings: Settings::default() }, opened, probed];
    assert_eq!(Suspicion::replay(&later).state(), State::Live);
    // A line as it was written before there were thresholds in a journal, and one with a threshold that is not known
    // yet.
    let old: Event = serde_json::from_str(r#"{"event":"waited","at":"2026-11-27T08:00:00Z"}"#)
        .or_else(|_| serde_json::from_str(r#"{"event":"waited","at":1795000000000000}"#))
        .expect("an old line");
    assert!(matches!(old, Event::Waited { .. }));
    let text = serde_json::to_string(&Event::Opened { at: at(0), settings }).expect("text");
    assert_eq!(serde_json::from_str::<Event>(&text).expect("the same"), Event::Opened { at: at(0), settings });
    let few: Settings = serde_json::from_str(r#"{"trip":1000.0}"#).expect("the rest are defaults");
    assert_eq!(few, settings);
}

fn an_event() -> impl Strategy<Value = Event> {
    let class = prop_oneof![Just(MemoryClass::Unknown), Just(MemoryClass::C1), Just(MemoryClass::C3)];
    let step =
        prop_oneof![Just(SuspicionStep::Convicted), Just(SuspicionStep::Corrected), Just(SuspicionStep::Restored)];
    prop_oneof![
        4 => (0_u32..1000, class).prop_map(|(n, class)| hit(n, class)),
        1 => (0_u32..1000, 0_u32..8).prop_map(|(n, hits)| Event::Probed { at: at(n), hits, seen: 500,
            value: 10_f64.powi(hits as i32) }),
        1 => (0_u32..1000, step).prop_map(|(n, by)| Event::Moved { at: at(n), by }),
        1 => (0_u32..1000).prop_map(|n| Event::Waited { at: at(n) }),
        1 => (100.0_f64..1e5).prop_map(|trip| Event::Opened { at: at(0), settings: Settings { trip,
            ..Settings::default() } }),
    ]
}

prop_compose! {
    fn a_world()(
        journals in prop::collection::vec((prop::collection::vec(an_event(), 0..12), any::<[bool; 3]>()), 1..6),
        group in prop::collection::vec(an_event(), 0..40),
        may_act in any::<bool>(),
    ) -> World {
        let mut world = World { may_act, ..World::default() };
        let together = suspect("changed:ruleset");
        world.suspicions.insert(together.clone(), Suspicion::replay(&group));
        world.in_force.insert(together.clone());
        for (n, (events, [is_in_force, is_pinned, is_member])) in journals.iter().enumerate() {
            let one = suspect(&format!("IMG-000{n}"));
            world.suspicions.insert(one.clone(), Suspicion::replay(events));
            if *is_in_force { world.in_force.insert(one.clone()); }
            if *is_pinned { world.pinned.insert(one.code.clone()); }
            if *is_member { world.members.entry(together.clone()).or_default().insert(one); }
        }
        world
    }
}

proptest! {
    #[test]
    fn nothing_is_contained_that_may_not_be(world in a_world()) {
        for diagnosis in world.diagnose() {
            prop_assert!(world.in_force.contains(&diagnosis.suspect));
            for action in &diagnosis.actions {
                let contained: Vec<&Suspect> = match action {
                    Action::Contain(_) => vec![&diagnosis.suspect],
                    Action::ContainTogether(members) => members.iter().collect(),
                    Action::Call(_) | Action::OpenIncident => Vec::new(),
                };
                prop_assert!(world.may_act || contained.is_empty());
                prop_assert!(contained.iter().all(|one| !world.pinned.contains(&one.code)));
            }
        }
    }

    /// However often somebody is killed between two acts: in the end all of it is done, and then nothing is left to do.
    #[test]
    fn it_comes_to_rest_wherever_it_is_interrupted(world in a_world(), stops in prop::collection::vec(0_usize..3,
        0..6)) {
        let mut world = world;
        for most in stops {
            for diagnosis in world.diagnose() {
                world.does(&diagnosis, most);
            }
        }
        for diagnosis in world.diagnose() {
            world.does(&diagnosis, usize::MAX);
        }
        let still_free: Vec<Diagnosis> = world.diagnose();
        prop_assert!(still_free.is_empty(), "{still_free:?}");
        for (suspect, one) in &world.suspicions {
            let is_wrong = one.state() == State::Contained && Group::parse(&suspect.code).is_none();
            if is_wrong && world.may_act && world.in_force.contains(suspect) && !world.pinned.contains(&suspect.code) {
                prop_assert_eq!(world.contained.level(&suspect.code, &suspect.version), Some(Level::Contained));
            }
        }
    }

    /// Belief is a function of the journal: it does not matter where one stopped reading and began again.
    #[test]
    fn a_restart_changes_no_belief(events in prop::collection::vec(an_event(), 0..40), stop in 0_usize..40) {
        let whole = Suspicion::replay(&events);
        let mut again = Suspicion::replay(&events[..stop.min(events.len())]);
        events.iter().skip(stop).for_each(|event| drop(again.on(event)));
        prop_assert_eq!(again, whole);
    }
}
