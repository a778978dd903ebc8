//! Which detection versions are contained: withdrawn from acting as they did, without being switched off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::detection::{DetectionCode, DetectionVersion};
use crate::sentinel::State;

/// How far a detection version is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Content that everybody of us carries passes; the rest is held as before.
    Pardon,
    /// Its previous form decides; where there is none, the past does.
    Contained,
    /// A corrected form that is watched: it acts for those whom nobody knows.
    Probation,
    /// A form on probation because a person forced it past a gate: it acts, but for those whom we know as a delay that
    /// calls people ([`crate::sentinel::probation`]).
    Delay,
}

impl Level {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pardon => "pardon",
            Self::Contained => "contained",
            Self::Probation => "probation",
            Self::Delay => "delay",
        }
    }

    /// Whether the detection holds as policy says, so that nothing is done about it yet but to call people.
    pub fn holds_as_before(self) -> bool {
        matches!(self, Self::Delay)
    }

    /// The level of a state; none where the detection acts as policy says.
    pub fn of(state: State) -> Option<Self> {
        match state {
            State::Live | State::Suspect => None,
            State::Pardon => Some(Self::Pardon),
            State::Contained => Some(Self::Contained),
            State::Probation => Some(Self::Probation),
        }
    }
}

/// One detection version that is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// The version.
    pub version: DetectionVersion,
    /// How far.
    pub level: Level,
}

/// The containment state at one moment, one of the five things a verdict rests on. The sentinel fills it, or a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containment {
    /// Grows with every change; recorded with each verdict.
    pub epoch: u64,
    /// What is held back.
    pub held_back: BTreeMap<DetectionCode, HeldBack>,
}

impl Containment {
    /// How far this version of the detection is held back, if it is.
    pub fn level(&self, code: &DetectionCode, version: &DetectionVersion) -> Option<Level> {
        self.held_back.get(code).filter(|held| held.version == *version).map(|held| held.level)
    }
}
