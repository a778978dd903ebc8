//! Connections and portable statements. The text is the same on both databases; what differs is here.

pub mod error;
pub mod migrate;
pub(crate) mod soundness;

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::{AnyArguments, AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Row, query::Query};

use crate::database::error::StoreError;

/// Connections for reading.
const READ_CONNECTIONS_MAX: u32 = 4;
/// Values in one statement at most; SQLite allows 32,766, PostgreSQL 65,535.
const VALUES_MAX: usize = 8_000;

/// Which database it is, for the few things that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// By the URL.
    pub fn of(url: &str) -> Self {
        if url.starts_with("postgres") { Self::Postgres } else { Self::Sqlite }
    }

    /// How a writing transaction begins. SQLite would otherwise find out late that another writes.
    pub fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }
}

/// The URL of an SQLite file.
pub fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}?mode=rwc", path.display())
}

const SQLITE_SETUP: [&str; 5] = [
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    "pragma busy_timeout = 10000",
    "pragma foreign_keys = on",
    "pragma temp_store = memory",
];

/// A connection for writing.
///
/// # Errors
/// When the database cannot be reached or made.
pub async fn connect(url: &str) -> Result<AnyConnection, StoreError> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    if Dialect::of(url) == Dialect::Sqlite {
        for pragma in SQLITE_SETUP {
            sqlx::query(pragma).execute(&mut connection).await?;
        }
    }
    Ok(connection)
}

/// Connections for reading.
///
/// # Errors
/// When the database cannot be reached.
pub async fn read_pool(url: &str) -> Result<AnyPool, StoreError> {
    let is_sqlite = Dialect::of(url) == Dialect::Sqlite;
    let options = AnyPoolOptions::new().max_connections(READ_CONNECTIONS_MAX).after_connect(move |connection, _| {
        Box::pin(async move {
            if is_sqlite {
                sqlx::query("pragma busy_timeout = 10000").execute(&mut *connection).await?;
                sqlx::query("pragma query_only = on").execute(connection).await?;
            }
            Ok(())
        })
    });
    if !is_sqlite {
        return Ok(options.connect(url).await?);
    }
    // A connection to SQLite is a thread, with the priority of the thread that opened it. Live mail reads by all of
    // them, so all are opened now, and stay: none is left for one that stands back.
    let pool = options.idle_timeout(None).max_lifetime(None).connect(url).await?;
    let mut all = Vec::new();
    for _ in 0..READ_CONNECTIONS_MAX {
        all.push(pool.acquire().await?);
    }
    Ok(pool)
}

/// A value of a row.
#[derive(Clone, Debug)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// A text that may be missing.
    MaybeText(Option<String>),
    /// A number that may be missing.
    MaybeInt(Option<i64>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }
}
impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::MaybeText(text)
    }
}
impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeInt(number)
    }
}

fn bind<'q>(query: Query<'q, Any, AnyArguments>, value: Value) -> Query<'q, Any, AnyArguments> {
    match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::MaybeText(text) => query.bind(text),
        Value::MaybeInt(number) => query.bind(number),
    }
}

/// A query of a text made at run time. The text is made of our own constants and `$n` only, never of values.
pub fn query(sql: String, values: Vec<Value>) -> Query<'static, Any, AnyArguments> {
    values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), bind)
}

/// Runs `insert into <table> (<columns>) values ...` for many rows in few statements.
///
/// # Errors
/// When the database says no.
pub async fn insert(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    let columns_text = columns.join(",");
    for group in in_groups(rows, columns.len()) {
        let mut marks = Marks::of(connection);
        let sql = format!("insert into {table} ({columns_text}) values {}", marks.rows(group.len(), columns.len()));
        query(sql, group.into_iter().flatten().collect()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What can be read of the rows of a list of work. A row that cannot be read is left out and named in the log, so that
/// it keeps no other from being done.
pub(crate) fn readable<T>(rows: &[AnyRow], read: impl Fn(&AnyRow) -> Result<T, StoreError>) -> Vec<T> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        match read(row) {
            Ok(one) => all.push(one),
            Err(error) => tracing::warn!(%error, "a row that waits for work cannot be read: it is left out"),
        }
    }
    all
}

/// Rows in groups of powers of two, each small enough for one statement: few different statements, so each stays
/// prepared.
pub fn in_groups<T>(rows: Vec<T>, columns: usize) -> impl Iterator<Item = Vec<T>> {
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let most = (VALUES_MAX / columns).min(rows.len());
        (most > 0).then(|| rows.by_ref().take(1 << most.ilog2()).collect())
    })
}

/// The marks of a statement's values, in order.
///
/// SQLite finds a named mark by a walk over all names, for each value that is bound; marks without names cost nothing.
#[derive(Debug)]
pub struct Marks {
    is_bare: bool,
    used: usize,
}

impl Marks {
    /// For a statement on this connection.
    pub fn of(connection: &AnyConnection) -> Self {
        Self { is_bare: connection.backend_name() == "SQLite", used: 0 }
    }

    /// The next mark.
    fn mark(&mut self) -> String {
        self.used += 1;
        if self.is_bare { "?".to_owned() } else { format!("${}", self.used) }
    }

    /// `(..),(..)`: the next marks as rows.
    pub fn rows(&mut self, count: usize, columns: usize) -> String {
        let mut row = || format!("({})", (0..columns).map(|_| self.mark()).collect::<Vec<_>>().join(","));
        (0..count).map(|_| row()).collect::<Vec<_>>().join(",")
    }
}

/// `$from, $from+1, ...`: marks for a list of `count` values.
pub fn marks(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(",")
}

/// Rows of a `name` and how often it was `counted`.
///
/// # Errors
/// When a row has something else.
pub fn counted(rows: &[AnyRow]) -> Result<BTreeMap<String, usize>, StoreError> {
    let read = |row: &AnyRow| -> Result<(String, usize), StoreError> {
        let counted: i64 = row.try_get("counted")?;
        Ok((row.try_get("name")?, usize::try_from(counted).unwrap_or_default()))
    };
    rows.iter().map(read).collect()
}

/// A value as JSON text.
///
/// # Errors
/// Never for our own plain data.
pub fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

/// A column of JSON text.
///
/// # Errors
/// When the text is not what this program writes.
pub fn from_json<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|error| StoreError::Unreadable(format!("{column}: {error}")))
}

/// A column whose text has a type of its own.
///
/// # Errors
/// When the text is not what this program writes.
pub fn parsed<T: FromStr>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| StoreError::Unreadable(format!("{column}: '{text}'")))
}

/// A column that one of our enums names.
///
/// # Errors
/// When the text is no name of it.
pub fn named<T>(row: &AnyRow, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    parse(&text).ok_or_else(|| StoreError::Unreadable(format!("{column}: '{text}'")))
}

/// A column that is a name of an enum as serde writes it.
///
/// # Errors
/// When the text is no name of it.
pub fn serde_named<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|error| StoreError::Unreadable(format!("{column}: {error}")))
}

/// The name of an enum as serde writes it.
///
/// # Errors
/// When the value is not a plain name.
pub fn serde_name<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(name) => Ok(name),
        other => Err(StoreError::Unreadable(format!("{other} is not a name"))),
    }
}
