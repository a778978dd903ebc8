//! Processes of one kind, and the way to them: what waits, how much of it, and for how long.

use std::sync::atomic::AtomicU32;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use detect::limits::Limits;
use domain::share::Over;
use tokio::sync::{Semaphore, oneshot};

use super::child::{GRACE, NotStarted};
use super::force::Force;
use super::frame::{Said, Task};
use super::keeper::{DEATHS_MAX, Keeper};
use platform::measure;

/// Messages waiting for a process, for each process.
const WAITING_PER_PROCESS: usize = 16;

/// One message, and what is to be done with it.
pub(super) struct Job {
    pub(super) raw: Arc<Vec<u8>>,
    pub(super) task: Task,
    pub(super) force: Arc<Force>,
    pub(super) answer: oneshot::Sender<Result<Said, Unanswered>>,
}

/// Why there is no answer; for people.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// It took too long.
    TimedOut(String),
    /// Something of ours failed.
    Failed(String),
    /// The mail ended each process that had it.
    Fatal(String),
}

impl Unanswered {
    /// In words.
    pub(super) fn why(self) -> String {
        match self {
            Self::TimedOut(why) | Self::Failed(why) | Self::Fatal(why) => why,
        }
    }
}

/// Processes that examine, and the way to them.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    jobs: Sender<Job>,
    permits: Arc<Semaphore>,
    /// Messages that are worked on or wait for a process, at most.
    pub(super) jobs_max: u64,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("bytes", &self.raw.len()).finish()
    }
}

impl Lane {
    /// The live lane has its processes from the start on; the other one when it needs them.
    pub(super) fn start(force: &Arc<Force>, limits: &Limits, processes: usize, nice: i32) -> Result<Self, String> {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let (ready, started) = channel();
        let fatal = Arc::new(AtomicU32::new(0));
        for _ in 0..processes {
            let (waiting, limits, fatal) = (waiting.clone(), limits.clone(), fatal.clone());
            let keeper = Keeper { waiting, limits, nice, fatal, worker: None };
            let (force, ready) = (force.clone(), ready.clone());
            // A process ends with the thread that has started it: it is started where it is kept.
            let spawned = std::thread::Builder::new().name("examine".into()).spawn(move || keeper.run(&force, &ready));
            spawned.map_err(|error| format!("cannot start a thread: {error}"))?;
        }
        for _ in 0..processes {
            match started.recv().map_err(|_| "a thread that examines ended".to_owned())? {
                Ok(missing) => {
                    for what in missing {
                        tracing::warn!(what, "the kernel cannot shut a process that examines in as far as we ask");
                    }
                }
                Err(NotStarted::Unable(why)) => return Err(why),
                // Started all the same, so that another ruleset can be put in force.
                Err(NotStarted::Ended(why)) => tracing::error!(why, "mail cannot be examined with this ruleset"),
            }
        }
        let jobs_max = processes * WAITING_PER_PROCESS;
        Ok(Self { jobs, permits: Arc::new(Semaphore::new(jobs_max)), jobs_max: jobs_max as u64 })
    }

    /// Has one message worked on; always an answer, within twice its time and a grace: a mail that ends a process has a
    /// second one.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn work(&self, raw: Arc<Vec<u8>>, task: Task, force: Arc<Force>) -> Result<Said, Unanswered> {
        let (bytes, until) = (raw.len(), (task.time + GRACE) * DEATHS_MAX);
        let working = async {
            let _permit = self.permits.acquire().await;
            let (answer, answered) = oneshot::channel();
            if self.jobs.send(Job { raw, task, force, answer }).is_err() {
                return Err(Unanswered::Failed("no thread is left to examine".into()));
            }
            answered.await.unwrap_or_else(|_| Err(Unanswered::Failed("the examining thread died".into())))
        };
        tokio::time::timeout(until, working).await.unwrap_or_else(|_| {
            tracing::error!(bytes, "an examination was not begun or not ended in time");
            measure::refused("examination", Over::All);
            Err(Unanswered::TimedOut("no process had time for it".into()))
        })
    }
}
