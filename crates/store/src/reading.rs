//! The last moment that had certainly come, as it is remembered: what a clock is believed beside.

use std::time::Duration;

use domain::Timestamp;
use domain::removal::{Reading, Uptime};
use sqlx::{AnyConnection, Row};

use crate::Store;
use crate::db::{self, Value};
use crate::error::StoreError;

/// A reading, and when a person last said that the clock is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The reading.
    pub reading: Reading,
    /// When somebody confirmed the clock, by that clock.
    pub confirmed: Option<Timestamp>,
}

impl Store {
    /// What is remembered; none before the first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clock_reading(&self) -> Result<Option<Remembered>, StoreError> {
        let row = sqlx::query("select * from clock_reading where id = 1").fetch_optional(&self.reads).await?;
        let Some(row) = row else { return Ok(None) };
        let up: i64 = row.try_get("up_us")?;
        let uptime = Uptime { boot: row.try_get("boot")?, up: Duration::from_micros(u64::try_from(up).unwrap_or(0)) };
        let confirmed: Option<i64> = row.try_get("confirmed_us")?;
        Ok(Some(Remembered {
            reading: Reading { at: Timestamp::from_micros(row.try_get("at_us")?), uptime },
            confirmed: confirmed.map(Timestamp::from_micros),
        }))
    }

    /// Remembers a reading in place of the last one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_reading(&self, remembered: Remembered) -> Result<(), StoreError> {
        self.writer.reading(remembered).await
    }

    /// The newest moment that anything here was recorded at; none in an empty store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "select max(at_us) as at_us from (select max(received_us) as at_us from message union all \
                   select at_us from audit_leaf where seq = (select max(seq) from audit_leaf)) newest";
        let newest: Option<i64> = sqlx::query(sql).fetch_one(&self.reads).await?.try_get("at_us")?;
        Ok(newest.map(Timestamp::from_micros))
    }
}

/// Applies inside the writer's transaction.
pub(crate) async fn apply(connection: &mut AnyConnection, remembered: &Remembered) -> Result<(), StoreError> {
    let Remembered { reading, confirmed } = remembered;
    let row: Vec<Value> = vec![
        reading.at.as_micros().into(),
        reading.uptime.boot.as_str().into(),
        i64::try_from(reading.uptime.up.as_micros()).unwrap_or(i64::MAX).into(),
        confirmed.map(Timestamp::as_micros).into(),
    ];
    let sql = "insert into clock_reading (id, at_us, boot, up_us, confirmed_us) values (1, $1, $2, $3, $4) \
               on conflict (id) do update set at_us = $1, boot = $2, up_us = $3, confirmed_us = $4";
    db::query(sql.to_owned(), row).execute(connection).await?;
    Ok(())
}
