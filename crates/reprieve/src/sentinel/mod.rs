//! Reconcilers: loops without input, idempotent, run on a signal and on a clock, that may be killed at any
//! line and run again (decision: ruling 33 puts them all here). So far: [`release`], [`reexamine`], [`retention`].

pub mod reexamine;
pub mod release;
pub mod retention;
