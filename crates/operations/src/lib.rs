//! Background tasks that keep the service in order, and tell people.
//!
//! | module | what it keeps true |
//! |---|---|
//! | [`retention`], [`clock`] | what is over ends, little by little, while the clock is believed |
//! | [`scrub`], [`integrity`], [`ledger_audit`] | stored bytes, the structure of the database and the sums of the ledger are checked again and again |
//! | [`hold`] | mail that is on legal hold is found and counted |
//! | [`gauges`] | what stands open is counted for Prometheus |
//! | [`flow`], [`fold`] | hours that are over have sums for charts; mail from before is made ready for searching without case |
//! | [`panic_switch_watch`] | each move of the panic switch is on record |
//! | [`certificate_watch`] | listeners show the certificate that is in its files |
//! | [`reload_watch`] | a reload that went wrong calls operators |
//! | [`call`], [`announce`], [`deliveries`] | operators are called before and beside all other notices; webhooks and mailboxes hear of incidents |
//! | [`events`] | whoever watches from outside is told what is recorded |
//! | [`notice`], [`held_notice`], [`summary`], [`acknowledge`] | senders, recipients, those affected and those who reported are told |
//! | [`tasks`] | what the room is given, and the list of its tasks |

pub mod acknowledge;
pub mod announce;
pub mod call;
pub mod certificate_watch;
pub mod channel;
pub mod clock;
pub mod deliveries;
pub mod events;
pub mod flow;
pub mod fold;
pub mod gauges;
pub mod held_notice;
pub mod hold;
pub mod integrity;
pub mod ledger_audit;
pub mod notice;
pub mod panic_switch_watch;
pub mod reload_watch;
pub mod retention;
pub mod scrub;
pub mod summary;
pub mod tasks;
