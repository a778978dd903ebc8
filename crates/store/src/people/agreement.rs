//! What takes two persons: the first one's wish waits for somebody else's.

use std::time::Duration;

use domain::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Value};
use crate::people::PeopleStore;
use crate::writer::{Command, Group};

/// How long a wish waits.
pub const WAITS: Duration = Duration::from_secs(3600);

/// Something that somebody wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The act, as the audit log names it.
    pub what: String,
    /// To which.
    pub object: String,
    /// Who wants it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub asked: Timestamp,
}

/// A write about agreements, as data.
#[derive(Clone, Debug)]
pub(crate) enum AgreementWrite {
    Wish(Box<Wish>),
    Done { what: String, object: String },
}

impl PeopleStore {
    /// The wishes that wait at `now`, the longest waiting first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wishes(&self, now: Timestamp) -> Result<Vec<Wish>, StoreError> {
        let sql = "select * from agreement where asked_us > $1 order by asked_us, what, object limit 200";
        let rows = sqlx::query(sql).bind(now.before(WAITS).as_micros()).fetch_all(&self.core.reads).await?;
        rows.iter().map(read).collect()
    }

    /// Takes a wish. Returns who has wished the same, if that is somebody else and still waits: then it may be done,
    /// and waits no longer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn agree(&self, wish: Wish) -> Result<Option<Wish>, StoreError> {
        let same = |one: &Wish| one.what == wish.what && one.object == wish.object && one.actor != wish.actor;
        let first = self.wishes(wish.asked).await?.into_iter().find(same);
        let write = match &first {
            Some(first) => AgreementWrite::Done { what: first.what.clone(), object: first.object.clone() },
            None => AgreementWrite::Wish(Box::new(wish)),
        };
        self.core.writer.write(write).await?;
        Ok(first)
    }
}

fn read(row: &AnyRow) -> Result<Wish, StoreError> {
    Ok(Wish {
        what: row.try_get("what")?,
        object: row.try_get("object")?,
        actor: row.try_get("actor")?,
        reason: row.try_get("reason")?,
        asked: Timestamp::from_micros(row.try_get("asked_us")?),
    })
}

impl Command for AgreementWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        let (sql, values): (&str, Vec<Value>) = match self {
            Self::Wish(wish) => {
                // What has waited too long goes with the next.
                let sql = "delete from agreement where asked_us <= $1";
                sqlx::query(sql).bind(wish.asked.before(WAITS).as_micros()).execute(&mut *connection).await?;
                (
                    "insert into agreement (what, object, actor, reason, asked_us) values ($1, $2, $3, $4, $5) \
                        on conflict (what, object) do update set actor = $3, reason = $4, asked_us = $5",
                    vec![
                        wish.what.as_str().into(),
                        wish.object.as_str().into(),
                        wish.actor.as_str().into(),
                        wish.reason.as_str().into(),
                        wish.asked.as_micros().into(),
                    ],
                )
            }
            Self::Done { what, object } => (
                "delete from agreement where what = $1 and object = $2",
                vec![what.as_str().into(), object.as_str().into()],
            ),
        };
        database::query(sql.to_owned(), values).execute(connection).await?;
        Ok(())
    }
}
