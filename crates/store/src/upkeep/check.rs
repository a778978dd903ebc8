//! Is the database what it should be? Its structure is read, page by page: a flipped byte in a header or in a tree is
//! found before anything is taken into custody with it, and not by the first mail that meets it.
//!
//! SQLite checks table after table, those first without which nothing works, and stops when its time is over: a start
//! does not wait for a large store, and what it has left is read in the background. PostgreSQL looks after its own
//! pages.

use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::database::Dialect;
use crate::database::error::StoreError;
use crate::mail::MailStore;
use crate::upkeep::UpkeepStore;

/// How long a start looks at the structure at most.
pub const AT_START: Duration = Duration::from_secs(5);
/// The newest messages, which a start reads whole.
const NEWEST: i64 = 100;
/// Steps of SQLite's machine between two looks at the time.
const STEPS: i32 = 20_000;
/// Faults of one table that are told.
const FAULTS_MAX: usize = 3;
/// What is looked at first.
const FIRST: [&str; 8] =
    ["schema_version", "audit_head", "unit", "message", "release_item", "ledger", "finding", "audit_leaf"];

/// How far a check came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Tables that were read whole, with their indexes.
    pub tables: usize,
    /// Tables that were not, because the time was over.
    pub left: Vec<String>,
    /// What is wrong, one line each.
    pub faults: Vec<String>,
}

impl UpkeepStore {
    /// Reads the structure of the whole database, for as long as it takes. What is wrong ends the soundness of the
    /// store.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn check_structure(&self) -> Result<Checked, StoreError> {
        let checked = self.core.soundness.heed(structure(&self.core.url, None).await)?;
        if let Some(fault) = checked.faults.first() {
            self.core.soundness.end(&format!("the database is damaged: {fault}"));
        }
        Ok(checked)
    }

    /// Reads the newest messages whole: what was written last is what a failing disk loses first. A record that this
    /// program does not understand is told, and stops nothing: it may be of another version.
    pub(crate) async fn read_newest(&self) -> Result<(), StoreError> {
        let mails = MailStore::new(&self.core);
        for mail in mails.newest(NEWEST).await? {
            match mails.record(mail).await {
                Ok(_) | Err(StoreError::NotFound(_)) => {}
                Err(error @ StoreError::Unreadable(_)) => {
                    tracing::error!(%mail, %error, "the record of a message cannot be read; `reprieve audit verify` \
                        looks at all of them");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Where a database is, for people.
pub fn place(url: &str) -> String {
    let path = url.trim_start_matches("sqlite://");
    path.split_once('?').map_or(path, |(path, _)| path).to_owned()
}

/// A failure to open a database, told as damage where it is.
pub(crate) fn as_damage(url: &str) -> impl Fn(StoreError) -> StoreError {
    move |error| match error {
        StoreError::Broken(what) => StoreError::Damaged { path: place(url), what },
        other => other,
    }
}

/// Looks at a database within `time`, before anything is done with it.
///
/// # Errors
/// [`StoreError::Damaged`], with what is wrong where, and what to do; or why it cannot be read.
pub async fn look(url: &str, time: Option<Duration>) -> Result<Checked, StoreError> {
    let damage = as_damage(url);
    let checked = structure(url, time).await.map_err(&damage)?;
    match checked.faults.is_empty() {
        true => Ok(checked),
        false => Err(damage(StoreError::Broken(checked.faults.join("; ")))),
    }
}

/// Reads the structure of a database within `time`; a database that is not there yet is sound.
///
/// # Errors
/// When it is no database, or its disk fails.
async fn structure(url: &str, time: Option<Duration>) -> Result<Checked, StoreError> {
    if Dialect::of(url) != Dialect::Sqlite || !std::path::Path::new(&place(url)).is_file() {
        return Ok(Checked::default());
    }
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(false).busy_timeout(Duration::from_secs(10));
    let mut connection = SqliteConnection::connect_with(&options).await?;
    if let Some(time) = time {
        let until = Instant::now() + time;
        connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < until);
    }
    let checked = every_table(&mut connection).await;
    // What was found counts, not how the connection ends.
    let _ = connection.close().await;
    checked
}

async fn every_table(connection: &mut SqliteConnection) -> Result<Checked, StoreError> {
    let sql = "select name from sqlite_schema where type = 'table' order by name";
    let mut tables = Vec::new();
    for row in sqlx::query(sql).fetch_all(&mut *connection).await? {
        tables.push(row.try_get::<String, _>("name")?);
    }
    tables.sort_by_key(|table| FIRST.iter().position(|first| first == table).unwrap_or(FIRST.len()));
    let mut checked = Checked::default();
    let mut tables = tables.into_iter();
    for table in tables.by_ref() {
        match faults_of(connection, &table).await {
            Ok(faults) => {
                checked.tables += 1;
                checked.faults.extend(faults);
            }
            Err(error) if is_interrupt(&error) => {
                checked.left.push(table);
                break;
            }
            // So damaged that the check itself fails: it is said of which table.
            Err(error) if StoreError::breaks(&error) => checked.faults.push(format!("table {table}: {error}")),
            Err(error) => return Err(error.into()),
        }
    }
    checked.left.extend(tables);
    Ok(checked)
}

/// What is wrong with a table and its indexes. The name is one of the database's own schema, in quotes.
async fn faults_of(connection: &mut SqliteConnection, table: &str) -> Result<Vec<String>, sqlx::Error> {
    let sql = format!("pragma quick_check(\"{}\")", table.replace('"', "\"\""));
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    let mut faults = Vec::new();
    for row in rows.iter().take(FAULTS_MAX) {
        let said: String = row.try_get(0)?;
        if said != "ok" {
            faults.push(format!("table {table}: {}", said.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    Ok(faults)
}

/// Whether the time was over (SQLITE_INTERRUPT).
fn is_interrupt(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|said| said.code()).is_some_and(|code| code == "9")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database;

    #[tokio::test]
    async fn a_start_looks_for_as_long_as_it_may_and_says_what_it_left() {
        let folder = tempfile::tempdir().expect("folder");
        let url = database::sqlite_url(&folder.path().join("large.db"));
        assert_eq!(look(&url, Some(AT_START)).await.expect("nothing is there yet"), Checked::default());
        let mut connection = database::connect(&url).await.expect("connects");
        for sql in [
            "create table unit (a integer primary key, b text not null)",
            "create table other (a integer primary key)",
            "with recursive n (n) as (select 1 union all select n + 1 from n where n < 300000) \
             insert into unit select n, 'some text of a row' from n",
        ] {
            sqlx::query(sql).execute(&mut connection).await.expect("makes it");
        }
        connection.close().await.expect("closes");
        let whole = look(&url, None).await.expect("it is sound");
        assert_eq!((whole.tables, whole.left.len()), (2, 0));
        let part = look(&url, Some(Duration::ZERO)).await.expect("it has found nothing");
        assert!(part.tables < 2 && part.left.contains(&"unit".to_owned()), "{part:?}");
    }
}
