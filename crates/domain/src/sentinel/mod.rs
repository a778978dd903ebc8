//! When a detection is wrong, and what is done about it then.
//!
//! "A detection is convicted only by the past." What an attacker can shape today may open an investigation; what
//! convicts is content that was accepted as clean before the detection version existed.
//!
//! | module | what it says |
//! |---|---|
//! | [`evidence`] | how much one witness weighs, and what a probe proves |
//! | [`past`] | what the whole memory says against a version that was forced past a gate |
//! | [`group`] | what is suspected as one: what changed together, an engine as a whole |
//! | [`suspicion`] | all that is known against one detection version: a pure function of the ordered journal |
//! | [`rate`] | how seldom so many hits in an hour are chance: it calls people, and convicts nobody |
//! | [`probation`] | a version that was forced past a gate: mail of those whom we know is delayed, and what may leave |
//! | [`state`] | LIVE, SUSPECT, PARDON, CONTAINED, PROBATION: the one table |
//! | [`diagnosis`] | what follows from what is believed: a pure function of a snapshot |

use std::time::Duration;

use crate::detection::{DetectionCode, DetectionVersion};

pub mod diagnosis;
pub mod evidence;
pub mod group;
pub mod past;
pub mod probation;
pub mod rate;
pub mod state;
pub mod suspicion;

pub use evidence::Weights;
pub use past::Past;
pub use state::State;
pub use suspicion::{Event, Settings, Suspicion};

/// A detection in one version, or a group of them under a code of its own ([`group`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suspect {
    /// The detection.
    pub code: DetectionCode,
    /// Its version.
    pub version: DetectionVersion,
}

/// Distinct people who say within [`VOICES_SPAN`] that a detection version is wrong: so many have it tried and call
/// somebody.
pub const VOICES_MIN: u32 = 3;
/// See [`VOICES_MIN`].
pub const VOICES_SPAN: Duration = Duration::from_secs(24 * 3600);
