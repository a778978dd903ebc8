//! All reconcilers together: started as loops of their own, or brought to rest one after another when a drill's driver
//! asks.

use std::sync::Arc;

use gateway::Gateway;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::listeners::Settle;
use crate::tasks::Starter;
use platform::reconciler::{Reconciler, RoundError};
use recovery::incident::IncidentWorker;
use recovery::partial_mail::PartialMailWorker;
use recovery::release::Releaser;
use recovery::replay::Replayer;
use recovery::status::Publisher;
use rules::contain::ContainmentLoader;
use rules::conviction::ConvictionWorker;
use rules::entries::EntryLoader;
use rules::plan::PlanLoader;
use rules::rollout::RolloutWorker;

/// Rounds after which what does not come to rest is left as it is.
const ROUNDS_MAX: u32 = 1000;

/// Those that mail is handled by; retention and notices, which a drill has no use for, are not among them.
#[derive(Clone, Debug)]
pub(crate) struct Reconcilers {
    /// Allow and block entries.
    pub(crate) entries: EntryLoader,
    /// Roll-outs.
    pub(crate) rollout_worker: RolloutWorker,
    /// What examines.
    pub(crate) plan_loader: PlanLoader,
    /// What is contained.
    pub(crate) containment_loader: ContainmentLoader,
    /// The sentinel.
    pub(crate) conviction_worker: ConvictionWorker,
    /// Incidents.
    pub(crate) incident_worker: IncidentWorker,
    /// Replays.
    pub(crate) replayer: Replayer,
    /// What an engine's failure held.
    pub(crate) partial_mail_worker: PartialMailWorker,
    /// Releases.
    pub(crate) releaser: Releaser,
    /// The status page.
    pub(crate) publisher: Publisher,
}

/// What the reconcilers have read so far, between two rests.
#[derive(Debug, Default)]
struct Resting {
    entries: <EntryLoader as Reconciler>::Memory,
    plan: <PlanLoader as Reconciler>::Memory,
    mind: <ConvictionWorker as Reconciler>::Memory,
    published: <Publisher as Reconciler>::Memory,
}

impl Reconcilers {
    /// Starts each as a loop of its own; what moves mail that nobody waits for runs in the background.
    pub(crate) fn start(self, tasks: &mut Starter<'_>) {
        tasks.start(self.entries);
        tasks.in_background(self.rollout_worker);
        tasks.start(self.plan_loader);
        tasks.start(self.containment_loader);
        tasks.start(self.conviction_worker);
        tasks.start(self.incident_worker);
        tasks.in_background(self.replayer);
        tasks.in_background(self.partial_mail_worker);
        tasks.in_background(self.releaser);
        tasks.start(self.publisher);
    }

    /// Runs all of them until none has anything left to do at this moment.
    async fn settle(&self, resting: &mut Resting, stop: &watch::Receiver<bool>) {
        for _ in 0..ROUNDS_MAX {
            match self.round(resting, stop).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return tracing::error!(%error, "a drill does not come to rest"),
            }
        }
    }

    async fn round(&self, resting: &mut Resting, stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        self.entries.round(&mut resting.entries, stop).await?;
        let mut moved = self.rollout_worker.round(&mut (), stop).await?;
        moved |= self.plan_loader.round(&mut resting.plan, stop).await?;
        self.conviction_worker.round(&mut resting.mind, stop).await?;
        self.containment_loader.round(&mut (), stop).await?;
        // Time stands still: it counts all mail in, and not what is recent alone.
        moved |= self.incident_worker.round(&mut None, stop).await?;
        moved |= self.replayer.round(&mut (), stop).await?;
        self.partial_mail_worker.round(&mut (), stop).await?;
        self.releaser.round(&mut (), stop).await?;
        if !moved {
            self.publisher.round(&mut resting.published, stop).await?;
        }
        Ok(moved)
    }
}

/// Brings everything to rest whenever somebody asks: outcomes are written, what was learned is written, and every
/// reconciler has nothing left to do.
pub(crate) fn settle_when_asked(
    reconcilers: Reconcilers,
    gateway: Arc<Gateway>,
    stopping: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Settle {
    let (asks, mut asked) = mpsc::channel::<oneshot::Sender<()>>(1);
    let mut stop = stopping.clone();
    tasks.spawn(async move {
        let mut resting = Resting::default();
        loop {
            let answer = tokio::select! {
                _ = stop.changed() => return,
                answer = asked.recv() => answer,
            };
            let Some(answer) = answer else { return };
            gateway.post_reply.finish().await;
            gateway.learner.written().await;
            reconcilers.settle(&mut resting, &stop).await;
            // Who asked may have gone.
            let _ = answer.send(());
        }
    });
    asks
}
