//! Acts on everything that a query fits: jobs that go on where they were stopped, with a result for each unit.

use std::time::Duration;

use domain::{MailId, Timestamp, UnitId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, named};
use crate::explorer::ExplorerStore;
use crate::explorer::explore::ExploreCursor;
use crate::mail::arrival::unit_id;
use crate::people::scope::Scope;
use crate::writer::{Command, Group};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkVerb {
    /// Their release is asked for.
    Release,
    /// They stay.
    Deny,
    /// They are gone for people.
    Delete,
}

impl BulkVerb {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Release, Self::Deny, Self::Delete];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Deny => "deny",
            Self::Delete => "delete",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text)
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkStage {
    /// Somebody else has to agree first; nothing is done.
    Waiting,
    /// It goes on.
    Running,
    /// It has come by everything.
    Done,
    /// A person has stopped it; what it had done stays done.
    Cancelled,
}

impl BulkStage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Running, Self::Done, Self::Cancelled];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// Its number; given by the store.
    pub number: i64,
    /// What it does.
    pub verb: BulkVerb,
    /// To what; its relative moments are relative to `made`, and mail that comes later is not meant.
    pub query: String,
    /// Whose units it may touch.
    pub scope: Scope,
    /// Who asked.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub made: Timestamp,
    /// Where it stands.
    pub stage: BulkStage,
    /// Since when it stands there, or when it last came by something.
    pub moved: Timestamp,
    /// Where it looks on.
    pub place: BulkPlace,
    /// The fence of the claim that it was read with; what a worker writes of the job names it.
    pub fence: i64,
}

/// How long a claim of a job holds: longer than a page of it takes.
pub const LEASE: Duration = Duration::from_secs(5 * 60);

/// How far a job has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkPlace {
    /// Nothing yet.
    Begin,
    /// Up to here.
    At(ExploreCursor),
    /// Everything: what was found and is pending is left.
    End,
}

impl BulkPlace {
    fn text(self) -> String {
        match self {
            Self::Begin => String::new(),
            Self::At(place) => place.to_string(),
            Self::End => "end".into(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Begin),
            "end" => Some(Self::End),
            text => ExploreCursor::parse(text).map(Self::At),
        }
    }
}

/// Results that one round of forgetting ends.
const FORGET_BATCH: i64 = 500;

/// The outcome of a unit that was found and not acted on yet.
pub const PENDING: &str = "pending";

/// What became of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkItem {
    /// The unit.
    pub unit: UnitId,
    /// Its recipient.
    pub recipient: String,
    /// pending, done, already or refused.
    pub outcome: String,
    /// Why it was refused.
    pub reply: String,
}

/// A new job, as data.
#[derive(Clone, Debug)]
struct Begin(Bulk);

/// The claim of a job, as data.
#[derive(Clone, Debug)]
struct Claim {
    number: i64,
    fence: i64,
    owner: String,
    at: Timestamp,
}

/// A write about jobs that there are, as data.
#[derive(Clone, Debug)]
pub(crate) enum BulkWrite {
    Found { job: Held, place: BulkPlace, items: Vec<BulkItem>, at: Timestamp },
    Acted { job: Held, items: Vec<BulkItem>, at: Timestamp },
    Finish { job: Held, at: Timestamp },
    Forget(Timestamp),
    Cancel { number: i64, at: Timestamp },
    Approve { number: i64, at: Timestamp },
}

/// A job that a worker holds: its number and the fence of the claim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    number: i64,
    fence: i64,
}

impl Held {
    fn of(bulk: &Bulk) -> Self {
        Self { number: bulk.number, fence: bulk.fence }
    }
}

impl ExplorerStore {
    /// Begins a job; returns its number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_job(&self, bulk: Bulk) -> Result<i64, StoreError> {
        self.core.writer.write(Begin(bulk)).await
    }

    /// Claims a running job for this process, for [`LEASE`], and reads it under its new fence; none when another
    /// process goes on with it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_job(&self, bulk: &Bulk, at: Timestamp) -> Result<Option<Bulk>, StoreError> {
        let claim = Claim { number: bulk.number, fence: bulk.fence, owner: self.core.owner.clone(), at };
        let Some(fence) = self.core.writer.write(claim).await? else { return Ok(None) };
        // What was read before the claim may be older than it.
        self.job(bulk.number).await.map(|bulk| Some(bulk).filter(|bulk| bulk.fence == fence))
    }

    /// A claimed job has found some units, up to a place: they are written down before anything is done to them, so
    /// that each gets its result. Nothing is written of a job that was stopped meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the job is another's meanwhile; or when the store fails.
    pub async fn record_found_units(
        &self,
        bulk: &Bulk,
        place: BulkPlace,
        items: Vec<BulkItem>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.core.writer.write(BulkWrite::Found { job: Held::of(bulk), place, items, at }).await
    }

    /// What became of some units of a claimed job.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the job is another's meanwhile; or when the store fails.
    pub async fn record_results(&self, bulk: &Bulk, items: Vec<BulkItem>, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(BulkWrite::Acted { job: Held::of(bulk), items, at }).await
    }

    /// A claimed job has nothing left to do.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the job is another's meanwhile; or when the store fails.
    pub async fn finish_job(&self, bulk: &Bulk, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(BulkWrite::Finish { job: Held::of(bulk), at }).await
    }

    /// Forgets some results of jobs that ended before `before`, and the jobs of which none is left; says whether there
    /// may be more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_jobs(&self, before: Timestamp) -> Result<bool, StoreError> {
        let sql = "select count(*) as old from bulk where stage <> 'running' and moved_us < $1";
        let old: i64 = sqlx::query(sql).bind(before.as_micros()).fetch_one(&self.core.reads).await?.try_get("old")?;
        if old > 0 {
            self.core.writer.write(BulkWrite::Forget(before)).await?;
        }
        Ok(old > 0)
    }

    /// Stops a job.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it does not run.
    pub async fn cancel_job(&self, number: i64, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(BulkWrite::Cancel { number, at }).await
    }

    /// Somebody else has agreed: the job goes on.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it does not wait.
    pub async fn approve_job(&self, number: i64, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(BulkWrite::Approve { number, at }).await
    }

    /// Jobs, newest first; only those that run, if that is wanted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn jobs(&self, only_running: bool) -> Result<Vec<Bulk>, StoreError> {
        let sql = "select * from bulk where $1 = 0 or stage = 'running' order by bulk desc limit 200";
        sqlx::query(sql).bind(i64::from(only_running)).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// One job.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn job(&self, number: i64) -> Result<Bulk, StoreError> {
        let row =
            sqlx::query("select * from bulk where bulk = $1").bind(number).fetch_optional(&self.core.reads).await?;
        read(&row.ok_or_else(|| StoreError::NotFound(format!("job {number}")))?)
    }

    /// How many units a job has come by, by outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_units_of_job(&self, number: i64) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = "select outcome, count(*) as units from bulk_item where bulk = $1 group by outcome order by outcome";
        let rows = sqlx::query(sql).bind(number).fetch_all(&self.core.reads).await?;
        let count =
            |row: &AnyRow| Ok((row.try_get("outcome")?, u64::try_from(row.try_get::<i64, _>("units")?).unwrap_or(0)));
        rows.iter().map(count).collect()
    }

    /// Some of the units of a job, with what became of each: those with this outcome, or all, behind a message.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn units_of_job(
        &self,
        number: i64,
        outcome: Option<&str>,
        after: Option<MailId>,
        limit: i64,
    ) -> Result<Vec<BulkItem>, StoreError> {
        let sql = "select * from bulk_item where bulk = $1 and ($2 = '' or outcome = $3) and mail_id > $4 order by \
            mail_id, unit_no limit $5";
        let outcome = outcome.unwrap_or_default();
        let after = after.map(|mail| mail.to_string()).unwrap_or_default();
        let values = vec![number.into(), outcome.into(), outcome.into(), after.into(), limit.into()];
        let item = |row: &AnyRow| {
            Ok(BulkItem {
                unit: unit_id(row)?,
                recipient: row.try_get("recipient")?,
                outcome: row.try_get("outcome")?,
                reply: row.try_get("reply")?,
            })
        };
        database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?.iter().map(item).collect()
    }
}

fn read(row: &AnyRow) -> Result<Bulk, StoreError> {
    Ok(Bulk {
        number: row.try_get("bulk")?,
        verb: named(row, "verb", BulkVerb::parse)?,
        query: row.try_get("query")?,
        scope: Scope::read(row)?,
        actor: row.try_get("actor")?,
        reason: row.try_get("reason")?,
        made: Timestamp::from_micros(row.try_get("made_us")?),
        stage: named(row, "stage", BulkStage::parse)?,
        moved: Timestamp::from_micros(row.try_get("moved_us")?),
        place: named(row, "place", BulkPlace::parse)?,
        fence: row.try_get("fence")?,
    })
}

impl Command for Begin {
    /// The number of the job.
    type Reply = i64;

    async fn apply(&self, group: &mut Group<'_>) -> Result<i64, StoreError> {
        make(group.connection, &self.0).await
    }
}

impl Command for Claim {
    /// The fence of the claim; none when another holds the job, or it does not run.
    type Reply = Option<i64>;

    async fn apply(&self, group: &mut Group<'_>) -> Result<Option<i64>, StoreError> {
        claim(group.connection, self).await
    }
}

impl Command for BulkWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Found { items, .. } | Self::Acted { items, .. } => 1 + items.len(),
            Self::Finish { .. } | Self::Cancel { .. } | Self::Approve { .. } => 1,
            Self::Forget(_) => FORGET_BATCH as usize,
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        apply(group.connection, self).await
    }
}

/// Applies inside the writer's transaction.
async fn apply(connection: &mut AnyConnection, write: &BulkWrite) -> Result<(), StoreError> {
    match write {
        BulkWrite::Found { job, place, items, at } => {
            let sql = "update bulk set place = $1, moved_us = $2 where bulk = $3 and fence = $4 and stage = 'running'";
            let values = vec![place.text().into(), at.as_micros().into(), job.number.into(), job.fence.into()];
            if is_ours(connection, sql, values, *job).await? {
                let rows = items.iter().map(|item| row_of(job.number, item)).collect();
                let columns = ["bulk", "mail_id", "unit_no", "recipient", "outcome", "reply"];
                database::insert(connection, "bulk_item", &columns, rows).await?;
            }
            Ok(())
        }
        BulkWrite::Acted { job, items, at } => {
            // A job that was stopped meanwhile still learns what became of the units that were acted on.
            let sql = "update bulk set moved_us = $1 where bulk = $2 and fence = $3";
            let values = vec![at.as_micros().into(), job.number.into(), job.fence.into()];
            if is_ours(connection, sql, values, *job).await? {
                acted(connection, *job, items).await?;
            }
            Ok(())
        }
        BulkWrite::Finish { job, at } => {
            let sql =
                "update bulk set stage = 'done', moved_us = $1 where bulk = $2 and fence = $3 and stage = 'running'";
            is_ours(connection, sql, vec![at.as_micros().into(), job.number.into(), job.fence.into()], *job).await?;
            Ok(())
        }
        BulkWrite::Forget(before) => {
            let old = "select bulk from bulk where stage <> 'running' and moved_us < $1";
            let sql = format!(
                "select bulk, mail_id, unit_no from bulk_item where bulk in ({old}) order by bulk, mail_id limit $2"
            );
            let values = vec![before.as_micros().into(), FORGET_BATCH.into()];
            let rows = database::query(sql, values).fetch_all(&mut *connection).await?;
            for row in &rows {
                let unit = unit_id(row)?;
                let sql = "delete from bulk_item where bulk = $1 and mail_id = $2 and unit_no = $3";
                let values =
                    vec![row.try_get::<i64, _>("bulk")?.into(), unit.mail.to_string().into(), unit.number.into()];
                database::query(sql.to_owned(), values).execute(&mut *connection).await?;
            }
            if rows.len() < FORGET_BATCH as usize {
                let sql = "delete from bulk where stage <> 'running' and moved_us < $1";
                database::query(sql.to_owned(), vec![before.as_micros().into()]).execute(connection).await?;
            }
            Ok(())
        }
        BulkWrite::Cancel { number, at } => {
            let sql = "update bulk set stage = 'cancelled', moved_us = $1 where bulk = $2 and stage in ('running', \
                'waiting')";
            move_to(connection, sql, *number, *at, "run").await
        }
        BulkWrite::Approve { number, at } => {
            let sql = "update bulk set stage = 'running', moved_us = $1 where bulk = $2 and stage = 'waiting'";
            move_to(connection, sql, *number, *at, "wait for anybody").await
        }
    }
}

/// Claims a job that runs and that nobody else holds; answers with its new fence.
async fn claim(connection: &mut AnyConnection, claim: &Claim) -> Result<Option<i64>, StoreError> {
    let Claim { number, fence, owner, at } = claim;
    // Who has it already keeps it.
    let sql = "update bulk set lease_owner = $1, lease_until_us = $2, fence = fence + 1 where bulk = $3 and fence = $4 \
               and stage = 'running' and (lease_until_us <= $5 or lease_owner = $6) returning fence";
    let values = vec![
        owner.as_str().into(),
        at.after(LEASE).as_micros().into(),
        (*number).into(),
        (*fence).into(),
        at.as_micros().into(),
        owner.as_str().into(),
    ];
    let claimed = database::query(sql.to_owned(), values).fetch_optional(connection).await?;
    Ok(claimed.map(|row| row.try_get("fence")).transpose()?)
}

/// Changes a job under the fence of who holds it; `false` when it was stopped meanwhile.
async fn is_ours(connection: &mut AnyConnection, sql: &str, values: Vec<Value>, job: Held) -> Result<bool, StoreError> {
    if database::query(sql.to_owned(), values).execute(&mut *connection).await?.rows_affected() == 1 {
        return Ok(true);
    }
    let still = sqlx::query("select fence from bulk where bulk = $1 and fence = $2").bind(job.number).bind(job.fence);
    match still.fetch_optional(connection).await? {
        Some(_) => Ok(false),
        None => {
            Err(StoreError::Refused(format!("job {} is another's to go on with (fence {})", job.number, job.fence)))
        }
    }
}

/// What became of units that were pending.
async fn acted(connection: &mut AnyConnection, job: Held, items: &[BulkItem]) -> Result<(), StoreError> {
    for item in items {
        let sql = "update bulk_item set outcome = $1, reply = $2 where bulk = $3 and mail_id = $4 and unit_no = $5 and \
            outcome = $6";
        let values = vec![
            item.outcome.as_str().into(),
            item.reply.as_str().into(),
            job.number.into(),
            item.unit.mail.to_string().into(),
            item.unit.number.into(),
            PENDING.into(),
        ];
        database::query(sql.to_owned(), values).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Moves a job that is where it is believed to be.
async fn move_to(
    connection: &mut AnyConnection,
    sql: &str,
    number: i64,
    at: Timestamp,
    does: &str,
) -> Result<(), StoreError> {
    let values = vec![at.as_micros().into(), number.into()];
    match database::query(sql.to_owned(), values).execute(connection).await?.rows_affected() {
        0 => Err(StoreError::Refused(format!("job {number} does not {does}"))),
        _ => Ok(()),
    }
}

fn row_of(number: i64, item: &BulkItem) -> Vec<Value> {
    vec![
        number.into(),
        item.unit.mail.to_string().into(),
        item.unit.number.into(),
        item.recipient.as_str().into(),
        item.outcome.as_str().into(),
        item.reply.as_str().into(),
    ]
}

async fn make(connection: &mut AnyConnection, bulk: &Bulk) -> Result<i64, StoreError> {
    let next = sqlx::query("select coalesce(max(bulk), 0) + 1 as next from bulk");
    let number: i64 = next.fetch_one(&mut *connection).await?.try_get("next")?;
    let columns = ["bulk", "verb", "query", "domains_json", "actor", "reason", "made_us", "stage", "moved_us", "place"];
    let row: Vec<Value> = vec![
        number.into(),
        bulk.verb.as_str().into(),
        bulk.query.as_str().into(),
        bulk.scope.column()?,
        bulk.actor.as_str().into(),
        bulk.reason.as_str().into(),
        bulk.made.as_micros().into(),
        bulk.stage.as_str().into(),
        bulk.made.as_micros().into(),
        "".into(),
    ];
    database::insert(connection, "bulk", &columns, vec![row]).await?;
    Ok(number)
}
