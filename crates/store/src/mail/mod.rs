//! Mail and its units: how they are recorded, moved and found.

pub mod arrival;
pub mod client;
pub mod completion;
pub mod likeness;
pub mod moves;
pub mod trace;

use crate::core::part;

part! {
    /// Mail and its units: what is recorded of them, where they are, and their moves.
    MailStore
}
