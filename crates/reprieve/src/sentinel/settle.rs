//! All reconcilers together: started as loops of their own, or brought to rest one after another when a drill's driver asks (ruling 20).

use store::rollout::Plan;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::contain::Container;
use super::entries::EntryKeeper;
use super::incident::Steward;
use super::plan::Planner;
use super::reexamine::Reexaminer;
use super::release::Releaser;
use super::replay::Replayer;
use super::rollout::Roller;
use super::status::Publisher;
use super::watch::{Mind, Watcher};
use crate::rounds::Rounds;

/// Rounds after which what does not come to rest is left as it is.
const ROUNDS_MAX: u32 = 1000;

/// Those that mail is handled by; retention and notices, which a drill has no use for, are not among them.
#[derive(Clone, Debug)]
pub struct Reconcilers {
    /// Allow and block entries.
    pub entries: EntryKeeper,
    /// Roll-outs.
    pub roller: Roller,
    /// What examines.
    pub planner: Planner,
    /// What is contained.
    pub container: Container,
    /// The sentinel.
    pub watcher: Watcher,
    /// Incidents.
    pub steward: Steward,
    /// Replays.
    pub replayer: Replayer,
    /// What an engine's failure held.
    pub reexaminer: Reexaminer,
    /// Releases.
    pub releaser: Releaser,
    /// The status page.
    pub publisher: Publisher,
}

/// What the reconcilers have read so far, between two rests.
#[derive(Debug)]
pub struct Resting {
    known: Plan,
    entries: Option<[i64; 3]>,
    mind: Mind,
    published: Option<[String; 3]>,
}

impl Resting {
    /// Before the first round, with what examines mail.
    pub fn new(known: Plan) -> Self {
        Self { known, entries: None, mind: Mind::default(), published: None }
    }
}

impl Reconcilers {
    /// Starts each as a loop of its own; what moves mail that nobody waits for runs in the background.
    pub fn start(
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
    pub async fn settle(&self, resting: &mut Resting, stop: &watch::Receiver<bool>) {
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
