//! Hearing: mail in the order in which it was committed, for a reader that must miss none of it, however long a message
//! was examined.
//!
//! A message's id and the time of its receipt are given before it is examined, so neither is the order in which
//! messages appear. The order is that of the batches of the journal: the number of a batch is the length of the audit
//! log before it, and the same transaction makes the log longer where it still has that length. On PostgreSQL, where
//! the order of a sequence is not the order of commits, two writers with the same number therefore wait for one
//! another, and one of them is refused: when a batch is seen, all before it have been seen or will never be.
//!
//! What a reader makes of a page and how far it has read are one transaction.

use domain::{MailId, Timestamp};
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, parsed};
use crate::evidence::EvidenceStore;
use crate::evidence::sentinel::{self, NewLine};
use crate::writer::{Command, Group};

/// The name under which the sentinel reads.
const READER: &str = "sentinel";
/// Messages set aside that one look brings.
const DUE_MAX: i64 = 50;
/// Characters of a fault that are kept.
const FAULT_CHARS: usize = 300;

/// A place in the ledger, between two lines of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HearingCursor {
    batch: i64,
    mail: String,
}

/// What comes behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it begins.
    pub from: HearingCursor,
    /// Where it ends; that of its beginning when nothing came.
    pub to: HearingCursor,
    /// The messages on which something has acted, by their ids; the same one again when it was examined again. What was
    /// committed before a page was in one before.
    pub mails: Vec<MailId>,
}

/// A message that could not be heard when it was its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The message.
    pub mail: MailId,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried again.
    pub next: Timestamp,
    /// Why it could not be heard.
    pub fault: String,
}

/// What a reader makes of a page, or of messages that had been set aside.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// From where to where it has read; none when it has read no further.
    pub moved: Option<(HearingCursor, HearingCursor)>,
    /// What the messages testify.
    pub lines: Vec<NewLine>,
    /// Messages to try again.
    pub set_aside: Vec<SetAside>,
    /// Messages that had been set aside and are heard, or gone.
    pub settled: Vec<MailId>,
}

impl EvidenceStore {
    /// What the sentinel has not heard yet: at most `limit` messages, whether or not something has acted on them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unheard_page(&self, limit: i64) -> Result<Page, StoreError> {
        let row = sqlx::query("select batch, mail_id from listening where name = $1").bind(READER);
        let row = row.fetch_one(&self.core.reads).await?;
        let from = HearingCursor { batch: row.try_get("batch")?, mail: row.try_get("mail_id")? };
        // What a replay says of a message again is no news of it.
        let sql = "select l.batch, l.mail_id, (select count(*) from finding f where f.mail_id = l.mail_id and f.mode = \
            'Enforce' \
                   and f.effect in ('Hold', 'Block')) as acted from (select distinct batch, mail_id from ledger \
                   where batch >= $1 and batch >= 0 and (batch > $2 or mail_id > $3) \
                   and (moved_by = 'arrived' or (moved_by = 'reexamined' and actor = 're-examination')) \
                   order by batch, mail_id limit $4) l order by l.batch, l.mail_id";
        let values: Vec<Value> = vec![from.batch.into(), from.batch.into(), from.mail.as_str().into(), limit.into()];
        let mut page = Page { to: from.clone(), from, mails: Vec::new() };
        for row in database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await? {
            page.to = HearingCursor { batch: row.try_get("batch")?, mail: row.try_get("mail_id")? };
            if row.try_get::<i64, _>("acted")? > 0 {
                page.mails.push(parsed(&row, "mail_id")?);
            }
        }
        // Nobody waits within a page: there the order of receipt is the better one, since it is the same in every run.
        page.mails.sort_unstable();
        Ok(page)
    }

    /// Messages that were set aside and whose rest is over, those first that have waited longest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_unheard(&self, now: Timestamp) -> Result<Vec<SetAside>, StoreError> {
        let sql = "select * from unheard where next_us <= $1 order by next_us, mail_id limit $2";
        self.read_set_aside(sql, vec![now.as_micros().into(), DUE_MAX.into()]).await
    }

    /// Messages that are set aside, those first that were tried most often: at most `limit`, and how many there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn all_unheard(&self, limit: i64) -> Result<(u64, Vec<SetAside>), StoreError> {
        let count = sqlx::query("select count(*) as mails from unheard").fetch_one(&self.core.reads).await?;
        let count = u64::try_from(count.try_get::<i64, _>("mails")?).unwrap_or(0);
        let sql = "select * from unheard order by tries desc, mail_id limit $1";
        Ok((count, self.read_set_aside(sql, vec![limit.into()]).await?))
    }

    async fn read_set_aside(&self, sql: &str, values: Vec<Value>) -> Result<Vec<SetAside>, StoreError> {
        let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(SetAside {
                mail: parsed(row, "mail_id")?,
                tries: u32::try_from(row.try_get::<i64, _>("tries")?).unwrap_or(u32::MAX),
                next: Timestamp::from_micros(row.try_get("next_us")?),
                fault: row.try_get("fault")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Writes what was heard, and how far, as one. Returns how many lines were new.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when another has read on from the same place; then nothing is written.
    pub async fn record_heard(&self, heard: Heard) -> Result<usize, StoreError> {
        self.core.writer.write(heard).await
    }
}

impl Command for Heard {
    /// How many lines were new.
    type Reply = usize;

    fn rows(&self) -> usize {
        1 + self.lines.len() + self.set_aside.len() + self.settled.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<usize, StoreError> {
        hear(group.connection, self).await
    }
}

async fn hear(connection: &mut AnyConnection, heard: &Heard) -> Result<usize, StoreError> {
    if let Some((from, to)) = &heard.moved {
        let sql = "update listening set batch = $1, mail_id = $2 where name = $3 and batch = $4 and mail_id = $5";
        let values: Vec<Value> =
            vec![to.batch.into(), to.mail.as_str().into(), READER.into(), from.batch.into(), from.mail.as_str().into()];
        if database::query(sql.to_owned(), values).execute(&mut *connection).await?.rows_affected() != 1 {
            return Err(StoreError::Refused(format!("another has heard on from batch {}", from.batch)));
        }
    }
    for one in &heard.set_aside {
        let sql = "insert into unheard (mail_id, tries, next_us, fault) values ($1, $2, $3, $4) \
                   on conflict (mail_id) do update set tries = $2, next_us = $3, fault = $4";
        let fault: String = one.fault.chars().take(FAULT_CHARS).collect();
        let values: Vec<Value> =
            vec![one.mail.to_string().into(), one.tries.into(), one.next.as_micros().into(), fault.into()];
        database::query(sql.to_owned(), values).execute(&mut *connection).await?;
    }
    for mail in &heard.settled {
        sqlx::query("delete from unheard where mail_id = $1").bind(mail.to_string()).execute(&mut *connection).await?;
    }
    sentinel::append(connection, &heard.lines).await
}
