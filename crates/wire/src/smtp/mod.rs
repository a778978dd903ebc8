//! SMTP (RFC 5321) with the extensions that a gateway needs.

pub mod capabilities;
pub mod client;
pub mod command;
pub mod data;
pub mod params;
pub mod reply;
pub mod server;
pub mod session;
