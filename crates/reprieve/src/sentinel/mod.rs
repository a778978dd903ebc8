//! Reconcilers: loops without input, idempotent, run on a signal and on a clock, that may be killed at any
//! line and run again (decision: ruling 33 puts them all here).
//!
//! | module | what it keeps true |
//! |---|---|
//! | [`release`] | what was asked for is sent, once |
//! | [`reexamine`] | what was held because an engine failed is looked at again |
//! | [`retention`] | what is over ends |
//! | [`rollout`] | a published version goes through the gates, and on or back by what was seen |
//! | [`plan`] | what examines mail is what the store says is in force |

pub mod entries;
pub mod notice;
pub mod plan;
pub mod reexamine;
pub mod release;
pub mod retention;
pub mod rollout;
