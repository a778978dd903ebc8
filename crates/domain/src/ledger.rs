//! The double-entry ledger: every (message, recipient) unit is in exactly one account at any time.
//!
//! A move takes one unit out of one account and puts it into another, in the transaction that makes it
//! true. Accepted mail is what we answered 2xx for; the other accounts are shown beside it.

use serde::{Deserialize, Serialize};

/// Where a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Being passed to the next hop; nothing has been answered yet. Unconfirmed.
    Forwarding,
    /// The next hop took it, and so did we.
    Delivered,
    /// Held, but the answer depends on a next hop that has other recipients of the message. Unconfirmed.
    Tentative,
    /// In the quarantine.
    Held,
    /// A release has been asked for.
    Releasing,
    /// Released, but the answer to the final dot was lost.
    InDoubt,
    /// Passed live, but the answer to the final dot was lost; the client was told to try again. Unconfirmed.
    InDoubtLive,
    /// Released; the next hop took it.
    Released,
    /// We refused or deferred it; the sender knows. Unconfirmed.
    Refused,
    /// The next hop refused the release for good.
    Failed,
    /// A person decided that it stays.
    Denied,
    /// A person deleted it.
    Deleted,
    /// Its time in the quarantine ended.
    Expired,
}

/// What moves a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// The next hop answered 2xx to the dot.
    HopAccepted,
    /// The next hop answered otherwise, or the transaction ended before the dot.
    HopRefused,
    /// The answer to the dot was lost, or we died before recording it.
    AnswerLost,
    /// The rest of the mixed transaction was accepted: custody is ours.
    Confirmed,
    /// Nobody ever said whether the rest was accepted: the client was not answered, and has its mail (36 hours).
    Lapsed,
    /// It was examined again, and has a new verdict; it stays where it is.
    Reexamined,
    /// A release was asked for.
    ReleaseRequested,
    /// The release was accepted by the next hop.
    ReleaseAccepted,
    /// The answer to the release's dot was lost.
    ReleaseUnanswered,
    /// The release in doubt is sent once more.
    ReleaseRepeated,
    /// The next hop refused the release for good.
    ReleaseRefused,
    /// A person denied the release.
    Denied,
    /// A person deleted it.
    Deleted,
    /// Retention ended it.
    Expired,
    /// A person took back that it was deleted or expired; its bytes were still there.
    Recovered,
}

/// A move that this account does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a unit in {from:?} cannot move by {by:?}")]
pub struct Refused {
    /// Where the unit is.
    pub from: Account,
    /// What was to move it.
    pub by: Move,
}

impl Account {
    /// All accounts, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::Forwarding,
        Self::Tentative,
        Self::InDoubtLive,
        Self::Refused,
        Self::Delivered,
        Self::Held,
        Self::Releasing,
        Self::InDoubt,
        Self::Released,
        Self::Failed,
        Self::Denied,
        Self::Deleted,
        Self::Expired,
    ];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forwarding => "forwarding",
            Self::Delivered => "delivered",
            Self::Tentative => "tentative",
            Self::Held => "held",
            Self::Releasing => "releasing",
            Self::InDoubt => "in_doubt",
            Self::InDoubtLive => "in_doubt_live",
            Self::Released => "released",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Deleted => "deleted",
            Self::Expired => "expired",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.as_str() == text)
    }

    /// Whether a unit here counts as accepted: we answered 2xx for it.
    pub fn is_accepted(self) -> bool {
        !matches!(self, Self::Forwarding | Self::Tentative | Self::Refused | Self::InDoubtLive)
    }

    /// Whether the quarantine must have the bytes of a unit here.
    pub fn needs_bytes(self) -> bool {
        matches!(self, Self::Tentative | Self::Held | Self::Releasing | Self::InDoubt | Self::Failed | Self::Denied)
    }

    /// Where a message may begin: being forwarded, held, held tentatively, or refused outright.
    pub fn may_begin(self) -> bool {
        matches!(self, Self::Forwarding | Self::Tentative | Self::Held | Self::Refused)
    }

    /// The one table of moves.
    ///
    /// # Errors
    /// When the account does not allow the move.
    pub fn on(self, by: Move) -> Result<Self, Refused> {
        use Account as A;
        use Move as M;
        Ok(match (self, by) {
            (A::Forwarding, M::HopAccepted) => A::Delivered,
            (A::Forwarding, M::HopRefused) => A::Refused,
            (A::Forwarding, M::AnswerLost) => A::InDoubtLive,
            (A::Tentative, M::Confirmed) => A::Held,
            (A::Tentative, M::HopRefused | M::Lapsed) => A::Refused,
            (from, M::Reexamined) => from,
            (A::Held | A::Failed | A::Denied | A::Refused, M::ReleaseRequested) => A::Releasing,
            (A::Releasing, M::ReleaseAccepted) => A::Released,
            (A::Releasing, M::ReleaseUnanswered) => A::InDoubt,
            (A::Releasing, M::ReleaseRefused) => A::Failed,
            (A::InDoubt, M::ReleaseRepeated) => A::Releasing,
            (A::InDoubt, M::ReleaseAccepted) => A::Released,
            (A::Held | A::Failed, M::Denied) => A::Denied,
            (A::Held | A::Failed | A::Denied, M::Deleted) => A::Deleted,
            (A::Held | A::Failed | A::Denied, M::Expired) => A::Expired,
            (A::Deleted | A::Expired, M::Recovered) => A::Held,
            (from, by) => return Err(Refused { from, by }),
        })
    }
}

impl Move {
    /// All moves.
    pub const ALL: [Self; 15] = [
        Self::HopAccepted,
        Self::HopRefused,
        Self::AnswerLost,
        Self::Confirmed,
        Self::Lapsed,
        Self::Reexamined,
        Self::ReleaseRequested,
        Self::ReleaseAccepted,
        Self::ReleaseUnanswered,
        Self::ReleaseRepeated,
        Self::ReleaseRefused,
        Self::Denied,
        Self::Deleted,
        Self::Expired,
        Self::Recovered,
    ];

    /// The stored name, also the `what` of a trace.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HopAccepted => "hop_accepted",
            Self::HopRefused => "hop_refused",
            Self::AnswerLost => "answer_lost",
            Self::Confirmed => "confirmed",
            Self::Lapsed => "lapsed",
            Self::Reexamined => "reexamined",
            Self::ReleaseRequested => "release_requested",
            Self::ReleaseAccepted => "release_accepted",
            Self::ReleaseUnanswered => "release_unanswered",
            Self::ReleaseRepeated => "release_repeated",
            Self::ReleaseRefused => "release_refused",
            Self::Denied => "denied",
            Self::Deleted => "deleted",
            Self::Expired => "expired",
            Self::Recovered => "recovered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table as text: a change of it is a change of a promise, and is read in review.
    #[test]
    fn the_table_of_moves() {
        let mut table = String::new();
        for from in Account::ALL {
            for by in Move::ALL {
                if let Some(to) = from.on(by).ok().filter(|to| *to != from) {
                    table.push_str(&format!("{:<13} {:<19} {}\n", from.as_str(), by.as_str(), to.as_str()));
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    /// Every sequence of up to six moves from every beginning: accepted mail never leaves the accepted accounts,
    /// nothing moves once it is released or delivered, and what was deleted or expired only comes back to the
    /// quarantine.
    #[test]
    fn accepted_mail_stays_accounted_for() {
        fn walk(account: Account, was_accepted: bool, left: u32) {
            assert!(!was_accepted || account.is_accepted(), "{account:?} lost an accepted unit");
            assert_eq!(account.on(Move::Reexamined), Ok(account), "a look moves nothing");
            let moves = Move::ALL.into_iter().filter(|by| *by != Move::Reexamined);
            let ways: Vec<Account> = moves.filter_map(|by| account.on(by).ok()).collect();
            if matches!(account, Account::Released | Account::Delivered) {
                assert!(ways.is_empty(), "{account:?} is an end");
            }
            if matches!(account, Account::Deleted | Account::Expired) {
                assert_eq!(ways, [Account::Held], "{account:?} is only taken back");
            }
            if left > 0 {
                for next in ways {
                    walk(next, was_accepted || account.is_accepted(), left - 1);
                }
            }
        }
        for begin in Account::ALL.into_iter().filter(|account| account.may_begin()) {
            walk(begin, false, 6);
        }
    }

    #[test]
    fn names_read_back() {
        for account in Account::ALL {
            assert_eq!(Account::parse(account.as_str()), Some(account));
        }
    }
}
