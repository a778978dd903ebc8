//! CPU work off the async threads, bounded, and shut in: for each core one process of this program that does nothing but examine, and one
//! thread here that gives it mail (`child`; the other side is `worker`, its walls are [`sandbox`]).
//!
//! There are two lanes: live mail has processes of its own; what nobody waits for is examined by others, which the kernel lets run when there is
//! nothing else to do (`nice`), and which are there while there is something for them.
//!
//! A fault in a parser of strangers' mail ends a process that has no files, no network and no keys. A process that overruns is killed:
//! a Timeout report, which policy decides. One that dies is replaced, and the mail tried once more; when it kills that one as well, it is
//! Unscannable, and held. A panic is an Error report. None of it is ever a verdict (ruling 32).

mod child;
mod fault;
mod frame;
pub mod sandbox;
mod worker;

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use detect::examine::{EnvelopeFacts, unfinished, unscannable};
use detect::in_force::InForce;
use detect::limits::Limits;
use domain::Examination;
use domain::finding::Outcome;
use tokio::sync::{Semaphore, oneshot};

pub use child::VERB;
use child::{Failed, GRACE, NotStarted, Worker};
use frame::Task;
pub use worker::run;

/// How far what nobody waits for stands back (nice 0 to 19).
pub const STANDS_BACK: i32 = 15;
/// Messages waiting for a process, for each process.
const WAITING_PER_PROCESS: usize = 16;
/// How long a process that nobody waits for stays without work.
const IDLE: Duration = Duration::from_secs(60);
/// Processes that one mail may end.
const DEATHS_MAX: u32 = 2;
/// Mails in a row that may end processes: after more of them it is not the mail, and what follows is an engine's failure, never a verdict.
const FATAL_IN_A_ROW_MAX: u32 = 3;

struct Job {
    raw: Arc<Vec<u8>>,
    envelope: EnvelopeFacts,
    force: Arc<Force>,
    answer: oneshot::Sender<Examination>,
}

/// What is in force, and its bytes for those that examine: made once, when the first of them is started over it.
#[derive(Debug)]
struct Force {
    in_force: Arc<InForce>,
    packed: OnceLock<Result<Vec<u8>, String>>,
}

impl Force {
    fn new(in_force: InForce) -> Arc<Self> {
        Arc::new(Self { in_force: Arc::new(in_force), packed: OnceLock::new() })
    }

    fn start(&self, limits: &Limits, nice: i32) -> Result<Worker, NotStarted> {
        let packed = self.packed.get_or_init(|| self.in_force.pack().map_err(|error| error.to_string()));
        let packed = packed.as_ref().map_err(|why| NotStarted::Ended(why.clone()))?;
        Worker::start(&self.in_force, packed, limits, nice)
    }
}

/// Starts a process that examines, over a ruleset, and ends it. Returns what the kernel could not do to shut it in.
///
/// # Errors
/// When it cannot be started or shut in; for people.
pub fn try_walls(in_force: InForce) -> Result<Vec<String>, String> {
    // A process ends with the thread that has started it; this one is there as long.
    let started = Force::new(in_force).start(&Limits::default(), 0);
    started.map(|worker| worker.missing.clone()).map_err(|error| error.to_string())
}

/// Processes that examine, and the way to them.
#[derive(Clone, Debug)]
struct Lane {
    jobs: Sender<Job>,
    permits: Arc<Semaphore>,
}

/// The pool of processes that examine.
#[derive(Clone, Debug)]
pub struct ExaminerPool {
    live: Lane,
    behind: Lane,
    force: Arc<Mutex<Arc<Force>>>,
    limits: Limits,
    /// Live mail that is being examined or waits for it.
    waiting: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("bytes", &self.raw.len()).finish()
    }
}

impl Lane {
    /// The live lane has its processes from the start on; the other one when it needs them.
    fn start(force: &Arc<Force>, limits: &Limits, processes: usize, nice: i32) -> Result<Self, String> {
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
        Ok(Self { jobs, permits: Arc::new(Semaphore::new(processes * WAITING_PER_PROCESS)) })
    }
}

impl ExaminerPool {
    /// Starts `processes` processes over what is in force for live mail, and as many for what nobody waits for.
    ///
    /// # Errors
    /// When one cannot be started or shut in; for people.
    pub fn start(in_force: InForce, limits: Limits, processes: usize) -> Result<Self, String> {
        let force = Force::new(in_force);
        let live = Lane::start(&force, &limits, processes, 0)?;
        let behind = Lane::start(&force, &limits, processes, STANDS_BACK)?;
        Ok(Self { live, behind, force: Arc::new(Mutex::new(force)), limits, waiting: Arc::default() })
    }

    /// Starts one process, for all that there is: for a command that examines and ends.
    ///
    /// # Errors
    /// As [`ExaminerPool::start`].
    pub fn alone(in_force: InForce) -> Result<Self, String> {
        let (force, limits) = (Force::new(in_force), Limits::default());
        let lane = Lane::start(&force, &limits, 1, 0)?;
        Ok(Self {
            live: lane.clone(),
            behind: lane,
            force: Arc::new(Mutex::new(force)),
            limits,
            waiting: Arc::default(),
        })
    }

    /// What is in force.
    pub fn in_force(&self) -> Arc<InForce> {
        self.force().in_force.clone()
    }

    fn force(&self) -> Arc<Force> {
        self.force.lock().expect("nobody panics while holding what is in force").clone()
    }

    /// Puts something else in force, for every message that is taken up from now on.
    pub fn put_in_force(&self, in_force: InForce) {
        *self.force.lock().expect("nobody panics while holding what is in force") = Force::new(in_force);
    }

    /// Examines a message of a client that waits.
    pub async fn examine_live(&self, raw: Arc<Vec<u8>>, envelope: EnvelopeFacts) -> Examination {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // Counted down even when the asker gives up.
        let _counted = Counted(self.waiting.clone());
        self.examine_in(&self.live, raw, envelope).await
    }

    /// Waits while live mail is examined, for half a second at most: what nobody waits for comes second, and is not starved.
    pub async fn give_way(&self) {
        for _ in 0..100 {
            if self.waiting.load(Ordering::SeqCst) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Examines a message that nobody waits for.
    pub async fn examine(&self, raw: Arc<Vec<u8>>, envelope: EnvelopeFacts) -> Examination {
        self.examine_in(&self.behind, raw, envelope).await
    }

    /// Examines a message; always an answer, within twice the time limit and a grace: a mail that ends a process has a second one.
    async fn examine_in(&self, lane: &Lane, raw: Arc<Vec<u8>>, envelope: EnvelopeFacts) -> Examination {
        let force = self.force();
        let failed = |outcome, why: &str| unfinished(&raw, &force.in_force.live, outcome, why);
        let examining = async {
            let _permit = lane.permits.acquire().await;
            let (answer, answered) = oneshot::channel();
            let job = Job { raw: raw.clone(), envelope, force: force.clone(), answer };
            if lane.jobs.send(job).is_err() {
                return failed(Outcome::Error, "no thread is left to examine");
            }
            answered.await.unwrap_or_else(|_| failed(Outcome::Error, "the examining thread died"))
        };
        match tokio::time::timeout((self.limits.time_max + GRACE) * DEATHS_MAX, examining).await {
            Ok(examination) => examination,
            Err(_) => {
                tracing::error!(bytes = raw.len(), "an examination was not begun or not ended in time");
                failed(Outcome::Timeout, "no process had time for it")
            }
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

/// One thread, and the process that it gives mail to.
struct Keeper {
    waiting: Arc<Mutex<Receiver<Job>>>,
    limits: Limits,
    nice: i32,
    /// Mails in a row that ended processes, of all keepers of this lane.
    fatal: Arc<AtomicU32>,
    worker: Option<Worker>,
}

impl Keeper {
    fn run(mut self, force: &Force, ready: &Sender<Result<Vec<String>, NotStarted>>) {
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
                let examination = self.examine(&job);
                let _ = job.answer.send(examination);
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

    /// Examines a mail in a process over what is in force, and in another one when the first dies of it.
    fn examine(&mut self, Job { raw, envelope, force, .. }: &Job) -> Examination {
        let failed = |outcome, why: &str| unfinished(raw, &force.in_force.live, outcome, why);
        let task = Task { envelope: envelope.clone(), time: self.limits.time_max };
        let mut deaths = 0;
        loop {
            let worker = match self.worker.take_if(|worker| worker.serves(&force.in_force)) {
                Some(worker) => worker,
                None => match force.start(&self.limits, self.nice) {
                    Ok(worker) => worker,
                    Err(why) => {
                        tracing::error!(%why, "no process to examine a mail with");
                        return failed(Outcome::Error, &why.to_string());
                    }
                },
            };
            let worker = self.worker.insert(worker);
            match worker.examine(&task, raw) {
                Ok(examination) => {
                    self.fatal.store(0, Ordering::SeqCst);
                    return examination;
                }
                Err(Failed::Panicked(why)) => return failed(Outcome::Error, &why),
                Err(Failed::OverTime) => {
                    tracing::error!(bytes = raw.len(), "an examination exceeded its time and was given up");
                    self.worker = None;
                    return failed(Outcome::Timeout, "given up by the watchdog");
                }
                Err(Failed::Died(how)) => {
                    deaths += 1;
                    self.worker = None;
                    tracing::error!(bytes = raw.len(), deaths, how, "a mail ended the process that examined it");
                    if deaths == DEATHS_MAX {
                        let why = format!("two processes that examined it end; the last {how}");
                        if self.fatal.fetch_add(1, Ordering::SeqCst) >= FATAL_IN_A_ROW_MAX {
                            return failed(Outcome::Error, &why);
                        }
                        return unscannable(raw, &force.in_force, &why);
                    }
                }
            }
        }
    }
}
