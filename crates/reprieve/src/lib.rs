//! Reprieve: the gateway, the quarantine, the release, and the commands, in one program.
//!
//! The rooms [`gateway`], [`sentinel`] and [`console`] never import one another: they meet in the store and
//! wake each other with signals that carry no data. [`app`] wires them. What two rooms need stands beside
//! them: [`hop`] (next hops), [`outgoing`] (the bytes that go out), [`examiner`] (mail taken apart, in processes of its own).

pub mod acquaintance;
pub mod app;
pub mod background;
pub mod belief;
pub mod books;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod contact;
pub mod contained;
pub mod derived;
pub mod descriptors;
pub mod disk;
pub mod entries;
pub mod examiner;
pub mod gateway;
pub mod hop;
pub mod https;
pub mod import;
pub mod items;
pub mod keep;
pub mod keys;
pub mod learn;
pub mod measure;
pub mod neighbours;
pub mod notary;
pub mod outgoing;
pub mod panic_switch;
pub mod percent;
pub mod postman;
pub mod readiness;
pub mod recipient;
pub mod removal;
pub mod report;
pub mod right_of_way;
pub mod rounds;
pub mod sentinel;
pub mod signals;
pub mod webhook;
