//! Releases: one row for each unit whoever asks; claimed by lease and fence; the attempt committed before the dot.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::envelope::Envelope;
use domain::ledger::{Account, Move};
use domain::message::Correspondence;
use domain::release::{CLAIM_ROWS_MAX, Class, ReleaseEvent, ReleaseState};
use domain::{Digest, ReleaseId, Timestamp, UnitId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::core::part;
use crate::database::error::StoreError;
use crate::database::{self, Marks, Value, named, parsed};
use crate::mail::arrival::{read_envelope, unit_id};
use crate::mail::moves::{self, UnitMove};
use crate::writer::{Batch, Command, Group};

part! {
    /// Releases: requests, claims, attempts and outcomes.
    ReleaseStore
}

/// Units of one request's transaction: each has three rows.
const REQUESTS_MAX: usize = 300;
/// Leases that one transaction ends.
const LEASES_MAX: usize = 200;

/// A request for the release of some units, as data.
#[derive(Clone, Debug)]
struct Request {
    units: Vec<UnitId>,
    by: String,
    reason: String,
    at: Timestamp,
}

/// A worker's claim of what is due, as data.
#[derive(Clone, Debug)]
struct ClaimDue {
    owner: String,
    at: Timestamp,
    lease: Duration,
}

/// The end of leases, as data.
#[derive(Clone, Debug)]
struct EndLeases {
    owner_prefix: Option<String>,
    at: Timestamp,
}

/// A decision about a release in doubt, as data.
#[derive(Clone, Debug)]
struct DecideDoubt {
    release: ReleaseId,
    event: ReleaseEvent,
    reason: String,
    at: Timestamp,
}

/// An attempt that begins.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    claim: Claim,
    at: Timestamp,
}

/// How an attempt, or the way to it, ended.
#[derive(Clone, Debug)]
pub(crate) struct Conclusion {
    claim: Claim,
    event: ReleaseEvent,
    reply: String,
    at: Timestamp,
    not_before: Timestamp,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requested {
    /// It is queued.
    Queued(ReleaseId),
    /// A release of this unit exists already: the same one is spoken of.
    Already(ReleaseId, ReleaseState),
    /// The unit's account does not allow a release.
    Impossible(Account),
}

/// A claimed release: what a worker needs to name in every later write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The release.
    pub release: ReleaseId,
    /// The unit.
    pub unit: UnitId,
    /// The fence of this claim; a later claim has a higher one.
    pub fence: i64,
    /// Attempts made before.
    pub attempt: u32,
    /// How often it has been repeated out of doubt.
    pub repeats: u32,
}

/// A release in doubt.
#[derive(Clone, Debug)]
pub struct InDoubt {
    /// The release.
    pub release: ReleaseId,
    /// The unit.
    pub unit: UnitId,
    /// Since when.
    pub since: Timestamp,
    /// How often it has been repeated.
    pub repeats: u32,
}

/// What is sent for a claim.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The envelope with this one recipient.
    pub envelope: Envelope,
    /// The stored bytes.
    pub blob: Digest,
    /// When the message came.
    pub received: Timestamp,
}

/// A release as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRow {
    /// The release.
    pub release: ReleaseId,
    /// The unit.
    pub unit: UnitId,
    /// Its state.
    pub state: ReleaseState,
    /// Attempts so far.
    pub attempt: u32,
    /// Whether it was settled without an answer.
    pub possibly_twice: bool,
    /// The last reply.
    pub reply: String,
}

impl ReleaseStore {
    /// Asks for the release of a unit. Asking twice is asking once.
    ///
    /// # Errors
    /// When the unit is unknown or the store fails.
    pub async fn request_release(
        &self,
        unit: UnitId,
        by: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<Requested, StoreError> {
        self.request_releases(&[unit], by, reason, at).await?.pop().ok_or_else(mixed_up)
    }

    /// Asks for the release of many units, some hundreds a transaction; one answer each, in their order.
    ///
    /// # Errors
    /// When a unit is unknown or the store fails; what was asked for in earlier transactions stays asked for.
    pub async fn request_releases(
        &self,
        units: &[UnitId],
        by: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<Vec<Requested>, StoreError> {
        let mut answers = Vec::with_capacity(units.len());
        for units in units.chunks(REQUESTS_MAX) {
            let request = Request { units: units.to_vec(), by: by.into(), reason: reason.into(), at };
            answers.extend(self.core.writer.write(request).await?);
        }
        Ok(answers)
    }

    /// Claims up to [`CLAIM_ROWS_MAX`] due releases for `owner`: by class, in a class each recipient in turn.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_releases(&self, owner: &str, at: Timestamp, lease: Duration) -> Result<Vec<Claim>, StoreError> {
        self.core.writer.write(ClaimDue { owner: owner.into(), at, lease }).await
    }

    /// Commits the attempt. Only then may the final dot be sent.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is no longer ours.
    pub async fn start_attempt(&self, claim: &Claim, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(Start { claim: claim.clone(), at }).await
    }

    /// Records how an attempt, or the way to it, ended.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is no longer ours.
    pub async fn conclude_release(
        &self,
        claim: &Claim,
        event: ReleaseEvent,
        reply: &str,
        at: Timestamp,
        not_before: Timestamp,
    ) -> Result<(), StoreError> {
        let conclusion = Conclusion { claim: claim.clone(), event, reply: reply.into(), at, not_before };
        self.core.writer.write(conclusion).await
    }

    /// Ends leases that are over, or all of an owner that has just started again and so holds none.
    /// What was attempted without an outcome is in doubt afterwards.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_leases(&self, owner_prefix: Option<&str>, at: Timestamp) -> Result<u64, StoreError> {
        self.core.writer.write(EndLeases { owner_prefix: owner_prefix.map(str::to_owned), at }).await
    }

    /// Decides a release in doubt: [`ReleaseEvent::Repeat`] or [`ReleaseEvent::Settled`].
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it is no longer in doubt.
    pub async fn decide_doubt(
        &self,
        release: &ReleaseId,
        event: ReleaseEvent,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.core.writer.write(DecideDoubt { release: release.clone(), event, reason: reason.into(), at }).await
    }

    /// All releases in doubt, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn releases_in_doubt(&self, most: i64) -> Result<Vec<InDoubt>, StoreError> {
        let sql = "select release_id, mail_id, unit_no, moved_us, repeats from release_item where state = 'in_doubt' \
                   order by moved_us limit $1";
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.core.reads).await?;
        let read = |row: &AnyRow| {
            Ok(InDoubt {
                release: ReleaseId::from_text(row.try_get::<String, _>("release_id")?),
                unit: unit_id(row)?,
                since: Timestamp::from_micros(row.try_get("moved_us")?),
                repeats: count(row, "repeats")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The releases of one message.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn releases_of(&self, mail: domain::MailId) -> Result<Vec<ReleaseRow>, StoreError> {
        let sql = "select * from release_item where mail_id = $1 order by unit_no";
        let rows = sqlx::query(sql).bind(mail.to_string()).fetch_all(&self.core.reads).await?;
        let read = |row: &AnyRow| {
            Ok(ReleaseRow {
                release: ReleaseId::from_text(row.try_get::<String, _>("release_id")?),
                unit: unit_id(row)?,
                state: named(row, "state", ReleaseState::parse)?,
                attempt: count(row, "attempt")?,
                possibly_twice: row.try_get::<i64, _>("possibly_twice")? == 1,
                reply: row.try_get("reply")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// What is to be sent for a claim.
    ///
    /// # Errors
    /// When the record or its blob is gone.
    pub async fn parcel(&self, claim: &Claim) -> Result<Parcel, StoreError> {
        let mail = claim.unit.mail.to_string();
        let row = sqlx::query("select * from message where mail_id = $1")
            .bind(mail.clone())
            .fetch_optional(&self.core.reads)
            .await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("mail {mail}")))?;
        let unit = sqlx::query("select * from unit where mail_id = $1 and unit_no = $2")
            .bind(mail.clone())
            .bind(i64::from(claim.unit.number))
            .fetch_all(&self.core.reads)
            .await?;
        let blob: Option<String> = row.try_get("blob")?;
        let blob = blob.ok_or_else(|| StoreError::NotFound(format!("the bytes of mail {mail}")))?;
        Ok(Parcel {
            envelope: read_envelope(&row, &unit)?,
            blob: Digest::parse(&blob).map_err(|error| StoreError::Unreadable(error.to_string()))?,
            received: Timestamp::from_micros(row.try_get("received_us")?),
        })
    }
}

fn mixed_up() -> StoreError {
    StoreError::Unreadable("the writer answered another question".into())
}

fn count(row: &AnyRow, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

impl Command for Request {
    /// What became of each, in their order.
    type Reply = Vec<Requested>;

    fn rows(&self) -> usize {
        3 * self.units.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<Vec<Requested>, StoreError> {
        let Self { units, by, reason, at } = self;
        request(group, units, &Asking { by, reason, is_person: true, at: *at }).await
    }
}

impl Command for ClaimDue {
    /// What was claimed.
    type Reply = Vec<Claim>;

    fn rows(&self) -> usize {
        CLAIM_ROWS_MAX as usize
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<Vec<Claim>, StoreError> {
        claim(group, &self.owner, self.at, self.at.after(self.lease)).await
    }
}

impl Command for EndLeases {
    /// How many ended.
    type Reply = u64;

    fn rows(&self) -> usize {
        4 * LEASES_MAX
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<u64, StoreError> {
        end_leases(group, self.owner_prefix.as_deref(), self.at).await
    }
}

impl Command for DecideDoubt {
    type Reply = ();

    fn rows(&self) -> usize {
        4
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        doubt(group, &self.release, self.event, &self.reason, self.at).await
    }
}

impl Command for Start {
    type Reply = ();

    fn rows(&self) -> usize {
        2
    }

    fn join<'b>(&'b self, batch: &mut Batch<'b>) {
        batch.starts.push(self);
    }

    async fn apply(&self, _group: &mut Group<'_>) -> Result<(), StoreError> {
        // Started with the batch.
        Ok(())
    }
}

impl Command for Conclusion {
    type Reply = ();

    fn rows(&self) -> usize {
        4
    }

    fn join<'b>(&'b self, batch: &mut Batch<'b>) {
        batch.conclusions.push(self);
    }

    async fn apply(&self, _group: &mut Group<'_>) -> Result<(), StoreError> {
        // Concluded with the batch.
        Ok(())
    }
}

/// Who asks for releases, why and when.
pub(crate) struct Asking<'a> {
    pub(crate) by: &'a str,
    pub(crate) reason: &'a str,
    /// Whether it is a person, who waits.
    pub(crate) is_person: bool,
    pub(crate) at: Timestamp,
}

/// Asks for releases: the units whose account allows it move, and each gets its row.
pub(crate) async fn request(
    group: &mut Group<'_>,
    units: &[UnitId],
    asking: &Asking<'_>,
) -> Result<Vec<Requested>, StoreError> {
    let known = where_they_are(group.connection, units).await?;
    let mut answers = Vec::with_capacity(units.len());
    let mut steps = Vec::new();
    let mut asked = HashSet::new();
    for unit in units {
        let release = ReleaseId::of(*unit);
        let UnitNow { account, state, recipient, correspondence } =
            known.get(unit).ok_or_else(|| StoreError::NotFound(format!("unit {unit}")))?;
        if !asked.insert(*unit) {
            answers.push(Requested::Already(release, ReleaseState::Queued));
        } else if account.on(Move::ReleaseRequested).is_ok() {
            let (by, actor, reason) = (Move::ReleaseRequested, asking.by.to_owned(), asking.reason.to_owned());
            let step = UnitMove { unit: *unit, from: *account, by, at: asking.at, actor, reason };
            steps.push((step, recipient.clone(), Class::of(*correspondence, asking.is_person)));
            answers.push(Requested::Queued(release));
        } else {
            answers.push(match state {
                Some(state) => Requested::Already(release, *state),
                None => Requested::Impossible(*account),
            });
        }
    }
    // Ids are in the order of arrival: for a recipient, oldest first.
    steps.sort_by_key(|(step, ..)| step.unit);
    let rows = in_turn(group.connection, &steps).await?;
    let moved: Vec<UnitMove> = steps.into_iter().map(|(step, ..)| step).collect();
    moves::make(group, &moved).await?;
    queue(group.connection, rows).await?;
    Ok(answers)
}

/// What a request has to know of a unit.
struct UnitNow {
    account: Account,
    state: Option<ReleaseState>,
    recipient: String,
    correspondence: Correspondence,
}

/// Where each unit is, and the state of its release if there is one.
async fn where_they_are(
    connection: &mut AnyConnection,
    units: &[UnitId],
) -> Result<HashMap<UnitId, UnitNow>, StoreError> {
    let mut known = HashMap::new();
    for units in database::in_groups(units.to_vec(), 2) {
        let mut marks = Marks::of(connection);
        let sql = format!(
            "with v (mail_id, unit_no) as (values {}) select u.mail_id, u.unit_no, u.account, u.recipient, \
                m.correspondence, r.state \
             from v join unit u on u.mail_id = v.mail_id and u.unit_no = v.unit_no \
             join message m on m.mail_id = v.mail_id \
             left join release_item r on r.mail_id = u.mail_id and r.unit_no = u.unit_no",
            marks.rows(units.len(), 2)
        );
        let row = |unit: &UnitId| -> [Value; 2] { [unit.mail.to_string().into(), unit.number.into()] };
        for row in database::query(sql, units.iter().flat_map(row).collect()).fetch_all(&mut *connection).await? {
            let state: Option<String> = row.try_get("state")?;
            let read = |text: String| {
                ReleaseState::parse(&text).ok_or_else(|| StoreError::Unreadable(format!("state: '{text}'")))
            };
            let place = UnitNow {
                account: named(&row, "account", Account::parse)?,
                state: state.map(read).transpose()?,
                recipient: row.try_get("recipient")?,
                correspondence: named(&row, "correspondence", Correspondence::parse)?,
            };
            known.insert(unit_id(&row)?, place);
        }
    }
    Ok(known)
}

const QUEUE: [&str; 19] = [
    "release_id",
    "mail_id",
    "unit_no",
    "state",
    "requested_us",
    "requested_by",
    "reason",
    "attempt",
    "repeats",
    "possibly_twice",
    "not_before_us",
    "lease_owner",
    "lease_until_us",
    "fence",
    "moved_us",
    "reply",
    "recipient",
    "class",
    "turn",
];

/// The rows of releases, each with its turn: one more than what waits for its recipient in its class already.
async fn in_turn(
    connection: &mut AnyConnection,
    steps: &[(UnitMove, String, Class)],
) -> Result<Vec<Vec<Value>>, StoreError> {
    let mut turns: HashMap<(&str, Class), i64> = HashMap::new();
    let mut rows = Vec::with_capacity(steps.len());
    for (step, recipient, class) in steps {
        let order = i64::from(class.order());
        let turn = match turns.entry((recipient, *class)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let sql = "select turn from release_item where recipient = $1 and class = $2 and state = 'queued' \
                           order by turn desc limit 1";
                let last = sqlx::query(sql).bind(recipient.as_str()).bind(order).fetch_optional(&mut *connection);
                let last = last.await?.map(|row| row.try_get::<i64, _>("turn")).transpose()?;
                new.insert(last.unwrap_or(0))
            }
        };
        *turn += 1;
        rows.push(queued_row(step, recipient, order, *turn));
    }
    Ok(rows)
}

fn queued_row(step: &UnitMove, recipient: &str, class: i64, turn: i64) -> Vec<Value> {
    let (release, at) = (ReleaseId::of(step.unit), step.at.as_micros());
    let none = || Value::Int(0);
    vec![
        release.as_str().into(),
        step.unit.mail.to_string().into(),
        step.unit.number.into(),
        ReleaseState::Queued.as_str().into(),
        at.into(),
        step.actor.as_str().into(),
        step.reason.as_str().into(),
        none(),
        none(),
        none(),
        at.into(),
        "".into(),
        none(),
        none(),
        at.into(),
        "".into(),
        recipient.into(),
        class.into(),
        turn.into(),
    ]
}

/// Writes the rows that the reconciler finds; one that is there already is queued again.
///
/// Such a one has failed or was settled, so nobody holds it: a row that a worker has claimed meanwhile is not changed,
/// and the whole request is refused.
async fn queue(connection: &mut AnyConnection, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    for rows in database::in_groups(rows, QUEUE.len()) {
        let asked = rows.len() as u64;
        let mut marks = Marks::of(connection);
        let sql = format!(
            "insert into release_item ({}) values {} on conflict (release_id) do update set state = excluded.state, \
             requested_us = excluded.requested_us, requested_by = excluded.requested_by, reason = excluded.reason, \
             not_before_us = excluded.not_before_us, moved_us = excluded.moved_us, class = excluded.class, \
             turn = excluded.turn where release_item.lease_owner = '' and release_item.state not in ('claimed', \
             'attempting')",
            QUEUE.join(","),
            marks.rows(rows.len(), QUEUE.len())
        );
        let queued = database::query(sql, rows.into_iter().flatten().collect()).execute(&mut *connection).await?;
        if queued.rows_affected() != asked {
            return Err(StoreError::Refused(
                "a release that was asked for is being sent; look again in a moment".into(),
            ));
        }
    }
    Ok(())
}

async fn claim(group: &mut Group<'_>, owner: &str, at: Timestamp, until: Timestamp) -> Result<Vec<Claim>, StoreError> {
    // The guard stands again outside the sub-select: a losing racer under PostgreSQL re-checks it and gets no row. What
    // is queued is taken from the head of an index; what was put off and is due is little, or all of it waits for the
    // same hop.
    let sql = "update release_item set state = 'claimed', lease_owner = $1, lease_until_us = $2, fence = fence + 1, \
        moved_us = $3 \
               where release_id in (select release_id from ( \
               select * from (select release_id, class, turn from release_item where state = 'queued' \
               order by class, turn, release_id limit $4) as waiting \
               union all \
               select * from (select release_id, class, turn from release_item where state = 'deferred' \
               and not_before_us <= $5 order by class, turn, release_id limit $6) as put_off) as due \
               order by class, turn, release_id limit $7) \
               and (state = 'queued' or (state = 'deferred' and not_before_us <= $8)) \
               returning release_id, mail_id, unit_no, fence, attempt, repeats, class, turn";
    let most = i64::from(CLAIM_ROWS_MAX);
    let rows = sqlx::query(sql)
        .bind(owner)
        .bind(until.as_micros())
        .bind(at.as_micros())
        .bind(most)
        .bind(at.as_micros())
        .bind(most)
        .bind(most)
        .bind(at.as_micros())
        .fetch_all(&mut *group.connection)
        .await?;
    // What is returned has no order of its own.
    let mut claimed = Vec::with_capacity(rows.len());
    for row in &rows {
        claimed.push((row.try_get::<i64, _>("class")?, row.try_get::<i64, _>("turn")?, read_claim(row)?));
    }
    claimed.sort_by(|(class, turn, one), (other_class, other_turn, other)| {
        (class, turn, one.release.as_str()).cmp(&(other_class, other_turn, other.release.as_str()))
    });
    Ok(claimed.into_iter().map(|(_, _, claim)| claim).collect())
}

fn read_claim(row: &AnyRow) -> Result<Claim, StoreError> {
    Ok(Claim {
        release: ReleaseId::from_text(row.try_get::<String, _>("release_id")?),
        unit: unit_id(row)?,
        fence: row.try_get("fence")?,
        attempt: count(row, "attempt")?,
        repeats: count(row, "repeats")?,
    })
}

fn lost(claim: &Claim) -> StoreError {
    StoreError::Refused(format!("release {} is no longer ours (fence {})", claim.release, claim.fence))
}

/// Commits attempts: all of them are still claimed by who starts them, or it is refused.
pub(crate) async fn start_attempts(connection: &mut AnyConnection, starts: &[&Start]) -> Result<(), StoreError> {
    let Some(first) = starts.first() else { return Ok(()) };
    let mut marks = Marks::of(connection);
    let sql = format!(
        "with v (release_id, fence, at_us) as (values {}) update release_item set state = 'attempting', \
         attempt = attempt + 1, moved_us = v.at_us from v where release_item.release_id = v.release_id \
         and release_item.fence = v.fence and release_item.state = 'claimed'",
        marks.rows(starts.len(), 3)
    );
    let row = |Start { claim, at }: &&Start| -> [Value; 3] {
        [claim.release.as_str().into(), claim.fence.into(), at.as_micros().into()]
    };
    let updated = database::query(sql, starts.iter().flat_map(row).collect()).execute(&mut *connection).await?;
    if updated.rows_affected() != starts.len() as u64 {
        return Err(lost(&first.claim));
    }
    let row = |Start { claim, at }: &&Start| -> Vec<Value> {
        let attempt = i64::from(claim.attempt) + 1;
        let (release, fence) = (claim.release.as_str().into(), claim.fence.into());
        vec![release, attempt.into(), fence, at.as_micros().into(), "".into(), "".into()]
    };
    let columns = ["release_id", "attempt", "fence", "started_us", "outcome", "reply"];
    database::insert(connection, "release_attempt", &columns, starts.iter().map(row).collect()).await
}

/// Records how attempts ended: all claims are still those of who says so, or it is refused.
pub(crate) async fn conclude(group: &mut Group<'_>, conclusions: &[&Conclusion]) -> Result<(), StoreError> {
    if conclusions.is_empty() {
        return Ok(());
    }
    let mut marks = Marks::of(group.connection);
    let sql = format!(
        "with v (release_id, fence) as (values {}) select r.release_id, r.state, r.attempt from v \
         join release_item r on r.release_id = v.release_id and r.fence = v.fence",
        marks.rows(conclusions.len(), 2)
    );
    let row = |one: &&Conclusion| -> [Value; 2] { [one.claim.release.as_str().into(), one.claim.fence.into()] };
    let rows =
        database::query(sql, conclusions.iter().flat_map(row).collect()).fetch_all(&mut *group.connection).await?;
    let mut found = HashMap::new();
    for row in &rows {
        let state = named(row, "state", ReleaseState::parse)?;
        found.insert(row.try_get::<String, _>("release_id")?, (state, row.try_get::<i64, _>("attempt")?));
    }
    let mut steps = Vec::with_capacity(conclusions.len());
    for Conclusion { claim, event, reply, at, not_before } in conclusions {
        let Some((from, attempt)) = found.get(claim.release.as_str()).copied() else { return Err(lost(claim)) };
        let (release, unit, reply) = (claim.release.clone(), claim.unit, reply.clone());
        steps.push(ReleaseStep {
            release,
            unit,
            from,
            event: *event,
            reply,
            at: *at,
            not_before: *not_before,
            attempt,
            fence: claim.fence,
        });
    }
    make_steps(group, &steps).await
}

/// One step of a release by the one table, with its unit.
struct ReleaseStep {
    release: ReleaseId,
    unit: UnitId,
    from: ReleaseState,
    event: ReleaseEvent,
    reply: String,
    at: Timestamp,
    not_before: Timestamp,
    /// The attempt that ends with it, if one is running.
    attempt: i64,
    /// The fence of the claim that makes it, or that it ends: the row that is changed still has it, or nothing is
    /// changed.
    fence: i64,
}

/// Moves releases and their units together.
async fn make_steps(group: &mut Group<'_>, steps: &[ReleaseStep]) -> Result<(), StoreError> {
    let mut states = Vec::with_capacity(steps.len());
    let mut unit_moves = Vec::new();
    for step in steps {
        let (next, unit_move) = step.from.on(step.event).map_err(|refused| StoreError::Refused(refused.to_string()))?;
        states.push(next);
        unit_moves.extend(unit_move.map(|by| UnitMove {
            unit: step.unit,
            from: if step.from == ReleaseState::InDoubt { Account::InDoubt } else { Account::Releasing },
            by,
            at: step.at,
            actor: "release".into(),
            reason: step.reply.clone(),
        }));
    }
    update_items(group.connection, steps, &states).await?;
    end_attempts(group.connection, steps, &states).await?;
    moves::make(group, &unit_moves).await
}

async fn update_items(
    connection: &mut AnyConnection,
    steps: &[ReleaseStep],
    states: &[ReleaseState],
) -> Result<(), StoreError> {
    const COLUMNS: usize = 9;
    let pairs: Vec<(&ReleaseStep, &ReleaseState)> = steps.iter().zip(states).collect();
    for pairs in database::in_groups(pairs, COLUMNS) {
        let mut marks = Marks::of(connection);
        let sql = format!(
            "with v (release_id, from_state, fence, to_state, reply, at_us, later_us, again, settled) as (values {}) \
             update release_item set state = v.to_state, reply = v.reply, moved_us = v.at_us, not_before_us = \
             v.later_us, \
             lease_owner = '', lease_until_us = 0, repeats = repeats + v.again, \
             possibly_twice = case when v.settled = 1 then 1 else possibly_twice end \
             from v where release_item.release_id = v.release_id and release_item.state = v.from_state \
             and release_item.fence = v.fence",
            marks.rows(pairs.len(), COLUMNS)
        );
        let row = |(step, next): &(&ReleaseStep, &ReleaseState)| -> [Value; COLUMNS] {
            [
                step.release.as_str().into(),
                step.from.as_str().into(),
                step.fence.into(),
                next.as_str().into(),
                step.reply.as_str().into(),
                step.at.as_micros().into(),
                step.not_before.as_micros().into(),
                (step.event == ReleaseEvent::Repeat).into(),
                (step.event == ReleaseEvent::Settled).into(),
            ]
        };
        let updated = database::query(sql, pairs.iter().flat_map(row).collect()).execute(&mut *connection).await?;
        if updated.rows_affected() != pairs.len() as u64 {
            let (step, _) = pairs[0];
            return Err(StoreError::Refused(format!(
                "release {} is no longer {} under fence {}",
                step.release,
                step.from.as_str(),
                step.fence
            )));
        }
    }
    Ok(())
}

/// Writes the outcome of the attempts that were running: each of them was begun under the fence that ends it.
async fn end_attempts(
    connection: &mut AnyConnection,
    steps: &[ReleaseStep],
    states: &[ReleaseState],
) -> Result<(), StoreError> {
    const COLUMNS: usize = 6;
    let running = steps.iter().zip(states).filter(|(step, _)| step.from == ReleaseState::Attempting);
    for pairs in database::in_groups(running.collect::<Vec<_>>(), COLUMNS) {
        let mut marks = Marks::of(connection);
        let sql = format!(
            "with v (release_id, attempt, fence, at_us, outcome, reply) as (values {}) \
             update release_attempt set ended_us = v.at_us, outcome = v.outcome, reply = v.reply \
             from v where release_attempt.release_id = v.release_id and release_attempt.attempt = v.attempt \
             and release_attempt.fence = v.fence",
            marks.rows(pairs.len(), COLUMNS)
        );
        let row = |(step, next): &(&ReleaseStep, &ReleaseState)| -> [Value; COLUMNS] {
            [
                step.release.as_str().into(),
                step.attempt.into(),
                step.fence.into(),
                step.at.as_micros().into(),
                next.as_str().into(),
                step.reply.as_str().into(),
            ]
        };
        database::query(sql, pairs.iter().flat_map(row).collect()).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn end_leases(group: &mut Group<'_>, owner_prefix: Option<&str>, at: Timestamp) -> Result<u64, StoreError> {
    let sql = "select release_id, mail_id, unit_no, state, attempt, fence, lease_owner from release_item \
               where state in ('claimed', 'attempting') and (lease_until_us <= $1 or $2 = 1) order by release_id limit \
               $3";
    let rows = sqlx::query(sql)
        .bind(at.as_micros())
        .bind(i64::from(owner_prefix.is_some()))
        .bind(i64::try_from(LEASES_MAX).unwrap_or(i64::MAX))
        .fetch_all(&mut *group.connection)
        .await?;
    let mut steps = Vec::new();
    for row in &rows {
        let owner: String = row.try_get("lease_owner")?;
        if owner_prefix.is_some_and(|prefix| !owner.starts_with(prefix)) {
            continue;
        }
        steps.push(ReleaseStep {
            release: ReleaseId::from_text(row.try_get::<String, _>("release_id")?),
            unit: unit_id(row)?,
            from: named(row, "state", ReleaseState::parse)?,
            event: ReleaseEvent::LeaseEnded,
            reply: "the worker stopped before recording an outcome".into(),
            at,
            not_before: at,
            attempt: row.try_get("attempt")?,
            fence: row.try_get("fence")?,
        });
    }
    make_steps(group, &steps).await?;
    Ok(steps.len() as u64)
}

async fn doubt(
    group: &mut Group<'_>,
    release: &ReleaseId,
    event: ReleaseEvent,
    reason: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let row =
        sqlx::query("select mail_id, unit_no, fence from release_item where release_id = $1 and state = 'in_doubt'")
            .bind(release.as_str())
            .fetch_optional(&mut *group.connection)
            .await?
            .ok_or_else(|| StoreError::Refused(format!("release {release} is not in doubt")))?;
    let unit = UnitId { mail: parsed(&row, "mail_id")?, number: count(&row, "unit_no")? };
    let (release, from, reply) = (release.clone(), ReleaseState::InDoubt, reason.to_owned());
    let fence = row.try_get("fence")?;
    let step = ReleaseStep { release, unit, from, event, reply, at, not_before: at, attempt: 0, fence };
    make_steps(group, &[step]).await?;
    Ok(())
}
