//! All that is known against one detection version. A pure function of the ordered journal: the same events give the
//! same numbers on every node and in every year.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::evidence::Weights;
use super::past::Past;
use super::state::{State, SuspicionStep};
use crate::finding::MemoryClass;
use crate::time::Timestamp;

/// For how long a content that has testified is silent.
const SILENT: Duration = Duration::from_secs(24 * 3600);
/// How long a detection stays under suspicion without a conviction.
pub const SUSPECT_SPAN: Duration = Duration::from_secs(15 * 60);

/// The thresholds that a detection version is judged by. They are a line of its journal ([`Event::Opened`]), so that
/// whoever reads the journal judges by the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Evidence that convicts.
    pub trip: f64,
    /// Evidence that makes a suspect.
    pub suspect: f64,
    /// Identities among the witnesses, before anything is done on their word alone.
    pub identities_min: usize,
    /// Identities that were hit, whatever they carried, before a probe is made.
    pub probe_after: usize,
    /// Hits of a probe, each with a carrier of its own, without which nothing is contained.
    pub probe_hits_min: u32,
    /// Time between two probes of the same detection.
    pub probe_every: Duration,
}

/// Evidence that convicts.
pub const TRIP: f64 = 1e4;
/// Evidence that convicts a version that came into force within the last day, or by the fast lane.
pub const TRIP_AFTER_CHANGE: f64 = 1e3;

impl Default for Settings {
    fn default() -> Self {
        Self {
            trip: TRIP,
            suspect: 30.0,
            identities_min: 3,
            probe_after: 3,
            probe_hits_min: 4,
            probe_every: Duration::from_secs(3600),
        }
    }
}

/// A hit that nobody else confirms, on mail of somebody whom we know: it may testify.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// When.
    pub at: Timestamp,
    /// Who sent it: a seal over an identity.
    pub identity: String,
    /// The content that was hit; none when the detection speaks of the message, or its content has no key: then it does
    /// not testify.
    pub content: Option<String>,
    /// How well the past vouches for the content.
    pub class: MemoryClass,
    /// Who carried the content before.
    pub carriers: BTreeSet<String>,
    /// The weights of that day.
    pub weights: Weights,
}

/// A line of the journal about one detection version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Its journal begins: what it is judged by. Journals of before this line existed have none, and are judged by the
    /// defaults.
    Opened {
        /// When.
        at: Timestamp,
        /// The thresholds from here on.
        settings: Settings,
    },
    /// It hit mail of somebody whom we know.
    Hit(Hit),
    /// It was tried on content that is known to be good.
    Probed {
        /// When it ended.
        at: Timestamp,
        /// Contents hit, each with a carrier of its own.
        hits: u32,
        /// Contents looked at.
        seen: u32,
        /// What that proves.
        value: f64,
    },
    /// All that is known to be good was tried on it, because a person put it in force past a gate that had named some.
    Recalled {
        /// When that ended.
        at: Timestamp,
        /// What was found.
        past: Past,
    },
    /// A person convicted it, or a corrected form came into force, or it was given back.
    Moved {
        /// When.
        at: Timestamp,
        /// How.
        by: SuspicionStep,
    },
    /// Time has passed.
    Waited {
        /// Until when.
        at: Timestamp,
    },
}

impl Event {
    /// When it was.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Hit(hit) => hit.at,
            Self::Opened { at, .. }
            | Self::Probed { at, .. }
            | Self::Recalled { at, .. }
            | Self::Moved { at, .. }
            | Self::Waited { at } => *at,
        }
    }
}

/// The content that has testified.
#[derive(Clone, Debug, Default, PartialEq)]
struct Testimony {
    times: u32,
    by: BTreeSet<String>,
    class: MemoryClass,
    last: Option<Timestamp>,
}

/// What is known against one detection version.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspicion {
    settings: Settings,
    /// Whether the journal has said the settings.
    is_opened: bool,
    state: State,
    since: Option<Timestamp>,
    /// The e-CUSUM of live witnesses, never below 1 when it is used.
    live: f64,
    /// What the last probe proved.
    probe: f64,
    probe_hits: u32,
    probe_seen: u32,
    probed: Option<Timestamp>,
    /// What the whole memory said; nothing where nobody has asked it.
    past: Option<Past>,
    /// Identities that were hit.
    hit: BTreeSet<String>,
    /// Identities among those whose content vouches against it.
    witnesses: BTreeSet<String>,
    /// Carriers that have vouched already: each does so once.
    used: BTreeSet<String>,
    testimonies: BTreeMap<String, Testimony>,
    hits: u64,
}

impl Default for Suspicion {
    /// Nothing is known, and nothing said of thresholds.
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Suspicion {
    /// Nothing is known.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            is_opened: false,
            state: State::Live,
            since: None,
            live: 1.0,
            probe: 1.0,
            probe_hits: 0,
            probe_seen: 0,
            probed: None,
            past: None,
            hit: BTreeSet::new(),
            witnesses: BTreeSet::new(),
            used: BTreeSet::new(),
            testimonies: BTreeMap::new(),
            hits: 0,
        }
    }

    /// All of a journal, in its order. What it is judged by is in the journal as well.
    pub fn replay<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut suspicion = Self::default();
        events.into_iter().for_each(|event| drop(suspicion.on(event)));
        suspicion
    }

    /// Takes up the next event; returns the states that it went through.
    pub fn on(&mut self, event: &Event) -> Vec<State> {
        let mut passed = Vec::new();
        match event {
            Event::Opened { settings, .. } => {
                // The first one counts: what somebody says later must not change what was believed.
                if !self.is_opened {
                    (self.settings, self.is_opened) = (*settings, true);
                }
                return passed;
            }
            Event::Hit(hit) => self.hear(hit),
            Event::Probed { at, hits, seen, value } => {
                (self.probed, self.probe_hits, self.probe_seen, self.probe) = (Some(*at), *hits, *seen, *value);
            }
            Event::Recalled { past, .. } => self.past = Some(past.clone()),
            Event::Moved { at, by } => {
                self.step(*by, *at, &mut passed);
                if *by == SuspicionStep::Restored {
                    // What was said before was heard; from here it counts anew.
                    let (since, probed, is_opened) = (self.since, self.probed, self.is_opened);
                    *self = Self { since, probed, is_opened, ..Self::new(self.settings) };
                }
                return passed;
            }
            Event::Waited { .. } => {}
        }
        self.judge(event.at(), &mut passed);
        passed
    }

    /// Whether its journal has said what it is judged by.
    pub fn is_opened(&self) -> bool {
        self.is_opened
    }

    /// What it is judged by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// The evidence of live witnesses.
    pub fn live(&self) -> f64 {
        self.live
    }

    /// What the last probe proved, of how many hits among how many contents.
    pub fn probe(&self) -> (f64, u32, u32) {
        (self.probe, self.probe_hits, self.probe_seen)
    }

    /// Both together, or what the whole memory says where that is more: what is compared with the threshold.
    pub fn evidence(&self) -> f64 {
        (self.live.max(1.0) * self.probe).max(self.past_value())
    }

    /// What the whole memory said; nothing where it was not asked.
    pub fn past(&self) -> Option<&Past> {
        self.past.as_ref()
    }

    fn past_value(&self) -> f64 {
        self.past.as_ref().map_or(0.0, Past::value)
    }

    /// The evidence that convicts it.
    pub fn threshold(&self) -> f64 {
        self.settings.trip
    }

    /// How many hits of known senders there were, how many senders, and how many witnesses against it.
    pub fn counts(&self) -> (u64, usize, usize) {
        (self.hits, self.hit.len(), self.witnesses.len())
    }

    /// When it was last tried on content that is known to be good.
    pub fn last_probe(&self) -> Option<Timestamp> {
        self.probed
    }

    /// Whether it is to be tried on content that is known to be good.
    pub fn wants_probe(&self, now: Timestamp) -> bool {
        let asked = self.hit.len() >= self.settings.probe_after || self.live >= self.settings.suspect;
        let rested = self.probed.is_none_or(|at| now.since(at) >= self.settings.probe_every);
        asked && rested && !matches!(self.state, State::Contained)
    }

    /// Whether it has stood under suspicion for long enough, so that an [`Event::Waited`] moves it.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.state == State::Suspect && self.since.is_some_and(|since| now.since(since) >= SUSPECT_SPAN)
    }

    fn step(&mut self, by: SuspicionStep, at: Timestamp, passed: &mut Vec<State>) {
        if let Ok(to) = self.state.on(by) {
            (self.state, self.since) = (to, Some(at));
            passed.push(to);
        }
    }

    /// One hit: how often its content was heard, and whether there are carriers who have not vouched yet, decides what
    /// it weighs.
    fn hear(&mut self, hit: &Hit) {
        self.hits += 1;
        self.hit.insert(hit.identity.clone());
        let Some(content) = &hit.content else { return };
        let known = self.testimonies.entry(content.clone()).or_default();
        if known.last.is_some_and(|last| hit.at.since(last) >= SILENT) {
            // A day later it may speak again; for carriers that have vouched that changes nothing.
            *known = Testimony { class: known.class, ..Testimony::default() };
        }
        let mut class = hit.class;
        if class != MemoryClass::Unknown {
            if known.times == 0 {
                let free: Vec<&String> = hit.carriers.difference(&self.used).collect();
                while class != MemoryClass::Unknown && free.len() < needed(class) {
                    class = below(class);
                }
                if class == MemoryClass::Unknown {
                    // Known content without a carrier of its own speaks neither for nor against.
                    return;
                }
                let vouching: Vec<String> = free.into_iter().take(needed(class)).cloned().collect();
                self.used.extend(vouching);
                known.class = class;
            } else {
                class = known.class;
                if class == MemoryClass::Unknown {
                    return;
                }
            }
        }
        let most = if class == MemoryClass::C3 { 2 } else { 1 };
        let heard = class == MemoryClass::C3 && known.by.contains(&hit.identity);
        if known.times >= most || heard {
            return;
        }
        known.times += 1;
        known.last = Some(hit.at);
        known.by.insert(hit.identity.clone());
        self.live = self.live.max(1.0) * hit.weights.of_class(class);
        if class != MemoryClass::Unknown {
            self.witnesses.insert(hit.identity.clone());
        }
    }

    fn judge(&mut self, at: Timestamp, passed: &mut Vec<State>) {
        let Settings { trip, suspect, identities_min, probe_after, probe_hits_min, .. } = self.settings;
        let is_probed = self.live.max(1.0) * self.probe >= trip && self.probe_hits >= probe_hits_min;
        // Apart from live witnesses: who has poisoned the past can send as many of those as they like.
        let is_recalled = self.past.as_ref().is_some_and(|past| past.convicts(probe_hits_min, trip));
        if is_probed || is_recalled {
            return self.step(SuspicionStep::Convicted, at, passed);
        }
        if self.live >= trip && self.witnesses.len() >= identities_min {
            return self.step(SuspicionStep::Pardoned, at, passed);
        }
        let asked = self.live >= suspect || self.hit.len() >= probe_after;
        let answered = self.probed.is_some_and(|probed| self.since.is_none_or(|since| probed >= since));
        match self.state {
            State::Live if asked && !answered => self.step(SuspicionStep::Suspected, at, passed),
            State::Suspect if answered || self.is_stale(at) => self.step(SuspicionStep::Relieved, at, passed),
            _ => {}
        }
    }
}

/// Carriers that content of this class needs.
fn needed(class: MemoryClass) -> usize {
    match class {
        MemoryClass::Unknown => 0,
        MemoryClass::C1 => 2,
        MemoryClass::C2 => 5,
        MemoryClass::C3 => 20,
    }
}

fn below(class: MemoryClass) -> MemoryClass {
    match class {
        MemoryClass::C3 => MemoryClass::C2,
        MemoryClass::C2 => MemoryClass::C1,
        MemoryClass::C1 | MemoryClass::Unknown => MemoryClass::Unknown,
    }
}

#[cfg(test)]
#[path = "suspicion_tests.rs"]
mod tests;
