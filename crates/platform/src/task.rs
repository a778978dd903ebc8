//! Background tasks before they are started: each room makes a list of its own, and the program starts them all.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

use crate::measure;
use crate::reconciler::{Reconciler, Rounds};

/// What tasks that are cut have for their end.
const CUT: Duration = Duration::from_millis(200);

/// The rounds of one reconciler.
type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A reconciler that is ready to be started, and where it makes its rounds.
pub struct Task {
    name: &'static str,
    is_waited_for: bool,
    run: Box<dyn FnOnce(Rounds, watch::Receiver<bool>) -> Running + Send>,
}

impl Task {
    /// One beside live mail.
    pub fn new(reconciler: impl Reconciler) -> Self {
        Self::of(reconciler, true)
    }

    /// One that nobody waits for: its threads stand back behind live mail.
    pub fn in_background(reconciler: impl Reconciler) -> Self {
        Self::of(reconciler, false)
    }

    fn of(reconciler: impl Reconciler, is_waited_for: bool) -> Self {
        let name = reconciler.beat().name();
        Self { name, is_waited_for, run: Box::new(|rounds, stop| Box::pin(rounds.run(reconciler, stop))) }
    }

    /// What its reconciler is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Starts it; it ends when `stop` says so. Returns what tells whether it goes on.
    pub fn start(
        self,
        rounds: &Rounds,
        stop: &watch::Receiver<bool>,
        background: &Handle,
        tasks: &mut JoinSet<()>,
    ) -> AbortHandle {
        let running = (self.run)(rounds.clone(), stop.clone());
        if self.is_waited_for { tasks.spawn(running) } else { tasks.spawn_on(running, background) }
    }
}

/// Waits for tasks until then, and cuts those that are left.
pub async fn end(tasks: &mut JoinSet<()>, what: &'static str, until: Instant) {
    if timeout_at(until, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        measure::cut(what, tasks.len());
        tracing::warn!(what, left = tasks.len(), "what had not ended in time was cut");
        // One that computes without a pause is left behind: the process ends without it.
        let _ = timeout(CUT, tasks.shutdown()).await;
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).field("is_waited_for", &self.is_waited_for).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::sync::Notify;

    use super::*;
    use crate::background::Background;
    use crate::clock::SystemClock;
    use crate::reconciler::{Beat, RoundError};

    /// Remembers on which thread it made its first round.
    struct Witness {
        name: &'static str,
        thread: Arc<Mutex<Option<String>>>,
        seen: Arc<Notify>,
    }

    impl Reconciler for Witness {
        type Memory = ();

        fn beat(&self) -> Beat {
            Beat::every(Duration::from_secs(3600), self.name, "it fails")
        }

        async fn round(&self, (): &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
            *self.thread.lock().expect("free") = std::thread::current().name().map(str::to_owned);
            self.seen.notify_one();
            Ok(false)
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_has_threads_of_its_own_and_both_end_at_a_stop() {
        let background = Background::start(1).expect("threads");
        let (stop, stopping) = watch::channel(false);
        let rounds = Rounds::new(Arc::new(SystemClock));
        let mut tasks = JoinSet::new();
        let witness = |name| Witness { name, thread: Arc::default(), seen: Arc::default() };
        let (live, behind) = (witness("live"), witness("behind"));
        let threads = [live.thread.clone(), behind.thread.clone()];
        let seen = [live.seen.clone(), behind.seen.clone()];
        let both = [Task::new(live), Task::in_background(behind)];
        assert_eq!(both.each_ref().map(Task::name), ["live", "behind"]);
        for task in both {
            task.start(&rounds, &stopping, background.handle(), &mut tasks);
        }
        for one in seen {
            one.notified().await;
        }
        let on_background = threads.map(|one| one.lock().expect("free").as_deref() == Some("background"));
        assert_eq!(on_background, [false, true]);
        stop.send(true).expect("somebody listens");
        while tasks.join_next().await.is_some() {}
        assert_eq!(rounds.went().len(), 2);
    }

    #[tokio::test]
    async fn what_does_not_end_in_time_is_cut() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        tasks.spawn(std::future::pending());
        end(&mut tasks, "test", Instant::now()).await;
        assert!(tasks.is_empty());
    }
}
