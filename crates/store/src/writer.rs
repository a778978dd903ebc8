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
use crate::agreement::{self, AgreementWrite};
use crate::alert::{self, AlertWrite};
use crate::arrival::{self, Arrival, Recorded};
use crate::audit::{self, Act, Head, Prune};
use crate::bulk::{self, BulkWrite};
use crate::completion::{self, Completion};
use crate::contact::{self, ContactWrite};
use crate::db::Dialect;
use crate::entry::{self, EntryWrite};
use crate::error::StoreError;
use crate::failpoint;
use crate::flow::{self, FlowWrite};
use crate::fold::{self, FoldWrite};
use crate::hits::{self, HitsWrite};
use crate::incident::{self, IncidentWrite};
use crate::journal::{Group, Journal};
use crate::known_good::{self, KnownGoodWrite};
use crate::memory::{self, Meeting};
use crate::moves::{self, UnitMove};
use crate::notice::{self, Told};
use crate::person::{self, PersonWrite};
use crate::recipient::{self, RecipientWrite};
use crate::release::{self, ReleaseAnswer, ReleaseWrite};
use crate::retention::{self, Purge};
use crate::rollout::{self, RolloutWrite};
use crate::saved::{self, SavedWrite};
use crate::sentinel::{self, SentinelWrite};
use crate::submission::{self, SubmissionWrite};
use crate::version::{self, VersionWrite};

/// Writes waiting at most; more must wait outside, which is back-pressure.
const QUEUE_MAX: usize = 4096;
/// Writes that are taken out of the queue at once.
const TAKEN_MAX: usize = 128;
/// Rows of one transaction at most (ruling 15), unless a single write has more.
const ROWS_MAX: usize = 1000;

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
    Rollout(RolloutWrite),
    KnownGood(KnownGoodWrite),
    Entry(EntryWrite),
    Told(Told),
    Meet(Vec<Meeting>),
    Sentinel(SentinelWrite),
    Incident(IncidentWrite),
    Alert(AlertWrite),
    Bulk(BulkWrite),
    Flow(FlowWrite),
    Fold(FoldWrite),
    Hits(HitsWrite),
    Recipient(RecipientWrite),
    Saved(SavedWrite),
    Agreement(AgreementWrite),
    Submission(SubmissionWrite),
    Contact(ContactWrite),
    Access(AccessWrite),
    Person(PersonWrite),
    Audit(Vec<Act>),
    Prune(Prune),
    Erase(i64),
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
    Count(usize),
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
    pub(crate) fn start(connection: AnyConnection, dialect: Dialect, node: &str, key: &TokenKey) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let broken = Arc::new(AtomicBool::new(false));
        let ledger = Ledger { connection, dialect, node: node.to_owned(), key: key.clone(), head: None };
        tokio::spawn(run(ledger, waiting, broken.clone()));
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

    pub(crate) async fn rollout(&self, write: RolloutWrite) -> Result<u32, StoreError> {
        match self.write(Write::Rollout(write)).await? {
            Written::Count(number) => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn contact(&self, write: ContactWrite) -> Result<(), StoreError> {
        self.write(Write::Contact(write)).await.map(drop)
    }

    pub(crate) async fn meet(&self, meetings: Vec<Meeting>) -> Result<(), StoreError> {
        self.write(Write::Meet(meetings)).await.map(drop)
    }

    pub(crate) async fn sentinel(&self, write: SentinelWrite) -> Result<usize, StoreError> {
        match self.write(Write::Sentinel(write)).await? {
            Written::Count(count) => Ok(count),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn incident(&self, write: IncidentWrite) -> Result<usize, StoreError> {
        match self.write(Write::Incident(write)).await? {
            Written::Count(count) => Ok(count),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn alert(&self, write: AlertWrite) -> Result<usize, StoreError> {
        match self.write(Write::Alert(write)).await? {
            Written::Count(count) => Ok(count),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn bulk(&self, write: BulkWrite) -> Result<usize, StoreError> {
        match self.write(Write::Bulk(write)).await? {
            Written::Count(count) => Ok(count),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn flow(&self, write: FlowWrite) -> Result<(), StoreError> {
        self.write(Write::Flow(write)).await.map(drop)
    }

    pub(crate) async fn fold(&self, write: FoldWrite) -> Result<(), StoreError> {
        self.write(Write::Fold(write)).await.map(drop)
    }

    pub(crate) async fn agreement(&self, write: AgreementWrite) -> Result<(), StoreError> {
        self.write(Write::Agreement(write)).await.map(drop)
    }

    pub(crate) async fn saved(&self, write: SavedWrite) -> Result<usize, StoreError> {
        match self.write(Write::Saved(write)).await? {
            Written::Count(count) => Ok(count),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn recipient(&self, write: RecipientWrite) -> Result<usize, StoreError> {
        match self.write(Write::Recipient(write)).await? {
            Written::Count(count) => Ok(count),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn hits(&self, write: HitsWrite) -> Result<(), StoreError> {
        self.write(Write::Hits(write)).await.map(drop)
    }

    pub(crate) async fn submission(&self, write: SubmissionWrite) -> Result<usize, StoreError> {
        match self.write(Write::Submission(write)).await? {
            Written::Count(count) => Ok(count),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn told(&self, told: Told) -> Result<(), StoreError> {
        self.write(Write::Told(told)).await.map(drop)
    }

    pub(crate) async fn entry(&self, write: EntryWrite) -> Result<u64, StoreError> {
        match self.write(Write::Entry(write)).await? {
            Written::Count(number) => Ok(number as u64),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn known_good(&self, write: KnownGoodWrite) -> Result<(), StoreError> {
        self.write(Write::KnownGood(write)).await.map(drop)
    }

    pub(crate) async fn access(&self, write: AccessWrite) -> Result<(), StoreError> {
        self.write(Write::Access(write)).await.map(drop)
    }

    pub(crate) async fn person(&self, write: PersonWrite) -> Result<(), StoreError> {
        self.write(Write::Person(write)).await.map(drop)
    }

    pub(crate) async fn audit(&self, acts: Vec<Act>) -> Result<(), StoreError> {
        self.write(Write::Audit(acts)).await.map(drop)
    }

    pub(crate) async fn prune_audit(&self, prune: Prune) -> Result<usize, StoreError> {
        match self.write(Write::Prune(prune)).await? {
            Written::Count(count) => Ok(count),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn erase(&self, seq: i64) -> Result<(), StoreError> {
        self.write(Write::Erase(seq)).await.map(drop)
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

/// How many of the waiting writes fit into one transaction; at least the first.
fn fitting(group: &[(Write, Answer)]) -> usize {
    let mut rows = 0;
    let fits = group.iter().take_while(|(write, _)| {
        rows += write.rows();
        rows <= ROWS_MAX
    });
    fits.count().max(1)
}

impl Write {
    /// About how many rows it touches.
    fn rows(&self) -> usize {
        match self {
            Self::Arrival { arrival, .. } => {
                let examination = &arrival.examination;
                1 + examination.message.parts.len() + examination.findings.len() + 3 * arrival.units.len()
            }
            Self::Moves(moves) => 2 * moves.len(),
            Self::Release(write) => write.rows(),
            Self::Audit(acts) => acts.len(),
            Self::KnownGood(write) => write.rows(),
            Self::Complete(completion) => 1 + 2 * completion.examination.findings.len() + 4 * completion.verdicts.len(),
            // Their batches are small by themselves, and rare.
            Self::Purge(_) | Self::Prune(_) | Self::ForgetRetries(_) => ROWS_MAX / 2,
            Self::Entry(EntryWrite::Used(used)) => used.len(),
            Self::Told(told) => told.mails.len(),
            Self::Meet(meetings) => meetings.len(),
            Self::Sentinel(write) => write.rows(),
            Self::Incident(write) => write.rows(),
            Self::Flow(write) => write.rows(),
            Self::Fold(write) => write.rows(),
            Self::Hits(write) => write.rows(),
            Self::Recipient(write) => write.rows(),
            Self::Bulk(write) => write.rows(),
            Self::Submission(write) => write.rows(),
            Self::Contact(write) => write.rows(),
            Self::Entry(_)
            | Self::Alert(_)
            | Self::Saved(_)
            | Self::Agreement(_)
            | Self::Erase(_)
            | Self::Version(_)
            | Self::Rollout(_)
            | Self::Access(_)
            | Self::Person(_)
            | Self::ForgetBlob(_)
            | Self::Barrier => 1,
        }
    }
}

/// The writing connection, and what its transactions share.
struct Ledger {
    connection: AnyConnection,
    dialect: Dialect,
    node: String,
    key: TokenKey,
    /// The head of the audit log after the last commit; none when it must be read again.
    head: Option<Head>,
}

async fn run(mut ledger: Ledger, mut waiting: mpsc::Receiver<(Write, Answer)>, broken: Arc<AtomicBool>) {
    let mut group = Vec::new();
    while !group.is_empty() || waiting.recv_many(&mut group, TAKEN_MAX).await > 0 {
        let (writes, answers): (Vec<Write>, Vec<Answer>) = group.drain(..fitting(&group)).unzip();
        let results = if broken.load(Ordering::SeqCst) {
            writes.iter().map(|_| Err(StoreError::Broken("an earlier write failed".into()))).collect()
        } else {
            ledger.write_group(writes).await
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

impl Ledger {
    async fn write_group(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        match self.transaction(&writes).await {
            Ok(written) => written.into_iter().map(Ok).collect(),
            Err(error) if writes.len() == 1 || matches!(error, StoreError::Broken(_) | StoreError::Full(_)) => {
                writes.iter().map(|_| Err(error.clone())).collect()
            }
            Err(_) => {
                let mut results = Vec::with_capacity(writes.len());
                for write in writes {
                    let alone = self.transaction(&[write]).await;
                    results.push(alone.and_then(|written| written.into_iter().next().ok_or_else(stopped)));
                }
                results
            }
        }
    }

    async fn transaction(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        sqlx::query(self.dialect.begin()).execute(&mut self.connection).await?;
        // Only a commit makes the new head the one that is stored.
        let head = self.head.take();
        match self.apply_all(head, writes).await {
            Ok((written, head)) => {
                failpoint::step("before-commit");
                if let Err(error) = sqlx::query("commit").execute(&mut self.connection).await {
                    self.roll_back().await;
                    return Err(error.into());
                }
                failpoint::step("after-commit");
                self.head = Some(head);
                Ok(written)
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
    async fn apply_all(&mut self, head: Option<Head>, writes: &[Write]) -> Result<(Vec<Written>, Head), StoreError> {
        let mut head = match head {
            Some(head) => head,
            None => Head::load(&mut self.connection).await?,
        };
        let mut group =
            Group { connection: &mut self.connection, journal: Journal::new(head.batch()), acts: Vec::new() };
        let written = apply(&mut group, writes).await?;
        let Group { connection, journal, mut acts } = group;
        flow::mark(connection, journal.changes()).await?;
        acts.extend(journal.leaf(&self.node)?);
        head.append(connection, &acts, &self.key).await?;
        Ok((written, head))
    }
}

/// Applies a group: what is asked for many times at once goes together, in few statements, then the rest in its order. A write
/// about a message or a release is only asked for after the one before it was answered, so this changes no order that anyone
/// relies on.
async fn apply(group: &mut Group<'_>, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
    let mut node = "";
    let (mut arrivals, mut moves, mut starts, mut conclusions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for write in writes {
        match write {
            Write::Arrival { node: own, arrival } => {
                node = own;
                arrivals.push(arrival.as_ref());
            }
            Write::Moves(more) => moves.extend(more),
            Write::Release(ReleaseWrite::StartAttempt(start)) => starts.push(start),
            Write::Release(ReleaseWrite::Conclude(conclusion)) => conclusions.push(conclusion),
            _ => {}
        }
    }
    let mut recorded = arrival::record(group, node, &arrivals).await?.into_iter();
    moves::make(group, moves).await?;
    release::start_attempts(group.connection, &starts).await?;
    release::conclude(group, &conclusions).await?;
    let mut written = Vec::with_capacity(writes.len());
    for write in writes {
        written.push(match write {
            Write::Arrival { .. } => Written::Arrival(recorded.next().unwrap_or_default()),
            Write::Release(write) => Written::Release(release::apply(group, write).await?),
            Write::Rollout(write) => Written::Count(rollout::apply(group.connection, write).await? as usize),
            Write::Entry(write) => Written::Count(entry::apply(group.connection, write).await? as usize),
            Write::Prune(prune) => Written::Count(audit::prune(group.connection, prune).await?),
            Write::Sentinel(write) => Written::Count(sentinel::apply(group.connection, write).await?),
            Write::Incident(write) => Written::Count(incident::apply(group, write).await?),
            Write::Bulk(write) => Written::Count(bulk::apply(group.connection, write).await?),
            Write::Saved(write) => Written::Count(saved::apply(group.connection, write).await?),
            Write::Recipient(write) => Written::Count(recipient::apply(group.connection, write).await?),
            Write::Alert(write) => Written::Count(alert::apply(group.connection, write).await?),
            Write::Submission(write) => Written::Count(submission::apply(group.connection, write).await?),
            other => {
                apply_one(group, other).await?;
                Written::Done
            }
        });
    }
    Ok(written)
}

/// Applies a write that is answered with nothing.
async fn apply_one(group: &mut Group<'_>, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Version(write) => version::apply(group.connection, write).await,
        Write::KnownGood(write) => known_good::apply(group.connection, write).await,
        Write::Contact(write) => contact::apply(group.connection, write).await,
        Write::Flow(write) => flow::apply(group.connection, write).await,
        Write::Fold(write) => fold::apply(group.connection, write).await,
        Write::Agreement(write) => agreement::apply(group.connection, write).await,
        Write::Hits(write) => hits::apply(group.connection, write).await,
        Write::Told(told) => notice::apply(group.connection, told).await,
        Write::Meet(meetings) => memory::apply(group.connection, meetings).await,
        Write::Access(write) => access::apply(group.connection, write).await,
        Write::Person(write) => person::apply(group.connection, write).await,
        Write::Audit(acts) => {
            group.acts.extend(acts.iter().cloned());
            Ok(())
        }
        Write::Erase(seq) => audit::erase(group.connection, *seq).await,
        Write::Purge(purge) => retention::apply(group, purge).await,
        Write::Complete(completion) => completion::apply(group, &[completion]).await,
        Write::ForgetBlob(mail) => {
            let sql = "update message set blob = null where mail_id = $1";
            sqlx::query(sql).bind(mail.clone()).execute(&mut *group.connection).await?;
            Ok(())
        }
        Write::ForgetRetries(before) => {
            let sql = "delete from retry where at_us < $1";
            sqlx::query(sql).bind(before.as_micros()).execute(&mut *group.connection).await?;
            Ok(())
        }
        Write::Barrier
        | Write::Moves(_)
        | Write::Arrival { .. }
        | Write::Release(_)
        | Write::Rollout(_)
        | Write::Entry(_)
        | Write::Sentinel(_)
        | Write::Incident(_)
        | Write::Alert(_)
        | Write::Recipient(_)
        | Write::Saved(_)
        | Write::Bulk(_)
        | Write::Submission(_)
        | Write::Prune(_) => Ok(()),
    }
}
