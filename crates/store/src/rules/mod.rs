//! What decides: rulesets and their roll-outs, and the entries of people.

pub mod entry;
mod in_force_since;
pub mod rollout;
pub mod version;

use crate::core::part;

part! {
    /// Rulesets, policies and engines as they were, how a version comes into force and back, and the modes that people
    /// set.
    RuleStore
}

part! {
    /// Allow and block entries.
    EntryStore
}
