//! What people are called for: each thing once, until somebody says that it was seen.

use std::collections::BTreeMap;

use domain::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, named};
use crate::notices::NoticeStore;
use crate::notices::claim::{self, NoticeClaim};
use crate::writer::{Command, Group};

/// Why somebody is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// A detection hits far more than it ever did at this hour.
    Rate,
    /// Several people say that a detection is wrong.
    Reports,
    /// A detection is believed to be wrong, and nothing was done about it by itself.
    Undecided,
    /// Known content passes a detection that live witnesses speak against; no probe has convicted it.
    Pardoned,
    /// A version that a person has put in force past a gate hits what is known to be good.
    Forced,
    /// An engine as a whole is believed to be wrong.
    Engine,
    /// The ledger does not balance.
    Books,
    /// The panic switch was moved: mail passes unexamined, or is all put off.
    Panic,
    /// The clock is not believed: nothing is removed for its age.
    Clock,
    /// Stored bytes are damaged or missing.
    Damage,
    /// A listener's certificate is over soon, or its files cannot be used.
    Certificate,
    /// Somebody on the host has let an administrator in again.
    Access,
    /// A reload of the configuration was refused or rolled back.
    Reload,
}

impl AlertKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Rate,
        Self::Reports,
        Self::Undecided,
        Self::Pardoned,
        Self::Forced,
        Self::Engine,
        Self::Books,
        Self::Panic,
        Self::Clock,
        Self::Damage,
        Self::Certificate,
        Self::Access,
        Self::Reload,
    ];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Reports => "reports",
            Self::Undecided => "undecided",
            Self::Pardoned => "pardoned",
            Self::Forced => "forced",
            Self::Engine => "engine",
            Self::Books => "books",
            Self::Panic => "panic",
            Self::Clock => "clock",
            Self::Damage => "damage",
            Self::Certificate => "certificate",
            Self::Access => "access",
            Self::Reload => "reload",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something to call people for.
#[derive(Clone, Debug)]
pub struct NewAlert {
    /// What it is about: the same is told once.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub kind: AlertKind,
    /// What it is about, for people: mostly the code of a detection.
    pub subject: String,
    /// What happened and what to do.
    pub text: String,
}

/// What people were called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub kind: AlertKind,
    /// What it is about.
    pub subject: String,
    /// What happened and what to do.
    pub text: String,
    /// When somebody said that it was seen, and who.
    pub seen: Option<(Timestamp, String)>,
}

/// A write about alerts that were made, as data.
#[derive(Clone, Debug)]
pub(crate) enum AlertWrite {
    Seen { number: i64, at: Timestamp, by: String },
    Told { claim: NoticeClaim, number: i64, channel: String, at: Timestamp, reply: String },
}

impl NoticeStore {
    /// Calls people. Returns whether that is news.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn raise_alert(&self, alert: NewAlert) -> Result<bool, StoreError> {
        self.core.writer.write(alert).await
    }

    /// What people were called for, newest first; what somebody has seen only on demand.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn alerts(&self, with_seen: bool, limit: i64) -> Result<Vec<Alert>, StoreError> {
        let sql = "select * from alert where seen_us is null or $1 = 1 order by alert desc limit $2";
        let rows = sqlx::query(sql).bind(i64::from(with_seen)).bind(limit).fetch_all(&self.core.reads).await?;
        rows.iter().map(read).collect()
    }

    /// How many nobody has seen, by their kind.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_unseen_alerts(&self) -> Result<BTreeMap<String, usize>, StoreError> {
        let sql = "select kind as name, count(*) as counted from alert where seen_us is null group by kind";
        database::counted(&sqlx::query(sql).fetch_all(&self.core.reads).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn alert(&self, number: i64) -> Result<Alert, StoreError> {
        let row =
            sqlx::query("select * from alert where alert = $1").bind(number).fetch_optional(&self.core.reads).await?;
        read(&row.ok_or_else(|| StoreError::NotFound(format!("alert {number}")))?)
    }

    /// Somebody has seen it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn mark_alert_seen(&self, number: i64, at: Timestamp, by: &str) -> Result<(), StoreError> {
        self.core.writer.write(AlertWrite::Seen { number, at, by: by.to_owned() }).await
    }

    /// What a channel has not been told since `since`, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn alerts_not_yet_told(&self, channel: &str, since: Timestamp) -> Result<Vec<Alert>, StoreError> {
        let sql = "select a.* from alert a where a.at_us >= $1 and a.seen_us is null and not exists \
                   (select 1 from alert_told t where t.alert = a.alert and t.channel = $2) order by a.alert limit 50";
        let values = vec![since.as_micros().into(), channel.into()];
        Ok(database::readable(&database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?, read))
    }

    /// Remembers that a channel was told, and what it answered.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is another's meanwhile; or when the store fails.
    pub async fn record_alert_told(
        &self,
        claim: NoticeClaim,
        number: i64,
        channel: &str,
        at: Timestamp,
        reply: String,
    ) -> Result<(), StoreError> {
        let channel = channel.to_owned();
        self.core.writer.write(AlertWrite::Told { claim, number, channel, at, reply }).await
    }
}

fn read(row: &AnyRow) -> Result<Alert, StoreError> {
    let seen: Option<i64> = row.try_get("seen_us")?;
    let by: String = row.try_get("seen_by")?;
    Ok(Alert {
        number: row.try_get("alert")?,
        at: Timestamp::from_micros(row.try_get("at_us")?),
        kind: named(row, "kind", AlertKind::parse)?,
        subject: row.try_get("subject")?,
        text: row.try_get("text")?,
        seen: seen.map(|at| (Timestamp::from_micros(at), by)),
    })
}

impl Command for NewAlert {
    /// Whether it is news.
    type Reply = bool;

    async fn apply(&self, group: &mut Group<'_>) -> Result<bool, StoreError> {
        let sql = "insert into alert (alert, alert_key, at_us, kind, subject, text, seen_by) \
             select coalesce(max(alert), 0) + 1, $1, $2, $3, $4, $5, '' from alert where true on conflict (alert_key) \
             do nothing";
        let values = vec![
            self.key.as_str().into(),
            self.at.as_micros().into(),
            self.kind.as_str().into(),
            self.subject.as_str().into(),
            self.text.as_str().into(),
        ];
        Ok(database::query(sql.to_owned(), values).execute(&mut *group.connection).await?.rows_affected() == 1)
    }
}

impl Command for AlertWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Seen { number, at, by } => {
                let sql = "update alert set seen_us = $1, seen_by = $2 where alert = $3";
                let values = vec![at.as_micros().into(), by.as_str().into(), (*number).into()];
                match database::query(sql.to_owned(), values).execute(connection).await?.rows_affected() {
                    0 => Err(StoreError::NotFound(format!("alert {number}"))),
                    _ => Ok(()),
                }
            }
            Self::Told { claim, number, channel, at, reply } => {
                claim::settle(connection, claim, *at).await?;
                let sql = "insert into alert_told (alert, channel, told_us, reply) values ($1, $2, $3, $4) on \
                    conflict do nothing";
                let values =
                    vec![(*number).into(), channel.as_str().into(), at.as_micros().into(), reply.as_str().into()];
                database::query(sql.to_owned(), values).execute(connection).await?;
                Ok(())
            }
        }
    }
}
