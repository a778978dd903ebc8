//! The group commit: one task owns the writing connection. What waits when it comes round is one transaction.
//!
//! If a group fails, each of its writes is tried alone, so that one refused write takes no other with it.
//! A failed write to the disk is not tried again: the store is broken until a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Timestamp;
use domain::token::TokenKey;
use sqlx::AnyConnection;
use tokio::sync::{mpsc, oneshot};

use crate::access::{self, AccessWrite};
use crate::arrival::{self, Arrival, Recorded};
use crate::audit::{self, Act};
use crate::completion::{self, Completion};
use crate::db::Dialect;
use crate::error::StoreError;
use crate::failpoint;
use crate::moves::{self, UnitMove};
use crate::release::{self, ReleaseAnswer, ReleaseWrite};
use crate::retention::{self, Purge};
use crate::version::{self, VersionWrite};

/// Writes waiting at most; more must wait outside, which is back-pressure.
const QUEUE_MAX: usize = 4096;
/// Writes of one transaction at most (ruling 15 allows 1,000 rows; a write has a handful).
const GROUP_MAX: usize = 128;

/// A write, as data.
#[derive(Debug, Clone)]
enum Write {
    Arrival {
        node: String,
        arrival: Box<Arrival>,
    },
    Moves(Vec<UnitMove>),
    Release(ReleaseWrite),
    Version(VersionWrite),
    Access(AccessWrite),
    Audit(Box<Act>, TokenKey),
    Purge(Purge),
    Complete(Box<Completion>),
    ForgetBlob(String),
    ForgetRetries(Timestamp),
    /// Nothing: answered when everything before it is written.
    Barrier,
}

/// What a write is answered with.
#[derive(Debug)]
enum Written {
    Arrival(Vec<Recorded>),
    Release(ReleaseAnswer),
    Done,
}

type Answer = oneshot::Sender<Result<Written, StoreError>>;

/// The handle that everyone else has.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<(Write, Answer)>,
    broken: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the task that owns `connection`.
    pub(crate) fn start(connection: AnyConnection, dialect: Dialect) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let broken = Arc::new(AtomicBool::new(false));
        tokio::spawn(run(connection, dialect, waiting, broken.clone()));
        Self { queue, broken }
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    pub(crate) async fn arrival(&self, node: String, arrival: Arrival) -> Result<Vec<Recorded>, StoreError> {
        match self.write(Write::Arrival { node, arrival: Box::new(arrival) }).await? {
            Written::Arrival(recorded) => Ok(recorded),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn moves(&self, moves: Vec<UnitMove>) -> Result<(), StoreError> {
        self.write(Write::Moves(moves)).await.map(drop)
    }

    pub(crate) async fn release(&self, write: ReleaseWrite) -> Result<ReleaseAnswer, StoreError> {
        match self.write(Write::Release(write)).await? {
            Written::Release(answer) => Ok(answer),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn version(&self, write: VersionWrite) -> Result<(), StoreError> {
        self.write(Write::Version(write)).await.map(drop)
    }

    pub(crate) async fn access(&self, write: AccessWrite) -> Result<(), StoreError> {
        self.write(Write::Access(write)).await.map(drop)
    }

    pub(crate) async fn audit(&self, act: Act, key: TokenKey) -> Result<(), StoreError> {
        self.write(Write::Audit(Box::new(act), key)).await.map(drop)
    }

    pub(crate) async fn complete(&self, completion: Completion) -> Result<(), StoreError> {
        self.write(Write::Complete(Box::new(completion))).await.map(drop)
    }

    pub(crate) async fn purge(&self, purge: Purge) -> Result<(), StoreError> {
        self.write(Write::Purge(purge)).await.map(drop)
    }

    pub(crate) async fn forget_blob(&self, mail: String) -> Result<(), StoreError> {
        self.write(Write::ForgetBlob(mail)).await.map(drop)
    }

    pub(crate) async fn forget_retries(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write(Write::ForgetRetries(before)).await.map(drop)
    }

    /// Waits until everything asked for so far has been written.
    pub(crate) async fn drain(&self) {
        // Broken or stopped: nothing more will be written, which is all that a drain waits for.
        let _ = self.write(Write::Barrier).await;
    }

    async fn write(&self, write: Write) -> Result<Written, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send((write, answer)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

fn stopped() -> StoreError {
    StoreError::Broken("the writer has stopped".into())
}

async fn run(
    mut connection: AnyConnection,
    dialect: Dialect,
    mut waiting: mpsc::Receiver<(Write, Answer)>,
    broken: Arc<AtomicBool>,
) {
    let mut group = Vec::new();
    while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
        let (writes, answers): (Vec<Write>, Vec<Answer>) = group.drain(..).unzip();
        let results = if broken.load(Ordering::SeqCst) {
            writes.iter().map(|_| Err(StoreError::Broken("an earlier write failed".into()))).collect()
        } else {
            write_group(&mut connection, dialect, writes).await
        };
        if results.iter().any(|result| matches!(result, Err(StoreError::Broken(_)))) {
            broken.store(true, Ordering::SeqCst);
        }
        for (result, answer) in results.into_iter().zip(answers) {
            // The asker may have gone; what was written stays written.
            let _ = answer.send(result);
        }
    }
}

async fn write_group(
    connection: &mut AnyConnection,
    dialect: Dialect,
    writes: Vec<Write>,
) -> Vec<Result<Written, StoreError>> {
    match transaction(connection, dialect, &writes).await {
        Ok(written) => written.into_iter().map(Ok).collect(),
        Err(error) if writes.len() == 1 || matches!(error, StoreError::Broken(_) | StoreError::Full(_)) => {
            writes.iter().map(|_| Err(error.clone())).collect()
        }
        Err(_) => {
            let mut results = Vec::with_capacity(writes.len());
            for write in writes {
                let alone = transaction(connection, dialect, &[write]).await;
                results.push(alone.and_then(|written| written.into_iter().next().ok_or_else(stopped)));
            }
            results
        }
    }
}

async fn transaction(
    connection: &mut AnyConnection,
    dialect: Dialect,
    writes: &[Write],
) -> Result<Vec<Written>, StoreError> {
    sqlx::query(dialect.begin()).execute(&mut *connection).await?;
    match apply(connection, writes).await {
        Ok(written) => {
            failpoint::step("before-commit");
            if let Err(error) = sqlx::query("commit").execute(&mut *connection).await {
                roll_back(connection).await;
                return Err(error.into());
            }
            failpoint::step("after-commit");
            Ok(written)
        }
        Err(error) => {
            roll_back(connection).await;
            Err(error)
        }
    }
}

async fn roll_back(connection: &mut AnyConnection) {
    // After some failures the database has rolled back by itself, and says so here.
    let _ = sqlx::query("rollback").execute(connection).await;
}

/// Applies a group: the arrivals together, in few statements, then the rest in its order. A write about a
/// message is only asked for after its arrival was answered, so this changes no order that anyone relies on.
async fn apply(connection: &mut AnyConnection, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
    let mut node = "";
    let mut arrivals = Vec::new();
    for write in writes {
        if let Write::Arrival { node: own, arrival } = write {
            node = own;
            arrivals.push(arrival.as_ref());
        }
    }
    let mut recorded = arrival::record(connection, node, &arrivals).await?.into_iter();
    let mut written = Vec::with_capacity(writes.len());
    for write in writes {
        written.push(match write {
            Write::Arrival { .. } => Written::Arrival(recorded.next().unwrap_or_default()),
            Write::Moves(moves) => {
                moves::make(connection, moves).await?;
                Written::Done
            }
            Write::Release(write) => Written::Release(release::apply(connection, write).await?),
            Write::Version(write) => {
                version::apply(connection, write).await?;
                Written::Done
            }
            Write::Access(write) => {
                access::apply(connection, write).await?;
                Written::Done
            }
            Write::Audit(act, key) => {
                audit::append(connection, act, key).await?;
                Written::Done
            }
            Write::Purge(purge) => {
                retention::check(connection, purge).await?;
                retention::apply(connection, purge).await?;
                Written::Done
            }
            Write::Complete(completion) => {
                completion::apply(connection, completion).await?;
                Written::Done
            }
            Write::ForgetBlob(mail) => {
                sqlx::query("update message set blob = null where mail_id = $1")
                    .bind(mail.clone())
                    .execute(&mut *connection)
                    .await?;
                Written::Done
            }
            Write::ForgetRetries(before) => {
                sqlx::query("delete from retry where at_us < $1")
                    .bind(before.as_micros())
                    .execute(&mut *connection)
                    .await?;
                Written::Done
            }
            Write::Barrier => Written::Done,
        });
    }
    Ok(written)
}
