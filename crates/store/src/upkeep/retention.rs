//! What ends when its time is over: held units expire, records and blobs are purged, and the ledger keeps a sealed
//! closing balance.
//!
//! Every step is a small batch, so that live mail never waits long behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use domain::audit::Entry;
use domain::detection::Category;
use domain::ledger::{Account, Move};
use domain::removal::GRACE;
use domain::token::{TokenKey, seal};
use domain::{Digest, MailId, Timestamp, UnitId};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::audit::Act;
use crate::database::error::StoreError;
use crate::database::{self, Value, marks, named, parsed, to_json};
use crate::explorer::flow;
use crate::mail::MailStore;
use crate::mail::arrival::unit_id;
use crate::mail::moves::UnitMove;
use crate::quarantine::recovery;
use crate::upkeep::{UpkeepStore, hold};
use crate::writer::{Command, Group, SWEEP_ROWS};

/// Messages of one batch at most; each has a handful of rows.
const BATCH: i64 = 50;
/// From when on a tentative unit is shown to people.
pub const TENTATIVE_SHOWN: Duration = Duration::from_secs(3600);
/// Tentative units that are told of at once.
pub const TENTATIVE_LISTED_MAX: i64 = 20;
/// What the seal of a closing balance is for.
const PURPOSE: &str = "closing-balance";

/// A unit that needs the bytes of its message: nobody has decided, or that was decided since `$1`.
const NEEDED: &str = "select 1 from unit u where (u.moved_us >= $1 or u.account in \
                      ('tentative', 'held', 'releasing', 'in_doubt', 'failed', 'denied', 'refused'))";

/// Rows of one batch when `most` may go.
fn batch(most: u64) -> i64 {
    i64::try_from(most).unwrap_or(BATCH).min(BATCH)
}

/// That a message's bytes are not needed any more, as data.
#[derive(Clone, Debug)]
pub(crate) struct Forgetting {
    pub(crate) mail: String,
    pub(crate) before: Timestamp,
}

impl Command for Forgetting {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        // Unless a unit has been taken back meanwhile.
        recovery::claim(group.connection, std::slice::from_ref(&self.mail)).await?;
        hold::refuse_held(group.connection, &BTreeSet::from([self.mail.clone()])).await?;
        let sql =
            format!("update message set blob = null where mail_id = $2 and not exists ({NEEDED} and u.mail_id = $2)");
        let values = vec![self.before.as_micros().into(), self.mail.as_str().into()];
        database::query(sql, values).execute(&mut *group.connection).await?;
        Ok(())
    }
}

/// The end of retries from before a moment, as data.
#[derive(Clone, Debug)]
struct ForgetRetries {
    before: Timestamp,
}

impl Command for ForgetRetries {
    type Reply = ();

    fn rows(&self) -> usize {
        SWEEP_ROWS
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let sql = "delete from retry where at_us < $1";
        sqlx::query(sql).bind(self.before.as_micros()).execute(&mut *group.connection).await?;
        Ok(())
    }
}

/// A purge of some messages, as data.
#[derive(Clone, Debug)]
pub(crate) struct Purge {
    pub(crate) mails: Vec<MailId>,
    pub(crate) at: Timestamp,
    pub(crate) key: TokenKey,
}

impl UpkeepStore {
    /// Expires units of a category that came before `before`, or were taken back before it, and nobody asked for: one
    /// batch, `most` of them at most; returns how many. What came to where it is within the last day stays: somebody
    /// may just be at it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn expire_held(
        &self,
        category: Category,
        before: Timestamp,
        now: Timestamp,
        most: u64,
    ) -> Result<usize, StoreError> {
        let sql = format!(
            "select u.mail_id, u.unit_no, u.account from unit u join message m on m.mail_id = u.mail_id \
                   where u.account in ('held', 'failed', 'denied') and m.received_us < $1 and m.category = $2 and \
                   u.moved_us < $3 \
                   and not exists (select 1 from ledger l where l.mail_id = u.mail_id and l.unit_no = u.unit_no \
                   and l.moved_by = 'recovered' and l.at_us >= $4) \
                   and not exists (select 1 from incident_unit i join incident n on n.incident = i.incident \
                   where i.mail_id = u.mail_id and n.stage <> 'resolved') and {} order by u.mail_id limit $5",
            hold::was_not_found("$3")
        );
        let values: Vec<Value> = vec![
            before.as_micros().into(),
            category.as_str().into(),
            now.before(GRACE).as_micros().into(),
            before.as_micros().into(),
            batch(most).into(),
        ];
        let (rows, free) = self.free_of_hold(&sql, values).await?;
        let mut moves = Vec::new();
        for row in rows.iter().filter(|row| is_among(row, &free)) {
            let from = named(row, "account", Account::parse)?;
            let (actor, reason) = ("retention".into(), "its time in the quarantine is over".into());
            moves.push(UnitMove { unit: unit_id(row)?, from, by: Move::Expired, at: now, actor, reason });
        }
        self.move_each(moves).await
    }

    /// A list of work, with those of its messages that are not on hold: the first list that has any, or an empty one.
    /// What is on hold is noted, so that the list after it does not have it.
    async fn free_of_hold(&self, sql: &str, values: Vec<Value>) -> Result<(Vec<AnyRow>, BTreeSet<String>), StoreError> {
        loop {
            let rows = database::query(sql.to_owned(), values.clone()).fetch_all(&self.core.reads).await?;
            // What cannot be read is left out of the list further on.
            let mails: BTreeSet<String> = rows.iter().filter_map(|row| row.try_get("mail_id").ok()).collect();
            let is_empty = mails.is_empty();
            let free = self.not_on_hold(mails).await?;
            if is_empty || !free.is_empty() {
                return Ok((rows, free));
            }
        }
    }

    /// Moves units together; one by one when that is refused for one of them, which keeps no other. Returns how many
    /// moved.
    async fn move_each(&self, moves: Vec<UnitMove>) -> Result<usize, StoreError> {
        if moves.is_empty() {
            return Ok(0);
        }
        let mails = MailStore::new(&self.core);
        match mails.move_units(moves.clone()).await {
            Ok(()) => return Ok(moves.len()),
            Err(error) if error.may_be_of_item() => {}
            Err(error) => return Err(error),
        }
        let mut moved = 0;
        for one in moves {
            match mails.move_units(vec![one]).await {
                Ok(()) => moved += 1,
                Err(error) if error.may_be_of_item() => {
                    tracing::warn!(%error, "a unit whose time is over stays where it is");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }

    /// Ends units that have been tentative since before `before`: nobody ever recorded whether the next hop took the
    /// rest of their mail. They are kept as refused ones are: searchable, and released only with a confirmation. One
    /// batch; returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lapse_tentative(&self, before: Timestamp, now: Timestamp) -> Result<usize, StoreError> {
        let units = self.tentative(before, BATCH).await?;
        let lapse = |unit: &UnitId| UnitMove {
            unit: *unit,
            from: Account::Tentative,
            by: Move::Lapsed,
            at: now,
            actor: "retention".into(),
            reason: "it was never recorded whether the next hop took the rest of this mail".into(),
        };
        self.move_each(units.iter().map(lapse).collect()).await
    }

    /// Units that have been tentative since before `before`, oldest first: the first `most`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tentative(&self, before: Timestamp, most: i64) -> Result<Vec<UnitId>, StoreError> {
        let sql =
            "select mail_id, unit_no from unit where account = 'tentative' and moved_us < $1 order by mail_id limit $2";
        let rows = sqlx::query(sql).bind(before.as_micros()).bind(most).fetch_all(&self.core.reads).await?;
        rows.iter().map(unit_id).collect()
    }

    /// Removes blobs that no record names and that were written before `before`: what a crash between a blob and its
    /// record left; `most` of them at most. Returns how many.
    ///
    /// # Errors
    /// When the folder cannot be read, or the store fails.
    pub async fn sweep_orphans(&self, before: SystemTime, most: u64) -> Result<usize, StoreError> {
        let mut swept = 0;
        for folder in 0..=u8::MAX {
            for blob in self.core.blobs.older_than(folder, before).await? {
                if swept as u64 >= most {
                    return Ok(swept);
                }
                self.remove_if_unused(&blob.hex()).await?;
                swept += usize::from(!self.core.blobs.has(blob));
            }
        }
        Ok(swept)
    }

    /// Purges the records of messages received before `before` whose units all came to an end more than the grace
    /// before `now`: one batch, `most` of them at most; returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn purge_records(&self, before: Timestamp, now: Timestamp, most: u64) -> Result<usize, StoreError> {
        let sql = format!(
            "select m.mail_id from message m where m.received_us < $1 and not exists (select 1 from unit u \
                   where u.mail_id = m.mail_id and (u.moved_us >= $2 or u.account in ('forwarding', 'tentative', \
                   'held', 'releasing', 'in_doubt', 'failed', 'denied'))) \
                   and not exists (select 1 from incident_unit i join incident n on n.incident = i.incident \
                   where i.mail_id = m.mail_id and n.stage <> 'resolved') and {} order by m.mail_id limit $3",
            hold::was_not_found("$2")
        );
        let values = vec![before.as_micros().into(), now.before(GRACE).as_micros().into(), batch(most).into()];
        let (rows, free) = self.free_of_hold(&sql, values).await?;
        let rows: Vec<AnyRow> = rows.into_iter().filter(|row| is_among(row, &free)).collect();
        let mails: Vec<MailId> = database::readable(&rows, |row| parsed(row, "mail_id"));
        if mails.is_empty() {
            return Ok(0);
        }
        let purge = |mails: Vec<MailId>| self.core.writer.write(Purge { mails, at: now, key: self.core.key.clone() });
        match purge(mails.clone()).await {
            Ok(()) => return Ok(mails.len()),
            Err(error) if error.may_be_of_item() => {}
            Err(error) => return Err(error),
        }
        // One of them keeps no other.
        let mut purged = 0;
        for mail in mails {
            match purge(vec![mail]).await {
                Ok(()) => purged += 1,
                Err(error) if error.may_be_of_item() => tracing::warn!(%error, "a record whose time is over is kept"),
                Err(error) => return Err(error),
            }
        }
        Ok(purged)
    }

    /// Removes the bytes of messages that nobody can release any more and whose last unit came to its end (released,
    /// deleted, expired) before `before`, whenever they had come: one batch, `most` of them at most; returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drop_blobs(&self, before: Timestamp, most: u64) -> Result<usize, StoreError> {
        let sql = format!(
            "select m.mail_id, m.blob from message m where m.blob is not null and m.received_us < $1 and not exists \
                ({NEEDED} \
             and u.mail_id = m.mail_id) and not exists (select 1 from incident_unit i join incident n on n.incident = \
             i.incident \
             where i.mail_id = m.mail_id and n.stage <> 'resolved') and {} order by m.mail_id limit $2",
            hold::was_not_found("$1")
        );
        let values = vec![before.as_micros().into(), batch(most).into()];
        let (rows, free) = self.free_of_hold(&sql, values).await?;
        let rows: Vec<AnyRow> = rows.into_iter().filter(|row| is_among(row, &free)).collect();
        for (mail, blob) in database::readable(&rows, |row| {
            Ok((row.try_get::<String, _>("mail_id")?, row.try_get::<String, _>("blob")?))
        }) {
            // The row first: a blob without a row is an orphan, a row without its blob would be a loss.
            match self.core.writer.write(Forgetting { mail, before }).await {
                Ok(()) => self.remove_if_unused(&blob).await?,
                // A hold was set meanwhile.
                Err(error) if error.may_be_of_item() => tracing::warn!(%error, "bytes whose time is over are kept"),
                Err(error) => return Err(error),
            }
        }
        Ok(rows.len())
    }

    /// Messages that came since `since`, and how many of them have their bytes here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intake_since(&self, since: Timestamp) -> Result<(u64, u64), StoreError> {
        let sql = "select count(*) as mails, count(blob) as kept from message where received_us >= $1";
        let row = sqlx::query(sql).bind(since.as_micros()).fetch_one(&self.core.reads).await?;
        let number = |column: &str| Ok::<_, StoreError>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
        Ok((number("mails")?, number("kept")?))
    }

    async fn remove_if_unused(&self, blob: &str) -> Result<(), StoreError> {
        let digest = Digest::parse(blob).map_err(|error| StoreError::Unreadable(error.to_string()))?;
        let is_used = async {
            let sql = "select 1 as one from message where blob = $1 limit 1";
            Ok(sqlx::query(sql).bind(blob.to_owned()).fetch_optional(&self.core.reads).await?.is_some())
        };
        self.core.blobs.remove_unless(digest, is_used).await
    }

    /// Forgets retries that are too old to be one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_retries(&self, before: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(ForgetRetries { before }).await
    }

    /// The units that purges have removed from the ledger, by account, and whether every closing balance has its seal.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn closing_balances(&self) -> Result<(BTreeMap<String, i64>, Vec<String>), StoreError> {
        let mut closed = BTreeMap::new();
        let mut faults = Vec::new();
        for row in
            sqlx::query("select * from closing_balance order by closed_us, account").fetch_all(&self.core.reads).await?
        {
            let (at, account): (i64, String) = (row.try_get("closed_us")?, row.try_get("account")?);
            let (units, mac): (i64, String) = (row.try_get("units")?, row.try_get("mac")?);
            if mac != sealed(&self.core.key, at, &account, units) {
                faults.push(format!(
                    "the closing balance of {account} at {} has another seal",
                    Timestamp::from_micros(at)
                ));
            }
            *closed.entry(account).or_insert(0) += units;
        }
        Ok((closed, faults))
    }
}

fn sealed(key: &TokenKey, at: i64, account: &str, units: i64) -> String {
    seal(key, PURPOSE, &format!("{at} {account} {units}")).hex()
}

/// What a purge is called in the audit log.
pub(crate) const ACTION: &str = "retention.purge";

/// What a purge says of itself in the audit log.
#[derive(Debug, Serialize, Deserialize)]
struct Purged {
    messages: usize,
    /// Rows that the journal speaks of, so that `audit verify` knows why they are missing.
    ledger_rows: i64,
}

/// How many of the journal's rows a purge took.
pub(crate) fn purged_rows(entry: &Entry) -> i64 {
    serde_json::from_str::<Purged>(&entry.detail).map_or(0, |purged| purged.ledger_rows)
}

impl Command for Purge {
    type Reply = ();

    fn rows(&self) -> usize {
        SWEEP_ROWS
    }

    /// The ledger keeps what the rows were.
    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        check(group.connection, self).await?;
        close(group.connection, self).await?;
        let ledger_rows = delete(group.connection, self).await?;
        flow::mark(group.connection, self.mails.iter().map(|mail| (*mail, self.at))).await?;
        group.acts.push(Act {
            at: self.at,
            actor: "retention".into(),
            action: ACTION.into(),
            object: String::new(),
            reason: "their time is over".into(),
            detail: to_json(&Purged { messages: self.mails.len(), ledger_rows })?,
        });
        Ok(())
    }
}

/// Writes the closing balance. Purges of one moment each have their own: the later one is dated a microsecond after
/// what is there.
async fn close(connection: &mut AnyConnection, purge: &Purge) -> Result<(), StoreError> {
    let ids: Vec<Value> = purge.mails.iter().map(|mail| mail.to_string().into()).collect();
    let list = marks(1, ids.len());
    let counted = format!("select account, count(*) as units from unit where mail_id in ({list}) group by account");
    let rows = database::query(counted, ids.clone()).fetch_all(&mut *connection).await?;
    let newest = sqlx::query("select coalesce(max(closed_us), 0) as newest from closing_balance");
    let newest: i64 = newest.fetch_one(&mut *connection).await?.try_get("newest")?;
    let at = purge.at.as_micros().max(newest.saturating_add(1));
    for row in rows {
        let (account, units): (String, i64) = (row.try_get("account")?, row.try_get("units")?);
        let mac = sealed(&purge.key, at, &account, units);
        database::insert(
            connection,
            "closing_balance",
            &["closed_us", "account", "units", "mac"],
            vec![vec![at.into(), account.into(), units.into(), mac.into()]],
        )
        .await?;
    }
    Ok(())
}

/// Deletes the rows; returns how many of the journal's were among them.
async fn delete(connection: &mut AnyConnection, purge: &Purge) -> Result<i64, StoreError> {
    let ids: Vec<Value> = purge.mails.iter().map(|mail| mail.to_string().into()).collect();
    let list = marks(1, ids.len());
    let journalled = format!("select count(*) as rows from ledger where mail_id in ({list}) and batch >= 0");
    let ledger_rows = database::query(journalled, ids.clone()).fetch_one(&mut *connection).await?.try_get("rows")?;
    for table in [
        "release_attempt",
        "release_item",
        "release_request",
        "ledger",
        "retry",
        "probation_mail",
        "legal_hold_mail",
        "finding",
        "folded",
        "part",
        "unit",
        "message",
    ] {
        let sql = if table == "release_attempt" {
            format!(
                "delete from release_attempt where release_id in (select release_id from release_item where mail_id in \
                    ({list}))"
            )
        } else {
            format!("delete from {table} where mail_id in ({list})")
        };
        database::query(sql, ids.clone()).execute(&mut *connection).await?;
    }
    Ok(ledger_rows)
}

/// Whether a row is about one of these messages.
fn is_among(row: &AnyRow, mails: &BTreeSet<String>) -> bool {
    row.try_get::<String, _>("mail_id").is_ok_and(|mail| mails.contains(&mail))
}

/// The unit of a purge that went wrong is not worth a loss: what must not be purged is refused here as well.
async fn check(connection: &mut AnyConnection, purge: &Purge) -> Result<(), StoreError> {
    let mails: Vec<String> = purge.mails.iter().map(MailId::to_string).collect();
    recovery::claim(connection, &mails).await?;
    hold::refuse_held(connection, &mails.into_iter().collect()).await?;
    let ids: Vec<Value> = purge.mails.iter().map(|mail| mail.to_string().into()).collect();
    let sql = format!(
        "select mail_id, unit_no from unit where mail_id in ({}) and account in \
         ('forwarding', 'tentative', 'held', 'releasing', 'in_doubt', 'failed', 'denied') limit 1",
        marks(1, ids.len())
    );
    match database::query(sql, ids).fetch_optional(connection).await? {
        None => Ok(()),
        Some(row) => {
            let unit: UnitId = unit_id(&row)?;
            Err(StoreError::Refused(format!("unit {unit} is in custody and is not purged")))
        }
    }
}
