//! Mail on the wire: what bytes may come in, what bytes go out, and nothing of what a mail means.
//!
//! The server session and the data reader are sans-I/O: bytes in, replies and events out, so that every
//! dialogue, in every segmentation, is a plain function call in a test. Sockets live in [`smtp::server`]
//! and [`smtp::client`] only.
//!
//! | module | what it is |
//! |---|---|
//! | [`smtp::data`] | the strict DATA reader and the emitter: no smuggling, in or out |
//! | [`smtp::command`], [`smtp::params`], [`smtp::reply`] | the language |
//! | [`smtp::capabilities`] | what EHLO says, on both sides |
//! | [`smtp::session`] | the server's side as a state machine |
//! | [`smtp::server`], [`smtp::client`] | the same with sockets and deadlines |
//! | [`proxy`] | PROXY protocol v1 and v2 |
//! | [`tls`] | rustls configurations for both sides |
//! | [`certificate`] | the certificate of a listener, which may be replaced |

pub mod certificate;
pub mod proxy;
pub mod smtp;
pub mod stream;
pub mod tls;
