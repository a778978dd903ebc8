//! Sinks of events: each takes lines, and says when it has them for good.

mod file;
mod slices;
mod syslog;
mod unsent;
mod webhook;

use std::fmt::Display;
use std::time::Duration;

use self::slices::Slices;
use crate::authorities::Authorities;
use crate::config::events::{Destination, EventSinkConfig};
use crate::disk::RoomForMail;
use domain::Timestamp;
use domain::event::{Content, Event, Fact, Missing, Source, line};

/// How long a sink may take for what it is told at once.
const TIME: Duration = Duration::from_secs(30);
/// The name of the kind of what is missing.
const MISSING: &str = "missing";

/// An event as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The entry of the audit log with which it was recorded.
    pub sequence: u64,
    /// When it was.
    pub at: Timestamp,
    /// The name of its kind.
    pub kind: &'static str,
    /// Whether people should look at it.
    pub is_notable: bool,
    /// The event as JSON, without a line break.
    pub line: String,
    /// What is told where a sink takes nothing of this length: that it is missing.
    pub instead: String,
}

impl Told {
    /// An event, for whom is told this much.
    pub fn of(event: &Event, source: &Source, content: Content) -> Self {
        let is_notable = match &event.fact {
            Fact::Unit(unit) => unit.is_verdict() && unit.to != "forwarding",
            Fact::Incident(_) | Fact::Missing(_) => true,
            Fact::Audit(_) => false,
        };
        Self {
            sequence: event.sequence,
            at: event.at,
            kind: event.kind_name(),
            is_notable,
            line: line(event, source, content),
            instead: line(&missing(event), source, content),
        }
    }

    /// That it is missing.
    fn instead(&self) -> Self {
        Self { kind: MISSING, is_notable: true, line: self.instead.clone(), ..self.clone() }
    }
}

/// That an event is missing for whom it is too long.
fn missing(event: &Event) -> Event {
    let (from, to) = (event.sequence, event.sequence);
    let fact = Fact::Missing(Missing { from, to, events: Some(1), too_long: Some(event.id()) });
    Event { epoch: event.epoch.clone(), sequence: event.sequence, at: event.at, fact }
}

/// Why somebody did not take what they were told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Refusal {
    /// It was too long.
    TooLong,
    /// Something else, for people.
    Fault(String),
}

/// That a sink did not take all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// How many it has taken for good, from the first on.
    pub taken: usize,
    /// Why it did not take the rest.
    pub why: String,
}

/// Somebody who is told what happens.
#[derive(Clone, Debug)]
pub struct Sink {
    to: Destination,
    host: String,
    authorities: Authorities,
    authorization_file: Option<std::path::PathBuf>,
    is_confirmed_by_close: bool,
    slices: Slices,
    room: RoomForMail,
}

impl Sink {
    /// The sink of a configuration; `host` is our name, and a file leaves this room for mail.
    pub fn new(config: &EventSinkConfig, host: &str, room: RoomForMail) -> Self {
        Self {
            to: config.to.clone(),
            host: host.to_owned(),
            authorities: Authorities::with(config.ca.as_deref()),
            authorization_file: config.authorization_file.clone(),
            is_confirmed_by_close: config.is_confirmed_by_close,
            slices: Slices::default(),
            room,
        }
    }

    /// Tells it these, in their order, slice by slice. When it returns well the sink has all of them.
    ///
    /// # Errors
    /// Why the rest has to be told again; the sink may have some of it.
    pub async fn tell(&self, events: &[Told]) -> Result<(), Untold> {
        let mut taken = 0;
        while taken < events.len() {
            let slice = self.slices.next(&events[taken..]);
            match self.tell_slice(slice).await {
                Ok(()) => {
                    self.slices.taken();
                    taken += slice.len();
                }
                Err(Refusal::TooLong) if slice.len() > 1 => self.slices.too_long(slice),
                Err(Refusal::TooLong) => {
                    self.tell_instead(slice).await.map_err(|why| Untold { taken, why })?;
                    taken += slice.len();
                }
                Err(Refusal::Fault(why)) => {
                    self.slices.failed();
                    return Err(Untold { taken, why });
                }
            }
        }
        Ok(())
    }

    /// Tells that these are missing, which it takes at no length: else it would have nothing behind them either.
    async fn tell_instead(&self, events: &[Told]) -> Result<(), String> {
        for one in events {
            tracing::warn!(to = %self.to, sequence = one.sequence, "an event is too long for a sink: it is left out");
        }
        let instead: Vec<Told> = events.iter().map(Told::instead).collect();
        self.tell_slice(&instead).await.map_err(|refusal| match refusal {
            Refusal::TooLong => "even one line is too long for it".into(),
            Refusal::Fault(why) => why,
        })
    }

    async fn tell_slice(&self, events: &[Told]) -> Result<(), Refusal> {
        let told = async {
            match &self.to {
                Destination::File(path) => Ok(file::append(path.clone(), lines(events), self.room.clone()).await?),
                Destination::Syslog { host, port, is_secret } => {
                    let frames = syslog::frames(&self.host, events);
                    let tls = is_secret.then(|| self.authorities.client()).transpose()?;
                    Ok(syslog::send(host, *port, tls.as_ref(), &frames, self.is_confirmed_by_close).await?)
                }
                Destination::Webhook(place) => {
                    let file = self.authorization_file.as_deref();
                    webhook::post(place, file, lines(events), &self.authorities.client()?).await
                }
            }
        };
        let too_late = |_| Err(Refusal::Fault("it does not take them in time".into()));
        tokio::time::timeout(TIME, told).await.unwrap_or_else(too_late)
    }
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self::Fault(why)
    }
}

/// Events as lines.
fn lines(events: &[Told]) -> Vec<u8> {
    events.iter().flat_map(|one| [one.line.as_bytes(), b"\n"].concat()).collect()
}

fn said(error: impl Display) -> String {
    error.to_string()
}
