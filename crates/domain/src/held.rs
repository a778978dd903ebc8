//! A held message as the quarantine shows it: one state drawn from the accounts of its recipients,
//! in Exchange's words (`ReleaseStatus`).

use serde::{Deserialize, Serialize};

use crate::ledger::Account;

/// The release status of a unit or a whole held message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReleaseStatus {
    /// In the quarantine.
    NotReleased,
    /// A release is on its way.
    PreparingToRelease,
    /// The release failed, or its outcome is in doubt.
    Error,
    /// Released.
    Released,
    /// A person decided that it stays.
    Denied,
    /// Deleted or expired.
    Gone,
}

impl ReleaseStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::NotReleased, Self::PreparingToRelease, Self::Error, Self::Released, Self::Denied, Self::Gone];

    /// The shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReleased => "NotReleased",
            Self::PreparingToRelease => "PreparingToRelease",
            Self::Error => "Error",
            Self::Released => "Released",
            Self::Denied => "Denied",
            Self::Gone => "Gone",
        }
    }

    /// Reads a name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text))
    }

    /// The accounts that this status covers.
    pub fn accounts(self) -> Vec<Account> {
        Account::ALL.into_iter().filter(|account| status_of(*account) == Some(self)).collect()
    }
}

/// The status of one unit; `None` where the account is none of the quarantine's.
pub fn status_of(account: Account) -> Option<ReleaseStatus> {
    Some(match account {
        Account::Held | Account::Tentative => ReleaseStatus::NotReleased,
        Account::Releasing => ReleaseStatus::PreparingToRelease,
        Account::InDoubt | Account::Failed => ReleaseStatus::Error,
        Account::Released => ReleaseStatus::Released,
        Account::Denied => ReleaseStatus::Denied,
        Account::Deleted | Account::Expired => ReleaseStatus::Gone,
        Account::Forwarding | Account::Delivered | Account::InDoubtLive | Account::Refused => return None,
    })
}

/// The status of a message: that of the unit that still needs most attention.
pub fn status_of_all(accounts: impl IntoIterator<Item = Account>) -> Option<ReleaseStatus> {
    let mut statuses: Vec<ReleaseStatus> = accounts.into_iter().filter_map(status_of).collect();
    statuses.sort();
    // An error is what a person must see first.
    if statuses.contains(&ReleaseStatus::Error) { Some(ReleaseStatus::Error) } else { statuses.first().copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_shows_what_needs_attention() {
        use Account as A;
        assert_eq!(status_of_all([A::Released, A::Held]), Some(ReleaseStatus::NotReleased));
        assert_eq!(status_of_all([A::Held, A::Failed]), Some(ReleaseStatus::Error));
        assert_eq!(status_of_all([A::Released, A::Delivered]), Some(ReleaseStatus::Released));
        assert_eq!(status_of_all([A::Delivered]), None);
        assert_eq!(ReleaseStatus::NotReleased.accounts(), [A::Tentative, A::Held]);
    }
}
