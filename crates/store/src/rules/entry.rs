//! Allow and block entries: made, ended, used.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::entry::{Entry, Reach, Subject};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, named};
use crate::rules::EntryStore;
use crate::writer::{Command, Group};

/// Entries in force at most, all together: each is looked up for every message.
pub const ENTRIES_MAX: i64 = 50_000;

/// Entries about pictures and texts in force at most: each is compared with every picture and text of every message.
pub const LIKENESS_ENTRIES_MAX: i64 = 1000;

/// A new entry, as data.
#[derive(Clone, Debug)]
struct Add(Entry);

/// A write about entries that there are, as data.
#[derive(Clone, Debug)]
enum EntryWrite {
    Remove { id: u64, by: String, at: Timestamp },
    Used(BTreeMap<u64, Timestamp>),
}

impl EntryStore {
    /// Makes an entry; returns the number that it gets.
    ///
    /// # Errors
    /// When there are too many, or the store fails.
    pub async fn add_entry(&self, new: Entry) -> Result<u64, StoreError> {
        self.core.writer.write(Add(new)).await
    }

    /// Ends an entry now.
    ///
    /// # Errors
    /// When it is not in force, or the store fails.
    pub async fn remove_entry(&self, id: u64, by: String, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(EntryWrite::Remove { id, by, at }).await
    }

    /// Remembers when entries last decided something.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_use(&self, used: BTreeMap<u64, Timestamp>) -> Result<(), StoreError> {
        self.core.writer.write(EntryWrite::Used(used)).await
    }

    /// The entries in force at `now`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entries(&self, now: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let sql = "select * from entry where expires_us > $1 and removed_us is null order by entry desc";
        sqlx::query(sql).bind(now.as_micros()).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// The entries in force that were made because of a message of this incident.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entries_caused_by(&self, incident: &str, now: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let sql = "select * from entry where caused_by is not null and expires_us > $1 and removed_us is null \
                   and caused_by in (select mail_id from incident_unit where incident = $2) order by entry";
        let values = vec![now.as_micros().into(), incident.into()];
        database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// What tells whether the entries in force are others than before: how many there are, and what was made and ended
    /// last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entries_stamp(&self, now: Timestamp) -> Result<[i64; 3], StoreError> {
        let sql = "select cast(coalesce(sum(case when expires_us > $1 and removed_us is null then 1 else 0 end), 0) as \
            bigint) as active, \
                   coalesce(max(entry), 0) as last, coalesce(max(removed_us), 0) as removed from entry";
        let row = sqlx::query(sql).bind(now.as_micros()).fetch_one(&self.core.reads).await?;
        Ok([row.try_get("active")?, row.try_get("last")?, row.try_get("removed")?])
    }
}

fn read(row: &AnyRow) -> Result<Entry, StoreError> {
    let value: String = row.try_get("subject")?;
    let whom: String = row.try_get("whom")?;
    let last_used: Option<i64> = row.try_get("last_used_us")?;
    Ok(Entry {
        id: u64::try_from(row.try_get::<i64, _>("entry")?).unwrap_or(0),
        allow: row.try_get::<i64, _>("is_allow")? == 1,
        subject: named(row, "kind", |kind| Subject::parse(kind, &value).ok())?,
        reach: named(row, "reach", |reach| reach_of(reach, &whom))?,
        clears_malware: row.try_get::<i64, _>("clears_malware")? == 1,
        owner: row.try_get("owner")?,
        reason: row.try_get("reason")?,
        caused_by: row.try_get::<Option<String>, _>("caused_by")?.and_then(|mail| mail.parse().ok()),
        made: Timestamp::from_micros(row.try_get("made_us")?),
        expires: Timestamp::from_micros(row.try_get("expires_us")?),
        last_used: last_used.map(Timestamp::from_micros),
    })
}

fn reach_of(reach: &str, whom: &str) -> Option<Reach> {
    match reach {
        "everyone" => Some(Reach::Everyone),
        "domain" => Some(Reach::Domain(whom.into())),
        "recipient" => Some(Reach::Recipient(whom.to_owned())),
        _ => None,
    }
}

fn reach_parts(reach: &Reach) -> (&'static str, &str) {
    match reach {
        Reach::Everyone => ("everyone", ""),
        Reach::Domain(domain) => ("domain", domain),
        Reach::Recipient(address) => ("recipient", address),
    }
}

impl Command for Add {
    /// The number that it gets.
    type Reply = u64;

    async fn apply(&self, group: &mut Group<'_>) -> Result<u64, StoreError> {
        add(group.connection, &self.0).await
    }
}

impl Command for EntryWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Remove { .. } => 1,
            Self::Used(used) => used.len(),
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Remove { id, by, at } => {
                let sql = "update entry set removed_us = $1, removed_by = $2 where entry = $3 and removed_us is null \
                    and expires_us > $1";
                let values =
                    vec![at.as_micros().into(), by.as_str().into(), i64::try_from(*id).unwrap_or(i64::MAX).into()];
                let done = database::query(sql.to_owned(), values).execute(connection).await?;
                if done.rows_affected() == 0 {
                    return Err(StoreError::NotFound(format!("entry {id} in force")));
                }
                Ok(())
            }
            Self::Used(used) => {
                for (id, at) in used {
                    let sql = "update entry set last_used_us = $1 where entry = $2 and (last_used_us is null or \
                        last_used_us < $1)";
                    let values = vec![at.as_micros().into(), i64::try_from(*id).unwrap_or(i64::MAX).into()];
                    database::query(sql.to_owned(), values).execute(&mut *connection).await?;
                }
                Ok(())
            }
        }
    }
}

async fn add(connection: &mut AnyConnection, new: &Entry) -> Result<u64, StoreError> {
    let sql = "select coalesce(max(entry), 0) as last, \
               cast(coalesce(sum(case when expires_us > $1 and removed_us is null then 1 else 0 end), 0) as bigint) as \
               active, \
               cast(coalesce(sum(case when expires_us > $1 and removed_us is null and kind in ('picture', 'text') then \
               1 else 0 end), 0) as bigint) as likenesses from entry";
    let row = database::query(sql.to_owned(), vec![new.made.as_micros().into()]).fetch_one(&mut *connection).await?;
    if row.try_get::<i64, _>("active")? >= ENTRIES_MAX {
        return Err(StoreError::Refused(format!("{ENTRIES_MAX} entries are in force; remove some first")));
    }
    if new.subject.is_likeness() && row.try_get::<i64, _>("likenesses")? >= LIKENESS_ENTRIES_MAX {
        let why = format!("{LIKENESS_ENTRIES_MAX} entries about pictures and texts are in force; remove some first");
        return Err(StoreError::Refused(why));
    }
    let id: i64 = row.try_get::<i64, _>("last")? + 1;
    let (reach, whom) = reach_parts(&new.reach);
    let sql = "insert into entry (entry, is_allow, kind, subject, reach, whom, clears_malware, owner, reason, made_us, \
        expires_us, \
               caused_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let values = vec![
        id.into(),
        new.allow.into(),
        new.subject.kind().into(),
        new.subject.value().into(),
        reach.into(),
        whom.into(),
        new.clears_malware.into(),
        new.owner.as_str().into(),
        new.reason.as_str().into(),
        new.made.as_micros().into(),
        new.expires.as_micros().into(),
        new.caused_by.map(|mail| mail.to_string()).into(),
    ];
    database::query(sql.to_owned(), values).execute(connection).await?;
    Ok(u64::try_from(id).unwrap_or(0))
}
