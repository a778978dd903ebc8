//! The journal of the sentinel, what is contained, and what is pinned.

use std::collections::BTreeSet;

use domain::containment::{Containment, HeldBack, Level};
use domain::detection::{DetectionCode, DetectionVersion};
use domain::finding::Finding;
use domain::sentinel::Event;
pub use domain::sentinel::Suspect;
use domain::{MailId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, parsed, serde_name, serde_named, to_json};
use crate::evidence::{ContainmentStore, EvidenceStore};
use crate::mail::arrival::read_finding;
use crate::writer::{Command, Group};

/// Lines that one read brings.
const LINES_MAX: i64 = 10_000;

/// A line of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalLine {
    /// Its place.
    pub seq: i64,
    /// About which detection version.
    pub suspect: Suspect,
    /// What happened.
    pub event: Event,
}

/// Some of the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The lines that can be read, in their order.
    pub lines: Vec<JournalLine>,
    /// The place of the last line, readable or not; none when there was none.
    pub last: Option<i64>,
    /// The lines that cannot be read, and why.
    pub unreadable: Vec<String>,
}

/// A line to write: one about the same thing is written once.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// What it is about: a mail and a content, or a probe.
    pub key: String,
    /// About which detection version.
    pub suspect: Suspect,
    /// What happened.
    pub event: Event,
    /// The message that testifies, of a hit: each of its contents does so once.
    pub mail: Option<MailId>,
}

impl NewLine {
    /// A line that is no testimony of a message.
    pub fn new(key: String, suspect: Suspect, event: Event) -> Self {
        Self { key, suspect, event, mail: None }
    }

    /// The content that testifies, as its column has it; none where no message does.
    fn content(&self) -> Option<String> {
        match (&self.event, self.mail) {
            (Event::Hit(hit), Some(_)) => Some(hit.content.clone().unwrap_or_default()),
            _ => None,
        }
    }
}

/// A change of the containment state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainmentChange {
    /// Its epoch; given by the store.
    pub epoch: u64,
    /// When.
    pub at: Timestamp,
    /// Which detection version.
    pub suspect: Suspect,
    /// How far it is held back from now on; none: no more.
    pub level: Option<Level>,
    /// Until when, if not until it is changed again.
    pub until: Option<Timestamp>,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// A detection that nothing contains by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The detection.
    pub code: DetectionCode,
    /// When it was pinned.
    pub at: Timestamp,
    /// Who pinned it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Lines to append to the journal, as data.
#[derive(Clone, Debug)]
struct NewLines(Vec<NewLine>);

/// A write about what is pinned, as data.
#[derive(Clone, Debug)]
enum PinWrite {
    Pin(Box<Pin>),
    Unpin(DetectionCode),
}

impl EvidenceStore {
    /// How many messages have come since `since`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn messages_since(&self, since: Timestamp) -> Result<u64, StoreError> {
        let sql = "select count(*) as messages from message where received_us >= $1";
        let row = sqlx::query(sql).bind(since.as_micros()).fetch_one(&self.core.reads).await?;
        Ok(u64::try_from(row.try_get::<i64, _>("messages")?).unwrap_or(0))
    }

    /// The findings of a detection version on held mail, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hits_of(&self, suspect: &Suspect, limit: i64) -> Result<Vec<Finding>, StoreError> {
        let sql = "select f.* from finding f where f.detection = $1 and f.detection_version = $2 order by f.mail_id \
            desc limit $3";
        let values = vec![suspect.code.as_str().into(), suspect.version.as_str().into(), limit.into()];
        database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?.iter().map(read_finding).collect()
    }

    /// Whether anything is held on which this detection version has acted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_held_mail(&self, suspect: &Suspect) -> Result<bool, StoreError> {
        let sql = "select f.mail_id from finding f join unit u on u.mail_id = f.mail_id where f.detection = $1 and \
            f.detection_version = $2 \
                   and f.mode = 'Enforce' and f.effect in ('Hold', 'Block') and u.account = 'held' limit 1";
        let values = vec![suspect.code.as_str().into(), suspect.version.as_str().into()];
        Ok(database::query(sql.to_owned(), values).fetch_optional(&self.core.reads).await?.is_some())
    }

    /// The detections of an engine that acted on mail while its data was of another version than this: what is not new
    /// in it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn acted_with_other_engine_versions(
        &self,
        engine: &str,
        version: &str,
    ) -> Result<BTreeSet<DetectionCode>, StoreError> {
        let sql = "select distinct detection from finding where detection >= $1 and detection < $2 and \
            detection_version <> $3 limit 100000";
        // ';' is behind ':': all codes of this engine.
        let values = vec![format!("{engine}:").into(), format!("{engine};").into(), version.into()];
        let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| parsed(row, "detection")).collect()
    }

    /// Writes lines into the journal; what is there already stays. Returns how many were new.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn append_evidence(&self, lines: Vec<NewLine>) -> Result<usize, StoreError> {
        self.core.writer.write(NewLines(lines)).await
    }

    /// The journal behind `after`, in its order; only what is about one detection with `code`. What cannot be read is
    /// named, and stops nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn evidence_after(&self, after: i64, code: Option<&DetectionCode>) -> Result<Evidence, StoreError> {
        let sql = "select * from sentinel_event where seq > $1 and ($2 = '' or detection = $3) order by seq limit $4";
        let code = code.map(DetectionCode::as_str).unwrap_or_default();
        let values = vec![after.into(), code.into(), code.into(), LINES_MAX.into()];
        let mut evidence = Evidence::default();
        for row in database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await? {
            let seq: i64 = row.try_get("seq")?;
            evidence.last = Some(seq);
            match line(&row) {
                Ok(line) => evidence.lines.push(line),
                Err(error) => evidence.unreadable.push(format!("line {seq} of the journal: {error}")),
            }
        }
        Ok(evidence)
    }

    /// The lines about one detection that can be read, of all its versions, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn evidence_about(&self, code: &DetectionCode, limit: i64) -> Result<Vec<JournalLine>, StoreError> {
        let sql = "select * from sentinel_event where detection = $1 order by seq desc limit $2";
        let rows = sqlx::query(sql).bind(code.as_str().to_owned()).bind(limit).fetch_all(&self.core.reads).await?;
        Ok(rows.iter().filter_map(|row| line(row).ok()).collect())
    }
}

impl ContainmentStore {
    /// Changes the containment state; returns the new epoch.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn change_containment(&self, change: ContainmentChange) -> Result<u64, StoreError> {
        self.core.writer.write(change).await
    }

    /// What is contained at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn containment(&self, now: Timestamp) -> Result<Containment, StoreError> {
        let epoch = sqlx::query("select coalesce(max(epoch), 0) as epoch from containment_change");
        let epoch: i64 = epoch.fetch_one(&self.core.reads).await?.try_get("epoch")?;
        let in_force = self.containments(now).await?.into_iter().filter_map(|change| {
            Some((change.suspect.code, HeldBack { version: change.suspect.version, level: change.level? }))
        });
        Ok(Containment { epoch: u64::try_from(epoch).unwrap_or(0), held_back: in_force.collect() })
    }

    /// What was contained in an epoch: what an old verdict rested on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn containment_in(&self, epoch: u64) -> Result<Containment, StoreError> {
        let sql = "select c.* from containment_change c where c.epoch = \
                   (select max(o.epoch) from containment_change o where o.detection = c.detection and o.epoch <= $1) \
                   and c.level <> 'none'";
        let last = i64::try_from(epoch).unwrap_or(i64::MAX);
        let rows = sqlx::query(sql).bind(last).fetch_all(&self.core.reads).await?;
        let mut containment = Containment { epoch, ..Containment::default() };
        for row in &rows {
            let ContainmentChange { suspect: Suspect { code, version }, level, .. } = change(row)?;
            containment.held_back.extend(level.map(|level| (code, HeldBack { version, level })));
        }
        Ok(containment)
    }

    /// The last change of each detection that is held back at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn containments(&self, now: Timestamp) -> Result<Vec<ContainmentChange>, StoreError> {
        let sql = "select c.* from containment_change c where c.epoch = \
                   (select max(o.epoch) from containment_change o where o.detection = c.detection) and c.level <> \
                   'none' \
                   and (c.until_us is null or c.until_us > $1) order by c.epoch";
        sqlx::query(sql).bind(now.as_micros()).fetch_all(&self.core.reads).await?.iter().map(change).collect()
    }

    /// Detections that nothing contains by itself.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pins(&self) -> Result<Vec<Pin>, StoreError> {
        let sql = "select * from pinned_detection order by detection";
        let read = |row: &AnyRow| {
            Ok(Pin {
                code: parsed(row, "detection")?,
                at: Timestamp::from_micros(row.try_get("pinned_us")?),
                by: row.try_get("pinned_by")?,
                reason: row.try_get("reason")?,
            })
        };
        sqlx::query(sql).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// Pins a detection, or lets go of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pin(&self, pin: Pin, holds: bool) -> Result<(), StoreError> {
        let write = if holds { PinWrite::Pin(Box::new(pin)) } else { PinWrite::Unpin(pin.code) };
        self.core.writer.write(write).await
    }
}

/// The detection version that a row names.
pub(crate) fn suspect(row: &AnyRow) -> Result<Suspect, StoreError> {
    let version: String = row.try_get("detection_version")?;
    Ok(Suspect { code: parsed(row, "detection")?, version: DetectionVersion::external(&version) })
}

fn line(row: &AnyRow) -> Result<JournalLine, StoreError> {
    Ok(JournalLine { seq: row.try_get("seq")?, suspect: suspect(row)?, event: from_json(row, "event_json")? })
}

fn change(row: &AnyRow) -> Result<ContainmentChange, StoreError> {
    let until: Option<i64> = row.try_get("until_us")?;
    let level: String = row.try_get("level")?;
    Ok(ContainmentChange {
        epoch: u64::try_from(row.try_get::<i64, _>("epoch")?).unwrap_or(0),
        at: Timestamp::from_micros(row.try_get("at_us")?),
        suspect: suspect(row)?,
        level: if level == "none" { None } else { Some(serde_named(row, "level")?) },
        until: until.map(Timestamp::from_micros),
        actor: row.try_get("actor")?,
        reason: row.try_get("reason")?,
    })
}

impl Command for NewLines {
    /// How many were new.
    type Reply = usize;

    fn rows(&self) -> usize {
        self.0.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<usize, StoreError> {
        append(group.connection, &self.0).await
    }
}

impl Command for ContainmentChange {
    /// The new epoch.
    type Reply = u64;

    async fn apply(&self, group: &mut Group<'_>) -> Result<u64, StoreError> {
        contain(group.connection, self).await
    }
}

impl Command for PinWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        match self {
            Self::Pin(pin) => {
                let sql = "insert into pinned_detection (detection, pinned_us, pinned_by, reason) values ($1, $2, $3, \
                    $4) on conflict (detection) do update set pinned_us = $2, pinned_by = $3, reason = $4";
                let values = vec![
                    pin.code.as_str().into(),
                    pin.at.as_micros().into(),
                    pin.by.as_str().into(),
                    pin.reason.as_str().into(),
                ];
                database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
                Ok(())
            }
            Self::Unpin(code) => {
                let sql = "delete from pinned_detection where detection = $1";
                let done = sqlx::query(sql).bind(code.as_str().to_owned()).execute(&mut *group.connection).await?;
                match done.rows_affected() {
                    0 => Err(StoreError::NotFound(format!("pinned detection {code}"))),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Appends what is not there yet. On PostgreSQL two writers that take the same place wait for one another, since it is
/// the primary key: a place is never seen before the ones ahead of it.
pub(crate) async fn append(connection: &mut AnyConnection, lines: &[NewLine]) -> Result<usize, StoreError> {
    let next = sqlx::query("select coalesce(max(seq), 0) as seq from sentinel_event");
    let mut seq: i64 = next.fetch_one(&mut *connection).await?.try_get("seq")?;
    let mut added = 0;
    for line in lines {
        let sql = "insert into sentinel_event (seq, event_key, at_us, detection, detection_version, event_json, \
            mail_id, content) \
                   select $1, $2, $3, $4, $5, $6, $7, $8 where not exists (select 1 from sentinel_event where \
                   detection = $4 \
                   and detection_version = $5 and mail_id = $7 and content = $8) on conflict (event_key) do nothing";
        let values: Vec<Value> = vec![
            (seq + 1).into(),
            line.key.as_str().into(),
            line.event.at().as_micros().into(),
            line.suspect.code.as_str().into(),
            line.suspect.version.as_str().into(),
            to_json(&line.event)?.into(),
            line.mail.map(|mail| mail.to_string()).into(),
            line.content().into(),
        ];
        let done = database::query(sql.to_owned(), values).execute(&mut *connection).await?;
        if done.rows_affected() == 1 {
            seq += 1;
            added += 1;
        }
    }
    Ok(added)
}

async fn contain(connection: &mut AnyConnection, change: &ContainmentChange) -> Result<u64, StoreError> {
    let last = sqlx::query("select coalesce(max(epoch), 0) as epoch from containment_change");
    let epoch: i64 = last.fetch_one(&mut *connection).await?.try_get::<i64, _>("epoch")? + 1;
    let level = change.level.map(|level| serde_name(&level)).transpose()?.unwrap_or_else(|| "none".into());
    let sql = "insert into containment_change (epoch, at_us, detection, detection_version, level, until_us, actor, \
        reason) \
               values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values: Vec<Value> = vec![
        epoch.into(),
        change.at.as_micros().into(),
        change.suspect.code.as_str().into(),
        change.suspect.version.as_str().into(),
        level.into(),
        change.until.map(Timestamp::as_micros).into(),
        change.actor.as_str().into(),
        change.reason.as_str().into(),
    ];
    database::query(sql.to_owned(), values).execute(connection).await?;
    Ok(u64::try_from(epoch).unwrap_or(0))
}
