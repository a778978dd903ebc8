//! All reconcilers together: started as loops of their own, or brought to rest one after another when a drill's driver asks.

use std::sync::Arc;

use console::serve::Settle;
use gateway::Gateway;
use store::rollout::Plan;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use platform::reconciler::Rounds;
use recovery::incident::Steward;
use recovery::partial_mail::Reexaminer;
use recovery::release::Releaser;
use recovery::replay::Replayer;
use recovery::status::Publisher;
use rules::contain::Container;
use rules::conviction::{Mind, Watcher};
use rules::entries::EntryKeeper;
use rules::plan::Planner;
use rules::rollout::Roller;

/// Rounds after which what does not come to rest is left as it is.
const ROUNDS_MAX: u32 = 1000;

/// Those that mail is handled by; retention and notices, which a drill has no use for, are not among them.
#[derive(Clone, Debug)]
pub(crate) struct Reconcilers {
    /// Allow and block entries.
    pub(crate) entries: EntryKeeper,
    /// Roll-outs.
    pub(crate) roller: Roller,
    /// What examines.
    pub(crate) planner: Planner,
    /// What is contained.
    pub(crate) container: Container,
    /// The sentinel.
    pub(crate) watcher: Watcher,
    /// Incidents.
    pub(crate) steward: Steward,
    /// Replays.
    pub(crate) replayer: Replayer,
    /// What an engine's failure held.
    pub(crate) reexaminer: Reexaminer,
    /// Releases.
    pub(crate) releaser: Releaser,
    /// The status page.
    pub(crate) publisher: Publisher,
}

/// What the reconcilers have read so far, between two rests.
#[derive(Debug)]
pub(crate) struct Resting {
    known: Plan,
    entries: Option<[i64; 3]>,
    mind: Mind,
    published: Option<[String; 3]>,
}

impl Resting {
    /// Before the first round, with what examines mail.
    pub(crate) fn new(known: Plan) -> Self {
        Self { known, entries: None, mind: Mind::default(), published: None }
    }
}

impl Reconcilers {
    /// Starts each as a loop of its own; what moves mail that nobody waits for runs in the background.
    pub(crate) fn start(
        self,
        known: Plan,
        rounds: &Rounds,
        stopping: &watch::Receiver<bool>,
        tasks: &mut JoinSet<()>,
        background: &Handle,
    ) {
        tasks.spawn(self.entries.run(rounds.clone(), stopping.clone()));
        tasks.spawn_on(self.roller.run(rounds.clone(), stopping.clone()), background);
        tasks.spawn(self.planner.run(known, rounds.clone(), stopping.clone()));
        tasks.spawn(self.container.run(rounds.clone(), stopping.clone()));
        tasks.spawn(self.watcher.run(rounds.clone(), stopping.clone()));
        tasks.spawn(self.steward.run(rounds.clone(), stopping.clone()));
        tasks.spawn_on(self.replayer.run(rounds.clone(), stopping.clone()), background);
        tasks.spawn_on(self.reexaminer.run(rounds.clone(), stopping.clone()), background);
        tasks.spawn_on(self.releaser.run(rounds.clone(), stopping.clone()), background);
        tasks.spawn(self.publisher.run(rounds.clone(), stopping.clone()));
    }

    /// Runs all of them until none has anything left to do at this moment.
    async fn settle(&self, resting: &mut Resting, stop: &watch::Receiver<bool>) {
        for _ in 0..ROUNDS_MAX {
            match self.round(resting, stop).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return tracing::error!(error, "a drill does not come to rest"),
            }
        }
    }

    async fn round(&self, resting: &mut Resting, stop: &watch::Receiver<bool>) -> Result<bool, String> {
        let text = |error: store::StoreError| error.to_string();
        resting.entries = Some(self.entries.round(resting.entries).await.map_err(text)?);
        let mut moved = self.roller.round().await.map_err(text)?;
        if let Some(plan) = self.planner.round(&resting.known).await.map_err(text)? {
            resting.known = plan;
            moved = true;
        }
        self.watcher.round(&mut resting.mind).await.map_err(text)?;
        self.container.round().await.map_err(text)?;
        moved |= self.steward.round().await.map_err(text)?;
        moved |= self.replayer.round(stop).await.map_err(text)?;
        self.reexaminer.round().await.map_err(text)?;
        self.releaser.round(stop).await.map_err(text)?;
        if !moved {
            let published = self.publisher.round(resting.published.take()).await;
            resting.published = Some(published.map_err(|error| error.to_string())?);
        }
        Ok(moved)
    }
}

/// Brings everything to rest whenever somebody asks: outcomes are written, what was learned is written, and every reconciler has nothing left
/// to do.
pub(crate) fn settle_when_asked(
    reconcilers: Reconcilers,
    known: Plan,
    gateway: Arc<Gateway>,
    stopping: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Settle {
    let (asks, mut asked) = mpsc::channel::<oneshot::Sender<()>>(1);
    let mut stop = stopping.clone();
    tasks.spawn(async move {
        let mut resting = Resting::new(known);
        loop {
            let answer = tokio::select! {
                _ = stop.changed() => return,
                answer = asked.recv() => answer,
            };
            let Some(answer) = answer else { return };
            gateway.behind.finish().await;
            gateway.learner.written().await;
            reconcilers.settle(&mut resting, &stop).await;
            // Who asked may have gone.
            let _ = answer.send(());
        }
    });
    asks
}
