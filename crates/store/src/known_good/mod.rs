//! Content of clean mail: what was seen, since when, by how many; and which of its bytes are kept .

pub mod contact;
pub mod conversation;
pub mod likeness;
pub mod memory;
pub mod recall;
pub mod vault;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::envelope::{Direction, Envelope};
use domain::finding::MemoryClass;
use domain::fingerprint::{LayoutFingerprint, PictureFingerprint, TextFingerprint};
use domain::known_good::Standing;
use domain::message::{Family, Part};
use domain::{Digest, MailId, Timestamp};
use serde::Serialize;
use sqlx::{AnyConnection, Row};

use crate::core::part;
use crate::database::error::StoreError;
use crate::database::{self, Value, marks, named, parsed, to_json};
use crate::writer::{Command, Group};

part! {
    /// Content of clean mail, and who sends mail and to whom.
    KnownGoodStore
}

/// Carriers of one content that are remembered; more make no difference to its class.
const CARRIERS_MAX: i64 = 32;
/// Hashes that one statement asks for.
const ASKED_MAX: usize = 500;
/// Contents that one round of forgetting ends.
const FORGET_BATCH: i64 = 500;

/// A part of a clean mail.
#[derive(Clone, Debug)]
pub struct GoodPart {
    /// Its facts.
    pub part: Part,
    /// What it looks like, for a picture.
    pub print: Option<PictureFingerprint>,
    /// Who carried it: a seal over an identity, not the identity.
    pub carrier: String,
    /// Where it went.
    pub direction: Direction,
    /// Whether its bytes are kept.
    pub is_kept: bool,
    /// How many mails brought it since it was last written.
    pub mails: u32,
    /// When the first of them came.
    pub first: Timestamp,
    /// When the last of them came.
    pub seen: Timestamp,
}

/// A whole clean mail.
#[derive(Clone, Debug)]
pub struct GoodMail {
    /// The hash of its bytes.
    pub sha256: Digest,
    /// Our id.
    pub mail_id: MailId,
    /// Its size in bytes.
    pub size: u64,
    /// When it came.
    pub seen: Timestamp,
    /// Its envelope: a detection on whole messages needs it.
    pub envelope: Envelope,
    /// Who sent it: a seal over an identity.
    pub carrier: String,
    /// What its text says.
    pub text: Option<TextFingerprint>,
    /// How its pages are laid out.
    pub layout: Option<LayoutFingerprint>,
}

/// A write about known-good content, as data.
#[derive(Clone, Debug)]
pub(crate) enum KnownGoodWrite {
    Learn { parts: Vec<GoodPart>, mails: Vec<GoodMail> },
    Bad { contents: Vec<Digest>, at: Timestamp },
    Forget { parts: Vec<Digest>, mails: Vec<Digest> },
}

/// A retained part, as a backtest wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    /// The hash of its bytes; the vault has them.
    pub sha256: Digest,
    /// Its file name.
    pub name: String,
    /// The content type that its mail declared.
    pub declared: String,
    /// How well the past vouches for it.
    pub class: MemoryClass,
}

/// How much is known to be good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KnownGoodStatus {
    /// Contents remembered.
    pub contents: u64,
    /// Contents whose bytes are kept.
    pub kept: u64,
    /// Their bytes.
    pub kept_bytes: u64,
    /// Whole mails kept.
    pub mails: u64,
    /// Their bytes.
    pub mail_bytes: u64,
    /// Contents by class, C1 to C3.
    pub by_class: [u64; 3],
    /// Kept contents by family.
    pub by_family: BTreeMap<String, u64>,
    /// Since when anything is remembered.
    pub since: Option<Timestamp>,
}

/// How often a content came in clean mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sightings {
    /// Since when, by how many senders, and whether it was ever called bad.
    pub standing: Standing,
    /// When it last came.
    pub last: Timestamp,
    /// In how many mails.
    pub mails: u64,
}

impl KnownGoodStore {
    /// Remembers content of clean mail.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn learn_good(&self, parts: Vec<GoodPart>, mails: Vec<GoodMail>) -> Result<(), StoreError> {
        self.core.writer.write(KnownGoodWrite::Learn { parts, mails }).await
    }

    /// Something bad was said of these contents: they vouch for nothing any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark_bad(&self, contents: Vec<Digest>, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(KnownGoodWrite::Bad { contents, at }).await
    }

    /// The contents that are remembered and whose hash begins so, in hexadecimal; a few at most.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contents_beginning(&self, hex: &str) -> Result<BTreeSet<Digest>, StoreError> {
        let mut found = BTreeSet::new();
        for table in ["known_good_part", "known_good_mail"] {
            // 'g' is behind every hexadecimal digit.
            let sql = format!("select sha256 from {table} where sha256 >= $1 and sha256 < $2 order by sha256 limit 2");
            let values = vec![Value::Text(hex.to_owned()), Value::Text(format!("{hex}g"))];
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                found.insert(digest(&row, "sha256")?);
            }
        }
        Ok(found)
    }

    /// Forgets contents and mails, whose bytes the caller removes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_good(&self, parts: Vec<Digest>, mails: Vec<Digest>) -> Result<(), StoreError> {
        self.core.writer.write(KnownGoodWrite::Forget { parts, mails }).await
    }

    /// Which of these contents are remembered with their bytes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contents_kept_with_bytes(&self, contents: &[Digest]) -> Result<BTreeSet<Digest>, StoreError> {
        let mut kept = BTreeSet::new();
        for group in contents.chunks(ASKED_MAX) {
            let sql = format!(
                "select sha256 from known_good_part where is_kept = 1 and sha256 in ({})",
                marks(1, group.len())
            );
            let values = group.iter().map(|digest| Value::Text(digest.hex())).collect();
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                kept.insert(digest(&row, "sha256")?);
            }
        }
        Ok(kept)
    }

    /// What is known of these contents at `now`; those that nothing is known of are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn standing_of(&self, contents: &[Digest]) -> Result<HashMap<Digest, Standing>, StoreError> {
        let mut known = HashMap::new();
        for group in contents.chunks(ASKED_MAX) {
            let sql = format!(
                "select sha256, first_seen_us, carriers, last_bad_us from known_good_part where sha256 in ({})",
                marks(1, group.len())
            );
            let values = group.iter().map(|digest| Value::Text(digest.hex())).collect();
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                known.insert(digest(&row, "sha256")?, standing(&row)?);
            }
        }
        Ok(known)
    }

    /// How often these contents came in clean mail, and whether anybody called them bad; those that nothing is known of
    /// are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sightings_of(&self, contents: &[Digest]) -> Result<HashMap<Digest, Sightings>, StoreError> {
        let mut known = HashMap::new();
        for group in contents.chunks(ASKED_MAX) {
            let sql = format!(
                "select sha256, first_seen_us, last_seen_us, mails, carriers, last_bad_us from known_good_part where \
                    sha256 in ({})",
                marks(1, group.len())
            );
            let values = group.iter().map(|digest| Value::Text(digest.hex())).collect();
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                let last = Timestamp::from_micros(row.try_get("last_seen_us")?);
                let sightings = Sightings { standing: standing(&row)?, last, mails: unsigned(&row, "mails")? };
                known.insert(digest(&row, "sha256")?, sightings);
            }
        }
        Ok(known)
    }

    /// Up to `most` kept contents of these families (none: of all), spread over formats, trailers, directions and
    /// carriers. `from` is where in the order of hashes to begin, so that not every run sees the same.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn good_sample(
        &self,
        families: Option<&BTreeSet<Family>>,
        most: usize,
        from: Digest,
        now: Timestamp,
    ) -> Result<Vec<Retained>, StoreError> {
        let fetched = i64::try_from(most.saturating_mul(4)).unwrap_or(i64::MAX);
        let mut strata: BTreeMap<[String; 4], Vec<Retained>> = BTreeMap::new();
        for (comparison, start) in [(">=", from), ("<", from)] {
            let mut values = vec![Value::Text(start.hex())];
            let mut filter = String::new();
            if let Some(families) = families {
                if families.is_empty() {
                    return Ok(Vec::new());
                }
                filter = format!(" and family in ({})", marks(2, families.len()));
                values.extend(families.iter().map(|family| Value::from(family.as_str())));
            }
            values.push(Value::Int(fetched));
            let sql = format!(
                "select * from known_good_part where sha256 {comparison} $1{filter} and is_kept = 1 and last_bad_us is \
                    null \
                 order by sha256 limit ${}",
                values.len()
            );
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                let text = |column: &str| row.try_get::<String, _>(column);
                let stratum = [text("content_type")?, text("tail")?, text("direction")?, text("first_carrier")?];
                let class = standing(&row)?.class(now, self.heirloom_carriers());
                let (name, declared) = (text("name")?, text("declared")?);
                let retained = Retained { sha256: digest(&row, "sha256")?, name, declared, class };
                strata.entry(stratum).or_default().push(retained);
            }
        }
        Ok(round_robin(strata.into_values().collect(), most))
    }

    /// Up to `most` whole mails, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn good_mails(&self, most: usize) -> Result<Vec<(Digest, MailId)>, StoreError> {
        let sql =
            "select sha256, mail_id from known_good_mail where last_bad_us is null order by seen_us desc limit $1";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok((digest(row, "sha256")?, parsed(row, "mail_id")?))).collect()
    }

    /// Up to `most` whole mails that were seen since `since`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mails_since(&self, since: Timestamp, most: usize) -> Result<Vec<(Digest, MailId)>, StoreError> {
        let sql = "select sha256, mail_id from known_good_mail where seen_us >= $1 and last_bad_us is null \
                   order by seen_us desc limit $2";
        let values = vec![since.as_micros().into(), i64::try_from(most).unwrap_or(i64::MAX).into()];
        let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok((digest(row, "sha256")?, parsed(row, "mail_id")?))).collect()
    }

    /// Up to `most` kept contents that were seen since `since`, those that were seen last first. What the past says of
    /// them is left open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contents_since(&self, since: Timestamp, most: usize) -> Result<Vec<Retained>, StoreError> {
        let sql = "select sha256, name, declared from known_good_part where last_seen_us >= $1 and is_kept = 1 and \
                   last_bad_us is null order by last_seen_us desc limit $2";
        let values = vec![since.as_micros().into(), i64::try_from(most).unwrap_or(i64::MAX).into()];
        let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
        let retained = |row: &sqlx::any::AnyRow| {
            let (name, declared) = (row.try_get("name")?, row.try_get("declared")?);
            Ok(Retained { sha256: digest(row, "sha256")?, name, declared, class: MemoryClass::Unknown })
        };
        rows.iter().map(retained).collect()
    }

    /// Contents and mails that must go: not seen since `before`, or beyond these bounds, the longest unseen first. One
    /// batch.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn good_to_forget(
        &self,
        before: Timestamp,
        kept_bytes_max: u64,
        mails_max: u64,
    ) -> Result<(Vec<Digest>, Vec<Digest>), StoreError> {
        let status = self.known_good_status(before).await?;
        let over = status.kept_bytes.saturating_sub(kept_bytes_max);
        let sql =
            "select sha256, last_seen_us, size_bytes, is_kept from known_good_part order by last_seen_us limit $1";
        let (mut parts, mut freed) = (Vec::new(), 0);
        for row in sqlx::query(sql).bind(FORGET_BATCH).fetch_all(&self.core.reads).await? {
            let is_old = row.try_get::<i64, _>("last_seen_us")? < before.as_micros();
            if !is_old && freed >= over {
                break;
            }
            parts.push(digest(&row, "sha256")?);
            freed += unsigned(&row, "size_bytes")? * unsigned(&row, "is_kept")?;
        }
        let surplus = i64::try_from(status.mails.saturating_sub(mails_max)).unwrap_or(i64::MAX).min(FORGET_BATCH);
        let sql = "select sha256, seen_us from known_good_mail order by seen_us limit $1";
        let mut mails = Vec::new();
        for (at, row) in sqlx::query(sql).bind(FORGET_BATCH).fetch_all(&self.core.reads).await?.iter().enumerate() {
            let is_old = row.try_get::<i64, _>("seen_us")? < before.as_micros();
            if is_old || (at as i64) < surplus {
                mails.push(digest(row, "sha256")?);
            }
        }
        Ok((parts, mails))
    }

    /// How much is known to be good at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known_good_status(&self, now: Timestamp) -> Result<KnownGoodStatus, StoreError> {
        let mut status = KnownGoodStatus::default();
        let sql = "select family, count(*) as contents, cast(sum(is_kept) as bigint) as kept, \
            cast(coalesce(sum(size_bytes * is_kept), 0) as bigint) as bytes, \
                   min(first_seen_us) as since_us from known_good_part group by family";
        for row in sqlx::query(sql).fetch_all(&self.core.reads).await? {
            status.contents += unsigned(&row, "contents")?;
            status.kept += unsigned(&row, "kept")?;
            status.kept_bytes += unsigned(&row, "bytes")?;
            status.by_family.insert(row.try_get("family")?, unsigned(&row, "kept")?);
            let since = Timestamp::from_micros(row.try_get("since_us")?);
            status.since = Some(status.since.map_or(since, |known| known.min(since)));
        }
        let sql =
            "select count(*) as mails, cast(coalesce(sum(size_bytes), 0) as bigint) as bytes from known_good_mail";
        let row = sqlx::query(sql).fetch_one(&self.core.reads).await?;
        status.mails = unsigned(&row, "mails")?;
        status.mail_bytes = unsigned(&row, "bytes")?;
        let sql = "select first_seen_us, carriers, last_bad_us from known_good_part where carriers >= 2 and \
            last_bad_us is null";
        for row in sqlx::query(sql).fetch_all(&self.core.reads).await? {
            match standing(&row)?.class(now, self.heirloom_carriers()) {
                MemoryClass::Unknown => {}
                MemoryClass::C1 => status.by_class[0] += 1,
                MemoryClass::C2 => status.by_class[1] += 1,
                MemoryClass::C3 => status.by_class[2] += 1,
            }
        }
        Ok(status)
    }
}

/// One of each list, then the next of each, until there are `most`.
fn round_robin<T>(lists: Vec<Vec<T>>, most: usize) -> Vec<T> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut taken = Vec::new();
    loop {
        let before = taken.len();
        for list in &mut lists {
            if taken.len() == most {
                return taken;
            }
            taken.extend(list.next());
        }
        if taken.len() == before {
            return taken;
        }
    }
}

fn standing(row: &sqlx::any::AnyRow) -> Result<Standing, StoreError> {
    let last_bad: Option<i64> = row.try_get("last_bad_us")?;
    Ok(Standing {
        first_seen: Timestamp::from_micros(row.try_get("first_seen_us")?),
        carriers: unsigned(row, "carriers")?,
        last_bad: last_bad.map(Timestamp::from_micros),
    })
}

fn digest(row: &sqlx::any::AnyRow, column: &str) -> Result<Digest, StoreError> {
    named(row, column, |text| Digest::parse(text).ok())
}

fn unsigned(row: &sqlx::any::AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

impl Command for KnownGoodWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Learn { parts, mails } => 3 * parts.len() + mails.len(),
            Self::Bad { contents, .. } => contents.len(),
            Self::Forget { parts, mails } => 2 * parts.len() + mails.len(),
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Learn { parts, mails } => {
                for part in parts {
                    learn_part(connection, part).await?;
                }
                for mail in mails {
                    learn_mail(connection, mail).await?;
                }
                Ok(())
            }
            Self::Bad { contents, at } => {
                for table in ["known_good_part", "known_good_mail"] {
                    for some in contents.chunks(ASKED_MAX) {
                        let sql =
                            format!("update {table} set last_bad_us = $1 where sha256 in ({})", marks(2, some.len()));
                        let values = [Value::Int(at.as_micros())].into_iter();
                        let values = values.chain(some.iter().map(|one| Value::Text(one.hex()))).collect();
                        database::query(sql, values).execute(&mut *connection).await?;
                    }
                }
                Ok(())
            }
            Self::Forget { parts, mails } => {
                for (table, contents) in
                    [("known_good_part", parts), ("known_good_carrier", parts), ("known_good_mail", mails)]
                {
                    for some in contents.chunks(ASKED_MAX) {
                        let sql = format!("delete from {table} where sha256 in ({})", marks(1, some.len()));
                        let values = some.iter().map(|one| Value::Text(one.hex())).collect();
                        database::query(sql, values).execute(&mut *connection).await?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// What was called bad and comes through clean again, because what called it so was corrected, begins its age anew.
async fn learn_part(connection: &mut AnyConnection, good: &GoodPart) -> Result<(), StoreError> {
    let GoodPart { part, print, carrier, direction, is_kept, mails, first, seen } = good;
    let sql = "insert into known_good_part (sha256, family, content_type, declared, name, tail, direction, \
        first_carrier, size_bytes, \
               first_seen_us, last_seen_us, mails, carriers, is_kept, fingerprint) values ($1, $2, $3, $4, $5, $6, $7, \
               $8, $9, $10, $11, $12, 0, $13, $14) \
               on conflict (sha256) do update set \
               last_seen_us = case when known_good_part.last_seen_us > $11 then known_good_part.last_seen_us else $11 \
               end, mails = known_good_part.mails + $12, \
               is_kept = case when known_good_part.is_kept = 1 then 1 else $13 end, \
               fingerprint = case when $14 = '' then known_good_part.fingerprint else $14 end, \
               first_seen_us = case when known_good_part.last_bad_us is null and known_good_part.first_seen_us < $10 \
               then known_good_part.first_seen_us else $10 end, \
               last_bad_us = null";
    let values = vec![
        part.sha256.hex().into(),
        part.family.as_str().into(),
        part.content_type.as_str().into(),
        part.declared.as_str().into(),
        part.name.as_str().into(),
        part.tail.as_str().into(),
        direction.as_str().into(),
        carrier.as_str().into(),
        i64::try_from(part.size).unwrap_or(i64::MAX).into(),
        first.as_micros().into(),
        seen.as_micros().into(),
        (*mails).into(),
        (*is_kept).into(),
        print.as_ref().map(ToString::to_string).unwrap_or_default().into(),
    ];
    database::query(sql.to_owned(), values).execute(&mut *connection).await?;
    let sql = "insert into known_good_carrier (sha256, carrier, first_seen_us) select $1, $2, $3 \
               where (select carriers from known_good_part where sha256 = $1) < $4 on conflict do nothing";
    let added = sqlx::query(sql)
        .bind(part.sha256.hex())
        .bind(carrier.clone())
        .bind(seen.as_micros())
        .bind(CARRIERS_MAX)
        .execute(&mut *connection)
        .await?;
    if added.rows_affected() == 1 {
        let sql = "update known_good_part set carriers = carriers + 1 where sha256 = $1";
        sqlx::query(sql).bind(part.sha256.hex()).execute(connection).await?;
    }
    Ok(())
}

async fn learn_mail(connection: &mut AnyConnection, mail: &GoodMail) -> Result<(), StoreError> {
    let sql = "insert into known_good_mail (sha256, mail_id, seen_us, size_bytes, envelope_json, carrier, \
        text_fingerprint, layout_fingerprint) values ($1, $2, $3, $4, $5, $6, $7, $8) \
               on conflict do nothing";
    let values = vec![
        mail.sha256.hex().into(),
        mail.mail_id.to_string().into(),
        mail.seen.as_micros().into(),
        i64::try_from(mail.size).unwrap_or(i64::MAX).into(),
        to_json(&mail.envelope)?.into(),
        mail.carrier.as_str().into(),
        mail.text.as_ref().map(ToString::to_string).unwrap_or_default().into(),
        mail.layout.as_ref().map(ToString::to_string).unwrap_or_default().into(),
    ];
    database::query(sql.to_owned(), values).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_takes_from_every_stratum() {
        let lists = vec![vec!["a1", "a2", "a3", "a4"], vec!["b1"], vec!["c1", "c2"]];
        assert_eq!(round_robin(lists.clone(), 5), ["a1", "b1", "c1", "a2", "c2"]);
        assert_eq!(round_robin(lists, 99).len(), 7);
    }
}
