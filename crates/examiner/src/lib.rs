//! CPU work off the async threads, bounded, and shut in: for each core one process of this program that does nothing
//! but examine, and one thread here that gives it mail (`child`; the other side is `worker`, its walls are
//! [`sandbox`]).
//!
//! There are two lanes (`lane`): live mail has processes of its own; what nobody waits for is examined by others, which
//! the kernel lets run when there is nothing else to do (`nice`), and which are there while there is something for
//! them. A third reads mail for people who look at it ([`Viewer`]). A thread for each process keeps it going
//! (`keeper`).
//!
//! A fault in a parser of strangers' mail ends a process that has no files, no network and no keys. A process that
//! overruns is killed: a Timeout report, which policy decides. One that dies is replaced, and the mail tried once more;
//! when it kills that one as well, it is Unscannable, and held. A panic is an Error report. None of it is ever a
//! verdict.

mod child;
pub mod external_engines;
mod fault;
mod force;
mod frame;
mod keeper;
mod lane;
pub mod sandbox;
mod viewer;
mod worker;

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::available_parallelism;
use std::time::Duration;

use detect::examine::{EnvelopeFacts, unfinished, unscannable};
use detect::in_force::InForce;
use detect::limits::Limits;
use domain::Examination;
use domain::finding::Outcome;

pub use child::VERB;
use force::Force;
use frame::{Ask, Said, Task};
use lane::{Lane, Unanswered};
pub use viewer::Viewer;
pub use worker::run;

use platform::measure::{self, Scarce};

/// Cores where the system does not say how many there are.
const CORES_UNKNOWN: usize = 2;

/// Starts a process that examines, over a ruleset, and ends it. Returns what the kernel could not do to shut it in.
///
/// # Errors
/// When it cannot be started or shut in; for people.
pub fn try_walls(in_force: InForce) -> Result<Vec<String>, String> {
    // A process ends with the thread that has started it; this one is there as long.
    let started = Force::new(in_force).start(&Limits::default(), 0);
    started.map(|worker| worker.missing.clone()).map_err(|error| error.to_string())
}

/// The pool of processes that examine.
#[derive(Clone, Debug)]
pub struct ExaminerPool {
    live: Lane,
    behind: Lane,
    force: Arc<Mutex<Arc<Force>>>,
    limits: Limits,
    processes: usize,
    /// Live mail that is being examined or waits for it.
    waiting: Arc<AtomicUsize>,
}

impl ExaminerPool {
    /// Starts `processes` processes over what is in force for live mail, and as many for what nobody waits for.
    ///
    /// # Errors
    /// When one cannot be started or shut in; for people.
    pub fn start(in_force: InForce, limits: Limits, processes: usize) -> Result<Self, String> {
        let force = Force::new(in_force);
        let live = Lane::start(&force, &limits, processes, 0)?;
        let behind = Lane::start(&force, &limits, processes, platform::background::NICE)?;
        Ok(Self { live, behind, force: Arc::new(Mutex::new(force)), limits, processes, waiting: Arc::default() })
    }

    /// Starts one process for each core of the machine for live mail, and as many for what nobody waits for.
    ///
    /// # Errors
    /// As [`ExaminerPool::start`].
    pub fn on_every_core(in_force: InForce, limits: Limits) -> Result<Self, String> {
        Self::start(in_force, limits, available_parallelism().map_or(CORES_UNKNOWN, NonZero::get))
    }

    /// Starts one process, for all that there is: for a command that examines and ends.
    ///
    /// # Errors
    /// As [`ExaminerPool::start`].
    pub fn alone(in_force: InForce, limits: Limits) -> Result<Self, String> {
        let force = Force::new(in_force);
        let lane = Lane::start(&force, &limits, 1, 0)?;
        Ok(Self {
            live: lane.clone(),
            behind: lane,
            force: Arc::new(Mutex::new(force)),
            limits,
            processes: 1,
            waiting: Arc::default(),
        })
    }

    /// Processes for live mail, and as many for what nobody waits for.
    pub fn processes(&self) -> usize {
        self.processes
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
        let others = self.waiting.fetch_add(1, Ordering::SeqCst);
        measure::in_use(Scarce::Examinations, others as u64 + 1);
        // Counted down even when the asker gives up.
        let _counted = Counted(self.waiting.clone());
        self.examine_in(&self.live, raw, envelope).await
    }

    /// Live mails that may be examined or wait for a process at once; those beyond wait for that.
    pub fn live_max(&self) -> u64 {
        self.live.jobs_max
    }

    /// Waits while live mail is examined, for half a second at most: what nobody waits for comes second, and is not
    /// starved.
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

    /// Examines a message; always an answer (as [`Lane::work`]).
    async fn examine_in(&self, lane: &Lane, raw: Arc<Vec<u8>>, envelope: EnvelopeFacts) -> Examination {
        let force = self.force();
        let task = Task { ask: Ask::Examine(Box::new(envelope)), time: self.limits.time_max };
        let failed = |outcome, why: &str| unfinished(&raw, &force.in_force.live, outcome, why);
        match lane.work(raw.clone(), task, force.clone()).await {
            Ok(Said::Found(examination)) => *examination,
            Ok(_) => failed(Outcome::Error, "it was answered something else"),
            Err(Unanswered::TimedOut(why)) => failed(Outcome::Timeout, &why),
            Err(Unanswered::Failed(why)) => failed(Outcome::Error, &why),
            Err(Unanswered::Fatal(why)) => unscannable(&raw, &force.in_force, &why),
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
