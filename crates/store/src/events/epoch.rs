//! Epochs of the record. A database that comes back from a backup writes other entries under numbers that were told
//! already. So each time it does, an epoch begins with the next entry, and what is told of an event names its epoch:
//! what a reader has seen of the entries before stays what it was, and nothing that is new looks like it.
//!
//! A backup says of itself that an epoch is to begin at its first start, however it comes to be the database.

use domain::Timestamp;
use sqlx::{AnyConnection, Connection, Row};

use super::unsigned;
use crate::database::{self, error::StoreError};

/// The row that says that an epoch is to begin.
const TO_BEGIN: i64 = -1;

/// All epochs, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Epochs(Vec<(u64, String)>);

impl Epochs {
    /// Reads them.
    pub(super) async fn read(connection: &mut AnyConnection) -> Result<Self, StoreError> {
        let rows = sqlx::query("select first, epoch from event_epoch where first >= 0 order by first");
        let rows = rows.fetch_all(connection).await?;
        let read = |row: &sqlx::any::AnyRow| Ok((unsigned(row.try_get("first")?), row.try_get("epoch")?));
        Ok(Self(database::readable(&rows, read)))
    }

    /// The epoch of an entry; empty for one of before there were any.
    pub(super) fn of(&self, sequence: u64) -> &str {
        self.0.iter().rev().find(|(first, _)| *first <= sequence).map_or("", |(_, epoch)| epoch)
    }

    /// The epoch of now.
    pub(super) fn newest(&self) -> &str {
        self.0.last().map_or("", |(_, epoch)| epoch)
    }

    /// Where a reader goes on now that has come to an entry in an epoch: what was written behind the end of that epoch
    /// it does not have. One whose epoch is none of these has what was there when the newest began.
    pub(super) fn resolve(&self, epoch: &str, from: u64) -> u64 {
        let is_it = |(_, one): &(u64, String)| one == epoch;
        let next = match self.0.iter().position(is_it) {
            Some(at) => self.0.get(at + 1),
            None if epoch.is_empty() => self.0.first(),
            None => self.0.last(),
        };
        next.map_or(from, |(first, _)| from.min(*first))
    }
}

/// Begins an epoch with the next entry, where one is to begin.
pub(crate) async fn begin(connection: &mut AnyConnection, now: Timestamp) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    let gone = sqlx::query("delete from event_epoch where first = $1").bind(TO_BEGIN);
    if gone.execute(&mut *transaction).await?.rows_affected() > 0 {
        let size = sqlx::query("select size from audit_head where id = 1").fetch_optional(&mut *transaction).await?;
        let first: i64 = size.map(|row| row.try_get("size")).transpose()?.unwrap_or(0);
        let sql = "insert into event_epoch (first, epoch) values ($1, $2) on conflict (first) do update set epoch = $2";
        let values = vec![first.into(), format!("{:x}", now.as_micros()).into()];
        database::query(sql.to_owned(), values).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

/// Has an epoch begin at the next start of this database.
pub(crate) async fn begin_at_next_start(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let sql = "insert into event_epoch (first, epoch) values ($1, '') on conflict do nothing";
    sqlx::query(sql).bind(TO_BEGIN).execute(connection).await?;
    Ok(())
}

/// Where a reader goes on that has come to an entry in an epoch: there, or where that epoch ended.
pub(super) async fn resolved(connection: &mut AnyConnection, epoch: &str, from: u64) -> Result<u64, StoreError> {
    Ok(Epochs::read(connection).await?.resolve(epoch, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_goes_on_where_its_epoch_ended() {
        let epochs = Epochs(vec![(100, "a".into()), (150, "b".into()), (170, "c".into())]);
        assert_eq!((epochs.of(99), epochs.of(100), epochs.of(169), epochs.newest()), ("", "a", "b", "c"));
        for (epoch, from, goes_on) in [
            ("", 90, 90),
            ("", 120, 100),
            ("a", 140, 140),
            ("a", 200, 150),
            ("b", 160, 160),
            ("b", 200, 170),
            ("c", 200, 200),
            ("gone", 160, 160),
            ("gone", 200, 170),
        ] {
            assert_eq!(epochs.resolve(epoch, from), goes_on, "{epoch} {from}");
        }
        assert_eq!(Epochs::default().resolve("", 7), 7);
    }
}
