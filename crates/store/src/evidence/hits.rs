//! How many messages each detection version hit in each hour: counted from the findings, kept as a roll-up.

use std::collections::BTreeMap;

use domain::detection::DetectionCode;
use domain::{MailId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Value, marks, parsed};
use crate::evidence::EvidenceStore;
use crate::evidence::sentinel::{Suspect, suspect};
use crate::writer::{Command, Group};

/// An hour, in microseconds.
pub const HOUR_US: i64 = 3_600_000_000;
/// Rows that one round of forgetting ends.
const FORGET_BATCH: i64 = 500;

/// The beginning of the hour that a moment is in.
pub fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros().div_euclid(HOUR_US) * HOUR_US)
}

/// What a detection version hit in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourOfHits {
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// The detection version.
    pub suspect: Suspect,
    /// Messages hit.
    pub hits: u64,
    /// Those of them on which it could act.
    pub acted: u64,
}

impl EvidenceStore {
    /// Counts the hits of the messages of one hour.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_hits(&self, hour: Timestamp) -> Result<Vec<HourOfHits>, StoreError> {
        let next = Timestamp::from_micros(hour.as_micros() + HOUR_US);
        let sql = "select detection, detection_version, count(distinct mail_id) as hits, \
                   count(distinct case when effect in ('Hold', 'Block') and mode = 'Enforce' then mail_id end) as \
                   acted \
                   from finding where mail_id >= $1 and mail_id < $2 group by detection, detection_version";
        let values = [hour, next].map(|at| MailId::new(at, [0; 10]).to_string().into());
        let rows = database::query(sql.to_owned(), values.into()).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| read(row, hour)).collect()
    }

    /// The last hour that was counted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_hour_of_hits(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("select max(hour_us) as hour_us from hit_hour").fetch_one(&self.core.reads).await?;
        Ok(row.try_get::<Option<i64>, _>("hour_us")?.map(Timestamp::from_micros))
    }

    /// Keeps what was counted, in place of what was known of those hours.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_hits(&self, counted: Vec<HourOfHits>) -> Result<(), StoreError> {
        self.core.writer.write(HitsWrite::Keep(counted)).await
    }

    /// How often each detection, in all its versions, could act in each of these hours.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hits_that_could_act(
        &self,
        hours: &[Timestamp],
    ) -> Result<BTreeMap<(DetectionCode, Timestamp), u64>, StoreError> {
        let sql = format!(
            "select detection, hour_us, cast(sum(acted) as bigint) as acted from hit_hour where hour_us in ({}) group \
                by detection, hour_us",
            marks(1, hours.len())
        );
        let values: Vec<Value> = hours.iter().map(|hour| hour.as_micros().into()).collect();
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        let acted = database::readable(&rows, |row| {
            let hour = Timestamp::from_micros(row.try_get("hour_us")?);
            Ok(((parsed(row, "detection")?, hour), number(row, "acted")?))
        });
        Ok(acted.into_iter().collect())
    }

    /// The hits of a detection, in all its versions, hour by hour since `since`, oldest first; of all detections
    /// without one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hours_of_hits(
        &self,
        code: Option<&DetectionCode>,
        since: Timestamp,
    ) -> Result<Vec<HourOfHits>, StoreError> {
        let sql = "select * from hit_hour where ($1 = '' or detection = $2) and hour_us >= $3 order by hour_us, \
            detection, detection_version";
        let code = code.map(DetectionCode::as_str).unwrap_or_default();
        let values = vec![code.into(), code.into(), since.as_micros().into()];
        let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| read(row, Timestamp::from_micros(row.try_get("hour_us")?))).collect()
    }

    /// When the first message that is remembered came.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_message_came_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("select min(received_us) as at_us from message").fetch_one(&self.core.reads).await?;
        Ok(row.try_get::<Option<i64>, _>("at_us")?.map(Timestamp::from_micros))
    }

    /// Forgets some of the hours before `before`; says whether there may be more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_hits(&self, before: Timestamp) -> Result<bool, StoreError> {
        let sql = "select count(*) as hours from hit_hour where hour_us < $1";
        let row = sqlx::query(sql).bind(before.as_micros()).fetch_one(&self.core.reads).await?;
        let old: i64 = row.try_get("hours")?;
        if old > 0 {
            self.core.writer.write(HitsWrite::Forget(before)).await?;
        }
        Ok(old > FORGET_BATCH)
    }
}

fn number(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

fn read(row: &AnyRow, hour: Timestamp) -> Result<HourOfHits, StoreError> {
    Ok(HourOfHits { hour, suspect: suspect(row)?, hits: number(row, "hits")?, acted: number(row, "acted")? })
}

/// A write about hours of hits, as data.
#[derive(Clone, Debug)]
pub(crate) enum HitsWrite {
    Keep(Vec<HourOfHits>),
    Forget(Timestamp),
}

impl Command for HitsWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Keep(counted) => counted.len(),
            Self::Forget(_) => FORGET_BATCH as usize,
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Keep(counted) => {
                for one in counted {
                    let sql = "insert into hit_hour (hour_us, detection, detection_version, hits, acted) values ($1, \
                        $2, $3, $4, $5) \
                           on conflict (detection, detection_version, hour_us) do update set hits = $4, acted = $5";
                    let count = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
                    let values = vec![
                        one.hour.as_micros().into(),
                        one.suspect.code.as_str().into(),
                        one.suspect.version.as_str().into(),
                        count(one.hits),
                        count(one.acted),
                    ];
                    database::query(sql.to_owned(), values).execute(&mut *connection).await?;
                }
            }
            Self::Forget(before) => {
                let sql = "delete from hit_hour where hour_us < $1 and hour_us <= \
                       (select max(hour_us) from (select hour_us from hit_hour order by hour_us limit $2) as oldest)";
                let values = vec![before.as_micros().into(), FORGET_BATCH.into()];
                database::query(sql.to_owned(), values).execute(connection).await?;
            }
        }
        Ok(())
    }
}
