//! How a running service stops: what it is made of, ended in its order.

use std::sync::Arc;
use std::time::Duration;

use cli::service::Stopped;
use gateway::Gateway;
use http_listener::Doors;
use platform::background::Background;
use platform::task::end;
use platform::traces::Telling;
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// What background tasks and writes have for their end after the drain. With the drain, and the last words of
/// connections and doors, a stop is under 10 s, unless that is set otherwise.
const LAST_WRITES: Duration = Duration::from_millis(1000);

/// What a stop ends, in its order.
pub(crate) struct Stoppable {
    pub(crate) stop: watch::Sender<bool>,
    /// Connections of clients.
    pub(crate) mail: JoinSet<()>,
    /// Background tasks.
    pub(crate) tasks: JoinSet<()>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) store: Option<Store>,
    /// Tells the ways of mail, where somebody is told.
    pub(crate) telling: Option<Telling>,
    /// The API, the pages, the portal: they answer for as long as mail is under way.
    pub(crate) doors: Doors,
    pub(crate) _background: Background,
}

impl Stoppable {
    /// Stops accepting, lets messages and rounds finish for as long as the drain allows, cuts what is left, writes what
    /// is to be written, and closes. What is cut is as what a kill cuts: mail that the next hop has not answered is in
    /// doubt, a release likewise, a round begins anew. Returns what is still being closed.
    pub(crate) async fn stop(mut self) -> Stopped {
        let until = Instant::now() + self.gateway.config.limits.drain;
        // Nobody listening means that everything has stopped already.
        let _ = self.stop.send(true);
        // Each connection knows the drain, and ends by itself a moment after it.
        while self.mail.join_next().await.is_some() {}
        end(&mut self.tasks, "reconciler", until).await;
        // Where mail and rounds were quick, what is left of the drain is for the writes.
        let last = until.max(Instant::now()) + LAST_WRITES;
        self.gateway.finish(last).await;
        let mut closing = self.store.take().map(|store| tokio::spawn(store.close()));
        if let Some(store) = &mut closing {
            match timeout_at(last, store).await {
                Ok(_) => closing = None,
                Err(_) => tracing::warn!("the store is not closed in time; nothing that was answered is lost"),
            }
        }
        if let Some(telling) = self.telling.take() {
            // It is the last thing that a stop waits for, and mail has ended.
            telling.finish(last.min(Instant::now() + LAST_WRITES)).await;
        }
        self.doors.close().await;
        Stopped(closing)
    }
}
