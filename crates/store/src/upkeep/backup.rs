//! Backups of the embedded store, taken while mail flows: a consistent copy of the database, then every blob that it
//! names.
//!
//! The database first, the blobs after it: a blob is on the disk before the row that names it, and nothing is
//! removed while a backup runs; so whatever the copy names is there to be copied.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use domain::{Digest, Timestamp};
use sqlx::Row;

use crate::blob::Blobs;
use crate::database;
use crate::database::error::StoreError;
use crate::events::epoch;
use crate::upkeep::UpkeepStore;

/// What a backup has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupFacts {
    /// Messages in the copy of the database.
    pub messages: i64,
    /// Blobs copied.
    pub blobs: usize,
    /// When it was taken.
    pub taken: Timestamp,
}

/// Accounts of units whose bytes somebody may still want: they are in our custody.
const CUSTODY: &str = "'tentative', 'held', 'releasing', 'in_doubt', 'failed', 'denied'";

/// What was read of a store, to see whether it is whole. Counted as [`BackupFacts`] counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobsRead {
    /// Messages in the database.
    pub messages: i64,
    /// Blobs that it names.
    pub blobs: usize,
    /// Those of them that are in custody still: of mail that is held or on its way, and not of what was released or
    /// deleted.
    pub held: usize,
    /// What is wrong with them.
    pub faults: Vec<String>,
}

/// The file of the database, in a data folder and in a backup.
pub const DATABASE: &str = "reprieve.db";
/// The folder of the blobs, in a data folder and in a backup.
pub const BLOBS: &str = "blobs";

impl UpkeepStore {
    /// Writes a backup of the embedded store in `data_dir` into the new folder `to`.
    ///
    /// # Errors
    /// When `to` exists, or something cannot be read or written; what was written then is no backup.
    pub async fn back_up(&self, data_dir: &Path, to: &Path, now: Timestamp) -> Result<BackupFacts, StoreError> {
        self.core.soundness.heed(self.copy(data_dir, to, now).await)
    }

    async fn copy(&self, data_dir: &Path, to: &Path, now: Timestamp) -> Result<BackupFacts, StoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| StoreError::Blob { path, why: error.to_string() }
        };
        fs::create_dir(to).map_err(failed(to))?;
        let _held = self.core.blobs.hold_removals();
        let copy = to.join(DATABASE);
        let target = copy
            .to_str()
            .filter(|path| !path.contains('\''))
            .ok_or_else(|| StoreError::Refused("give a path without quotes, in UTF-8".into()))?;
        let mut source = database::connect(&database::sqlite_url(&data_dir.join(DATABASE))).await?;
        database::query(format!("vacuum into '{target}'"), Vec::new()).execute(&mut source).await?;
        File::open(&copy).and_then(|file| file.sync_all()).map_err(failed(&copy))?;
        let mut snapshot = database::connect(&database::sqlite_url(&copy)).await?;
        let rows =
            sqlx::query("select distinct blob from message where blob is not null").fetch_all(&mut snapshot).await?;
        let count = sqlx::query("select count(*) as messages from message").fetch_one(&mut snapshot).await?;
        epoch::begin_at_next_start(&mut snapshot).await?;
        // Back to one file, so that the backup has no log beside it.
        sqlx::query("pragma journal_mode = delete").execute(&mut snapshot).await?;
        drop(snapshot);
        let copies = Blobs::open(&to.join(BLOBS))?;
        let mut blobs = 0;
        for row in rows {
            let hex: String = row.try_get("blob")?;
            let digest = Digest::parse(&hex).map_err(|error| StoreError::Unreadable(error.to_string()))?;
            let bytes = self.core.blobs.get(digest).await?;
            drop(copies.put(std::sync::Arc::new(bytes), digest).await?);
            blobs += 1;
        }
        File::open(to).and_then(|folder| folder.sync_all()).map_err(failed(to))?;
        Ok(BackupFacts { messages: count.try_get("messages")?, blobs, taken: now })
    }

    /// What a backup taken now would have.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn plan_backup(&self, now: Timestamp) -> Result<BackupFacts, StoreError> {
        let sql = "select count(*) as messages, count(distinct blob) as blobs from message";
        let row = sqlx::query(sql).fetch_one(&self.core.reads).await?;
        let blobs = usize::try_from(row.try_get::<i64, _>("blobs")?).unwrap_or(0);
        Ok(BackupFacts { messages: row.try_get("messages")?, blobs, taken: now })
    }

    /// Reads every blob that the database names, as a backup copies them, and checks it against its name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn verify_blobs(&self) -> Result<BlobsRead, StoreError> {
        let sql = format!(
            "select m.blob, cast(max(case when u.account in ({CUSTODY}) then 1 else 0 end) as bigint) as is_held from \
                message m \
             left join unit u on u.mail_id = m.mail_id where m.blob is not null group by m.blob"
        );
        let rows = database::query(sql, Vec::new()).fetch_all(&self.core.reads).await?;
        let mut read = BlobsRead { blobs: rows.len(), ..BlobsRead::default() };
        for row in &rows {
            read.held += usize::from(row.try_get::<i64, _>("is_held")? == 1);
            let hex: String = row.try_get("blob")?;
            match Digest::parse(&hex) {
                Ok(digest) => {
                    read.faults.extend(self.core.blobs.get(digest).await.err().map(|error| error.to_string()))
                }
                Err(error) => read.faults.push(error.to_string()),
            }
        }
        let count = sqlx::query("select count(*) as messages from message").fetch_one(&self.core.reads).await?;
        read.messages = count.try_get("messages")?;
        Ok(read)
    }
}
