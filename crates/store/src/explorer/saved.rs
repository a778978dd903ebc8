//! Queries of the explorer that people keep by a name.

use domain::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database;
use crate::database::error::StoreError;
use crate::explorer::ExplorerStore;
use crate::writer::{Command, Group};

/// Queries that are kept at most.
pub const SAVED_MAX: usize = 200;

/// A query with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedQuery {
    /// Its name.
    pub name: String,
    /// The query; its relative moments stay relative.
    pub query: String,
    /// Who keeps it.
    pub by: String,
    /// Since when.
    pub made: Timestamp,
    /// Whether it stands on the first page.
    pub is_tracked: bool,
}

/// A write about kept queries, as data.
#[derive(Clone, Debug)]
pub(crate) enum SavedWrite {
    Keep(Box<SavedQuery>),
    Forget(String),
}

impl ExplorerStore {
    /// Keeps a query, in place of one of the same name.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there are too many.
    pub async fn save_query(&self, saved: SavedQuery) -> Result<(), StoreError> {
        self.core.writer.write(SavedWrite::Keep(Box::new(saved))).await
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn saved_queries(&self) -> Result<Vec<SavedQuery>, StoreError> {
        let sql = "select * from saved_query order by name";
        sqlx::query(sql).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// Keeps one no longer.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this name.
    pub async fn forget_query(&self, name: &str) -> Result<(), StoreError> {
        self.core.writer.write(SavedWrite::Forget(name.to_owned())).await
    }
}

fn read(row: &AnyRow) -> Result<SavedQuery, StoreError> {
    Ok(SavedQuery {
        name: row.try_get("name")?,
        query: row.try_get("query")?,
        by: row.try_get("made_by")?,
        made: Timestamp::from_micros(row.try_get("made_us")?),
        is_tracked: row.try_get::<i64, _>("is_tracked")? == 1,
    })
}

impl Command for SavedWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        match self {
            Self::Keep(saved) => keep(group.connection, saved).await,
            Self::Forget(name) => {
                let sql = "delete from saved_query where name = $1";
                match sqlx::query(sql).bind(name.clone()).execute(&mut *group.connection).await?.rows_affected() {
                    0 => Err(StoreError::NotFound(format!("saved query '{name}'"))),
                    _ => Ok(()),
                }
            }
        }
    }
}

async fn keep(connection: &mut AnyConnection, saved: &SavedQuery) -> Result<(), StoreError> {
    let sql = "select count(*) as others from saved_query where name <> $1";
    let row = sqlx::query(sql).bind(saved.name.clone()).fetch_one(&mut *connection).await?;
    if row.try_get::<i64, _>("others")? >= SAVED_MAX as i64 {
        return Err(StoreError::Refused(format!("{SAVED_MAX} queries are kept: forget one first")));
    }
    let sql = "insert into saved_query (name, query, made_by, made_us, is_tracked) values ($1, $2, $3, $4, $5) \
               on conflict (name) do update set query = $2, made_by = $3, made_us = $4, is_tracked = $5";
    let values = vec![
        saved.name.as_str().into(),
        saved.query.as_str().into(),
        saved.by.as_str().into(),
        saved.made.as_micros().into(),
        saved.is_tracked.into(),
    ];
    database::query(sql.to_owned(), values).execute(connection).await?;
    Ok(())
}
