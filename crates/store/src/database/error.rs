//! What can go wrong here, so that the caller knows whether to refuse, to wait, or to stop.

use std::path::PathBuf;

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use crate::database::Dialect;

/// A failure of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk failed, or what it gave back is no database. It is not tried again: after a failed fsync the system may
    /// have dropped the data and forgotten it (Rebello et al., ATC 2020). Restart when the volume is sound.
    #[error("the volume of the store failed: {0}; nothing more is taken into custody until a restart")]
    Broken(String),
    /// The database was found damaged when it was opened.
    #[error(
        "the database {path} is damaged: {what}. Nothing is taken into custody with it. Keep a copy of its folder, and \
            restore the \
         newest backup: `reprieve restore BACKUP --to FOLDER`, then set data_dir to that folder. To let mail pass \
         unexamined until \
         then, write `bypass` into the panic file and start again"
    )]
    Damaged {
        /// The file, or the database's URL.
        path: String,
        /// What is wrong, and where in it.
        what: String,
    },
    /// The disk is full.
    #[error("the volume of the store is full: {0}")]
    Full(String),
    /// Another transaction was in the priority: the same write may succeed when it is tried again.
    #[error("another transaction was in the priority: {0}; try again")]
    Busy(String),
    /// The database cannot be reached, or has closed the connection. What was being written may or may not have been.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
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
    #[error(
        "the database is of a newer version of Reprieve: its schema is {found}, this program knows up to {known}. \
         Nothing was changed. Install the newer version again, or go back to the backup that was made before the \
         upgrade: `reprieve restore BACKUP --to FOLDER`, then set data_dir to that folder"
    )]
    NewerSchema {
        /// What the store has.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// The schema is of a program that is none of ours, or of one that was never released.
    #[error(
        "the database was made by another program: version {version} of its schema is '{found}', here it is '{known}'. \
         Nothing was changed"
    )]
    OtherSchema {
        /// The first version that differs.
        version: i64,
        /// Its name in the database.
        found: String,
        /// Its name here.
        known: String,
    },
}

/// What an error code of a database means for us. A code that is in no table is the statement's own fault, and no more
/// than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The disk failed, or the database on it is damaged.
    Broken,
    /// There is no room.
    Full,
    /// Another transaction was in the way.
    Busy,
    /// There is no connection.
    Unreachable,
    /// This statement failed.
    Statement,
}

/// SQLite's result codes (sqlite.org/rescode.html): extended ones, and primary ones for all others of their kind. The
/// first that fits counts.
const SQLITE: [(i64, Meaning); 20] = [
    // Of the kind IOERR, but no fault of the disk: memory, locks, and the shared memory beside the log.
    (10 | (11 << 8), Meaning::Statement), // IOERR_BLOCKED
    (10 | (12 << 8), Meaning::Statement), // IOERR_NOMEM
    (10 | (8 << 8), Meaning::Busy),       // IOERR_UNLOCK
    (10 | (9 << 8), Meaning::Busy),       // IOERR_RDLOCK
    (10 | (14 << 8), Meaning::Busy),      // IOERR_CHECKRESERVEDLOCK
    (10 | (15 << 8), Meaning::Busy),      // IOERR_LOCK
    (10 | (20 << 8), Meaning::Busy),      // IOERR_SHMLOCK
    (10 | (18 << 8), Meaning::Statement), // IOERR_SHMOPEN: also when there is no descriptor left
    (10 | (21 << 8), Meaning::Statement), // IOERR_SHMMAP: also when there is no memory left
    (10 | (19 << 8), Meaning::Full),      // IOERR_SHMSIZE: there is no room to make it larger
    (5, Meaning::Busy),                   // BUSY
    (6, Meaning::Busy),                   // LOCKED
    (7, Meaning::Statement),              // NOMEM
    (8, Meaning::Broken),                 // READONLY: the system mounts a failing volume so
    (9, Meaning::Statement),              // INTERRUPT
    (10, Meaning::Broken),                // IOERR
    (11, Meaning::Broken),                // CORRUPT
    (13, Meaning::Full),                  // FULL
    (14, Meaning::Statement),             // CANTOPEN: also when there is no descriptor left
    (26, Meaning::Broken),                // NOTADB
];

/// PostgreSQL's SQLSTATEs (its manual, appendix A): whole codes, and classes of two characters. The first that fits
/// counts.
const POSTGRES: [(&str, Meaning); 14] = [
    ("53100", Meaning::Full),        // disk_full
    ("53300", Meaning::Unreachable), // too_many_connections
    ("58030", Meaning::Broken),      // io_error
    ("58P01", Meaning::Broken),      // undefined_file: a file of a table is gone
    ("XX001", Meaning::Broken),      // data_corrupted
    ("XX002", Meaning::Broken),      // index_corrupted
    ("40001", Meaning::Busy),        // serialization_failure
    ("40P01", Meaning::Busy),        // deadlock_detected
    ("55P03", Meaning::Busy),        // lock_not_available
    ("57P01", Meaning::Unreachable), // admin_shutdown
    ("57P02", Meaning::Unreachable), // crash_shutdown
    ("57P03", Meaning::Unreachable), // cannot_connect_now
    ("57P05", Meaning::Unreachable), // idle_session_timeout
    ("08", Meaning::Unreachable),    // connection_exception
];

/// What a code says in the language of its database.
fn meaning(dialect: Dialect, code: &str) -> Meaning {
    let found = match dialect {
        Dialect::Sqlite => {
            let code = code.parse::<i64>().unwrap_or_default();
            let fits = |known: i64| known == code || (known <= 0xff && known == code & 0xff);
            SQLITE.iter().find(|(known, _)| fits(*known)).map(|(_, meaning)| *meaning)
        }
        Dialect::Postgres => {
            let fits = |known: &str| known == code || (known.len() == 2 && code.starts_with(known));
            POSTGRES.iter().find(|(known, _)| fits(known)).map(|(_, meaning)| *meaning)
        }
    };
    found.unwrap_or(Meaning::Statement)
}

/// What an error of the driver means: by the database's own code where it has one.
fn meaning_of(error: &sqlx::Error) -> Meaning {
    match error {
        sqlx::Error::Database(said) => {
            let dialect = if said.try_downcast_ref::<SqliteError>().is_some() {
                Dialect::Sqlite
            } else if said.try_downcast_ref::<PgDatabaseError>().is_some() {
                Dialect::Postgres
            } else {
                return Meaning::Statement;
            };
            said.code().map_or(Meaning::Statement, |code| meaning(dialect, &code))
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed => {
            Meaning::Unreachable
        }
        sqlx::Error::PoolTimedOut => Meaning::Busy,
        _ => Meaning::Statement,
    }
}

/// Whether a row was read whose values are not what they should be: the row is at fault, and neither the statement nor
/// the database.
fn is_of_row(error: &sqlx::Error) -> bool {
    use sqlx::Error::{AnyDriverError, ColumnDecode, ColumnNotFound, Decode, TypeNotFound};
    matches!(error, ColumnDecode { .. } | Decode(_) | ColumnNotFound(_) | TypeNotFound { .. } | AnyDriverError(_))
}

impl StoreError {
    /// Whether a single item may be the cause, and not the store.
    pub fn may_be_of_item(&self) -> bool {
        !matches!(
            self,
            Self::Broken(_)
                | Self::Full(_)
                | Self::Busy(_)
                | Self::Unreachable(_)
                | Self::NewerSchema { .. }
                | Self::OtherSchema { .. }
        )
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        if is_of_row(&error) {
            return Self::Unreadable(text);
        }
        match meaning_of(&error) {
            Meaning::Broken => Self::Broken(text),
            Meaning::Full => Self::Full(text),
            Meaning::Busy => Self::Busy(text),
            Meaning::Unreachable => Self::Unreachable(text),
            Meaning::Statement => Self::Sql(text),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl StoreError {
    /// Whether an error of the driver says that the disk failed or the database is damaged, so that nothing more may be
    /// trusted to it.
    pub(crate) fn breaks(error: &sqlx::Error) -> bool {
        meaning_of(error) == Meaning::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_is_understood_in_its_own_codes() {
        use Dialect::{Postgres, Sqlite};
        use Meaning::{Broken, Busy, Full, Statement, Unreachable};
        for (dialect, code, expected) in [
            // SQLite: primary codes, and extended ones of their kind.
            (Sqlite, "10", Broken),
            (Sqlite, "266", Broken),  // IOERR_READ
            (Sqlite, "522", Broken),  // IOERR_SHORT_READ
            (Sqlite, "778", Broken),  // IOERR_WRITE
            (Sqlite, "1034", Broken), // IOERR_FSYNC
            (Sqlite, "11", Broken),
            (Sqlite, "267", Broken), // CORRUPT_VTAB
            (Sqlite, "779", Broken), // CORRUPT_INDEX
            (Sqlite, "26", Broken),
            (Sqlite, "8", Broken),
            (Sqlite, "13", Full),
            (Sqlite, "4874", Full), // IOERR_SHMSIZE
            (Sqlite, "5", Busy),
            (Sqlite, "517", Busy), // BUSY_SNAPSHOT
            (Sqlite, "6", Busy),
            (Sqlite, "3850", Busy),      // IOERR_LOCK
            (Sqlite, "3082", Statement), // IOERR_NOMEM
            (Sqlite, "14", Statement),
            (Sqlite, "9", Statement),
            (Sqlite, "1", Statement),
            (Sqlite, "2067", Statement), // CONSTRAINT_UNIQUE
            (Sqlite, "", Statement),
            // PostgreSQL: numbers that would be SQLite's if they were taken for such.
            (Postgres, "22026", Statement), // string_data_length_mismatch
            (Postgres, "22027", Statement), // trim_error
            (Postgres, "23505", Statement), // unique_violation
            (Postgres, "42601", Statement), // syntax_error
            (Postgres, "53100", Full),
            (Postgres, "53200", Statement), // out_of_memory
            (Postgres, "53300", Unreachable),
            (Postgres, "58030", Broken),
            (Postgres, "58P01", Broken),
            (Postgres, "XX000", Statement), // internal_error
            (Postgres, "XX001", Broken),
            (Postgres, "XX002", Broken),
            (Postgres, "40001", Busy),
            (Postgres, "40P01", Busy),
            (Postgres, "55P03", Busy),
            (Postgres, "57014", Statement), // query_canceled
            (Postgres, "57P01", Unreachable),
            (Postgres, "57P02", Unreachable),
            (Postgres, "57P03", Unreachable),
            (Postgres, "08006", Unreachable), // connection_failure
            (Postgres, "08P01", Unreachable), // protocol_violation
            (Postgres, "8", Statement),
        ] {
            assert_eq!(meaning(dialect, code), expected, "{dialect:?} {code}");
        }
    }

    #[test]
    fn a_lost_connection_is_no_fault_of_the_statement() {
        let lost = sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert!(matches!(StoreError::from(lost), StoreError::Unreachable(_)));
        assert!(matches!(StoreError::from(sqlx::Error::WorkerCrashed), StoreError::Unreachable(_)));
        assert!(matches!(StoreError::from(sqlx::Error::RowNotFound), StoreError::Sql(_)));
    }
}
