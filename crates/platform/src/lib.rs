//! What the rooms of the service share. It knows none of them: the gateway, the rules, the recovery, the operations,
//! the console and the commands import this and never one another.
//!
//! | module | what it is |
//! |---|---|
//! | [`config`], [`start_error`] | the configuration, and what keeps a service from starting |
//! | [`shared`] | what every room is given |
//! | [`kept`], [`ports`], [`reload`] | what a process keeps while one service ends and the next begins: sockets, the data folder, what came of a reload |
//! | [`clock`], [`keys`], [`data_folder`], [`descriptors`], [`disk`] | what the host gives: time and ids, keys of this installation, the data folder, file descriptors, room on the disk |
//! | [`reconciler`], [`task`], [`items`], [`signals`], [`background`], [`priority`], [`loops`] | background tasks: rounds, starts, items that fail alone, what wakes them, threads that nobody waits for, live mail first, whether all go on |
//! | [`panic_switch`], [`bypassed`], [`readiness`], [`removal`] | whether mail is taken, what passed unexamined, and whether anything may be removed |
//! | [`containment`], [`entries`], [`belief`], [`derived`] | what is in force for every message, and the journal of evidence behind it |
//! | [`hop`], [`outgoing`], [`system_mail`], [`recipient`], [`https`], [`authorities`], [`webhook`], [`sink`], [`traces`], [`notice_test`], [`percent`] | what goes out: to next hops, to people, to other services, and a test of it |
//! | [`recovery`] | an administrator is let in again from the host |
//! | [`ledger_check`], [`audit_signer`], [`ruleset_store`], [`report`], [`measure`] | what is shown and proved |

pub mod audit_signer;
pub mod authorities;
pub mod background;
pub mod belief;
pub mod bypassed;
pub mod certificates;
pub mod clock;
pub mod config;
pub mod containment;
pub mod data_folder;
pub mod derived;
pub mod descriptors;
pub mod disk;
pub mod entries;
pub mod hop;
pub mod https;
pub mod items;
pub mod kept;
pub mod keys;
pub mod ledger_check;
mod lines;
pub mod loops;
pub mod measure;
pub mod notice_test;
pub mod outgoing;
pub mod panic_switch;
pub mod percent;
pub mod ports;
pub mod priority;
pub mod readiness;
pub mod recipient;
pub mod reconciler;
pub mod recovery;
pub mod reload;
pub mod removal;
pub mod report;
pub mod ruleset_store;
pub mod shared;
pub mod signals;
pub mod sink;
pub mod start_error;
pub mod system_mail;
pub mod task;
pub mod traces;
pub mod webhook;
