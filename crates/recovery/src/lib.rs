//! Background tasks that take back.
//!
//! | module | what it keeps true |
//! |---|---|
//! | [`incident`], [`replay`] | what a wrong detection held is counted in, examined again, and released or kept |
//! | [`reexamination`], [`partial_mail`] | how stored mail is examined again; what was held because an engine failed is |
//! | [`probation`] | mail that a version on probation delays leaves or stays |
//! | [`release`], [`pacing`] | what was asked for is sent, once, no faster than the next hop takes it |
//! | [`bulk`] | what was asked for of everything that a query fits is done, unit by unit |
//! | [`status`], [`tiles`] | what the public is told lies as files |
//! | [`tasks`], [`turn`] | what the room is given, and the list of its tasks; their rounds in turn, for a drill |

pub mod bulk;
pub mod incident;
pub mod pacing;
pub mod partial_mail;
pub mod probation;
pub mod queue;
pub mod reexamination;
pub mod release;
pub mod replay;
pub mod status;
pub mod tasks;
pub mod tiles;
pub mod turn;
