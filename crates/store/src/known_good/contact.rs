//! Who has written to whom, as seals that tell nobody who they are.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use sqlx::Row;

use crate::database::error::StoreError;
use crate::database::{self, Value, marks};
use crate::known_good::KnownGoodStore;
use crate::writer::{Command, Group};

/// Pairs that one look-up asks for; a mail to more people than that has no first contact.
pub const ASKED_MAX: usize = 100;
/// Pairs that one round of forgetting ends.
const FORGET_BATCH: i64 = 500;

impl KnownGoodStore {
    /// Which of these pairs have met.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contacts_of(&self, pairs: &[String]) -> Result<BTreeSet<String>, StoreError> {
        let asked = &pairs[..pairs.len().min(ASKED_MAX)];
        if asked.is_empty() {
            return Ok(BTreeSet::new());
        }
        let sql = format!("select pair from contact where pair in ({})", marks(1, asked.len()));
        let values: Vec<Value> = asked.iter().map(|pair| Value::Text(pair.clone())).collect();
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok(row.try_get("pair")?)).collect()
    }

    /// Remembers that these pairs have met.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_contacts(&self, pairs: BTreeMap<String, Timestamp>) -> Result<(), StoreError> {
        self.core.writer.write(ContactWrite::Met(pairs)).await
    }

    /// Forgets some of those that have not met since `before`; says whether there may be more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_contacts(&self, before: Timestamp) -> Result<bool, StoreError> {
        let sql = "select pair from contact where last_us < $1 order by last_us limit $2";
        let rows = sqlx::query(sql).bind(before.as_micros()).bind(FORGET_BATCH).fetch_all(&self.core.reads).await?;
        let pairs = rows.iter().map(|row| row.try_get("pair")).collect::<Result<Vec<String>, _>>()?;
        let more = pairs.len() == FORGET_BATCH as usize;
        if !pairs.is_empty() {
            self.core.writer.write(ContactWrite::Forget(pairs)).await?;
        }
        Ok(more)
    }
}

/// A write about contacts, as data.
#[derive(Clone, Debug)]
pub(crate) enum ContactWrite {
    Met(BTreeMap<String, Timestamp>),
    Forget(Vec<String>),
}

impl Command for ContactWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Met(pairs) => pairs.len(),
            Self::Forget(pairs) => pairs.len(),
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Met(pairs) => {
                for (pair, at) in pairs {
                    let sql = "insert into contact (pair, first_us, last_us) values ($1, $2, $2) on conflict (pair) do \
                        update set last_us = $2";
                    let values = vec![pair.as_str().into(), at.as_micros().into()];
                    database::query(sql.to_owned(), values).execute(&mut *connection).await?;
                }
            }
            Self::Forget(pairs) => {
                let sql = format!("delete from contact where pair in ({})", marks(1, pairs.len()));
                let values: Vec<Value> = pairs.iter().map(|pair| Value::Text(pair.clone())).collect();
                database::query(sql, values).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }
}
