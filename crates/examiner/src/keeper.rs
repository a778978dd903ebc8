//! One thread, and the process that it gives mail to: replaced when it dies, killed when it overruns.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use detect::limits::Limits;

use super::child::{Failed, NotStarted, Worker};
use super::force::Force;
use super::frame::Said;
use super::lane::{Job, Unanswered};

/// How long a process that nobody waits for stays without work.
const IDLE: Duration = Duration::from_secs(60);
/// Processes that one mail may end.
pub(super) const DEATHS_MAX: u32 = 2;
/// Mails in a row that may end processes: after more of them it is not the mail, and what follows is an engine's
/// failure, never a verdict.
const FATAL_IN_A_ROW_MAX: u32 = 3;

/// One thread, and the process that it gives mail to.
pub(super) struct Keeper {
    pub(super) waiting: Arc<Mutex<Receiver<Job>>>,
    pub(super) limits: Limits,
    pub(super) nice: i32,
    /// Mails in a row that ended processes, of all keepers of this lane.
    pub(super) fatal: Arc<AtomicU32>,
    pub(super) worker: Option<Worker>,
}

impl Keeper {
    pub(super) fn run(mut self, force: &Force, ready: &Sender<Result<Vec<String>, NotStarted>>) {
        let started = if self.stands_back() {
            Ok(Vec::new())
        } else {
            force.start(&self.limits, self.nice).map(|worker| {
                let missing = worker.missing.clone();
                self.worker = Some(worker);
                missing
            })
        };
        if ready.send(started).is_err() {
            return;
        }
        while let Some(job) = self.next() {
            // The asker may have given up while it waited; then nobody wants the answer.
            if !job.answer.is_closed() {
                let answer = self.work(&job);
                let _ = job.answer.send(answer);
            }
        }
    }

    fn stands_back(&self) -> bool {
        self.nice > 0
    }

    fn next(&mut self) -> Option<Job> {
        loop {
            let next = self.waiting.lock().ok()?.recv_timeout(IDLE);
            match next {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if self.stands_back() => self.worker = None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Has a mail worked on by a process over what is in force, and by another one when the first dies of it.
    fn work(&mut self, Job { raw, task, force, .. }: &Job) -> Result<Said, Unanswered> {
        let mut deaths = 0;
        loop {
            let worker = match self.worker.take_if(|worker| worker.serves(&force.in_force)) {
                Some(worker) => worker,
                None => force.start(&self.limits, self.nice).map_err(|why| {
                    tracing::error!(%why, "no process to examine a mail with");
                    Unanswered::Failed(why.to_string())
                })?,
            };
            let worker = self.worker.insert(worker);
            match worker.work(task, raw) {
                Ok(said) => {
                    self.fatal.store(0, Ordering::SeqCst);
                    return Ok(said);
                }
                Err(Failed::Panicked(why)) => return Err(Unanswered::Failed(why)),
                Err(Failed::OverTime) => {
                    tracing::error!(bytes = raw.len(), "an examination exceeded its time and was given up");
                    self.worker = None;
                    return Err(Unanswered::TimedOut("given up by the watchdog".into()));
                }
                Err(Failed::Died(how)) => {
                    deaths += 1;
                    self.worker = None;
                    tracing::error!(bytes = raw.len(), deaths, how, "a mail ended the process that examined it");
                    if deaths == DEATHS_MAX {
                        return Err(self.twice_fatal(&how));
                    }
                }
            }
        }
    }

    /// A mail has ended two processes. When each mail does that, it is not the mail.
    fn twice_fatal(&self, how: &str) -> Unanswered {
        let why = format!("two processes that examined it end; the last {how}");
        if self.fatal.fetch_add(1, Ordering::SeqCst) >= FATAL_IN_A_ROW_MAX {
            return Unanswered::Failed(why);
        }
        Unanswered::Fatal(why)
    }
}
