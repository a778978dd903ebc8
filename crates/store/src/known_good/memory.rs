//! Who sends mail, and what the past says of a content: which of those whom we know have carried it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::envelope::Envelope;
use domain::finding::MemoryClass;
use domain::identity::{Acquaintance, Establish, Kind};
use domain::known_good::{Standing, heirloom_carriers};
use domain::message::Family;
use domain::{Digest, MailId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, marks, named, parsed};
use crate::known_good::KnownGoodStore;
use crate::known_good::Retained;
use crate::writer::{Command, Group};

/// Hashes and seals that one statement asks for.
const ASKED_MAX: usize = 400;
/// Contents of one carrier in a sample at most.
const OF_ONE_CARRIER_MAX: usize = 3;
/// Age from which on content may testify in a probe.
pub const PROBE_AGE: Duration = Duration::from_secs(72 * 3600);

/// Mail of an identity, or to it, since it was last written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// The seal over the identity.
    pub identity: String,
    /// Its kind.
    pub kind: Kind,
    /// The domain behind it: `ours`, or a seal; empty when it is not known.
    pub node: String,
    /// Clean mails of it.
    pub mails: u64,
    /// Mails of ours to it that a person wrote.
    pub answered: u64,
    /// Whether something bad was said of its mail.
    pub is_bad: bool,
    /// When the first of them was.
    pub first: Timestamp,
    /// When the last of them was.
    pub at: Timestamp,
}

/// What the past says of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its standing, by those alone whom we know.
    pub standing: Standing,
    /// Those who have carried it.
    pub carriers: BTreeSet<String>,
    /// How many of them are ours.
    pub internal: u64,
}

/// A retained content or mail, and who of those whom we know has carried it.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// The content; for a mail its class is unknown.
    pub content: Retained,
    /// Who.
    pub carriers: BTreeSet<String>,
    /// Our id and its envelope, for a mail.
    pub mail: Option<(MailId, Envelope)>,
}

/// How strong the memory is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStrength {
    /// Identities that are remembered.
    pub identities: u64,
    /// Those that are established.
    pub established: u64,
    /// Those of them that are ours.
    pub internal: u64,
    /// Contents old enough to testify, carried by somebody established.
    pub eligible: u64,
    /// The same by family.
    pub by_family: BTreeMap<String, u64>,
}

/// Eligible contents from which on what the sentinel finds is acted on by itself.
pub const STRONG_CONTENTS: u64 = 2000;
/// Established identities from which on it is.
pub const STRONG_IDENTITIES: u64 = 20;

impl MemoryStrength {
    /// Whether the memory is strong enough for containment without a person.
    pub fn is_strong(&self) -> bool {
        self.eligible >= STRONG_CONTENTS && self.established >= STRONG_IDENTITIES
    }

    /// One word for people.
    pub fn word(&self) -> &'static str {
        match (self.is_strong(), self.eligible) {
            (true, _) => "strong",
            (false, 200..) => "fair",
            (false, 1..) => "weak",
            (false, 0) => "none",
        }
    }
}

impl KnownGoodStore {
    /// Remembers who has written, and whom we have answered.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_meetings(&self, meetings: Vec<Meeting>) -> Result<(), StoreError> {
        self.core.writer.write(Meetings(meetings)).await
    }

    /// What is known of these identities; those that nothing is known of are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn acquaintances(&self, identities: &[String]) -> Result<HashMap<String, Acquaintance>, StoreError> {
        let mut known = HashMap::new();
        for group in identities.chunks(ASKED_MAX) {
            let sql = format!("select * from identity where identity in ({})", marks(1, group.len()));
            let values = group.iter().map(|one| Value::Text(one.clone())).collect();
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                known.insert(row.try_get("identity")?, acquaintance(&row)?);
            }
        }
        Ok(known)
    }

    /// What the past says of these contents at `now`, by the word of those alone whom we know by `rule`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remembered(
        &self,
        contents: &[Digest],
        rule: &Establish,
        now: Timestamp,
    ) -> Result<HashMap<Digest, Remembered>, StoreError> {
        let mut known: HashMap<Digest, Remembered> = HashMap::new();
        for (content, standing) in self.standing_of(contents).await? {
            let standing = Standing { carriers: 0, ..standing };
            known.insert(content, Remembered { standing, carriers: BTreeSet::new(), internal: 0 });
        }
        let asked: Vec<Digest> = known.keys().copied().collect();
        for group in asked.chunks(ASKED_MAX) {
            let sql = format!(
                "select c.sha256, i.* from known_good_carrier c join identity i on i.identity = c.carrier where \
                    c.sha256 in ({})",
                marks(1, group.len())
            );
            let values = group.iter().map(|one| Value::Text(one.hex())).collect();
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                let content = named(&row, "sha256", |text| Digest::parse(text).ok())?;
                let who = acquaintance(&row)?;
                if !who.is_established(rule, now) {
                    continue;
                }
                if let Some(one) = known.get_mut(&content) {
                    one.carriers.insert(row.try_get("identity")?);
                    one.standing.carriers += 1;
                    one.internal += u64::from(who.kind == Kind::Login);
                }
            }
        }
        Ok(known)
    }

    /// Up to `most` contents of these families (none: of all) that may testify: known for 72 hours, carried by somebody
    /// established, never bad; spread over formats, trailers, directions and carriers.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contents_that_testify(
        &self,
        families: Option<&BTreeSet<Family>>,
        most: usize,
        from: Digest,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<Vec<Exhibit>, StoreError> {
        let sample = self.good_sample(families, most.saturating_mul(2), from, now).await?;
        let contents: Vec<Digest> = sample.iter().map(|one| one.sha256).collect();
        let mut remembered = self.remembered(&contents, rule, now).await?;
        let mut of_carrier: HashMap<String, usize> = HashMap::new();
        let mut exhibits = Vec::new();
        for mut content in sample {
            let Some(known) = remembered.remove(&content.sha256) else { continue };
            let Some(first) = known.carriers.first() else { continue };
            let count = of_carrier.entry(first.clone()).or_default();
            if now.since(known.standing.first_seen) < PROBE_AGE || *count >= OF_ONE_CARRIER_MAX {
                continue;
            }
            *count += 1;
            content.class = known.standing.class(now, self.heirloom_carriers());
            exhibits.push(Exhibit { content, carriers: known.carriers, mail: None });
            if exhibits.len() == most {
                break;
            }
        }
        Ok(exhibits)
    }

    /// Up to `most` whole mails that may testify.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mails_that_testify(
        &self,
        most: usize,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<Vec<Exhibit>, StoreError> {
        let sql = "select m.sha256, m.mail_id, m.envelope_json, i.* from known_good_mail m join identity i on \
            i.identity = m.carrier \
                   where m.last_bad_us is null and m.seen_us <= $1 order by m.sha256 limit $2";
        let fetched = i64::try_from(most.saturating_mul(4)).unwrap_or(i64::MAX);
        let values = vec![now.before(PROBE_AGE).as_micros().into(), fetched.into()];
        let mut of_carrier: HashMap<String, usize> = HashMap::new();
        let mut exhibits = Vec::new();
        for row in database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await? {
            let carrier: String = row.try_get("identity")?;
            let count = of_carrier.entry(carrier.clone()).or_default();
            if *count >= OF_ONE_CARRIER_MAX || !acquaintance(&row)?.is_established(rule, now) {
                continue;
            }
            *count += 1;
            let sha256 = named(&row, "sha256", |text| Digest::parse(text).ok())?;
            let content =
                Retained { sha256, name: String::new(), declared: String::new(), class: MemoryClass::Unknown };
            let mail = (parsed(&row, "mail_id")?, from_json(&row, "envelope_json")?);
            exhibits.push(Exhibit { content, carriers: [carrier].into(), mail: Some(mail) });
            if exhibits.len() == most {
                break;
            }
        }
        Ok(exhibits)
    }

    /// How many contents of this family that were seen since `since` are of each class at `now`: unknown, C1, C2, C3.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contents_by_class(
        &self,
        family: Family,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<[u64; 4], StoreError> {
        let sql = "select first_seen_us, carriers, last_bad_us from known_good_part \
                   where family = $1 and last_seen_us >= $2 and last_bad_us is null limit 50000";
        let values = vec![family.as_str().into(), since.as_micros().into()];
        let mut counts = [0; 4];
        for row in database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await? {
            let standing = Standing {
                first_seen: Timestamp::from_micros(row.try_get("first_seen_us")?),
                carriers: count(&row, "carriers")?,
                last_bad: None,
            };
            let class = standing.class(now, self.heirloom_carriers());
            // Everybody's content may be heard twice.
            counts[class as usize] += if class == MemoryClass::C3 { 2 } else { 1 };
        }
        Ok(counts)
    }

    /// Counts how many are established, since the smaller the site, the fewer carriers make a heirloom.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_established_carriers(&self, rule: &Establish, now: Timestamp) -> Result<(), StoreError> {
        let mut established = 0;
        for row in sqlx::query("select * from identity").fetch_all(&self.core.reads).await? {
            established += u64::from(acquaintance(&row)?.is_established(rule, now));
        }
        self.core.heirloom.store(heirloom_carriers(established), Ordering::Relaxed);
        Ok(())
    }

    /// Carriers that make a heirloom here, by the last count.
    pub fn heirloom_carriers(&self) -> u64 {
        self.core.heirloom.load(Ordering::Relaxed)
    }

    /// How strong the memory is at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn memory_strength(&self, rule: &Establish, now: Timestamp) -> Result<MemoryStrength, StoreError> {
        let mut strength = MemoryStrength::default();
        let mut established = BTreeSet::new();
        for row in sqlx::query("select * from identity").fetch_all(&self.core.reads).await? {
            let who = acquaintance(&row)?;
            strength.identities += 1;
            if who.is_established(rule, now) {
                strength.established += 1;
                strength.internal += u64::from(who.kind == Kind::Login);
                established.insert(row.try_get::<String, _>("identity")?);
            }
        }
        let sql = "select p.sha256, p.family, c.carrier from known_good_part p join known_good_carrier c on c.sha256 = \
            p.sha256 \
                   where p.is_kept = 1 and p.last_bad_us is null and p.first_seen_us <= $1 order by p.sha256";
        let mut last = String::new();
        for row in sqlx::query(sql).bind(now.before(PROBE_AGE).as_micros()).fetch_all(&self.core.reads).await? {
            let sha256: String = row.try_get("sha256")?;
            if sha256 != last && established.contains(&row.try_get::<String, _>("carrier")?) {
                strength.eligible += 1;
                *strength.by_family.entry(row.try_get("family")?).or_default() += 1;
                last = sha256;
            }
        }
        Ok(strength)
    }
}

pub(super) fn acquaintance(row: &AnyRow) -> Result<Acquaintance, StoreError> {
    let last_bad: Option<i64> = row.try_get("last_bad_us")?;
    Ok(Acquaintance {
        kind: named(row, "kind", Kind::parse)?,
        first_seen: Timestamp::from_micros(row.try_get("first_seen_us")?),
        mails: count(row, "mails")?,
        answered: count(row, "answered")?,
        last_bad: last_bad.map(Timestamp::from_micros),
    })
}

fn count(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

/// Who met whom, as data.
#[derive(Clone, Debug)]
struct Meetings(Vec<Meeting>);

impl Command for Meetings {
    type Reply = ();

    fn rows(&self) -> usize {
        self.0.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        for meeting in &self.0 {
            let sql = "insert into identity (identity, kind, first_seen_us, last_seen_us, mails, answered, \
                   last_bad_us, node) values ($1, $2, $3, $7, $4, $5, $6, $8) on conflict (identity) do update set \
                   node = case when $8 = '' then identity.node else $8 end, \
                   first_seen_us = case when identity.first_seen_us > $3 then $3 else identity.first_seen_us end, \
                   last_seen_us = case when identity.last_seen_us < $7 then $7 else identity.last_seen_us end, \
                   mails = identity.mails + $4, answered = identity.answered + $5, \
                   last_bad_us = case when $6 is null then identity.last_bad_us else $6 end";
            let bad = meeting.is_bad.then_some(meeting.at.as_micros());
            let number = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
            let values = vec![
                meeting.identity.as_str().into(),
                meeting.kind.as_str().into(),
                meeting.first.as_micros().into(),
                number(meeting.mails),
                number(meeting.answered),
                bad.into(),
                meeting.at.as_micros().into(),
                meeting.node.as_str().into(),
            ];
            database::query(sql.to_owned(), values).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
