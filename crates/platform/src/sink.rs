//! Sinks of events: each takes lines, and says when it has them for good.

mod file;
mod syslog;
mod webhook;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::event::{Content, Event, Fact, Source, line};
use rustls::ClientConfig;
use wire::tls::{self, TlsError};

use crate::config::events::{Destination, EventSinkConfig};
use crate::disk::RoomForMail;

/// How long a sink may take for one page of events.
const TIME: Duration = Duration::from_secs(30);

/// An event as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When it was.
    pub at: Timestamp,
    /// The name of its kind.
    pub kind: &'static str,
    /// Whether people should look at it.
    pub is_notable: bool,
    /// The event as JSON, without a line break.
    pub line: String,
}

impl Told {
    /// An event, for whom is told this much.
    pub fn of(event: &Event, source: &Source, content: Content) -> Self {
        let is_notable = match &event.fact {
            Fact::Unit(unit) => unit.is_verdict() && unit.to != "forwarding",
            Fact::Incident(_) | Fact::Missing(_) => true,
            Fact::Audit(_) => false,
        };
        Self { at: event.at, kind: event.kind_name(), is_notable, line: line(event, source, content) }
    }
}

/// Somebody who is told what happens.
#[derive(Clone, Debug)]
pub struct Sink {
    to: Destination,
    host: String,
    tls: Arc<ClientConfig>,
    authorization_file: Option<std::path::PathBuf>,
    is_confirmed_by_close: bool,
    room: RoomForMail,
}

impl Sink {
    /// The sink of a configuration; `host` is our name, and a file leaves this room for mail.
    ///
    /// # Errors
    /// When the certificates that it is trusted by cannot be used.
    pub fn new(config: &EventSinkConfig, host: &str, room: RoomForMail) -> Result<Self, TlsError> {
        let trusted = config.ca.as_deref().map(tls::certificates).transpose()?;
        Ok(Self {
            to: config.to.clone(),
            host: host.to_owned(),
            tls: tls::client_config_trusting(trusted.unwrap_or_default())?,
            authorization_file: config.authorization_file.clone(),
            is_confirmed_by_close: config.is_confirmed_by_close,
            room,
        })
    }

    /// Tells it these, in their order. When it returns well the sink has all of them; else it may have some.
    ///
    /// # Errors
    /// Why they have to be told again.
    pub async fn tell(&self, events: &[Told]) -> Result<(), String> {
        let told = async {
            match &self.to {
                Destination::File(path) => file::append(path.clone(), lines(events), self.room.clone()).await,
                Destination::Syslog { host, port, is_secret } => {
                    let frames = syslog::frames(&self.host, events);
                    let tls = is_secret.then_some(&self.tls);
                    syslog::send(host, *port, tls, &frames, self.is_confirmed_by_close).await
                }
                Destination::Webhook(place) => {
                    let file = self.authorization_file.as_deref();
                    webhook::post(place, file, lines(events), &self.tls).await
                }
            }
        };
        tokio::time::timeout(TIME, told).await.unwrap_or_else(|_| Err("it does not take them in time".into()))
    }
}

/// Events as lines.
fn lines(events: &[Told]) -> Vec<u8> {
    events.iter().flat_map(|one| [one.line.as_bytes(), b"\n"].concat()).collect()
}

fn said(error: impl Display) -> String {
    error.to_string()
}
