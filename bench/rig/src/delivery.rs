//! A load through a gateway: what counts is that the sink has every mail, not that the gateway took it.

use std::net::SocketAddr;

use anyhow::{Result, ensure};

use crate::load::{Load, Sent, send};
use crate::mails::Mail;
use crate::sink::Sink;

/// Sends `count` mails over `connections`; what the load saw, and the seconds until the sink had every mail.
pub fn deliver(to: SocketAddr, mail: &Mail, sink: &Sink, count: usize, connections: usize) -> Result<(Sent, f64)> {
    let before = sink.taken();
    let sent = send(&Load { to, connections, count, mail: mail.clone() })?;
    let rest = sink.wait_for(before + count)?;
    ensure!(sink.taken() == before + count, "the sink has more mails than were sent to {to}");
    let wall = sent.wall + rest;
    Ok((sent, wall.as_secs_f64()))
}
