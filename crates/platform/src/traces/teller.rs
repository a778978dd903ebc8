//! The task that tells ways: some together, by POST to a collector (OTLP/HTTP). What it does not take after a few tries
//! is counted and dropped; ways that have waited too long are no use to anybody.

use std::path::PathBuf;
use std::time::Duration;

use hyper::{Method, StatusCode};
use tokio::sync::{mpsc, watch};

use super::otlp;
use super::way::Trace;
use crate::authorities::Authorities;
use crate::config::TracesConfig;
use crate::https::Endpoint;
use crate::measure;

/// Ways of one request at most.
const TOGETHER_MAX: usize = 128;
/// How long others are waited for before a request.
const GATHERING: Duration = Duration::from_secs(1);
/// How long it rests before each further try of a request.
const RESTS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Who tells them.
#[derive(Debug)]
pub(super) struct Teller {
    to: Endpoint,
    host: String,
    authorities: Authorities,
    authorization_file: Option<PathBuf>,
    /// Whether the last request was not taken, or not all of it: only a change is said to the log.
    is_failing: bool,
}

/// Why a request was not taken.
struct Untaken {
    why: String,
    may_be_tried_again: bool,
}

impl Teller {
    /// One of a configuration; `host` is our name.
    pub(super) fn new(config: &TracesConfig, host: &str) -> Self {
        Self {
            to: config.to.clone(),
            host: host.to_owned(),
            authorities: Authorities::with(config.ca.as_deref()),
            authorization_file: config.authorization_file.clone(),
            is_failing: false,
        }
    }

    /// Tells what comes until it is stopped, and then what is there.
    pub(super) async fn tell_all(mut self, mut queue: mpsc::Receiver<Trace>, mut stop: watch::Receiver<bool>) {
        measure::traces_begin();
        let mut together = Vec::with_capacity(TOGETHER_MAX);
        loop {
            tokio::select! {
                _ = queue.recv_many(&mut together, TOGETHER_MAX) => {}
                () = stopped(&mut stop) => queue.close(),
            }
            if together.is_empty() && queue.is_empty() && queue.is_closed() {
                return;
            }
            if together.len() < TOGETHER_MAX {
                pause(GATHERING, &mut stop).await;
            }
            while together.len() < TOGETHER_MAX
                && let Ok(more) = queue.try_recv()
            {
                together.push(more);
            }
            if !together.is_empty() {
                self.tell(&together, &mut stop).await;
                together.clear();
            }
        }
    }

    /// Tells some, and tries it again where that may help.
    async fn tell(&mut self, together: &[Trace], stop: &mut watch::Receiver<bool>) {
        let request = otlp::request(together, &self.host);
        let mut rests = RESTS.into_iter();
        loop {
            let untaken = match self.post(request.clone()).await {
                Ok(rejected) => return self.is_taken(together.len(), rejected),
                Err(untaken) => untaken,
            };
            let rest = rests.next().filter(|_| untaken.may_be_tried_again && !*stop.borrow());
            let Some(rest) = rest else { return self.is_dropped(together.len(), &untaken.why) };
            pause(rest, stop).await;
        }
    }

    fn is_taken(&mut self, count: usize, rejected: Option<String>) {
        measure::traces_told(count);
        let was_failing = std::mem::replace(&mut self.is_failing, rejected.is_some());
        match rejected {
            Some(why) if !was_failing => tracing::warn!(why, "the collector of traces does not take all"),
            None if was_failing => tracing::info!("the collector of traces takes them again"),
            _ => {}
        }
    }

    fn is_dropped(&mut self, count: usize, why: &str) {
        measure::traces_dropped("not_taken", count);
        if !self.is_failing {
            tracing::warn!(why, "the collector does not take traces; they are dropped, and no mail waits for them");
        }
        self.is_failing = true;
    }

    /// Posts a request; what of it was rejected, if anything.
    async fn post(&self, request: Vec<u8>) -> Result<Option<String>, Untaken> {
        let later = |why: String| Untaken { why, may_be_tried_again: true };
        let mut fields = vec![("content-type", "application/x-protobuf")];
        let authorization = match &self.authorization_file {
            Some(file) => Some(
                tokio::fs::read_to_string(file).await.map_err(|error| later(format!("{}: {error}", file.display())))?,
            ),
            None => None,
        };
        fields.extend(authorization.as_deref().map(|text| ("authorization", text.trim())));
        let tls = self.authorities.client().map_err(later)?;
        let (status, answer) = self.to.ask(Method::POST, &fields, request, &tls).await.map_err(later)?;
        if status.is_success() {
            return Ok(otlp::rejected(&answer));
        }
        Err(Untaken { why: format!("it answered {status}"), may_be_tried_again: is_of_the_moment(status) })
    }
}

/// Whether the same request may be taken later: as OTLP/HTTP has it, and where the way to it times out.
fn is_of_the_moment(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
}

/// Rests, for as long as nobody stops it.
async fn pause(rest: Duration, stop: &mut watch::Receiver<bool>) {
    // Whichever ends first.
    let _ = tokio::time::timeout(rest, stopped(stop)).await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Nobody who could stop it any more is a stop as well.
    let _ = stop.wait_for(|is_stopping| *is_stopping).await;
}
