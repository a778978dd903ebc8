//! All that is known to be good, page by page: what a version is tried on that a person forced past a gate. Not a
//! sample, and nothing that is younger than the version allows.

use std::collections::{BTreeMap, BTreeSet};

use domain::finding::MemoryClass;
use domain::identity::{Establish, Kind};
use domain::message::Family;
use domain::sentinel::past::OURS;
use domain::{Digest, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, marks, named, parsed};
use crate::known_good::memory::{Exhibit, PROBE_AGE, acquaintance};
use crate::known_good::{KnownGoodStore, Retained};

/// What stands for an address at a provider whose name was not written down yet: all of them are one.
const SOME_PROVIDER: &str = "provider";

/// One content or mail of the past, with the domains that carried it.
#[derive(Clone, Debug)]
pub struct Recollection {
    /// The content or mail; its carriers are domains.
    pub exhibit: Exhibit,
    /// When it was first seen in a clean mail.
    pub first_seen: Timestamp,
}

/// A page of them.
#[derive(Clone, Debug, Default)]
pub struct RecollectionPage {
    /// What may testify.
    pub found: Vec<Recollection>,
    /// Where the next page begins; none behind the last one.
    pub next: Option<Digest>,
}

/// Where a page begins and what is on it.
#[derive(Clone, Copy, Debug)]
pub struct PageOf<'f> {
    /// The last content of the page before; none for the first one.
    pub after: Option<Digest>,
    /// Contents that are looked at.
    pub most: usize,
    /// Contents of these families; of all without.
    pub families: Option<&'f BTreeSet<Family>>,
    /// Only what was known three days before this, by those who carried it before this.
    pub drafted: Timestamp,
}

/// The rows of a page, and what they are about.
struct Rows {
    rows: Vec<AnyRow>,
    contents: Vec<Digest>,
    /// Where the next page begins; none behind the last one.
    next: Option<Digest>,
}

impl KnownGoodStore {
    /// A page of the contents that are known to be good, in the order of their hashes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recollected_parts(
        &self,
        page: PageOf<'_>,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<RecollectionPage, StoreError> {
        let mut filter = String::new();
        let mut wanted = Vec::new();
        if let Some(families) = page.families {
            if families.is_empty() {
                return Ok(RecollectionPage::default());
            }
            filter = format!(" and family in ({})", marks(3, families.len()));
            wanted.extend(families.iter().map(|family| Value::from(family.as_str())));
        }
        let sql = format!(
            "select sha256, name, declared, first_seen_us from known_good_part where sha256 > $1 and first_seen_us <= \
                $2{filter} and is_kept = 1 and last_bad_us is null order by sha256"
        );
        let Rows { rows, contents, next } = self.rows_behind(page, &sql, wanted).await?;
        let mut domains = self.domains_of(&contents, page.drafted, rule, now).await?;
        let mut found = Vec::new();
        for row in &rows {
            let sha256 = digest(row)?;
            let Some(carriers) = domains.remove(&sha256) else { continue };
            let content = Retained {
                sha256,
                name: row.try_get("name")?,
                declared: row.try_get("declared")?,
                class: MemoryClass::Unknown,
            };
            let first_seen = Timestamp::from_micros(row.try_get("first_seen_us")?);
            found.push(Recollection { exhibit: Exhibit { content, carriers, mail: None }, first_seen });
        }
        Ok(RecollectionPage { found, next })
    }

    /// A page of the whole mails that are known to be good.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recollected_mails(
        &self,
        page: PageOf<'_>,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<RecollectionPage, StoreError> {
        let sql = "select m.sha256, m.mail_id, m.seen_us, m.envelope_json, i.* from known_good_mail m join identity i \
                on i.identity = m.carrier where m.sha256 > $1 and m.seen_us <= $2 and m.last_bad_us is null \
             order by m.sha256";
        let Rows { rows, next, .. } = self.rows_behind(page, sql, Vec::new()).await?;
        let mut found = Vec::new();
        for row in &rows {
            if !acquaintance(row)?.is_established(rule, now) {
                continue;
            }
            let (name, declared) = (String::new(), String::new());
            let content = Retained { sha256: digest(row)?, name, declared, class: MemoryClass::Unknown };
            let mail = Some((parsed(row, "mail_id")?, from_json(row, "envelope_json")?));
            let first_seen = Timestamp::from_micros(row.try_get("seen_us")?);
            found.push(Recollection { exhibit: Exhibit { content, carriers: [node(row)?].into(), mail }, first_seen });
        }
        Ok(RecollectionPage { found, next })
    }

    /// The rows of a page by a statement in which `$1` is where it begins, `$2` how old its contents are at least, and
    /// what follows is `wanted`.
    async fn rows_behind(&self, page: PageOf<'_>, sql: &str, wanted: Vec<Value>) -> Result<Rows, StoreError> {
        let after = page.after.map_or_else(String::new, |digest| digest.hex());
        let values = [Value::Text(after), page.drafted.before(PROBE_AGE).as_micros().into()].into_iter().chain(wanted);
        let sql = format!("{sql} limit {}", page.most);
        let rows = database::query(sql, values.collect()).fetch_all(&self.core.reads).await?;
        let contents: Vec<Digest> = rows.iter().map(digest).collect::<Result<_, _>>()?;
        // Behind the last one, when this page is full.
        let next = contents.last().filter(|_| contents.len() == page.most).copied();
        Ok(Rows { rows, contents, next })
    }

    /// The domains of those whom we know who carried these contents before `before`; contents without one are left out.
    async fn domains_of(
        &self,
        contents: &[Digest],
        before: Timestamp,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<BTreeMap<Digest, BTreeSet<String>>, StoreError> {
        let mut domains: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
        for some in contents.chunks(400) {
            let sql = format!(
                "select c.sha256, i.* from known_good_carrier c join identity i on i.identity = c.carrier where \
                    c.first_seen_us < $1 and c.sha256 in ({})",
                marks(2, some.len())
            );
            let values = [Value::Int(before.as_micros())].into_iter();
            let values = values.chain(some.iter().map(|one| Value::Text(one.hex()))).collect();
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                if acquaintance(&row)?.is_established(rule, now) {
                    domains.entry(digest(&row)?).or_default().insert(node(&row)?);
                }
            }
        }
        Ok(domains)
    }
}

/// The domain behind an identity. Who has not written since it is written down is taken for what is safe: an
/// organisation for itself, addresses at providers for one.
fn node(row: &AnyRow) -> Result<String, StoreError> {
    let node: String = row.try_get("node")?;
    if !node.is_empty() {
        return Ok(node);
    }
    Ok(match named(row, "kind", Kind::parse)? {
        Kind::Login => OURS.to_owned(),
        Kind::Address | Kind::Unverified => SOME_PROVIDER.to_owned(),
        Kind::Domain | Kind::Claimed => row.try_get("identity")?,
    })
}

fn digest(row: &AnyRow) -> Result<Digest, StoreError> {
    named(row, "sha256", |text| Digest::parse(text).ok())
}
