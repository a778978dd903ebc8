//! Who may do what, and what takes two of them.

pub mod access;
pub mod agreement;
pub mod person;
pub mod scope;

use crate::core::part;

part! {
    /// People, their sessions and their API tokens, and what takes two of them.
    PeopleStore
}
