//! The check of all stored bytes, again and again: how far it is, and what it found damaged.

use domain::{Digest, MailId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Value, parsed};
use crate::upkeep::UpkeepStore;
use crate::writer::{Command, Group};

/// How far a pass over all blobs is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// When it began.
    pub began: Timestamp,
    /// The blob that it came by last; none at its beginning.
    pub place: Option<Digest>,
    /// Whether it has come by all.
    pub is_done: bool,
    /// Blobs that it has read.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the last whole pass ended, with its blobs and bytes.
    pub last: Option<(Timestamp, u64, u64)>,
}

/// Stored bytes that are damaged or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What they were named.
    pub blob: Digest,
    /// A message whose bytes they are.
    pub mail: MailId,
    /// When it was found.
    pub found: Timestamp,
    /// What is wrong.
    pub why: String,
}

/// A write about the check, as data.
#[derive(Clone, Debug)]
pub(crate) enum ScrubWrite {
    Keep(Pass),
    Found(Damage),
    Whole(Digest),
}

impl UpkeepStore {
    /// How far the check is; none before the first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scrub_pass(&self) -> Result<Option<Pass>, StoreError> {
        let row = sqlx::query("select * from scrub where id = 1").fetch_optional(&self.core.reads).await?;
        row.as_ref().map(read_pass).transpose()
    }

    /// Keeps how far it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_scrub_pass(&self, pass: Pass) -> Result<(), StoreError> {
        self.core.writer.write(ScrubWrite::Keep(pass)).await
    }

    /// The next blobs behind one, in the order of their names, each with a message that needs it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn blobs_after(&self, place: Option<Digest>, most: i64) -> Result<Vec<(Digest, MailId)>, StoreError> {
        let sql = "select blob, min(mail_id) as mail_id from message where blob is not null and blob > $1 \
                   group by blob order by blob limit $2";
        let place = place.map(|place| place.hex()).unwrap_or_default();
        let rows = sqlx::query(sql).bind(place).bind(most).fetch_all(&self.core.reads).await?;
        Ok(database::readable(&rows, |row| Ok((digest(row)?, parsed(row, "mail_id")?))))
    }

    /// The messages whose bytes a blob has: the first `most`. None need one that has been removed meanwhile.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn messages_of_blob(&self, blob: Digest, most: i64) -> Result<Vec<MailId>, StoreError> {
        let sql = "select mail_id from message where blob = $1 order by mail_id limit $2";
        let rows = sqlx::query(sql).bind(blob.hex()).bind(most).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| parsed(row, "mail_id")).collect()
    }

    /// Remembers that a blob is damaged.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_damaged_blob(&self, damage: Damage) -> Result<(), StoreError> {
        self.core.writer.write(ScrubWrite::Found(damage)).await
    }

    /// A blob is whole again, or nobody needs it any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_damaged_blob(&self, blob: Digest) -> Result<(), StoreError> {
        self.core.writer.write(ScrubWrite::Whole(blob)).await
    }

    /// What is damaged, the longest known first: how many there are, and the first `most`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn damaged_blobs(&self, most: i64) -> Result<(u64, Vec<Damage>), StoreError> {
        let count: i64 = sqlx::query("select count(*) as blobs from damaged_blob")
            .fetch_one(&self.core.reads)
            .await?
            .try_get("blobs")?;
        let sql = "select * from damaged_blob order by found_us, blob limit $1";
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.core.reads).await?;
        let damage = |row: &AnyRow| {
            Ok(Damage {
                blob: digest(row)?,
                mail: parsed(row, "mail_id")?,
                found: Timestamp::from_micros(row.try_get("found_us")?),
                why: row.try_get("why")?,
            })
        };
        let named = rows.iter().map(damage).collect::<Result<_, StoreError>>()?;
        Ok((u64::try_from(count).unwrap_or(0), named))
    }
}

fn digest(row: &AnyRow) -> Result<Digest, StoreError> {
    database::named(row, "blob", |text| Digest::parse(text).ok())
}

fn read_pass(row: &AnyRow) -> Result<Pass, StoreError> {
    let number = |column: &str| Ok::<_, StoreError>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
    let place: String = row.try_get("place")?;
    let ended: Option<i64> = row.try_get("ended_us")?;
    let last = match ended {
        Some(at) => Some((Timestamp::from_micros(at), number("ended_blobs")?, number("ended_bytes")?)),
        None => None,
    };
    Ok(Pass {
        began: Timestamp::from_micros(row.try_get("began_us")?),
        place: if place.is_empty() {
            None
        } else {
            Some(database::named(row, "place", |text| Digest::parse(text).ok())?)
        },
        is_done: row.try_get::<i64, _>("is_done")? == 1,
        blobs: number("blobs")?,
        bytes: number("bytes")?,
        last,
    })
}

fn signed(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

impl Command for ScrubWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        let (sql, values): (&str, Vec<Value>) = match self {
            Self::Keep(pass) => {
                let (blobs, bytes) = pass.last.map_or((0, 0), |(_, blobs, bytes)| (blobs, bytes));
                (
                    "insert into scrub (id, began_us, place, is_done, blobs, bytes, ended_us, ended_blobs, \
                        ended_bytes) values (1, $1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do update set \
                        began_us = $1, place = $2, is_done = $3, blobs = $4, bytes = $5, ended_us = $6, ended_blobs = \
                     $7, ended_bytes = $8",
                    vec![
                        pass.began.as_micros().into(),
                        pass.place.map(|place| place.hex()).unwrap_or_default().into(),
                        i64::from(pass.is_done).into(),
                        signed(pass.blobs),
                        signed(pass.bytes),
                        pass.last.map(|(at, ..)| at.as_micros()).into(),
                        signed(blobs),
                        signed(bytes),
                    ],
                )
            }
            Self::Found(damage) => (
                "insert into damaged_blob (blob, mail_id, found_us, why) values ($1, $2, $3, $4) \
                    on conflict (blob) do update set why = $4",
                vec![
                    damage.blob.hex().into(),
                    damage.mail.to_string().into(),
                    damage.found.as_micros().into(),
                    damage.why.as_str().into(),
                ],
            ),
            Self::Whole(blob) => ("delete from damaged_blob where blob = $1", vec![blob.hex().into()]),
        };
        database::query(sql.to_owned(), values).execute(connection).await?;
        Ok(())
    }
}
