//! The last moment that had certainly come, as it is remembered: what a clock is believed beside.

use std::time::Duration;

use domain::Timestamp;
use domain::removal::{Reading, Uptime};
use sqlx::Row;

use crate::database::error::StoreError;
use crate::database::{self, Value};
use crate::upkeep::UpkeepStore;
use crate::writer::{Command, Group};

/// A reading, and when a person last said that the clock is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The reading.
    pub reading: Reading,
    /// When somebody confirmed the clock, by that clock.
    pub confirmed: Option<Timestamp>,
    /// The how manieth reading it is: each takes the place of the one before, and of no other.
    pub turn: i64,
}

impl UpkeepStore {
    /// What is remembered; none before the first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clock_reading(&self) -> Result<Option<Remembered>, StoreError> {
        let row = sqlx::query("select * from clock_reading where id = 1").fetch_optional(&self.core.reads).await?;
        let Some(row) = row else { return Ok(None) };
        let up: i64 = row.try_get("up_us")?;
        let uptime = Uptime { boot: row.try_get("boot")?, up: Duration::from_micros(u64::try_from(up).unwrap_or(0)) };
        let confirmed: Option<i64> = row.try_get("confirmed_us")?;
        let unproven: i64 = row.try_get("unproven_us")?;
        let unproven = Duration::from_micros(u64::try_from(unproven).unwrap_or(0));
        Ok(Some(Remembered {
            reading: Reading { at: Timestamp::from_micros(row.try_get("at_us")?), uptime, unproven },
            confirmed: confirmed.map(Timestamp::from_micros),
            turn: row.try_get("turn")?,
        }))
    }

    /// Remembers a reading in place of the one whose turn was before; `false`, and nothing is done, when another
    /// process has put one there meanwhile.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_reading(&self, remembered: Remembered) -> Result<bool, StoreError> {
        self.core.writer.write(remembered).await
    }

    /// The newest moment that anything here was recorded at; none in an empty store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "select max(at_us) as at_us from (select max(received_us) as at_us from message union all \
                   select at_us from audit_leaf where seq = (select max(seq) from audit_leaf)) newest";
        let newest: Option<i64> = sqlx::query(sql).fetch_one(&self.core.reads).await?.try_get("at_us")?;
        Ok(newest.map(Timestamp::from_micros))
    }
}

impl Command for Remembered {
    /// Whether it was its turn.
    type Reply = bool;

    async fn apply(&self, group: &mut Group<'_>) -> Result<bool, StoreError> {
        let Remembered { reading, confirmed, turn } = self;
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let row: Vec<Value> = vec![
            reading.at.as_micros().into(),
            reading.uptime.boot.as_str().into(),
            micros(reading.uptime.up).into(),
            confirmed.map(Timestamp::as_micros).into(),
            micros(reading.unproven).into(),
            (*turn).into(),
        ];
        // Compared and set in one statement: what was confirmed by a person is not overwritten by who had looked
        // before.
        let sql = "insert into clock_reading (id, at_us, boot, up_us, confirmed_us, unproven_us, turn) values (1, $1, \
            $2, $3, $4, $5, $6) \
               on conflict (id) do update set at_us = $1, boot = $2, up_us = $3, confirmed_us = $4, unproven_us = $5, \
               turn = $6 \
               where clock_reading.turn = $6 - 1";
        Ok(database::query(sql.to_owned(), row).execute(&mut *group.connection).await?.rows_affected() == 1)
    }
}
