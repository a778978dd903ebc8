//! The group commit: one task owns the writing connection. What waits when it comes round is one transaction.
//!
//! If a group fails, each of its writes is tried alone, so that one refused write takes no other with it. A failed
//! write to the disk is not tried again: the store is broken until a restart, and nothing behind it is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
use crate::claim::{self, ClaimWrite};
use crate::completion::{self, Completion};
use crate::contact::{self, ContactWrite};
use crate::db::{self, Dialect};
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
use crate::reading::{self, Remembered};
use crate::recipient::{self, RecipientWrite};
use crate::release::{self, Conclusion, ReleaseAnswer, ReleaseWrite, Start};
use crate::retention::{self, Forgetting, Purge};
use crate::rollout::{self, RolloutWrite};
use crate::saved::{self, SavedWrite};
use crate::scrub::{self, ScrubWrite};
use crate::sentinel::{self, SentinelWrite};
use crate::soundness::Soundness;
use crate::submission::{self, SubmissionWrite};
use crate::version::{self, VersionWrite};

/// Writes waiting at most; more must wait outside, which is back-pressure.
const QUEUE_MAX: usize = 4096;
/// Writes that are taken out of the queue at once.
const TAKEN_MAX: usize = 128;
/// Rows of one transaction at most, unless a single write has more.
const ROWS_MAX: usize = 1000;
/// How often a write is tried that another transaction was in the way of.
const TRIES: u32 = 4;
/// The rest after such a failure, times the number of the try.
const REST: Duration = Duration::from_millis(15);

/// A write that comes many times at once: all of a group go together, in few statements.
#[derive(Debug, Clone)]
enum Together {
    Arrival { node: String, arrival: Box<Arrival> },
    Moves(Vec<UnitMove>),
    Start(Start),
    Conclude(Conclusion),
}

/// A write, as data.
#[derive(Debug, Clone)]
enum Write {
    Together(Together),
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
    Claim(ClaimWrite),
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
    ForgetBlob(Forgetting),
    Reading(Remembered),
    Scrub(ScrubWrite),
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
    full: Arc<AtomicBool>,
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
        tokio::spawn(run(ledger, waiting, soundness, full.clone()));
        Self { queue, full }
    }

    /// Whether the last write found no room.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    pub(crate) async fn arrival(&self, node: String, arrival: Arrival) -> Result<Vec<Recorded>, StoreError> {
        match self.write(Write::Together(Together::Arrival { node, arrival: Box::new(arrival) })).await? {
            Written::Arrival(recorded) => Ok(recorded),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn moves(&self, moves: Vec<UnitMove>) -> Result<(), StoreError> {
        self.write(Write::Together(Together::Moves(moves))).await.map(drop)
    }

    pub(crate) async fn start_attempt(&self, start: Start) -> Result<(), StoreError> {
        self.write(Write::Together(Together::Start(start))).await.map(drop)
    }

    pub(crate) async fn conclude(&self, conclusion: Conclusion) -> Result<(), StoreError> {
        self.write(Write::Together(Together::Conclude(conclusion))).await.map(drop)
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

    pub(crate) async fn claim(&self, write: ClaimWrite) -> Result<usize, StoreError> {
        match self.write(Write::Claim(write)).await? {
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

    pub(crate) async fn forget_blob(&self, forgetting: Forgetting) -> Result<(), StoreError> {
        self.write(Write::ForgetBlob(forgetting)).await.map(drop)
    }

    pub(crate) async fn reading(&self, remembered: Remembered) -> Result<bool, StoreError> {
        match self.write(Write::Reading(remembered)).await? {
            Written::Count(count) => Ok(count == 1),
            _ => Err(stopped()),
        }
    }

    pub(crate) async fn scrub(&self, write: ScrubWrite) -> Result<(), StoreError> {
        self.write(Write::Scrub(write)).await.map(drop)
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
            Self::Together(Together::Arrival { arrival, .. }) => {
                let examination = &arrival.examination;
                1 + examination.message.parts.len() + examination.findings.len() + 3 * arrival.units.len()
            }
            Self::Together(Together::Moves(moves)) => 2 * moves.len(),
            Self::Together(Together::Start(_)) => 2,
            Self::Together(Together::Conclude(_)) => 4,
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
            | Self::Claim(_)
            | Self::Alert(_)
            | Self::Saved(_)
            | Self::Agreement(_)
            | Self::Erase(_)
            | Self::Version(_)
            | Self::Rollout(_)
            | Self::Access(_)
            | Self::Person(_)
            | Self::ForgetBlob(_)
            | Self::Reading(_)
            | Self::Scrub(_)
            | Self::Barrier => 1,
        }
    }
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
    mut waiting: mpsc::Receiver<(Write, Answer)>,
    soundness: Soundness,
    full: Arc<AtomicBool>,
) {
    let mut group = Vec::new();
    while !group.is_empty() || waiting.recv_many(&mut group, TAKEN_MAX).await > 0 {
        let (writes, answers): (Vec<Write>, Vec<Answer>) = group.drain(..fitting(&group)).unzip();
        let results = match soundness.fault() {
            Some(why) => writes.iter().map(|_| Err(StoreError::Broken(why.to_owned()))).collect(),
            None => ledger.write_group(writes).await,
        };
        full.store(results.iter().any(|result| matches!(result, Err(StoreError::Full(_)))), Ordering::SeqCst);
        for (result, answer) in results.into_iter().zip(answers) {
            // The asker may have gone; what was written stays written.
            let _ = answer.send(soundness.heed(result));
        }
    }
}

/// Whether nothing that is written after this can fare better.
fn is_for_all(error: &StoreError) -> bool {
    matches!(error, StoreError::Broken(_) | StoreError::Full(_) | StoreError::Unreachable(_))
}

/// Who writes one thing at a time.
trait Alone<W, T> {
    /// Writes one thing.
    fn alone(&mut self, write: W) -> impl Future<Output = Result<T, StoreError>> + Send;
}

/// Writes each alone, until one fails in a way that all others would: they are answered the same, and nothing more is
/// begun.
async fn one_by_one<W, T>(writes: Vec<W>, writer: &mut impl Alone<W, T>) -> Vec<Result<T, StoreError>> {
    let mut results: Vec<Result<T, StoreError>> = Vec::with_capacity(writes.len());
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

impl Alone<Write, Written> for Ledger {
    /// One write in a transaction of its own; once more, and again, where another transaction was in the way.
    async fn alone(&mut self, write: Write) -> Result<Written, StoreError> {
        let mut tries = 1;
        loop {
            match self.transaction(std::slice::from_ref(&write)).await {
                Err(StoreError::Busy(_)) if tries < TRIES => tokio::time::sleep(REST * tries).await,
                done => return done.and_then(|written| written.into_iter().next().ok_or_else(stopped)),
            }
            tries += 1;
        }
    }
}

impl Ledger {
    async fn write_group(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        let failed = match self.transaction(&writes).await {
            Ok(written) => return written.into_iter().map(Ok).collect(),
            Err(error) => error,
        };
        // SQLite has waited for the other already, and has one lock for all; PostgreSQL may take it at the next try.
        let is_busy = matches!(failed, StoreError::Busy(_));
        let is_locked = is_busy && self.dialect == Dialect::Sqlite;
        if is_for_all(&failed) || is_locked || (writes.len() == 1 && !is_busy) {
            return writes.iter().map(|_| Err(failed.clone())).collect();
        }
        one_by_one(writes, self).await
    }

    /// A connection that the database has closed is made anew. What was being written then was answered as it was:
    /// unreachable.
    async fn reconnect(&mut self) -> Result<(), StoreError> {
        if self.is_lost {
            self.connection = db::connect(&self.url).await?;
            self.head = None;
            self.is_lost = false;
        }
        Ok(())
    }

    async fn transaction(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        self.reconnect().await?;
        let done = self.commit(writes).await;
        self.is_lost = matches!(done, Err(StoreError::Unreachable(_)));
        done
    }

    async fn commit(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
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

/// Applies a group: what is asked for many times at once goes together, in few statements, then the rest in its order.
/// A write about a message or a release is only asked for after the one before it was answered, so this changes no
/// order that anyone relies on. Each kind has its line in one of the two tables; one that has none does not compile.
async fn apply(group: &mut Group<'_>, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
    let mut recorded = apply_together(group, writes).await?.into_iter();
    let mut written = Vec::with_capacity(writes.len());
    for write in writes {
        let connection = &mut *group.connection;
        written.push(match write {
            Write::Together(Together::Arrival { .. }) => Written::Arrival(recorded.next().ok_or_else(stopped)?),
            Write::Together(Together::Moves(_) | Together::Start(_) | Together::Conclude(_)) => Written::Done,
            Write::Release(write) => Written::Release(release::apply(group, write).await?),
            Write::Incident(write) => Written::Count(incident::apply(group, write).await?),
            Write::Rollout(write) => Written::Count(rollout::apply(connection, write).await? as usize),
            Write::Entry(write) => Written::Count(entry::apply(connection, write).await? as usize),
            Write::Prune(prune) => Written::Count(audit::prune(connection, prune).await?),
            Write::Sentinel(write) => Written::Count(sentinel::apply(connection, write).await?),
            Write::Bulk(write) => Written::Count(bulk::apply(connection, write).await?),
            Write::Claim(write) => Written::Count(claim::apply(connection, write).await?),
            Write::Saved(write) => Written::Count(saved::apply(connection, write).await?),
            Write::Recipient(write) => Written::Count(recipient::apply(connection, write).await?),
            Write::Alert(write) => Written::Count(alert::apply(connection, write).await?),
            Write::Submission(write) => Written::Count(submission::apply(connection, write).await?),
            Write::Reading(remembered) => Written::Count(reading::apply(connection, remembered).await?.into()),
            Write::Version(write) => done(version::apply(connection, write).await?),
            Write::KnownGood(write) => done(known_good::apply(connection, write).await?),
            Write::Contact(write) => done(contact::apply(connection, write).await?),
            Write::Flow(write) => done(flow::apply(connection, write).await?),
            Write::Fold(write) => done(fold::apply(connection, write).await?),
            Write::Agreement(write) => done(agreement::apply(connection, write).await?),
            Write::Hits(write) => done(hits::apply(connection, write).await?),
            Write::Told(told) => done(notice::apply(connection, told).await?),
            Write::Meet(meetings) => done(memory::apply(connection, meetings).await?),
            Write::Access(write) => done(access::apply(connection, write).await?),
            Write::Person(write) => done(person::apply(connection, write).await?),
            Write::Audit(acts) => {
                group.acts.extend(acts.iter().cloned());
                Written::Done
            }
            Write::Erase(seq) => done(audit::erase(connection, *seq).await?),
            Write::Purge(purge) => done(retention::apply(group, purge).await?),
            Write::Complete(completion) => done(completion::apply(group, &[completion]).await?),
            Write::ForgetBlob(forgetting) => done(retention::forget_blob(connection, forgetting).await?),
            Write::Scrub(write) => done(scrub::apply(connection, write).await?),
            Write::ForgetRetries(before) => {
                let sql = "delete from retry where at_us < $1";
                sqlx::query(sql).bind(before.as_micros()).execute(connection).await?;
                Written::Done
            }
            Write::Barrier => Written::Done,
        });
    }
    Ok(written)
}

/// Applies what goes together. Returns what became of the units of each arrival, in their order.
async fn apply_together(group: &mut Group<'_>, writes: &[Write]) -> Result<Vec<Vec<Recorded>>, StoreError> {
    let mut node = "";
    let (mut arrivals, mut moves, mut starts, mut conclusions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let together = writes.iter().filter_map(|write| if let Write::Together(one) = write { Some(one) } else { None });
    for write in together {
        match write {
            Together::Arrival { node: own, arrival } => {
                node = own;
                arrivals.push(arrival.as_ref());
            }
            Together::Moves(more) => moves.extend(more),
            Together::Start(start) => starts.push(start),
            Together::Conclude(conclusion) => conclusions.push(conclusion),
        }
    }
    let recorded = arrival::record(group, node, &arrivals).await?;
    moves::make(group, moves).await?;
    release::start_attempts(group.connection, &starts).await?;
    release::conclude(group, &conclusions).await?;
    Ok(recorded)
}

fn done(_: ()) -> Written {
    Written::Done
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that fails at the third write.
    struct Failing {
        begun: Vec<u32>,
        end: StoreError,
    }

    impl Alone<u32, u32> for Failing {
        async fn alone(&mut self, write: u32) -> Result<u32, StoreError> {
            self.begun.push(write);
            match write {
                1 => Err(StoreError::Refused("this one alone".into())),
                3 => Err(self.end.clone()),
                write => Ok(write),
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
            let results = one_by_one(vec![1, 2, 3, 4, 5], &mut disk).await;
            assert_eq!(disk.begun, [1, 2, 3], "what comes after {expected} is not begun");
            assert!(matches!(results[0], Err(StoreError::Refused(_))) && matches!(results[1], Ok(2)));
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
}
