//! CPU work off the async threads, bounded: one thread a core, each with scanners of its own.
//!
//! A watchdog turns an overrun into a Timeout report, which policy decides, and puts a fresh thread beside
//! the one that is stuck. A panic is an Error report. Both are never a verdict.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use detect::examine::{EnvelopeFacts, Examiner, unfinished};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use domain::Examination;
use domain::finding::Outcome;
use tokio::sync::{Semaphore, oneshot};

/// Time that an examination may exceed its budget by before the watchdog gives it up.
const GRACE: Duration = Duration::from_secs(3);
/// Threads at most, those that are stuck included.
const THREADS_MAX: usize = 64;
/// Messages waiting for a thread, for each thread.
const WAITING_PER_THREAD: usize = 16;

struct Job {
    raw: Arc<Vec<u8>>,
    envelope: EnvelopeFacts,
    in_force: Arc<InForce>,
    budget: Budget,
    answer: oneshot::Sender<Result<Examination, String>>,
}

/// The pool of threads that examine.
#[derive(Clone, Debug)]
pub struct ExaminerPool {
    jobs: Sender<Job>,
    waiting: Arc<Mutex<Receiver<Job>>>,
    permits: Arc<Semaphore>,
    threads: Arc<AtomicUsize>,
    in_force: Arc<Mutex<Arc<InForce>>>,
    limits: Limits,
    /// Live mail that is being examined or waits for it.
    live: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("bytes", &self.raw.len()).finish()
    }
}

impl ExaminerPool {
    /// Starts `threads` threads over what is in force.
    pub fn start(in_force: InForce, limits: Limits, threads: usize) -> Self {
        let (jobs, waiting) = channel();
        let pool = Self {
            jobs,
            waiting: Arc::new(Mutex::new(waiting)),
            permits: Arc::new(Semaphore::new(threads * WAITING_PER_THREAD)),
            threads: Arc::default(),
            in_force: Arc::new(Mutex::new(Arc::new(in_force))),
            limits,
            live: Arc::default(),
        };
        (0..threads).for_each(|_| pool.add_thread());
        pool
    }

    /// What is in force.
    pub fn in_force(&self) -> Arc<InForce> {
        self.in_force.lock().expect("nobody panics while holding what is in force").clone()
    }

    /// Puts something else in force, for every message that is taken up from now on.
    pub fn put_in_force(&self, in_force: InForce) {
        *self.in_force.lock().expect("nobody panics while holding what is in force") = Arc::new(in_force);
    }

    /// Examines a message of a client that waits.
    pub async fn examine_live(&self, raw: Arc<Vec<u8>>, envelope: EnvelopeFacts) -> Examination {
        self.live.fetch_add(1, Ordering::SeqCst);
        // Counted down even when the asker gives up.
        let _counted = Counted(self.live.clone());
        self.examine(raw, envelope).await
    }

    /// Waits while live mail is examined, for half a second at most: what nobody waits for comes second, and is not starved.
    pub async fn give_way(&self) {
        for _ in 0..100 {
            if self.live.load(Ordering::SeqCst) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Examines a message; always an answer, within the time limit and a grace.
    pub async fn examine(&self, raw: Arc<Vec<u8>>, envelope: EnvelopeFacts) -> Examination {
        let in_force = self.in_force();
        let failed = |outcome, why: &str| unfinished(&raw, &in_force.live, outcome, why);
        let limit = self.limits.time_max;
        let examining = async {
            let _permit = self.permits.acquire().await;
            let (answer, answered) = oneshot::channel();
            let budget = Budget::starting_now(limit);
            let job = Job { raw: raw.clone(), envelope, in_force: in_force.clone(), budget, answer };
            if self.jobs.send(job).is_err() {
                return failed(Outcome::Error, "no thread is left to examine");
            }
            match answered.await {
                Ok(Ok(examination)) => examination,
                Ok(Err(why)) => failed(Outcome::Error, &why),
                Err(_) => failed(Outcome::Error, "the examining thread died"),
            }
        };
        match tokio::time::timeout(limit + GRACE, examining).await {
            Ok(examination) => examination,
            Err(_) => {
                tracing::error!(bytes = raw.len(), "an examination exceeded its time and was given up");
                self.add_thread();
                failed(Outcome::Timeout, "given up by the watchdog")
            }
        }
    }

    fn add_thread(&self) {
        if self.threads.fetch_add(1, Ordering::SeqCst) >= THREADS_MAX {
            self.threads.fetch_sub(1, Ordering::SeqCst);
            return tracing::error!("no more examining threads: {THREADS_MAX} are stuck or at work");
        }
        let waiting = self.waiting.clone();
        let limits = self.limits.clone();
        let spawned = std::thread::Builder::new().name("examine".into()).spawn(move || work(&waiting, &limits));
        if let Err(error) = spawned {
            tracing::error!(%error, "cannot start an examining thread");
        }
    }
}

/// One message that is counted until this is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn next(waiting: &Mutex<Receiver<Job>>) -> Option<Job> {
    waiting.lock().ok()?.recv().ok()
}

/// One thread: scanners are made once for what is in force, and used until something else is.
fn work(waiting: &Mutex<Receiver<Job>>, limits: &Limits) {
    let mut coming = next(waiting);
    while let Some(mut job) = coming.take() {
        let in_force = job.in_force.clone();
        let mut examiner = Examiner::new(&in_force, limits.clone());
        loop {
            let Job { raw, envelope, budget, answer, .. } = job;
            let examined = catch_unwind(AssertUnwindSafe(|| examiner.examine(&raw, &envelope, budget)));
            let panicked = examined.is_err();
            // The asker may have given up; then nobody wants the answer.
            let _ = answer.send(examined.map_err(|panic| message_of(panic.as_ref())));
            coming = next(waiting);
            match coming.take() {
                // After a panic the scanners are made anew.
                Some(same) if !panicked && Arc::ptr_eq(&same.in_force, &in_force) => job = same,
                other => {
                    coming = other;
                    break;
                }
            }
        }
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("the examination panicked: {}", text.unwrap_or_default())
}
