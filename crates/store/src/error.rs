//! What can go wrong here, so that the caller knows whether to refuse, to wait, or to stop.

use std::path::PathBuf;

/// A failure of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A write to the disk failed. It is not tried again: after a failed fsync the system may have
    /// dropped the data and forgotten it (Rebello et al., ATC 2020). Restart when the volume is sound.
    #[error("the volume of the store failed: {0}; nothing more is taken into custody until a restart")]
    Broken(String),
    /// The disk is full.
    #[error("the volume of the store is full: {0}")]
    Full(String),
    /// A blob cannot be read.
    #[error("cannot read {path}: {why}")]
    Blob {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The bytes of a blob are not those of its name.
    #[error("{path} does not have the bytes that its name says; restore it from a backup")]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// There is no such thing.
    #[error("{0} is not known here")]
    NotFound(String),
    /// The row moved on under another fence, or its state does not allow the step.
    #[error("{0}")]
    Refused(String),
    /// The database said no.
    #[error("the database failed: {0}")]
    Sql(String),
    /// A stored value that this program does not understand.
    #[error("a stored value cannot be read: {0}")]
    Unreadable(String),
    /// The schema is newer than this program.
    #[error("the store has schema {found}, this program knows up to {known}; use the newer program")]
    NewerSchema {
        /// What the store has.
        found: i64,
        /// What we know.
        known: i64,
    },
}

/// SQLite's primary result codes (sqlite.org/rescode.html).
const SQLITE_IOERR: i64 = 10;
const SQLITE_CORRUPT: i64 = 11;
const SQLITE_FULL: i64 = 13;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|db| db.code()).and_then(|code| code.parse::<i64>().ok());
        match code.map(|code| code & 0xff) {
            Some(SQLITE_IOERR | SQLITE_CORRUPT) => Self::Broken(error.to_string()),
            Some(SQLITE_FULL) => Self::Full(error.to_string()),
            _ => Self::Sql(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}
