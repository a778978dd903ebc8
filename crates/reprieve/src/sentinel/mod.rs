//! Reconcilers: loops without input, idempotent, run on a signal and on a clock, that may be killed at any
//! line and run again (decision: ruling 33 puts them all here).
//!
//! | module | what it keeps true |
//! |---|---|
//! | [`release`] | what was asked for is sent, once |
//! | [`bulk`] | what was asked for of everything that a query fits is done, unit by unit |
//! | [`reexamine`] | what was held because an engine failed is looked at again |
//! | [`retention`], [`clock`] | what is over ends, little by little, while the clock is believed |
//! | [`scrub`] | all stored bytes are read again and again, and damage calls people |
//! | [`rollout`] | a published version goes through the gates, and on or back by what was seen |
//! | [`plan`], [`entries`], [`contain`] | what examines and decides is what the store says is in force |
//! | [`watch`]: `hear`, `trial`, [`probe`], `act` | what acts is heard and tried; what the past convicts is contained |
//! | [`incident`], [`replay`] | what it held is counted in, examined again, and released or kept |
//! | [`status`], [`announce`] | what the public is told lies as files, and goes to webhooks and mailboxes |
//! | [`call`], [`deliveries`] | operators are called, before and beside all other notices |
//! | [`integrity`] | the whole structure of the database is read once a day |
//! | [`fold`] | mail from before is made ready for searching without case |
//! | [`flow`] | hours that are over have sums, from which charts are drawn |
//! | [`rate`] | hits are counted by the hour, and a rate out of the ordinary calls people |
//! | [`acknowledge`] | who reported a message is told that it arrived, and how it ended |
//! | [`held_notice`] | recipients are told what is held for them |
//! | [`settle`] | all of them, as loops or one after another |

pub mod acknowledge;
mod act;
pub mod announce;
pub mod books;
pub mod bulk;
pub mod call;
pub mod channel;
pub mod clock;
pub mod contain;
pub mod deliveries;
pub mod digest;
pub mod entries;
pub mod flow;
pub mod fold;
mod hear;
pub mod held_notice;
mod in_force;
pub mod incident;
pub mod integrity;
pub mod notice;
pub mod pacing;
pub mod plan;
pub mod probe;
pub mod queue;
pub mod rate;
pub mod reexamine;
pub mod release;
pub mod replay;
pub mod retention;
pub mod retrial;
pub mod rollout;
pub mod scrub;
pub mod settle;
pub mod stance;
pub mod status;
pub mod tiles;
pub mod together;
mod trial;
pub mod watch;
