//! Legal hold: who made which, which mail that is, and that none of it is removed.
//!
//! Whether a mail is on hold is asked of the holds themselves, inside the transaction that would remove it. The table
//! of mail that was found to be on hold is made from them in the background: it is for counting, for showing, and so
//! that retention passes such mail over.

use std::collections::{BTreeMap, BTreeSet};

use domain::hold::{Hold, Kind, Lifted};
use domain::query::Query;
use domain::removal::GRACE;
use domain::{MailId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, marks, named};
use crate::explorer::explore::{Conditions, SLACK, Window, successor};
use crate::upkeep::UpkeepStore;
use crate::writer::{Command, Group, SWEEP_ROWS};

/// Holds on queries and people that are open at once: each is asked about every mail that is to be removed.
pub const QUERIES_MAX: i64 = 100;
/// Holds on single mails that are open at once.
pub const MAILS_MAX: i64 = 10_000;
/// Messages of the record that one look goes through.
const LOOK_BATCH: i64 = 2_000;
/// Rows about holds that were lifted that go at once.
const FORGET_BATCH: i64 = 1_000;

/// What is on hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Holds that are open.
    pub holds: u64,
    /// Mails on them that were found so far.
    pub mails: u64,
    /// Bytes of those that are kept here.
    pub bytes: u64,
    /// Whether all of the record was looked through for each.
    pub is_counted: bool,
}

impl UpkeepStore {
    /// Makes a hold; returns its number. From then on nothing that it is about is removed.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when its query makes no sense or too many are open, [`StoreError::NotFound`] when there
    /// is no such mail; or when the store fails.
    pub async fn add_hold(&self, hold: Hold) -> Result<u64, StoreError> {
        hold.query().map_err(StoreError::Refused)?;
        self.core.writer.write(Add(hold)).await
    }

    /// Whether a hold could be made now, for whoever says that it is before it is.
    ///
    /// # Errors
    /// As [`UpkeepStore::add_hold`].
    pub async fn may_add_hold(&self, hold: &Hold) -> Result<(), StoreError> {
        hold.query().map_err(StoreError::Refused)?;
        let mut reading = self.core.reads.begin().await?;
        refuse_hold(&mut reading, hold).await
    }

    /// Lifts a hold: what it was about goes its way again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number, or it was lifted before.
    pub async fn lift_hold(&self, number: u64, lifted: Lifted) -> Result<(), StoreError> {
        self.core.writer.write(Lift { number, lifted }).await
    }

    /// All holds, the newest first; those that were lifted only when asked for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holds(&self, with_lifted: bool, limit: i64) -> Result<Vec<Hold>, StoreError> {
        let sql = "select * from legal_hold where lifted_us is null or $1 = 1 order by hold desc limit $2";
        let rows = sqlx::query(sql).bind(i64::from(with_lifted)).bind(limit).fetch_all(&self.core.reads).await?;
        rows.iter().map(read).collect()
    }

    /// How many mails were found to be on each hold.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mails_on_holds(&self) -> Result<BTreeMap<u64, u64>, StoreError> {
        let sql = "select hold, count(*) as mails from legal_hold_mail group by hold";
        let rows = sqlx::query(sql).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok((number(row, "hold")?, number(row, "mails")?))).collect()
    }

    /// The open holds that a mail is on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holds_of(&self, mail: MailId) -> Result<Vec<Hold>, StoreError> {
        let open = self.holds(false, MAILS_MAX + QUERIES_MAX).await?;
        if open.is_empty() {
            return Ok(open);
        }
        let mut reading = self.core.reads.begin().await?;
        let on = holding(&mut reading, &BTreeSet::from([mail.to_string()])).await;
        let on = self.core.soundness.heed(on)?;
        let on: BTreeSet<u64> = on.into_values().flatten().collect();
        Ok(open.into_iter().filter(|hold| on.contains(&hold.number)).collect())
    }

    /// What is on hold, as far as it was looked for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn held(&self) -> Result<Held, StoreError> {
        let sql = "select count(*) as holds, cast(coalesce(sum(1 - is_looked), 0) as bigint) as left_over \
                   from legal_hold where lifted_us is null";
        let open = sqlx::query(sql).fetch_one(&self.core.reads).await?;
        let sql = "select count(*) as mails, cast(coalesce(sum(case when m.blob is null then 0 else m.size_bytes end), \
                   0) as bigint) as bytes from message m join (select distinct k.mail_id from legal_hold_mail k \
                   join legal_hold h on h.hold = k.hold where h.lifted_us is null) as found \
                   on found.mail_id = m.mail_id";
        let found = sqlx::query(sql).fetch_one(&self.core.reads).await?;
        let is_counted = number(&open, "left_over")? == 0;
        let (mails, bytes) = (number(&found, "mails")?, number(&found, "bytes")?);
        Ok(Held { holds: number(&open, "holds")?, mails, bytes, is_counted })
    }

    /// Looks for mail that is on hold, a piece of the record for each open hold; and forgets what holds were about that
    /// were lifted. Says whether there is more to look through now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_for_held(&self, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "select * from legal_hold where lifted_us is null and kind <> 'mail' order by hold";
        let mut more = self.core.writer.write(Forget { before: now.before(GRACE) }).await?;
        for row in sqlx::query(sql).fetch_all(&self.core.reads).await? {
            let (hold, looked): (_, String) = (read(&row)?, row.try_get("looked")?);
            more |= self.look_on(&hold, looked, now).await?;
        }
        Ok(more)
    }

    /// The next piece of the record, for one hold.
    async fn look_on(&self, hold: &Hold, looked: String, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "select mail_id from message where mail_id > $1 order by mail_id limit $2";
        let rows = sqlx::query(sql).bind(looked.clone()).bind(LOOK_BATCH).fetch_all(&self.core.reads).await?;
        let mails = rows.iter().map(|row| row.try_get("mail_id")).collect::<Result<Vec<String>, _>>()?;
        let query = hold.query().map_err(StoreError::Unreadable)?;
        let mut found = Vec::new();
        if let (Some(first), Some(last)) = (mails.first(), mails.last()) {
            let window = Window { from: first.clone(), before: successor(last) };
            let mut reading = self.core.reads.begin().await?;
            found = self.core.soundness.heed(fitting(&mut reading, &query, &window, None).await)?;
        }
        let is_full = mails.len() as i64 == LOOK_BATCH;
        // What is written late may have an id from before: the last hour is looked at again.
        let certain = MailId::new(now.before(SLACK), [0; 10]).to_string();
        let is_through = !is_full || mails.last().is_some_and(|last| *last >= certain);
        let looked = mails.into_iter().next_back().unwrap_or_else(|| certain.clone()).min(certain).max(looked);
        self.core.writer.write(Found { number: hold.number, mails: found, looked, is_through }).await?;
        Ok(!is_through)
    }

    /// Those of `mails` that are not on hold; the others are noted, so that the next list of work passes them over.
    pub(crate) async fn not_on_hold(&self, mails: BTreeSet<String>) -> Result<BTreeSet<String>, StoreError> {
        let sql = "select 1 as one from legal_hold where lifted_us is null limit 1";
        if mails.is_empty() || sqlx::query(sql).fetch_optional(&self.core.reads).await?.is_none() {
            return Ok(mails);
        }
        self.core.writer.write(Note(mails)).await
    }
}

/// That a message row `m` was not found to be on a hold that is open, or that was lifted at `$since` or later: whoever
/// lifts one by mistake has as long as for taking back a deletion.
pub(crate) fn was_not_found(since: &str) -> String {
    format!(
        "not exists (select 1 from legal_hold_mail k join legal_hold h on h.hold = k.hold where k.mail_id = m.mail_id \
         and (h.lifted_us is null or h.lifted_us >= {since}))"
    )
}

/// Inside the writer's transaction: none of these messages is on hold, and none comes to be on one before the
/// transaction has ended; or it is refused.
pub(crate) async fn refuse_held(connection: &mut AnyConnection, mails: &BTreeSet<String>) -> Result<(), StoreError> {
    if mails.is_empty() {
        return Ok(());
    }
    take_turn(connection).await?;
    match holding(connection, mails).await?.into_iter().next() {
        None => Ok(()),
        Some((mail, holds)) => {
            let holds: Vec<String> = holds.iter().map(u64::to_string).collect();
            Err(StoreError::Refused(format!(
                "message {mail} is on hold {}: it is not removed until that is lifted",
                holds.join(", ")
            )))
        }
    }
}

/// From when on the audit log is kept because of mail that is on hold; none while there is none.
pub(crate) async fn audit_kept_from(connection: &mut AnyConnection) -> Result<Option<Timestamp>, StoreError> {
    take_turn(connection).await?;
    let sql = "select hold from legal_hold where lifted_us is null and is_looked = 0 limit 1";
    if sqlx::query(sql).fetch_optional(&mut *connection).await?.is_some() {
        // How old its oldest mail is, is not known yet.
        return Ok(Some(Timestamp::from_micros(0)));
    }
    let sql = "select min(k.mail_id) as first from legal_hold_mail k join legal_hold h on h.hold = k.hold \
               where h.lifted_us is null";
    let first: Option<String> = sqlx::query(sql).fetch_one(connection).await?.try_get("first")?;
    let first = first.map(|mail| mail.parse::<MailId>().map_err(|error| StoreError::Unreadable(error.to_string())));
    Ok(first.transpose()?.map(|mail| mail.at()))
}

/// Whoever removes mail and whoever makes a hold go one after the other. SQLite has one writer at a time anyway.
async fn take_turn(connection: &mut AnyConnection) -> Result<(), StoreError> {
    if connection.backend_name() != "SQLite" {
        sqlx::query("update legal_hold_turn set turn = turn + 1 where id = 1").execute(connection).await?;
    }
    Ok(())
}

/// Those of these messages that are on open holds, each with the holds.
async fn holding(
    connection: &mut AnyConnection,
    mails: &BTreeSet<String>,
) -> Result<BTreeMap<String, BTreeSet<u64>>, StoreError> {
    let mut on: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let sql = "select * from legal_hold where lifted_us is null and kind <> 'mail' order by hold";
    let queries = sqlx::query(sql).fetch_all(&mut *connection).await?;
    let queries = queries.iter().map(read).collect::<Result<Vec<Hold>, _>>()?;
    for some in database::in_groups(mails.iter().cloned().collect(), 1) {
        let sql = format!(
            "select hold, what from legal_hold where lifted_us is null and kind = 'mail' and what in ({})",
            marks(1, some.len())
        );
        let values = some.iter().map(|mail| mail.as_str().into()).collect();
        for row in database::query(sql, values).fetch_all(&mut *connection).await? {
            on.entry(row.try_get("what")?).or_default().insert(number(&row, "hold")?);
        }
        let (Some(first), Some(last)) = (some.first(), some.last()) else { continue };
        let window = Window { from: first.clone(), before: successor(last) };
        for hold in &queries {
            // One that cannot be read keeps everything.
            let query = hold.query().map_err(StoreError::Unreadable)?;
            for mail in fitting(connection, &query, &window, Some(&some)).await? {
                on.entry(mail).or_default().insert(hold.number);
            }
        }
    }
    Ok(on)
}

/// The messages in a window, or some of them, that a query fits for one recipient at least.
async fn fitting(
    connection: &mut AnyConnection,
    query: &Query,
    window: &Window,
    some: Option<&[String]>,
) -> Result<Vec<String>, StoreError> {
    let mut sql = Conditions::new(window);
    let mut holds = sql.whole(query, &crate::Scope::All);
    if let Some(some) = some {
        let listed: Vec<String> = some.iter().map(|mail| sql.value(mail.as_str())).collect();
        holds = format!("{holds} and u.mail_id in ({})", listed.join(","));
    }
    let text = format!("select distinct u.mail_id from unit u join message m on m.mail_id = u.mail_id where {holds}");
    let rows = database::query(text, sql.values).fetch_all(connection).await?;
    Ok(rows.iter().map(|row| row.try_get("mail_id")).collect::<Result<_, _>>()?)
}

fn read(row: &AnyRow) -> Result<Hold, StoreError> {
    let lifted: Option<i64> = row.try_get("lifted_us")?;
    let lifted = lifted.map(|at| {
        Ok::<_, StoreError>(Lifted {
            at: Timestamp::from_micros(at),
            by: row.try_get("lifted_by")?,
            reason: row.try_get("lifted_reason")?,
        })
    });
    Ok(Hold {
        number: number(row, "hold")?,
        kind: named(row, "kind", Kind::parse)?,
        what: row.try_get("what")?,
        reason: row.try_get("reason")?,
        by: row.try_get("made_by")?,
        at: Timestamp::from_micros(row.try_get("made_us")?),
        lifted: lifted.transpose()?,
    })
}

fn number(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

fn as_value(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Notes mails of a hold; those that are noted stay.
async fn note(connection: &mut AnyConnection, hold: u64, mails: &[String]) -> Result<(), StoreError> {
    for mail in mails {
        let sql = "insert into legal_hold_mail (mail_id, hold) values ($1, $2) on conflict do nothing";
        let values = vec![mail.as_str().into(), as_value(hold)];
        database::query(sql.to_owned(), values).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Refuses a hold that cannot be made: on a message that is not there, or one too many.
async fn refuse_hold(connection: &mut AnyConnection, hold: &Hold) -> Result<(), StoreError> {
    let is_mail = hold.kind == Kind::Mail;
    let sql = "select count(*) as others from legal_hold where lifted_us is null and (kind = 'mail') = ($1 = 1)";
    let row = sqlx::query(sql).bind(i64::from(is_mail)).fetch_one(&mut *connection).await?;
    let most = if is_mail { MAILS_MAX } else { QUERIES_MAX };
    if row.try_get::<i64, _>("others")? >= most {
        return Err(StoreError::Refused(format!("{most} holds of this kind are open: lift one first")));
    }
    let known = sqlx::query("select 1 as one from message where mail_id = $1").bind(hold.what.clone());
    match is_mail && known.fetch_optional(connection).await?.is_none() {
        true => Err(StoreError::NotFound(format!("message {}", hold.what))),
        false => Ok(()),
    }
}

/// A hold to make, as data.
#[derive(Clone, Debug)]
struct Add(Hold);

impl Command for Add {
    /// Its number.
    type Reply = u64;

    async fn apply(&self, group: &mut Group<'_>) -> Result<u64, StoreError> {
        let (hold, connection) = (&self.0, &mut *group.connection);
        take_turn(connection).await?;
        let is_mail = hold.kind == Kind::Mail;
        refuse_hold(connection, hold).await?;
        let next = sqlx::query("select coalesce(max(hold), 0) + 1 as next from legal_hold");
        let made = number(&next.fetch_one(&mut *connection).await?, "next")?;
        let columns = [
            "hold",
            "kind",
            "what",
            "reason",
            "made_by",
            "made_us",
            "lifted_by",
            "lifted_reason",
            "looked",
            "is_looked",
        ];
        let row = vec![
            as_value(made),
            hold.kind.as_str().into(),
            hold.what.as_str().into(),
            hold.reason.as_str().into(),
            hold.by.as_str().into(),
            hold.at.as_micros().into(),
            "".into(),
            "".into(),
            "".into(),
            is_mail.into(),
        ];
        database::insert(connection, "legal_hold", &columns, vec![row]).await?;
        if is_mail {
            note(connection, made, std::slice::from_ref(&hold.what)).await?;
        }
        Ok(made)
    }
}

/// A hold to lift, as data.
#[derive(Clone, Debug)]
struct Lift {
    number: u64,
    lifted: Lifted,
}

impl Command for Lift {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let sql = "update legal_hold set lifted_us = $1, lifted_by = $2, lifted_reason = $3 where hold = $4 and \
                   lifted_us is null";
        let Lifted { at, by, reason } = &self.lifted;
        let values = vec![at.as_micros().into(), by.as_str().into(), reason.as_str().into(), as_value(self.number)];
        match database::query(sql.to_owned(), values).execute(&mut *group.connection).await?.rows_affected() {
            0 => Err(StoreError::NotFound(format!("open hold {}", self.number))),
            _ => Ok(()),
        }
    }
}

/// Mail that was found to be on a hold, and how far the record was looked through, as data.
#[derive(Clone, Debug)]
struct Found {
    number: u64,
    mails: Vec<String>,
    looked: String,
    is_through: bool,
}

impl Command for Found {
    type Reply = ();

    fn rows(&self) -> usize {
        1 + self.mails.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        note(group.connection, self.number, &self.mails).await?;
        // Once all was looked through it stays so: what comes later is younger than the hold.
        let sql = "update legal_hold set looked = $1, is_looked = case when is_looked = 1 then 1 else $2 end \
                   where hold = $3";
        let values = vec![self.looked.as_str().into(), self.is_through.into(), as_value(self.number)];
        database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
        Ok(())
    }
}

/// Mails about whose removal is thought, as data.
#[derive(Clone, Debug)]
struct Note(BTreeSet<String>);

impl Command for Note {
    /// Those that are not on hold.
    type Reply = BTreeSet<String>;

    fn rows(&self) -> usize {
        SWEEP_ROWS
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<BTreeSet<String>, StoreError> {
        let on = holding(group.connection, &self.0).await?;
        for (mail, holds) in &on {
            for hold in holds {
                note(group.connection, *hold, std::slice::from_ref(mail)).await?;
            }
        }
        Ok(self.0.iter().filter(|mail| !on.contains_key(*mail)).cloned().collect())
    }
}

/// The end of rows about holds that were lifted before a moment, as data.
#[derive(Clone, Debug)]
struct Forget {
    before: Timestamp,
}

impl Command for Forget {
    /// Whether there may be more.
    type Reply = bool;

    fn rows(&self) -> usize {
        SWEEP_ROWS
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<bool, StoreError> {
        let sql = "delete from legal_hold_mail where (mail_id, hold) in (select k.mail_id, k.hold from legal_hold_mail \
                   k join legal_hold h on h.hold = k.hold where h.lifted_us < $1 limit $2)";
        let values = vec![self.before.as_micros().into(), FORGET_BATCH.into()];
        let gone = database::query(sql.to_owned(), values).execute(&mut *group.connection).await?.rows_affected();
        Ok(gone == FORGET_BATCH as u64)
    }
}
