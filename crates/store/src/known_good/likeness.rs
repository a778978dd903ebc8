//! What looks like something that is known to be good: no entry may be made about it.

use std::collections::{BTreeSet, HashMap};

use domain::fingerprint::{LayoutFingerprint, PictureFingerprint, Simhash, TextFingerprint};
use domain::identity::Establish;
use domain::{Digest, Timestamp};

use crate::database::error::StoreError;
use crate::database::{self, Value, named};
use crate::known_good::KnownGoodStore;
use crate::known_good::memory::{PROBE_AGE, acquaintance};

/// Contents, and mails, that are compared at most.
const COMPARED_MAX: i64 = 200_000;
/// Contents that are alike and of which is asked who has carried them.
const ALIKE_MAX: usize = 2000;

impl KnownGoodStore {
    /// Which of these pictures look like one that somebody whom we know has carried for three days.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn good_pictures(
        &self,
        prints: &[PictureFingerprint],
        rule: &Establish,
        now: Timestamp,
    ) -> Result<BTreeSet<PictureFingerprint>, StoreError> {
        let sql = format!(
            "select sha256, fingerprint from known_good_part where fingerprint <> '' and last_bad_us is null and \
                first_seen_us <= $1 order by first_seen_us limit {COMPARED_MAX}"
        );
        let values = vec![Value::Int(now.before(PROBE_AGE).as_micros())];
        let mut alike: HashMap<Digest, Vec<PictureFingerprint>> = HashMap::new();
        for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
            let known = named(&row, "fingerprint", |text| PictureFingerprint::parse(text).ok())?;
            let like: Vec<_> = prints.iter().filter(|print| print.is_like(&known)).copied().collect();
            if !like.is_empty() && alike.len() < ALIKE_MAX {
                alike.insert(named(&row, "sha256", |text| Digest::parse(text).ok())?, like);
            }
        }
        let vouched = self.vouched_for(&alike.keys().copied().collect::<Vec<_>>(), rule, now).await?;
        Ok(alike.into_iter().filter(|(content, _)| vouched.contains(content)).flat_map(|(_, like)| like).collect())
    }

    /// Which of these contents somebody whom we know has carried for three days, and nothing bad was said of.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn vouched_for(
        &self,
        contents: &[Digest],
        rule: &Establish,
        now: Timestamp,
    ) -> Result<BTreeSet<Digest>, StoreError> {
        let remembered = self.remembered(contents, rule, now).await?;
        let is_good = |standing: &domain::known_good::Standing| {
            standing.carriers > 0 && standing.last_bad.is_none() && now.since(standing.first_seen) >= PROBE_AGE
        };
        Ok(remembered.into_iter().filter(|(_, one)| is_good(&one.standing)).map(|(content, _)| content).collect())
    }

    /// Whether a text looks like that of a mail that somebody whom we know sent three days ago or before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_good_text(
        &self,
        text: &TextFingerprint,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.is_good("text_fingerprint", text, rule, now).await
    }

    /// The same of how its pages are laid out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_good_layout(
        &self,
        layout: &LayoutFingerprint,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.is_good("layout_fingerprint", layout, rule, now).await
    }

    async fn is_good<const BITS_MAX: u32>(
        &self,
        column: &str,
        print: &Simhash<BITS_MAX>,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = format!(
            "select m.{column}, i.* from known_good_mail m join identity i on i.identity = m.carrier where \
                m.{column} <> '' and m.last_bad_us is null and m.seen_us <= $1 order by m.seen_us desc limit \
                {COMPARED_MAX}"
        );
        let values = vec![Value::Int(now.before(PROBE_AGE).as_micros())];
        for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
            let known = named(&row, column, |known| Simhash::<BITS_MAX>::parse(known).ok())?;
            if known.is_like(print) && acquaintance(&row)?.is_established(rule, now) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
