//! How many units fit a query by something that no roll-up is kept of: detections and their versions, sender domains,
//! the hosts of links, types of parts, addresses of clients. The record is walked through backwards for as long as
//! there is time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::query::{Field, Query};
use sqlx::Row;

use crate::database::error::StoreError;
use crate::database::{self, from_json};
use crate::explorer::ExplorerStore;
use crate::explorer::explore::{Conditions, Window};
use crate::people::scope::Scope;

/// By what can be asked.
pub const BY: [Field; 6] =
    [Field::Detection, Field::DetectionVersion, Field::FromDomain, Field::Url, Field::Type, Field::Ip];
/// Different values that are remembered: the most frequent ones of each window come first.
const VALUES_MAX: usize = 5_000;

/// Sums by a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// Units by value: one that has several values counts for each.
    pub units: BTreeMap<String, u64>,
    /// From when on everything was counted; none when all of it was.
    pub since: Option<Timestamp>,
}

impl ExplorerStore {
    /// Sums over the units that fit a query, by one of [`BY`], from the newest on backwards until `budget` is over.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for another field; when the store fails.
    pub async fn facets(
        &self,
        query: &Query,
        scope: &Scope,
        by: Field,
        budget: Duration,
    ) -> Result<Facets, StoreError> {
        let mut walk = self.walk(query, None, budget).await?;
        let mut facets = Facets::default();
        while let Some(window) = walk.next() {
            let began = Instant::now();
            self.count_by(query, scope, by, &window, &mut facets.units).await?;
            if !walk.has_time(began.elapsed()) {
                facets.since = (!walk.is_over()).then(|| walk.at());
                break;
            }
        }
        Ok(facets)
    }

    async fn count_by(
        &self,
        query: &Query,
        scope: &Scope,
        by: Field,
        window: &Window,
        units: &mut BTreeMap<String, u64>,
    ) -> Result<(), StoreError> {
        let mut sql = Conditions::new(window);
        let fitting = format!(
            "select u.mail_id, u.unit_no, m.from_domain, m.client_ip, m.url_domains_json from unit u \
             join message m on m.mail_id = u.mail_id where {}",
            sql.whole(query, scope)
        );
        let of_rows =
            |column: &str| format!("select {column} as value, count(*) as units from ({fitting}) as f group by 1");
        let of_table = |table: &str, column: &str| {
            format!(
                "select value, count(*) as units from (select distinct f.mail_id, f.unit_no, x.{column} as value from \
                    ({fitting}) as f \
                 join {table} x on x.mail_id = f.mail_id) as each_value group by value"
            )
        };
        let text = match by {
            Field::FromDomain => of_rows("f.from_domain"),
            Field::Ip => of_rows("f.client_ip"),
            Field::Url => of_rows("f.url_domains_json"),
            Field::Detection => of_table("finding", "detection"),
            Field::DetectionVersion => of_table("finding", "detection_version"),
            Field::Type => of_table("part", "family"),
            other => return Err(StoreError::Refused(format!("nothing is summed up by {}", other.as_str()))),
        };
        let limit = sql.value(VALUES_MAX as i64);
        let text = format!("{text} order by 2 desc limit {limit}");
        for row in database::query(text, sql.values).fetch_all(&self.core.reads).await? {
            let count = u64::try_from(row.try_get::<i64, _>("units")?).unwrap_or(0);
            let values: Vec<String> =
                if by == Field::Url { from_json(&row, "value")? } else { vec![row.try_get("value")?] };
            for value in values.into_iter().filter(|value| !value.is_empty()) {
                if units.len() < VALUES_MAX || units.contains_key(&value) {
                    *units.entry(value).or_default() += count;
                }
            }
        }
        Ok(())
    }
}
