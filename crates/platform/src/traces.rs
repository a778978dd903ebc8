//! Traces: the way of one mail, step by step, with the time that each took, told to a collector of OpenTelemetry.
//!
//! | module | what it is |
//! |---|---|
//! | [`way`] | the steps of one mail, as they are taken; nothing while traces are off |
//! | [`facts`] | what is said beside them: what the stream of events says by default, and no more |
//! | [`share`] | of which mails that pass the way is told |
//! | `teller` | the task that sends them |
//! | `otlp` | ways as messages of OTLP |
//!
//! A mail never waits for who is told of it: what finds no room in the queue is counted and dropped. The last two are
//! there where the program is built with the feature `otlp`.

pub mod facts;
#[cfg(feature = "otlp")]
mod otlp;
pub mod share;
#[cfg(feature = "otlp")]
mod teller;
pub mod way;

use std::time::Instant;

use domain::{MailId, Timestamp, UnitId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::measure;
use share::Share;
use way::{Trace, Way};

/// Ways that wait to be told at most; each takes a few KiB.
pub const QUEUE_MAX: usize = 2048;
/// Whether this program can tell traces.
pub const IS_BUILT: bool = cfg!(feature = "otlp");
/// What is to be done where it cannot.
pub const NOT_BUILT: &str =
    "this program was built without traces: take the package, or build it with `--features otlp`";

/// Where ways are left to be told; by default nowhere, and then none is noted down.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Queue>);

#[derive(Clone, Debug)]
struct Queue {
    to: mpsc::Sender<Trace>,
    share: Share,
}

impl Traces {
    /// A queue for ways, of this share of the mails that pass.
    pub fn queue(share: Share) -> (Self, mpsc::Receiver<Trace>) {
        let (to, told) = mpsc::channel(QUEUE_MAX);
        (Self(Some(Queue { to, share })), told)
    }

    /// Begins the way of a mail; it began at `at`, which is `since`.
    pub fn begin(&self, name: &'static str, mail: MailId, at: Timestamp, since: Instant) -> Way {
        self.begin_part(name, (mail, 0), at, since)
    }

    /// Begins the way of one unit of a mail.
    pub fn begin_unit(&self, name: &'static str, unit: UnitId, at: Timestamp) -> Way {
        self.begin_part(name, (unit.mail, unit.number), at, Instant::now())
    }

    fn begin_part(&self, name: &'static str, part: (MailId, u32), at: Timestamp, since: Instant) -> Way {
        match self.0 {
            Some(_) => Way::of(self.clone(), Trace::new(name, part, at), since),
            None => Way::default(),
        }
    }

    /// Leaves a way to be told, where its mail is among those that are.
    fn tell(&self, trace: Trace, is_certain: bool) {
        let Some(Queue { to, share }) = &self.0 else { return };
        if (is_certain || share.has(trace.mail)) && to.try_send(trace).is_err() {
            measure::traces_dropped("queue", 1);
        }
    }
}

/// The task that tells ways.
#[derive(Debug)]
pub struct Telling {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Telling {
    /// Has what is left told once, until `last` at most.
    pub async fn finish(self, last: tokio::time::Instant) {
        // It may have ended.
        let _ = self.stop.send(true);
        let abort = self.task.abort_handle();
        if tokio::time::timeout_at(last, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// Begins to tell ways where the configuration says to whom.
#[cfg(feature = "otlp")]
pub fn start(config: &Config) -> Option<(Traces, Telling)> {
    let to = config.traces.as_ref()?;
    let (traces, queue) = Traces::queue(to.share);
    let (stop, stopping) = watch::channel(false);
    let task = tokio::spawn(teller::Teller::new(to, &config.hostname).tell_all(queue, stopping));
    Some((traces, Telling { stop, task }))
}

/// A program without traces tells none: its configuration names nobody.
#[cfg(not(feature = "otlp"))]
pub fn start(_: &Config) -> Option<(Traces, Telling)> {
    None
}
