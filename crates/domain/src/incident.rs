//! An incident: a detection version that was wrong, everything that it held, and how that is taken back. States and
//! what moves them are one table, and so is what may become of each unit.

pub mod told;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::envelope::Direction;
use crate::ledger::Account;

/// Mail of ours that was held longer is not sent without a word of who wrote it: what it says may do harm today.
pub const STALE: Duration = Duration::from_secs(24 * 3600);

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Something seems wrong; nothing is held back yet.
    Investigating,
    /// The detection acts no more as it did. What it held waits for a corrected ruleset, or for a person.
    Contained,
    /// What it held is examined again.
    Replaying,
    /// All of it has been examined; what was cleared is on its way.
    Releasing,
    /// Every unit is accounted for.
    Resolved,
}

/// What moves an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStep {
    /// Its detection was contained.
    Contained,
    /// A corrected ruleset is in force, or a person began it: what was held is examined again.
    ReplayBegun,
    /// A person stopped it: what is not examined again yet stays held.
    ReplayCancelled,
    /// Nothing is left to examine.
    ReplayDone,
    /// More was found that the detection had held.
    WaveFound,
    /// Every unit is accounted for, or a person closed it.
    Resolved,
    /// It was not over.
    Reopened,
}

/// A step that this stage does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an incident that is {} cannot move by {by:?}", from.as_str())]
pub struct Refused {
    /// The stage.
    pub from: Stage,
    /// The step.
    pub by: IncidentStep,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 5] = [Self::Investigating, Self::Contained, Self::Replaying, Self::Releasing, Self::Resolved];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Contained => "contained",
            Self::Replaying => "replaying",
            Self::Releasing => "releasing",
            Self::Resolved => "resolved",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }

    /// The name in the words of Microsoft Graph's `serviceHealthStatus`.
    pub fn health(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Contained => "serviceDegradation",
            Self::Replaying | Self::Releasing => "restoringService",
            Self::Resolved => "serviceRestored",
        }
    }

    /// The one table.
    ///
    /// # Errors
    /// When the stage does not allow the step.
    pub fn on(self, by: IncidentStep) -> Result<Self, Refused> {
        use IncidentStep as T;
        use Stage as S;
        Ok(match (self, by) {
            (S::Investigating, T::Contained) => S::Contained,
            (S::Investigating | S::Contained, T::ReplayBegun) => S::Replaying,
            (S::Replaying, T::ReplayCancelled) => S::Contained,
            (S::Replaying, T::ReplayDone) => S::Releasing,
            (S::Replaying | S::Releasing, T::WaveFound) => S::Replaying,
            (S::Investigating | S::Contained | S::Releasing, T::Resolved) => S::Resolved,
            (S::Resolved, T::Reopened) => S::Contained,
            (from, by) => return Err(Refused { from, by }),
        })
    }
}

/// What the replay made of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has not been examined again yet.
    Pending,
    /// It passes now; its release was asked for.
    Cleared,
    /// It is held still, for a reason that stands.
    Upheld,
    /// It could not be examined again.
    Inconclusive,
    /// Somebody else decided about it before the replay came to it.
    Settled,
    /// It passes now and goes to strangers, but it is old: whoever wrote it is asked first.
    Asked,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Cleared, Self::Upheld, Self::Inconclusive, Self::Settled, Self::Asked];

    /// What becomes of a unit that passes now, in this direction and held for so long.
    pub fn of_passing(direction: Direction, held: Duration) -> Self {
        if direction == Direction::Outbound && held > STALE { Self::Asked } else { Self::Cleared }
    }

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Cleared => "cleared",
            Self::Upheld => "upheld",
            Self::Inconclusive => "inconclusive",
            Self::Settled => "settled",
            Self::Asked => "asked",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// Whether a unit with this outcome, in this account, needs nobody's work any more.
    pub fn is_over(self, account: Account) -> bool {
        match self {
            Self::Pending => false,
            Self::Cleared => !matches!(account, Account::Held | Account::Releasing | Account::InDoubt),
            Self::Upheld | Self::Inconclusive | Self::Settled | Self::Asked => true,
        }
    }
}

/// The public id of the incident with this number, opened in this year.
pub fn public_id(year: i32, number: u32) -> String {
    format!("INC-{year}-{number:04}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [IncidentStep; 7] = [
        IncidentStep::Contained,
        IncidentStep::ReplayBegun,
        IncidentStep::ReplayCancelled,
        IncidentStep::ReplayDone,
        IncidentStep::WaveFound,
        IncidentStep::Resolved,
        IncidentStep::Reopened,
    ];

    #[test]
    fn the_table_of_stages() {
        let mut shown = String::new();
        for from in Stage::ALL {
            for by in STEPS {
                if let Ok(to) = from.on(by) {
                    shown.push_str(&format!("{:<14} {by:<12?} {}\n", from.as_str(), to.as_str()));
                }
            }
        }
        insta::assert_snapshot!(shown);
    }

    /// Every walk: an incident with a replay under way is not resolved before the replay is done, and every stage leads
    /// to the end.
    #[test]
    fn every_walk_of_seven_steps() {
        fn walk(stage: Stage, replaying: bool, left: u32) {
            assert!(!(replaying && stage == Stage::Resolved), "resolved in the middle of a replay");
            assert!(Stage::ALL.into_iter().any(|_| reaches_the_end(stage, 3)));
            for by in STEPS {
                if let (Ok(to), 1..) = (stage.on(by), left) {
                    let ends = matches!(by, IncidentStep::ReplayDone | IncidentStep::ReplayCancelled);
                    walk(to, (replaying && !ends) || to == Stage::Replaying, left - 1);
                }
            }
        }
        fn reaches_the_end(stage: Stage, left: u32) -> bool {
            stage == Stage::Resolved
                || left > 0 && STEPS.into_iter().any(|by| stage.on(by).is_ok_and(|to| reaches_the_end(to, left - 1)))
        }
        walk(Stage::Investigating, false, 7);
    }

    #[test]
    fn a_cleared_unit_is_over_when_it_has_left_us_or_nobody_can_help() {
        for account in Account::ALL {
            let over = Outcome::Cleared.is_over(account);
            let waiting = matches!(account, Account::Held | Account::Releasing | Account::InDoubt);
            assert_eq!(over, !waiting, "{account:?}");
            assert!(!Outcome::Pending.is_over(account));
        }
    }

    #[test]
    fn only_old_mail_to_strangers_asks_who_wrote_it() {
        for direction in Direction::ALL {
            assert_eq!(Outcome::of_passing(direction, STALE), Outcome::Cleared);
            let old = Outcome::of_passing(direction, STALE + Duration::from_secs(1));
            assert_eq!(old == Outcome::Asked, direction == Direction::Outbound, "{direction:?}");
        }
    }
}
