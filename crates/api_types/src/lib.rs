//! What requests and answers of the REST API consist of: the same types for the service that answers, the pages that
//! show it and the commands that ask. Field names are what programs rely on.
//!
//! A moment is a text in RFC 3339, in UTC, such as `2026-11-27T10:00:00Z`. A unit is one message for one recipient.
//! "None" is `null`.

pub mod agreement;
pub mod alert;
pub mod audit;
pub mod backup;
pub mod bulk;
pub mod bypassed;
pub mod detection;
pub mod entry;
pub mod events;
pub mod explain;
pub mod explore;
pub mod health;
pub mod hits;
pub mod hold;
pub mod incident;
pub mod known_good;
pub mod ledger;
pub mod memory;
pub mod message;
pub mod notify;
pub mod person;
pub mod policy;
pub mod quarantine;
pub mod refusal;
pub mod reload;
pub mod retention;
pub mod ruleset;
pub mod saved;
pub mod sentinel;
pub mod submission;
pub mod token;
