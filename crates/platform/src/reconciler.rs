//! The rounds of the reconcilers: one after the other, on a signal and on a clock, until the program ends; and how the
//! last of each went, for the operator. A round takes no input and may be killed at any line; what it leaves, the next
//! one finds.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::Timestamp;
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::items::{Failing, Items};
use crate::measure;

/// Why a round ended early.
pub type RoundError = Box<dyn Error + Send + Sync>;

/// A background task that keeps something true. It takes no input, works on what the store says, and may be killed at
/// any line: what it leaves, its next round finds.
pub trait Reconciler: Send + Sync + 'static {
    /// What it has read so far. Whatever is lost of it with the process, the next round reads again.
    type Memory: Default + Send;

    /// What it is called, and when it makes its rounds.
    fn beat(&self) -> Beat;

    /// What fails alone; none where its work is one.
    fn items(&self) -> Option<&Items> {
        None
    }

    /// One round; whether there is more to do at once. `stop` says that the program ends: a long round looks at it.
    ///
    /// # Errors
    /// When it has to be tried again; what fails alone is no error.
    fn round(
        &self,
        memory: &mut Self::Memory,
        stop: &watch::Receiver<bool>,
    ) -> impl Future<Output = Result<bool, RoundError>> + Send;
}

/// When a reconciler makes its rounds.
#[derive(Clone, Debug)]
pub struct Beat {
    name: &'static str,
    fails: &'static str,
    period: Duration,
    wake: Option<Arc<Notify>>,
    rest: Duration,
}

impl Beat {
    /// So often, woken by nothing, without a rest. `fails` says what is wrong when a round fails.
    pub fn every(period: Duration, name: &'static str, fails: &'static str) -> Self {
        Self { name, fails, period, wake: None, rest: Duration::ZERO }
    }

    /// What the reconciler is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// And whenever this wakes it.
    pub fn or_when(self, wake: &Arc<Notify>) -> Self {
        Self { wake: Some(wake.clone()), ..self }
    }

    /// With at least so long between two rounds, whatever wakes it or is left to do.
    pub fn resting(self, rest: Duration) -> Self {
        Self { rest, ..self }
    }
}

/// How the rounds of one reconciler went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Went {
    /// How often it looks when nothing wakes it.
    pub period: Duration,
    /// When the last round ended, and how long it took; none while the first one runs.
    pub last: Option<(Timestamp, Duration)>,
    /// Since when a round runs.
    pub under_way: Option<Timestamp>,
    /// When a round last failed, and why.
    pub fault: Option<(Timestamp, String)>,
    /// Whether the last one failed.
    pub is_failing: bool,
}

/// The rounds of all reconcilers.
#[derive(Clone, Debug)]
pub struct Rounds {
    clock: Arc<dyn Clock>,
    went: Arc<Mutex<BTreeMap<&'static str, Went>>>,
    /// The items of those that have some, by the name of the reconciler.
    items: Arc<Mutex<BTreeMap<&'static str, Items>>>,
}

impl Rounds {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, went: Arc::default(), items: Arc::default() }
    }

    /// The items of each reconciler that fail, by its name.
    pub fn failing(&self) -> BTreeMap<&'static str, Vec<(String, Failing)>> {
        let all = self.items.lock().expect("nobody panics while holding this").clone();
        all.into_iter().map(|(name, items)| (name, items.failing())).collect()
    }

    /// How those of each reconciler went, by its name.
    pub fn went(&self) -> BTreeMap<&'static str, Went> {
        self.went.lock().expect("nobody panics while holding this").clone()
    }

    /// Makes the rounds of one reconciler until `stop` says so; the first begins now.
    pub async fn run<R: Reconciler>(self, reconciler: R, stop: watch::Receiver<bool>) {
        let mut turns = self.turns(reconciler.beat(), reconciler.items(), stop.clone());
        let mut memory = R::Memory::default();
        while turns.after(reconciler.round(&mut memory, &stop).await).await {}
    }

    fn turns(&self, beat: Beat, items: Option<&Items>, stop: watch::Receiver<bool>) -> Turns {
        if let Some(items) = items {
            self.items.lock().expect("nobody panics while holding this").insert(beat.name, items.clone());
        }
        let turns = Turns { rounds: self.clone(), beat, items: items.cloned(), stop, began: Instant::now() };
        turns.note(|went, now| went.under_way = Some(now));
        turns
    }
}

/// The turns of one reconciler.
#[derive(Debug)]
struct Turns {
    rounds: Rounds,
    beat: Beat,
    items: Option<Items>,
    stop: watch::Receiver<bool>,
    /// When the round under way began.
    began: Instant,
}

impl Turns {
    /// Takes how a round ended, and waits for the next: not at all when there is more to do (`Ok(true)`), else until
    /// something wakes it or its time has come. One that failed is tried again then. `false` when the program ends.
    async fn after<E: Display>(&mut self, ended: Result<bool, E>) -> bool {
        let ended = ended.map_err(|error| error.to_string());
        let took = self.began.elapsed();
        self.note(|went, now| {
            went.under_way = None;
            went.last = Some((now, took));
            went.is_failing = ended.is_err();
            if let Err(error) = &ended {
                went.fault = Some((now, error.clone()));
            }
        });
        measure::round(self.beat.name, self.rounds.clock.now(), ended.is_err());
        if let Some(items) = &self.items {
            measure::failing_items(self.beat.name, items.failing().len());
        }
        if let Err(error) = &ended {
            tracing::error!(error, reconciler = self.beat.name, "{}", self.beat.fails);
        }
        let goes_on = if ended == Ok(true) { !*self.stop.borrow() } else { self.wait().await };
        if goes_on {
            tokio::time::sleep(self.beat.rest).await;
            self.began = Instant::now();
            self.note(|went, now| went.under_way = Some(now));
        }
        goes_on
    }

    async fn wait(&mut self) -> bool {
        tokio::select! {
            _ = self.stop.changed() => false,
            () = woken(self.beat.wake.as_deref()) => true,
            () = tokio::time::sleep(self.beat.period) => true,
        }
    }

    fn note(&self, change: impl FnOnce(&mut Went, Timestamp)) {
        let now = self.rounds.clock.now();
        let mut all = self.rounds.went.lock().expect("nobody panics while holding this");
        let none = Went { period: self.beat.period, last: None, under_way: None, fault: None, is_failing: false };
        change(all.entry(self.beat.name).or_insert(none), now);
    }
}

/// Waits for what wakes a reconciler; for ever where nothing does.
async fn woken(wake: Option<&Notify>) {
    match wake {
        Some(wake) => wake.notified().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn turns(rounds: &Rounds, period: Duration, wake: Option<Arc<Notify>>, stop: watch::Receiver<bool>) -> Turns {
        let beat = Beat::every(period, "a", "it fails");
        rounds.turns(wake.iter().fold(beat, Beat::or_when), None, stop)
    }

    #[tokio::test]
    async fn rounds_go_on_while_there_is_more_then_wait_and_remember_what_failed() {
        let rounds = Rounds::new(Arc::new(SystemClock));
        let (stop, stopping) = watch::channel(false);
        let period = Duration::from_millis(20);
        let began = Instant::now();
        let mut turns = turns(&rounds, period, None, stopping);
        assert!(rounds.went()["a"].under_way.is_some() && rounds.went()["a"].last.is_none());
        assert!(turns.after(Ok::<_, String>(true)).await);
        assert!(turns.after(Err("a reason")).await);
        assert!(began.elapsed() >= period, "it waited for the clock");
        let went = rounds.went()["a"].clone();
        assert_eq!((went.is_failing, went.fault.map(|(_, why)| why)), (true, Some("a reason".into())));
        stop.send(true).expect("somebody listens");
        assert!(!turns.after(Ok::<_, String>(true)).await, "it ends although there is more");
        let went = rounds.went()["a"].clone();
        assert!(!went.is_failing && went.fault.is_some() && went.last.is_some() && went.under_way.is_none());
    }

    #[tokio::test]
    async fn what_wakes_it_waits_for_no_clock() {
        let rounds = Rounds::new(Arc::new(SystemClock));
        let (stop, stopping) = watch::channel(false);
        let wake = Arc::new(Notify::new());
        let mut turns = turns(&rounds, Duration::from_secs(3600), Some(wake.clone()), stopping);
        wake.notify_one();
        assert!(turns.after(Ok::<_, String>(false)).await);
        stop.send(true).expect("somebody listens");
        assert!(!turns.after(Ok::<_, String>(false)).await);
    }
}
