//! All tasks that mail is handled by, brought to rest one after another when a drill's driver asks. Retention and
//! notices, which a drill has no use for, are not among them.

use std::sync::Arc;

use api::settle::asked;
use axum::Router;
use gateway::Gateway;
use platform::reconciler::RoundError;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Rounds after which what does not come to rest is left as it is.
const ROUNDS_MAX: u32 = 1000;

/// What brings everything to rest.
pub(crate) struct Settler {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) rules: rules::turn::InTurn,
    pub(crate) recovery: recovery::turn::InTurn,
}

impl Settler {
    /// Starts it; returns where a drill's driver asks.
    pub(crate) fn start(mut self, stopping: &watch::Receiver<bool>, tasks: &mut JoinSet<()>) -> Router {
        let (router, mut asked) = asked();
        let mut stop = stopping.clone();
        tasks.spawn(async move {
            while let Some(ask) = asked.next(&mut stop).await {
                self.settle(&stop).await;
                ask.is_done();
            }
        });
        router
    }

    /// Writes outcomes and what was learned, then makes rounds until none has anything left to do at this moment.
    async fn settle(&mut self, stop: &watch::Receiver<bool>) {
        self.gateway.post_reply.finish().await;
        self.gateway.learner.written().await;
        for _ in 0..ROUNDS_MAX {
            match self.round(stop).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return tracing::error!(%error, "a drill does not come to rest"),
            }
        }
    }

    async fn round(&mut self, stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let mut has_more = self.rules.round(stop).await?;
        has_more |= self.recovery.round(stop).await?;
        if !has_more {
            self.recovery.publish(stop).await?;
        }
        Ok(has_more)
    }
}
