//! The glossary of Reprieve: every noun of the field that the product works with, in reading order.
//!
//! This crate is pure. It has no `async`, no I/O, no clock and no randomness: time, ids and all
//! knowledge about the world enter as arguments. So a verdict can be explained, recomputed,
//! compared and taken back. It must not know SMTP sockets, SQL, YARA or HTTP.
//!
//! | module | what it says |
//! |---|---|
//! | [`id`], [`digest`], [`time`] | the names of things, of bytes and of moments |
//! | [`address`], [`domain_name`], [`envelope`] | who sends to whom, from where, in which direction |
//! | [`fold`] | text as it is searched, whatever its case |
//! | [`header`], [`message`] | what a mail *is*: its fields as bytes; once parsed, its parts, hashes, names |
//! | [`fingerprint`] | what a mail looks like, in few bits |
//! | [`detection`], [`finding`] | a coded rule, and what it saw in one message |
//! | [`rollout`], [`known_good`] | how a ruleset comes into force and back; what the past vouches for |
//! | [`policy`], [`containment`], [`verdict`] | what follows from it: the one function [`verdict::decide`] |
//! | [`ledger`], [`release`], [`held`] | where each (message, recipient) unit is, and how it may move |
//! | [`removal`] | whether anything may be removed for its age, and how much at a time |
//! | [`sentinel`], [`incident`] | when a detection is wrong, and how what it did is taken back |
//! | [`share`] | who may hold how much of what is scarce |
//! | [`csv`] | fields of lists that are written out |
//! | [`interval`] | how far what was counted can be believed |
//! | [`audit`], [`proof`] | who did what: an append-only Merkle log, and proofs over it |
//! | [`event`] | what is recorded, as whoever watches a site from outside reads it |
//! | [`token`] | the signed field that keeps a released mail from being caught again |

pub mod address;
pub mod audit;
pub mod authentication;
pub mod containment;
pub mod csv;
pub mod detection;
pub mod digest;
pub mod domain_name;
pub mod entry;
pub mod envelope;
pub mod event;
pub mod finding;
pub mod fingerprint;
pub mod fold;
pub mod header;
pub mod held;
pub mod hold;
pub mod id;
pub mod identity;
pub mod incident;
pub mod interval;
pub mod known_good;
pub mod ledger;
pub mod message;
pub mod pace;
pub mod policy;
pub mod proof;
pub mod query;
pub mod release;
pub mod removal;
pub mod rollout;
pub mod sentinel;
pub mod share;
pub mod tile;
pub mod time;
pub mod token;
pub mod verdict;

pub use address::Address;
pub use digest::Digest;
pub use domain_name::DomainName;
pub use envelope::{Direction, Envelope};
pub use finding::Examination;
pub use id::{MailId, ReleaseId, UnitId};
pub use ledger::Account;
pub use time::Timestamp;
pub use verdict::Verdict;
