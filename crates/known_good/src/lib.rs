//! Content that is known to be good, and senders that are known: written down behind clean mail, never before it; taken
//! in from archives; and asked before a verdict.

pub mod archive;
mod conversation;
pub mod first_contact;
pub mod known_senders;
pub mod recorder;
