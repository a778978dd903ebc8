//! What recipients ask for in the portal: each sees and does what is their own, and no more than the quarantine policy
//! lets them.
//!
//! | module | what it has |
//! |---|---|
//! | [`pass`] | links and sessions: what lets a recipient in, and how it ends |
//! | [`mail`] | own held mail: list, text, release, request, deletion |
//! | [`sender`] | senders that they block or allow for themselves |

pub mod mail;
pub mod pass;
pub mod sender;

use store::Scope;

/// A recipient who was let in by a session of their own; nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    address: String,
}

impl Recipient {
    /// Their address, lower case.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How they are called in the record.
    fn actor(&self) -> String {
        actor(&self.address)
    }

    /// What is theirs to see.
    fn scope(&self) -> Scope {
        Scope::Recipient(self.address.clone())
    }
}

/// How a recipient is called in the record.
fn actor(address: &str) -> String {
    format!("recipient {address}")
}
