//! Events: what is recorded, read again in the order of commits, and how far it was told to whom.
//!
//! Nothing is written for an event. Its place is the entry of the audit log that its transaction made: an act has one
//! of its own, and what a group commit moved has the leaf of its batch of the journal. Entries have numbers without a
//! gap, in the order of commits on both databases (see `evidence::hearing`), so a reader needs no more than the
//! number of the first entry that it has not read. What retention took before it was read is counted, and told as
//! missing.

pub(crate) mod epoch;
mod read;

use domain::Timestamp;
use domain::event::Event;
use sqlx::Row;

use crate::core::part;
use crate::database::error::StoreError;
use crate::database::{self, Value};
use crate::writer::{Command, Group};

part! {
    /// Events, and how far they were told to whom.
    EventStore
}

/// Events from a place on.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage {
    /// They, in the order in which they were committed.
    pub events: Vec<Event>,
    /// The entry to go on with; where one began, when nothing came.
    pub next: u64,
    /// The entry that will be written next: who has come so far has everything.
    pub end: u64,
    /// The epoch of what is written now.
    pub epoch: String,
}

/// To whom events are told, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSink {
    /// Its name in the configuration.
    pub name: String,
    /// The first entry of the audit log of which it has not taken everything.
    pub position: u64,
    /// What it is told beyond what a log may say, by names.
    pub content: String,
    /// Where it is, as it may be shown; empty where that was not recorded yet.
    pub destination: String,
    /// When it last took something, or began; none where its row cannot be read.
    pub taken: Option<Timestamp>,
}

impl EventSink {
    /// One whose row cannot be read: what it has taken is not known, so it is told everything again.
    fn lost(name: String) -> Self {
        let [content, destination] = [const { String::new() }; 2];
        Self { name, position: 0, content, destination, taken: None }
    }

    /// Whether its row cannot be read, and it has to be remembered anew.
    pub fn is_lost(&self) -> bool {
        self.taken.is_none()
    }
}

/// How far somebody is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Entries of the audit log that are still to be read.
    pub entries: u64,
    /// When the first of them was written, if there is one and it is still there.
    pub since: Option<Timestamp>,
    /// Whether the record ends before the entry that it has come to: another record was put in its place.
    pub is_beyond_end: bool,
}

impl EventStore {
    /// The events from an entry of the audit log on: those of some hundred entries at most, of each entry all.
    ///
    /// # Errors
    /// When the store fails, or something recorded cannot be read.
    pub async fn page(&self, from: u64) -> Result<EventPage, StoreError> {
        self.core.soundness.heed(read::page(&self.core, from).await)
    }

    /// Where a reader goes on that has come to an entry in an epoch: there, or where that epoch ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resolved(&self, epoch: &str, from: u64) -> Result<u64, StoreError> {
        let mut reading = self.core.reads.begin().await?;
        epoch::resolved(&mut reading, epoch, from).await
    }

    /// The number of the entry that will be written next.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("select size from audit_head where id = 1").fetch_optional(&self.core.reads).await?;
        row.map_or(Ok(0), |row| Ok(unsigned(row.try_get("size")?)))
    }

    /// How far a reader is behind that has come to an entry.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lag(&self, position: u64) -> Result<Lag, StoreError> {
        let end = self.end().await?;
        let sql = "select at_us from audit_leaf where seq >= $1 order by seq limit 1";
        let first = sqlx::query(sql).bind(signed(position)).fetch_optional(&self.core.reads).await?;
        // One that cannot be read is as one that is gone.
        let since = first.and_then(|row| row.try_get("at_us").ok()).map(Timestamp::from_micros);
        Ok(Lag { entries: end.saturating_sub(position), since, is_beyond_end: position > end })
    }

    /// All sinks that were ever told something, those among them whose rows cannot be read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sinks(&self) -> Result<Vec<EventSink>, StoreError> {
        let rows = sqlx::query("select * from event_sink order by name").fetch_all(&self.core.reads).await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok::<_, StoreError>(EventSink {
                name: row.try_get("name")?,
                position: unsigned(row.try_get("position")?),
                content: row.try_get("content")?,
                destination: row.try_get("destination")?,
                taken: Some(Timestamp::from_micros(row.try_get("taken_us")?)),
            })
        };
        let or_lost = |row: &sqlx::any::AnyRow| read(row).or_else(|_| Ok(EventSink::lost(row.try_get("name")?)));
        Ok(database::readable(&rows, or_lost))
    }

    /// Remembers a sink that is new, in the place of whatever has its name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_sink(&self, sink: EventSink) -> Result<(), StoreError> {
        self.core.writer.write(Kept { sink, is_new: true }).await
    }

    /// Remembers what else a sink is told from now on, and where it is; how far it is stays.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_sink(&self, sink: EventSink) -> Result<(), StoreError> {
        self.core.writer.write(Kept { sink, is_new: false }).await
    }

    /// Remembers that a sink has taken everything before an entry.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when another has told it something meanwhile.
    pub async fn record_taken(&self, name: &str, from: u64, to: u64, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(Taken { name: name.to_owned(), from, to, at }).await
    }
}

/// A sink to remember, as data.
#[derive(Clone, Debug)]
struct Kept {
    sink: EventSink,
    is_new: bool,
}

impl Command for Kept {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let place = if self.is_new { ", position = $2, taken_us = $5" } else { "" };
        let sql = format!(
            "insert into event_sink (name, position, content, destination, taken_us) values ($1, $2, $3, $4, $5) \
             on conflict (name) do update set content = $3, destination = $4{place}"
        );
        let EventSink { name, position, content, destination, taken } = &self.sink;
        let values: Vec<Value> = vec![
            name.as_str().into(),
            signed(*position).into(),
            content.as_str().into(),
            destination.as_str().into(),
            taken.map_or(0, Timestamp::as_micros).into(),
        ];
        database::query(sql, values).execute(&mut *group.connection).await?;
        Ok(())
    }
}

/// That a sink has taken what it was told, as data.
#[derive(Clone, Debug)]
struct Taken {
    name: String,
    from: u64,
    to: u64,
    at: Timestamp,
}

impl Command for Taken {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let sql = "update event_sink set position = $1, taken_us = $2 where name = $3 and position = $4";
        let values: Vec<Value> = vec![
            signed(self.to).into(),
            self.at.as_micros().into(),
            self.name.as_str().into(),
            signed(self.from).into(),
        ];
        let done = database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
        match done.rows_affected() {
            1 => Ok(()),
            _ => {
                Err(StoreError::Refused(format!("the events of {} were told by another from {}", self.name, self.from)))
            }
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
