//! A command: one write into the database, and the answer that whoever asks for it waits for.

use std::pin::Pin;

use tokio::sync::oneshot;

use super::batch::Batch;
use super::group::Group;
use super::stopped;
use crate::database::error::StoreError;

/// One write into the database, as data.
pub(crate) trait Command: Send + Sync + 'static {
    /// What it is answered with.
    type Reply: Send + Sync + 'static;

    /// About how many rows it touches.
    fn rows(&self) -> usize {
        1
    }

    /// Adds what it asks for to what is written for the whole group in few statements. Only the frequent commands do.
    fn join<'b>(&'b self, _batch: &mut Batch<'b>) {}

    /// Writes it inside the writer's transaction. If the group fails this is done again, in a transaction of its own:
    /// so it changes nothing but the database and `group`.
    fn apply(&self, group: &mut Group<'_>) -> impl Future<Output = Result<Self::Reply, StoreError>> + Send;
}

/// What an application of a command comes to, whatever its reply is.
type Applied<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// A command in the queue, of whatever kind, with whoever waits for its answer.
pub(super) struct Queued(Box<dyn AnyCommand>);

impl Queued {
    /// A command whose answer comes through `asker`.
    pub(super) fn new<C: Command>(command: C, asker: oneshot::Sender<Result<C::Reply, StoreError>>) -> Self {
        Self(Box::new(Asked { command, reply: Err(stopped()), asker }))
    }

    /// As [`Command::rows`].
    pub(super) fn rows(&self) -> usize {
        self.0.rows()
    }

    /// As [`Command::join`].
    pub(super) fn join<'b>(&'b self, batch: &mut Batch<'b>) {
        self.0.join(batch);
    }

    /// As [`Command::apply`]; keeps the reply.
    pub(super) async fn apply(&mut self, group: &mut Group<'_>) -> Result<(), StoreError> {
        self.0.apply(group).await
    }

    /// Answers with the reply that was kept, or with what went wrong.
    pub(super) fn answer(self, written: Result<(), StoreError>) {
        self.0.answer(written);
    }
}

/// What a command of any kind can do, once its kind is forgotten.
trait AnyCommand: Send + Sync {
    fn rows(&self) -> usize;
    fn join<'b>(&'b self, batch: &mut Batch<'b>);
    fn apply<'a>(&'a mut self, group: &'a mut Group<'_>) -> Applied<'a>;
    fn answer(self: Box<Self>, written: Result<(), StoreError>);
}

/// A command with its own reply and whoever waits for it.
struct Asked<C: Command> {
    command: C,
    /// The reply of the last application.
    reply: Result<C::Reply, StoreError>,
    asker: oneshot::Sender<Result<C::Reply, StoreError>>,
}

impl<C: Command> AnyCommand for Asked<C> {
    fn rows(&self) -> usize {
        self.command.rows()
    }

    fn join<'b>(&'b self, batch: &mut Batch<'b>) {
        self.command.join(batch);
    }

    fn apply<'a>(&'a mut self, group: &'a mut Group<'_>) -> Applied<'a> {
        Box::pin(async move {
            self.reply = Ok(self.command.apply(group).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, written: Result<(), StoreError>) {
        // The asker may have gone; what was written stays written.
        let _ = self.asker.send(written.and(self.reply));
    }
}
