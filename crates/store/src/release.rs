//! Releases: one row for each unit whoever asks; claimed by lease and fence; the attempt committed before the dot.

use std::time::Duration;

use domain::envelope::Envelope;
use domain::ledger::{Account, Move};
use domain::release::{CLAIM_ROWS_MAX, ReleaseEvent, ReleaseState};
use domain::{Digest, ReleaseId, Timestamp, UnitId};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::Store;
use crate::arrival::{read_envelope, unit_id};
use crate::db::{named, parsed};
use crate::error::StoreError;
use crate::journal::Group;
use crate::moves::{self, UnitMove};

/// A write about releases, as data.
#[derive(Clone, Debug)]
pub(crate) enum ReleaseWrite {
    Request { unit: UnitId, by: String, reason: String, at: Timestamp },
    Claim { owner: String, at: Timestamp, lease: Duration },
    StartAttempt { claim: Claim, at: Timestamp },
    Conclude { claim: Claim, event: ReleaseEvent, reply: String, at: Timestamp, not_before: Timestamp },
    EndLeases { owner_prefix: Option<String>, at: Timestamp },
    Doubt { release: ReleaseId, event: ReleaseEvent, reason: String, at: Timestamp },
}

/// What such a write is answered with.
#[derive(Debug)]
pub(crate) enum ReleaseAnswer {
    Requested(Requested),
    Claimed(Vec<Claim>),
    Count(u64),
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

impl Store {
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
        let write = ReleaseWrite::Request { unit, by: by.into(), reason: reason.into(), at };
        match self.writer.release(write).await? {
            ReleaseAnswer::Requested(requested) => Ok(requested),
            _ => Err(mixed_up()),
        }
    }

    /// Claims up to [`CLAIM_ROWS_MAX`] due releases for `owner`, oldest request first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_releases(&self, owner: &str, at: Timestamp, lease: Duration) -> Result<Vec<Claim>, StoreError> {
        match self.writer.release(ReleaseWrite::Claim { owner: owner.into(), at, lease }).await? {
            ReleaseAnswer::Claimed(claims) => Ok(claims),
            _ => Err(mixed_up()),
        }
    }

    /// Commits the attempt. Only then may the final dot be sent.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is no longer ours.
    pub async fn start_attempt(&self, claim: &Claim, at: Timestamp) -> Result<(), StoreError> {
        self.writer.release(ReleaseWrite::StartAttempt { claim: claim.clone(), at }).await.map(drop)
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
        let write = ReleaseWrite::Conclude { claim: claim.clone(), event, reply: reply.into(), at, not_before };
        self.writer.release(write).await.map(drop)
    }

    /// Ends leases that are over, or all of an owner that has just started again and so holds none.
    /// What was attempted without an outcome is in doubt afterwards.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_leases(&self, owner_prefix: Option<&str>, at: Timestamp) -> Result<u64, StoreError> {
        let write = ReleaseWrite::EndLeases { owner_prefix: owner_prefix.map(str::to_owned), at };
        match self.writer.release(write).await? {
            ReleaseAnswer::Count(count) => Ok(count),
            _ => Err(mixed_up()),
        }
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
        let write = ReleaseWrite::Doubt { release: release.clone(), event, reason: reason.into(), at };
        self.writer.release(write).await.map(drop)
    }

    /// All releases in doubt, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn releases_in_doubt(&self, most: i64) -> Result<Vec<InDoubt>, StoreError> {
        let sql = "select release_id, mail_id, unit_no, moved_us, repeats from release_item where state = 'in_doubt' \
                   order by moved_us limit $1";
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.reads).await?;
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
        let rows = sqlx::query(sql).bind(mail.to_string()).fetch_all(&self.reads).await?;
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
            .fetch_optional(&self.reads)
            .await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("mail {mail}")))?;
        let unit = sqlx::query("select * from unit where mail_id = $1 and unit_no = $2")
            .bind(mail.clone())
            .bind(i64::from(claim.unit.number))
            .fetch_all(&self.reads)
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

/// Applies a write inside the writer's transaction.
pub(crate) async fn apply(group: &mut Group<'_>, write: &ReleaseWrite) -> Result<ReleaseAnswer, StoreError> {
    match write {
        ReleaseWrite::Request { unit, by, reason, at } => {
            request(group, *unit, by, reason, *at).await.map(ReleaseAnswer::Requested)
        }
        ReleaseWrite::Claim { owner, at, lease } => {
            claim(group, owner, *at, at.after(*lease)).await.map(ReleaseAnswer::Claimed)
        }
        ReleaseWrite::StartAttempt { claim, at } => start_attempt(group, claim, *at).await,
        ReleaseWrite::Conclude { claim, event, reply, at, not_before } => {
            conclude(group, claim, *event, reply, *at, *not_before).await
        }
        ReleaseWrite::EndLeases { owner_prefix, at } => {
            end_leases(group, owner_prefix.as_deref(), *at).await.map(ReleaseAnswer::Count)
        }
        ReleaseWrite::Doubt { release, event, reason, at } => doubt(group, release, *event, reason, *at).await,
    }
}

pub(crate) async fn request(
    group: &mut Group<'_>,
    unit: UnitId,
    by: &str,
    reason: &str,
    at: Timestamp,
) -> Result<Requested, StoreError> {
    let release = ReleaseId::of(unit);
    let account = moves::account_of(group.connection, unit).await?;
    let row = sqlx::query("select state from release_item where release_id = $1")
        .bind(release.as_str())
        .fetch_optional(&mut *group.connection)
        .await?;
    let state = row.map(|row| named(&row, "state", ReleaseState::parse)).transpose()?;
    if account.on(Move::ReleaseRequested).is_err() {
        return Ok(state.map_or(Requested::Impossible(account), |state| Requested::Already(release, state)));
    }
    let step =
        UnitMove { unit, from: account, by: Move::ReleaseRequested, at, actor: by.into(), reason: reason.into() };
    moves::make(group, &[step]).await?;
    let sql = "insert into release_item (release_id, mail_id, unit_no, state, requested_us, requested_by, reason, attempt, \
               repeats, possibly_twice, not_before_us, lease_owner, lease_until_us, fence, moved_us, reply) \
               values ($1, $2, $3, 'queued', $4, $5, $6, 0, 0, 0, $7, '', 0, 0, $8, '') \
               on conflict (release_id) do update set state = 'queued', requested_us = $9, requested_by = $10, \
               reason = $11, not_before_us = $12, moved_us = $13";
    sqlx::query(sql)
        .bind(release.as_str())
        .bind(unit.mail.to_string())
        .bind(i64::from(unit.number))
        .bind(at.as_micros())
        .bind(by)
        .bind(reason)
        .bind(at.as_micros())
        .bind(at.as_micros())
        .bind(at.as_micros())
        .bind(by)
        .bind(reason)
        .bind(at.as_micros())
        .bind(at.as_micros())
        .execute(&mut *group.connection)
        .await?;
    Ok(Requested::Queued(release))
}

async fn claim(group: &mut Group<'_>, owner: &str, at: Timestamp, until: Timestamp) -> Result<Vec<Claim>, StoreError> {
    // The guard stands again outside the sub-select: a losing racer under PostgreSQL re-checks it and gets no row.
    let sql = "update release_item set state = 'claimed', lease_owner = $1, lease_until_us = $2, fence = fence + 1, moved_us = $3 \
               where release_id in (select release_id from release_item where state in ('queued', 'deferred') \
               and not_before_us <= $4 order by requested_us, release_id limit $5) \
               and state in ('queued', 'deferred') and not_before_us <= $6 \
               returning release_id, mail_id, unit_no, fence, attempt, repeats";
    let rows = sqlx::query(sql)
        .bind(owner)
        .bind(until.as_micros())
        .bind(at.as_micros())
        .bind(at.as_micros())
        .bind(i64::from(CLAIM_ROWS_MAX))
        .bind(at.as_micros())
        .fetch_all(&mut *group.connection)
        .await?;
    let read = |row: &AnyRow| {
        Ok(Claim {
            release: ReleaseId::from_text(row.try_get::<String, _>("release_id")?),
            unit: unit_id(row)?,
            fence: row.try_get("fence")?,
            attempt: count(row, "attempt")?,
            repeats: count(row, "repeats")?,
        })
    };
    rows.iter().map(read).collect()
}

fn lost(claim: &Claim) -> StoreError {
    StoreError::Refused(format!("release {} is no longer ours (fence {})", claim.release, claim.fence))
}

async fn start_attempt(group: &mut Group<'_>, claim: &Claim, at: Timestamp) -> Result<ReleaseAnswer, StoreError> {
    let sql = "update release_item set state = 'attempting', attempt = attempt + 1, moved_us = $1 \
               where release_id = $2 and fence = $3 and state = 'claimed'";
    let updated = sqlx::query(sql)
        .bind(at.as_micros())
        .bind(claim.release.as_str())
        .bind(claim.fence)
        .execute(&mut *group.connection)
        .await?;
    if updated.rows_affected() != 1 {
        return Err(lost(claim));
    }
    let sql = "insert into release_attempt (release_id, attempt, fence, started_us, outcome, reply) values ($1, $2, $3, $4, '', '')";
    sqlx::query(sql)
        .bind(claim.release.as_str())
        .bind(i64::from(claim.attempt) + 1)
        .bind(claim.fence)
        .bind(at.as_micros())
        .execute(&mut *group.connection)
        .await?;
    Ok(ReleaseAnswer::Count(1))
}

async fn conclude(
    group: &mut Group<'_>,
    claim: &Claim,
    event: ReleaseEvent,
    reply: &str,
    at: Timestamp,
    not_before: Timestamp,
) -> Result<ReleaseAnswer, StoreError> {
    let row = sqlx::query("select state, attempt from release_item where release_id = $1 and fence = $2")
        .bind(claim.release.as_str())
        .bind(claim.fence)
        .fetch_optional(&mut *group.connection)
        .await?
        .ok_or_else(|| lost(claim))?;
    let state = named(&row, "state", ReleaseState::parse)?;
    let attempt: i64 = row.try_get("attempt")?;
    let next = step(group, &claim.release, claim.unit, state, event, reply, at, not_before).await?;
    if state == ReleaseState::Attempting {
        sqlx::query(
            "update release_attempt set ended_us = $1, outcome = $2, reply = $3 where release_id = $4 and attempt = $5",
        )
        .bind(at.as_micros())
        .bind(next.as_str())
        .bind(reply)
        .bind(claim.release.as_str())
        .bind(attempt)
        .execute(&mut *group.connection)
        .await?;
    }
    Ok(ReleaseAnswer::Count(1))
}

/// Moves a release and its unit together, by the one table.
#[expect(clippy::too_many_arguments, reason = "one row's new values; a struct would only be taken apart again")]
async fn step(
    group: &mut Group<'_>,
    release: &ReleaseId,
    unit: UnitId,
    from: ReleaseState,
    event: ReleaseEvent,
    reply: &str,
    at: Timestamp,
    not_before: Timestamp,
) -> Result<ReleaseState, StoreError> {
    let (next, unit_move) = from.on(event).map_err(|refused| StoreError::Refused(refused.to_string()))?;
    let sql = "update release_item set state = $1, reply = $2, moved_us = $3, not_before_us = $4, lease_owner = '', \
               lease_until_us = 0, repeats = repeats + $5, possibly_twice = case when $6 = 1 then 1 else possibly_twice end \
               where release_id = $7 and state = $8";
    let updated = sqlx::query(sql)
        .bind(next.as_str())
        .bind(reply)
        .bind(at.as_micros())
        .bind(not_before.as_micros())
        .bind(i64::from(event == ReleaseEvent::Repeat))
        .bind(i64::from(event == ReleaseEvent::Settled))
        .bind(release.as_str())
        .bind(from.as_str())
        .execute(&mut *group.connection)
        .await?;
    if updated.rows_affected() != 1 {
        return Err(StoreError::Refused(format!("release {release} is no longer {}", from.as_str())));
    }
    if let Some(by) = unit_move {
        let from = moves::account_of(group.connection, unit).await?;
        let step = UnitMove { unit, from, by, at, actor: "release".into(), reason: reply.into() };
        moves::make(group, &[step]).await?;
    }
    Ok(next)
}

async fn end_leases(group: &mut Group<'_>, owner_prefix: Option<&str>, at: Timestamp) -> Result<u64, StoreError> {
    let sql = "select release_id, mail_id, unit_no, state, attempt, lease_owner from release_item \
               where state in ('claimed', 'attempting') and (lease_until_us <= $1 or $2 = 1) order by release_id limit 500";
    let rows = sqlx::query(sql)
        .bind(at.as_micros())
        .bind(i64::from(owner_prefix.is_some()))
        .fetch_all(&mut *group.connection)
        .await?;
    let mut ended = 0;
    for row in &rows {
        let owner: String = row.try_get("lease_owner")?;
        if owner_prefix.is_some_and(|prefix| !owner.starts_with(prefix)) {
            continue;
        }
        let release = ReleaseId::from_text(row.try_get::<String, _>("release_id")?);
        let state = named(row, "state", ReleaseState::parse)?;
        let why = "the worker stopped before recording an outcome";
        step(group, &release, unit_id(row)?, state, ReleaseEvent::LeaseEnded, why, at, at).await?;
        if state == ReleaseState::Attempting {
            sqlx::query("update release_attempt set ended_us = $1, outcome = 'in_doubt', reply = $2 where release_id = $3 and attempt = $4")
                .bind(at.as_micros())
                .bind(why)
                .bind(release.as_str())
                .bind(row.try_get::<i64, _>("attempt")?)
                .execute(&mut *group.connection)
                .await?;
        }
        ended += 1;
    }
    Ok(ended)
}

async fn doubt(
    group: &mut Group<'_>,
    release: &ReleaseId,
    event: ReleaseEvent,
    reason: &str,
    at: Timestamp,
) -> Result<ReleaseAnswer, StoreError> {
    let row = sqlx::query("select mail_id, unit_no from release_item where release_id = $1 and state = 'in_doubt'")
        .bind(release.as_str())
        .fetch_optional(&mut *group.connection)
        .await?
        .ok_or_else(|| StoreError::Refused(format!("release {release} is not in doubt")))?;
    let unit = UnitId { mail: parsed(&row, "mail_id")?, number: count(&row, "unit_no")? };
    step(group, release, unit, ReleaseState::InDoubt, event, reason, at, at).await?;
    Ok(ReleaseAnswer::Count(1))
}
