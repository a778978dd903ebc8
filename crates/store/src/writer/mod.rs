//! The group commit: one task owns the writing connection. What waits when it comes round is one transaction.
//!
//! If a group fails, each of its writes is tried alone, so that one refused write takes no other with it. A failed
//! write to the disk is not tried again: the store is broken until a restart, and nothing behind it is written.

mod batch;
mod command;
mod group;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::token::TokenKey;
use sqlx::{AnyConnection, Connection};
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use self::batch::Batch;
pub(crate) use self::command::Command;
use self::command::Queued;
pub(crate) use self::group::Group;
use crate::audit::Head;
use crate::audit::journal::Journal;
use crate::database::error::StoreError;
use crate::database::soundness::Soundness;
use crate::database::{self, Dialect};
use crate::explorer::flow;
use crate::failpoint;

/// Writes waiting at most; more must wait outside, which is back-pressure.
const QUEUE_MAX: usize = 4096;
/// Writes that are taken out of the queue at once.
const TAKEN_MAX: usize = 128;
/// Rows of one transaction at most, unless a single write has more.
const ROWS_MAX: usize = 1000;
/// Rows that a sweep of one batch counts as: their batches are small by themselves, and rare.
pub(crate) const SWEEP_ROWS: usize = ROWS_MAX / 2;
/// How often a write is tried that another transaction was in the way of.
const TRIES: u32 = 4;
/// The rest after such a failure, times the number of the try.
const REST: Duration = Duration::from_millis(15);

/// The handle that everyone else has.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Queued>,
    full: Arc<AtomicBool>,
    /// Whether nothing more is to be written.
    closing: Arc<AtomicBool>,
    /// It has ended once the other end is gone.
    ended: watch::Receiver<()>,
}

impl Writer {
    /// Starts the task that owns `connection`, to the database at `url`.
    pub(crate) fn start(
        connection: AnyConnection,
        url: &str,
        node: &str,
        key: &TokenKey,
        soundness: Soundness,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let full = Arc::new(AtomicBool::new(false));
        let ledger = Ledger {
            connection,
            url: url.to_owned(),
            dialect: Dialect::of(url),
            node: node.to_owned(),
            key: key.clone(),
            head: None,
            is_lost: false,
        };
        let closing = Arc::new(AtomicBool::new(false));
        let (running, ended) = watch::channel(());
        let writing = run(ledger, waiting, soundness, full.clone(), closing.clone());
        tokio::spawn(async move {
            writing.await;
            drop(running);
        });
        Self { queue, full, closing, ended }
    }

    /// Whether the last write found no room.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// Writes durably what a command asks for.
    ///
    /// # Errors
    /// When it could not be written; then nothing of it was.
    pub(crate) async fn write<C: Command>(&self, command: C) -> Result<C::Reply, StoreError> {
        let (asker, answered) = oneshot::channel();
        self.queue.send(Queued::new(command, asker)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Waits until everything asked for so far has been written, and the connection is closed. What is asked for
    /// afterwards is refused.
    pub(crate) async fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        // Broken or stopped: nothing more will be written, which is all that this waits for.
        let _ = self.write(Barrier).await;
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

/// Nothing: answered when everything before it is written.
struct Barrier;

impl Command for Barrier {
    type Reply = ();

    async fn apply(&self, _group: &mut Group<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

fn stopped() -> StoreError {
    StoreError::Broken("the writer has stopped".into())
}

/// How many of the waiting commands fit into one transaction; at least the first.
fn fitting(waiting: &[Queued]) -> usize {
    let mut rows = 0;
    let fits = waiting.iter().take_while(|command| {
        rows += command.rows();
        rows <= ROWS_MAX
    });
    fits.count().max(1)
}

/// The writing connection, and what its transactions share.
struct Ledger {
    connection: AnyConnection,
    url: String,
    dialect: Dialect,
    node: String,
    key: TokenKey,
    /// The head of the audit log after the last commit; none when it must be read again.
    head: Option<Head>,
    /// Whether the connection is gone and has to be made anew.
    is_lost: bool,
}

async fn run(
    mut ledger: Ledger,
    mut waiting: mpsc::Receiver<Queued>,
    soundness: Soundness,
    full: Arc<AtomicBool>,
    closing: Arc<AtomicBool>,
) {
    let mut taken = Vec::new();
    while !taken.is_empty() || waiting.recv_many(&mut taken, TAKEN_MAX).await > 0 {
        let mut commands: Vec<Queued> = taken.drain(..fitting(&taken)).collect();
        let results = match soundness.fault() {
            Some(why) => commands.iter().map(|_| Err(StoreError::Broken(why.to_owned()))).collect(),
            None => ledger.write_group(&mut commands).await,
        };
        full.store(results.iter().any(|result| matches!(result, Err(StoreError::Full(_)))), Ordering::SeqCst);
        for (command, result) in commands.into_iter().zip(results) {
            command.answer(soundness.heed(result));
        }
        if closing.load(Ordering::SeqCst) {
            waiting.close();
        }
    }
    if let Err(error) = ledger.connection.close().await {
        tracing::warn!(%error, "the connection that writes could not be closed in order");
    }
}

/// Whether nothing that is written after this can fare better.
fn is_for_all(error: &StoreError) -> bool {
    matches!(error, StoreError::Broken(_) | StoreError::Full(_) | StoreError::Unreachable(_))
}

/// Who writes one thing at a time.
trait Alone<W> {
    /// Writes one thing.
    fn alone(&mut self, write: &mut W) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Writes each alone, until one fails in a way that all others would: they are answered the same, and nothing more is
/// begun.
async fn one_by_one<W>(writes: &mut [W], writer: &mut impl Alone<W>) -> Vec<Result<(), StoreError>> {
    let mut results: Vec<Result<(), StoreError>> = Vec::with_capacity(writes.len());
    let mut end = None;
    for write in writes {
        let result = match &end {
            Some(error) => Err(StoreError::clone(error)),
            None => writer.alone(write).await,
        };
        if end.is_none() {
            end = result.as_ref().err().filter(|error| is_for_all(error)).cloned();
        }
        results.push(result);
    }
    results
}

impl Alone<Queued> for Ledger {
    /// One command in a transaction of its own; once more, and again, where another transaction was in the way.
    async fn alone(&mut self, command: &mut Queued) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.transaction(std::slice::from_mut(command)).await {
                Err(StoreError::Busy(_)) if tries < TRIES => tokio::time::sleep(REST * tries).await,
                done => return done,
            }
            tries += 1;
        }
    }
}

impl Ledger {
    async fn write_group(&mut self, commands: &mut [Queued]) -> Vec<Result<(), StoreError>> {
        let failed = match self.transaction(commands).await {
            Ok(()) => return commands.iter().map(|_| Ok(())).collect(),
            Err(error) => error,
        };
        // SQLite has waited for the other already, and has one lock for all; PostgreSQL may take it at the next try.
        let is_busy = matches!(failed, StoreError::Busy(_));
        let is_locked = is_busy && self.dialect == Dialect::Sqlite;
        if is_for_all(&failed) || is_locked || (commands.len() == 1 && !is_busy) {
            return commands.iter().map(|_| Err(failed.clone())).collect();
        }
        one_by_one(commands, self).await
    }

    /// A connection that the database has closed is made anew. What was being written then was answered as it was:
    /// unreachable.
    async fn reconnect(&mut self) -> Result<(), StoreError> {
        if self.is_lost {
            self.connection = database::connect(&self.url).await?;
            self.head = None;
            self.is_lost = false;
        }
        Ok(())
    }

    async fn transaction(&mut self, commands: &mut [Queued]) -> Result<(), StoreError> {
        self.reconnect().await?;
        let done = self.commit(commands).await;
        self.is_lost = matches!(done, Err(StoreError::Unreachable(_)));
        done
    }

    async fn commit(&mut self, commands: &mut [Queued]) -> Result<(), StoreError> {
        sqlx::query(self.dialect.begin()).execute(&mut self.connection).await?;
        // Only a commit makes the new head the one that is stored.
        let head = self.head.take();
        match self.apply_all(head, commands).await {
            Ok(head) => {
                failpoint::step("before-commit");
                if let Err(error) = sqlx::query("commit").execute(&mut self.connection).await {
                    self.roll_back().await;
                    return Err(error.into());
                }
                failpoint::step("after-commit");
                self.head = Some(head);
                Ok(())
            }
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    async fn roll_back(&mut self) {
        // After some failures the database has rolled back by itself, and says so here.
        let _ = sqlx::query("rollback").execute(&mut self.connection).await;
    }

    /// Applies a group, and appends its leaf of the journal and the acts among it to the audit log.
    async fn apply_all(&mut self, head: Option<Head>, commands: &mut [Queued]) -> Result<Head, StoreError> {
        let mut head = match head {
            Some(head) => head,
            None => Head::load(&mut self.connection).await?,
        };
        let mut group = Group {
            connection: &mut self.connection,
            node: &self.node,
            journal: Journal::new(head.batch()),
            acts: Vec::new(),
            recorded: VecDeque::new(),
        };
        apply(&mut group, commands).await?;
        let Group { connection, node, journal, mut acts, recorded: _ } = group;
        flow::mark(connection, journal.changes()).await?;
        acts.extend(journal.leaf(node)?);
        head.append(connection, &acts, &self.key).await?;
        Ok(head)
    }
}

/// Applies a group: what is asked for many times at once goes together, in few statements, then each in its order.
async fn apply(group: &mut Group<'_>, commands: &mut [Queued]) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for command in commands.iter() {
        command.join(&mut batch);
    }
    batch.write(group).await?;
    for command in commands {
        command.apply(group).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use domain::Timestamp;

    use super::*;

    /// A disk that fails at the third write.
    struct Failing {
        begun: Vec<u32>,
        end: StoreError,
    }

    impl Alone<u32> for Failing {
        async fn alone(&mut self, write: &mut u32) -> Result<(), StoreError> {
            self.begun.push(*write);
            match write {
                1 => Err(StoreError::Refused("this one alone".into())),
                3 => Err(self.end.clone()),
                _ => Ok(()),
            }
        }
    }

    #[tokio::test]
    async fn after_the_disk_fails_nothing_more_is_written() {
        for (end, expected) in [
            (StoreError::Broken("fsync".into()), "broken"),
            (StoreError::Full("no room".into()), "full"),
            (StoreError::Unreachable("closed".into()), "unreachable"),
        ] {
            let mut disk = Failing { begun: Vec::new(), end };
            let results = one_by_one(&mut [1, 2, 3, 4, 5], &mut disk).await;
            assert_eq!(disk.begun, [1, 2, 3], "what comes after {expected} is not begun");
            assert!(matches!(results[0], Err(StoreError::Refused(_))) && matches!(results[1], Ok(())));
            for result in &results[2..] {
                let answered = match result {
                    Err(StoreError::Broken(_)) => "broken",
                    Err(StoreError::Full(_)) => "full",
                    Err(StoreError::Unreachable(_)) => "unreachable",
                    _ => "something else",
                };
                assert_eq!(answered, expected, "and everybody is told so");
            }
        }
    }

    /// Answers with its number, and counts how often it was applied.
    struct Count {
        number: i64,
        applied: Arc<AtomicUsize>,
    }

    impl Command for Count {
        type Reply = i64;

        async fn apply(&self, _group: &mut Group<'_>) -> Result<i64, StoreError> {
            self.applied.fetch_add(1, Ordering::SeqCst);
            Ok(self.number)
        }
    }

    /// Would answer with a text, and is refused.
    struct Refused;

    impl Command for Refused {
        type Reply = String;

        async fn apply(&self, _group: &mut Group<'_>) -> Result<String, StoreError> {
            Err(StoreError::Refused("this one alone".into()))
        }
    }

    #[tokio::test]
    async fn a_refused_command_takes_no_other_of_its_group_with_it_and_each_has_its_own_reply() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = TokenKey::new([7; 32]);
        let store = crate::Store::open_embedded(folder.path(), "test", &key, Timestamp::from_micros(1)).await;
        let store = store.expect("opens");
        let applied = Arc::new(AtomicUsize::new(0));
        let count = |number| Count { number, applied: applied.clone() };
        // All three are asked for before the writer's task runs: one group, then each alone.
        let writer = &store.core.writer;
        let (one, refused, two) = tokio::join!(writer.write(count(1)), writer.write(Refused), writer.write(count(2)));
        assert_eq!((one.expect("is written"), two.expect("is written")), (1, 2));
        assert!(matches!(refused, Err(StoreError::Refused(why)) if why == "this one alone"));
        assert_eq!(applied.load(Ordering::SeqCst), 3, "the first with the group and alone, the last alone");
        store.close().await;
    }
}
