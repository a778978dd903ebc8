//! The release of one unit: its states, and what moves it.
//!
//! The attempt is committed before the final dot is sent. So a crash leaves either no attempt (nothing
//! was sent) or an attempt without an outcome (in doubt), never an unrecorded delivery.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ledger::Move;
use crate::message::Correspondence;

/// Seconds that a claim holds: long enough for a 50 MiB mail and a ten-minute answer (RFC 5321 4.5.3.2.6).
pub const LEASE: Duration = Duration::from_secs(15 * 60);
/// Rows that one claim takes at most.
pub const CLAIM_ROWS_MAX: u32 = 50;
/// How long a release in doubt rests before it is sent once more.
pub const IN_DOUBT_REST: Duration = Duration::from_secs(10 * 60);
/// Waits between attempts after a temporary answer; the last one repeats.
pub const BACKOFF: [Duration; 5] = [
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(1800),
];

/// In which order releases go out: what somebody waits for before what nobody reads today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A person asked for this very one.
    AskedFor,
    /// A person's mail to persons.
    Person,
    /// A program's mail about one matter.
    Automatic,
    /// To many.
    Bulk,
}

impl Class {
    /// The class of a mail that a program of ours takes out of the quarantine, or that a person does.
    pub fn of(correspondence: Correspondence, asked_for: bool) -> Self {
        match correspondence {
            _ if asked_for => Self::AskedFor,
            Correspondence::Person => Self::Person,
            Correspondence::Automatic => Self::Automatic,
            Correspondence::Bulk => Self::Bulk,
        }
    }

    /// The stored number: lower goes first.
    pub fn order(self) -> u8 {
        match self {
            Self::AskedFor => 0,
            Self::Person => 1,
            Self::Automatic => 2,
            Self::Bulk => 3,
        }
    }
}

/// Where a release is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// Waiting for a worker.
    Queued,
    /// A worker holds the lease; nothing has been sent.
    Claimed,
    /// An attempt is committed; the final dot may have been sent.
    Attempting,
    /// The next hop accepted it.
    Released,
    /// Waiting for the next attempt.
    Deferred,
    /// The next hop refused it for good.
    Failed,
    /// The dot was sent and no answer recorded.
    InDoubt,
}

/// What moves a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReleaseEvent {
    /// A worker took the lease.
    Claimed,
    /// The attempt is committed.
    AttemptCommitted,
    /// 2xx to the dot.
    Accepted,
    /// 4xx, or a failure that is certain to have come before the dot.
    PutOff,
    /// 5xx, to RCPT or to the dot.
    Refused,
    /// The connection ended after the dot.
    AnswerLost,
    /// The lease ended without an outcome: the worker died or was paused.
    LeaseEnded,
    /// The back-off is over.
    RestOver,
    /// It was decided to send it once more.
    Repeat,
    /// It was found to have arrived, or the one repetition is spent.
    Settled,
    /// A person asked again for what had failed.
    RequestedAgain,
}

/// An event that this state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a release in {from:?} cannot move by {by:?}")]
pub struct Refused {
    /// The state.
    pub from: ReleaseState,
    /// The event.
    pub by: ReleaseEvent,
}

impl ReleaseState {
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Claimed, Self::Attempting, Self::Released, Self::Deferred, Self::Failed, Self::InDoubt];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Attempting => "attempting",
            Self::Released => "released",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::InDoubt => "in_doubt",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The one table: the next state, and the move of the unit in the ledger that goes with it.
    ///
    /// # Errors
    /// When the state does not allow the event.
    pub fn on(self, by: ReleaseEvent) -> Result<(Self, Option<Move>), Refused> {
        use ReleaseEvent as E;
        use ReleaseState as S;
        Ok(match (self, by) {
            (S::Queued, E::Claimed) => (S::Claimed, None),
            (S::Claimed, E::AttemptCommitted) => (S::Attempting, None),
            (S::Claimed, E::PutOff) => (S::Deferred, None),
            (S::Claimed, E::Refused) => (S::Failed, Some(Move::ReleaseRefused)),
            (S::Claimed, E::LeaseEnded) => (S::Queued, None),
            (S::Attempting, E::Accepted) => (S::Released, Some(Move::ReleaseAccepted)),
            (S::Attempting, E::PutOff) => (S::Deferred, None),
            (S::Attempting, E::Refused) => (S::Failed, Some(Move::ReleaseRefused)),
            (S::Attempting, E::AnswerLost | E::LeaseEnded) => (S::InDoubt, Some(Move::ReleaseUnanswered)),
            (S::Deferred, E::RestOver) => (S::Queued, None),
            (S::InDoubt, E::Repeat) => (S::Queued, Some(Move::ReleaseRepeated)),
            (S::InDoubt, E::Settled) => (S::Released, Some(Move::ReleaseAccepted)),
            (S::Failed, E::RequestedAgain) => (S::Queued, Some(Move::ReleaseRequested)),
            (from, by) => return Err(Refused { from, by }),
        })
    }
}

impl ReleaseEvent {
    /// All events.
    pub const ALL: [Self; 11] = [
        Self::Claimed,
        Self::AttemptCommitted,
        Self::Accepted,
        Self::PutOff,
        Self::Refused,
        Self::AnswerLost,
        Self::LeaseEnded,
        Self::RestOver,
        Self::Repeat,
        Self::Settled,
        Self::RequestedAgain,
    ];
}

/// The wait after the attempt with this number (from 1).
pub fn backoff(attempt: u32) -> Duration {
    let at = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX).min(BACKOFF.len() - 1);
    BACKOFF[at]
}

/// What is to be done with a release in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDoubtAnswer {
    /// Let it rest.
    Wait,
    /// Send it once more, with the same Message-ID and release id.
    Repeat,
    /// It has been sent twice without an answer: count it as released, possibly twice.
    SettlePossiblyTwice,
}

/// Decides a release in doubt: once more after ten minutes, then settled and counted as possibly twice.
pub fn in_doubt_answer(in_doubt_for: Duration, repeats: u32, ask: bool) -> InDoubtAnswer {
    match (ask || in_doubt_for < IN_DOUBT_REST, repeats) {
        (true, _) => InDoubtAnswer::Wait,
        (false, 0) => InDoubtAnswer::Repeat,
        (false, _) => InDoubtAnswer::SettlePossiblyTwice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Account;

    #[test]
    fn the_table_of_releases() {
        let mut table = String::new();
        for from in ReleaseState::ALL {
            for by in ReleaseEvent::ALL {
                if let Ok((to, step)) = from.on(by) {
                    let step = step.map_or("-", Move::as_str);
                    table.push_str(&format!(
                        "{:<11} {:<17} {:<11} {step}\n",
                        from.as_str(),
                        format!("{by:?}"),
                        to.as_str()
                    ));
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    /// Every history of up to nine events, with the unit's account walked beside it: the two never
    /// disagree, and at most one acceptance is ever recorded.
    #[test]
    fn release_and_ledger_agree_in_every_history() {
        fn walk(state: ReleaseState, account: Account, accepted: u32, left: u32) {
            assert!(accepted <= 1);
            let expected = match state {
                ReleaseState::Released => Account::Released,
                ReleaseState::Failed => Account::Failed,
                ReleaseState::InDoubt => Account::InDoubt,
                _ => Account::Releasing,
            };
            assert_eq!(account, expected, "{state:?}");
            if left == 0 {
                return;
            }
            for by in ReleaseEvent::ALL {
                let Ok((next, step)) = state.on(by) else { continue };
                let moved =
                    step.map_or(Ok(account), |step| account.on(step)).expect("the ledger allows what the release does");
                walk(next, moved, accepted + u32::from(step == Some(Move::ReleaseAccepted)), left - 1);
            }
        }
        walk(ReleaseState::Queued, Account::Releasing, 0, 9);
    }

    #[test]
    fn backoff_grows_and_then_stays() {
        assert_eq!(backoff(1), Duration::from_secs(60));
        assert_eq!(backoff(99), Duration::from_secs(1800));
    }

    #[test]
    fn in_doubt_is_repeated_once_and_never_for_those_who_ask() {
        let long = IN_DOUBT_REST;
        assert_eq!(in_doubt_answer(Duration::from_secs(1), 0, false), InDoubtAnswer::Wait);
        assert_eq!(in_doubt_answer(long, 0, false), InDoubtAnswer::Repeat);
        assert_eq!(in_doubt_answer(long, 1, false), InDoubtAnswer::SettlePossiblyTwice);
        assert_eq!(in_doubt_answer(long, 0, true), InDoubtAnswer::Wait);
    }
}
