//! The states of a detection version before the sentinel, and what moves them: one table.

use serde::{Deserialize, Serialize};

/// Where a detection version stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is held against it.
    #[default]
    Live,
    /// There is reason to look: a probe is due or running. What it hits is held, and nobody is told meanwhile.
    Suspect,
    /// Live witnesses say that it is wrong, and no probe has said so: content that everybody carries passes, and a
    /// person is called.
    Pardon,
    /// Convicted: it acts no more as it did. Its previous form does, or the past decides.
    Contained,
    /// A corrected form is in force and watched: for whom we know it only watches.
    Probation,
}

/// What moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspicionStep {
    /// Evidence of 30, or three identities that we know.
    Suspected,
    /// The probe speaks for it, and live witnesses do not suffice.
    Relieved,
    /// Live witnesses suffice; the probe does not.
    Pardoned,
    /// Live witnesses and the probe suffice, or a person says so.
    Convicted,
    /// A corrected form came into force.
    Corrected,
    /// It has stood its probation, or a person says so.
    Restored,
}

/// A step that this state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a detection that is {} cannot move by {by:?}", from.as_str())]
pub struct Refused {
    /// The state.
    pub from: State,
    /// The step.
    pub by: SuspicionStep,
}

impl State {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Live, Self::Suspect, Self::Pardon, Self::Contained, Self::Probation];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Suspect => "suspect",
            Self::Pardon => "pardon",
            Self::Contained => "contained",
            Self::Probation => "probation",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether its hits are treated otherwise than policy says.
    pub fn holds_back(self) -> bool {
        matches!(self, Self::Pardon | Self::Contained | Self::Probation)
    }

    /// The one table.
    ///
    /// # Errors
    /// When the state does not allow the step.
    pub fn on(self, by: SuspicionStep) -> Result<Self, Refused> {
        use State as S;
        use SuspicionStep as T;
        Ok(match (self, by) {
            (S::Live, T::Suspected) => S::Suspect,
            (S::Suspect, T::Relieved) => S::Live,
            (S::Live | S::Suspect, T::Pardoned) => S::Pardon,
            (S::Live | S::Suspect | S::Pardon | S::Probation, T::Convicted) => S::Contained,
            (S::Contained | S::Pardon, T::Corrected) => S::Probation,
            (S::Suspect | S::Pardon | S::Contained | S::Probation, T::Restored) => S::Live,
            (from, by) => return Err(Refused { from, by }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [SuspicionStep; 6] = [
        SuspicionStep::Suspected,
        SuspicionStep::Relieved,
        SuspicionStep::Pardoned,
        SuspicionStep::Convicted,
        SuspicionStep::Corrected,
        SuspicionStep::Restored,
    ];

    #[test]
    fn the_table_of_states() {
        let mut shown = String::new();
        for from in State::ALL {
            for by in STEPS {
                if let Ok(to) = from.on(by) {
                    shown.push_str(&format!("{:<10} {by:<10?} {}\n", from.as_str(), to.as_str()));
                }
            }
        }
        insta::assert_snapshot!(shown);
    }

    /// Every walk: nothing is contained that was not convicted, and whatever holds back can be given back.
    #[test]
    fn every_walk_of_seven_steps() {
        fn walk(state: State, convicted: bool, left: u32) {
            assert!(convicted || state != State::Contained);
            assert!(!state.holds_back() || state.on(SuspicionStep::Restored) == Ok(State::Live));
            for by in STEPS {
                if let (Ok(to), 1..) = (state.on(by), left) {
                    walk(to, convicted || by == SuspicionStep::Convicted, left - 1);
                }
            }
        }
        walk(State::Live, false, 7);
    }
}
