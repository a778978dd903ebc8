//! Rulesets, detections and policies as they were, kept for ever: a verdict names them, and a replay loads them.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::detection::{Detection, DetectionCode, DetectionVersion, RulesetId};
use domain::policy::Policy;
use domain::rollout::GateReport;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, parsed, to_json};
use crate::rules::RuleStore;
use crate::writer::{Command, Group};

/// A ruleset as it is kept for ever.
#[derive(Clone, Debug)]
pub struct KeptRuleset {
    /// Its version.
    pub id: RulesetId,
    /// Its detections, each with its source.
    pub detections: Vec<(Detection, String)>,
    /// The page of documentation of those that have one.
    pub pages: BTreeMap<DetectionCode, String>,
    /// What the gates that need its files said when it was built.
    pub gates: Vec<GateReport>,
}

/// The mails that show what a version of a detection must hit and must miss, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFixtures {
    /// The detection.
    pub code: DetectionCode,
    /// Its version.
    pub version: DetectionVersion,
    /// What it must hit.
    pub hit: String,
    /// What it must miss.
    pub miss: String,
}

/// A ruleset in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRuleset {
    /// Its version.
    pub id: RulesetId,
    /// When it was first seen here.
    pub first_seen: Timestamp,
    /// How many detections it has.
    pub detections: usize,
    /// When it was last put in force, if ever.
    pub in_force_since: Option<Timestamp>,
}

/// A version of an engine, and since when it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineVersion {
    /// The engine.
    pub engine: String,
    /// The program's version.
    pub version: String,
    /// The version of its data; empty for ours.
    pub data_version: String,
    /// When it first said so.
    pub first_seen: Timestamp,
}

/// A version to remember.
#[derive(Clone, Debug)]
pub(crate) enum VersionWrite {
    Ruleset { kept: Box<KeptRuleset>, in_force: bool, at: Timestamp },
    Engine { engine: String, version: String, data_version: String, at: Timestamp },
    Policy { policy: Box<Policy>, at: Timestamp },
    Fixtures(Vec<KeptFixtures>),
}

/// A query for codes of detections as they are kept, where few rows have them, by one in lower case.
pub(crate) fn spellings(lowered: &str) -> String {
    let of = |table: &str| format!("select detection from {table} where lower(detection) = {lowered}");
    ["detection_source", "hit_hour", "incident", "containment_change"].map(of).join(" union ")
}

impl RuleStore {
    /// Remembers a ruleset with the source of each of its detections; `in_force`: from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_ruleset(&self, kept: KeptRuleset, in_force: bool, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(VersionWrite::Ruleset { kept: Box::new(kept), in_force, at }).await
    }

    /// Remembers the fixtures of detections; what is known already stays as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_fixtures(&self, fixtures: Vec<KeptFixtures>) -> Result<(), StoreError> {
        self.core.writer.write(VersionWrite::Fixtures(fixtures)).await
    }

    /// The fixtures of a version of a detection; none when it was kept without.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fixtures_of(
        &self,
        code: &DetectionCode,
        version: &DetectionVersion,
    ) -> Result<Option<KeptFixtures>, StoreError> {
        let sql = "select hit, miss from detection_fixture where detection = $1 and detection_version = $2";
        let row =
            sqlx::query(sql).bind(code.to_string()).bind(version.to_string()).fetch_optional(&self.core.reads).await?;
        let read = |row: AnyRow| {
            let (hit, miss) = (row.try_get("hit")?, row.try_get("miss")?);
            Ok(KeptFixtures { code: code.clone(), version: version.clone(), hit, miss })
        };
        row.map(read).transpose()
    }

    /// Remembers what an engine says of itself; what is known already stays as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_engine(
        &self,
        engine: &str,
        version: &str,
        data_version: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let [engine, version, data_version] = [engine, version, data_version].map(str::to_owned);
        self.core.writer.write(VersionWrite::Engine { engine, version, data_version, at }).await
    }

    /// The versions that engines have said they are, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn engine_versions(&self) -> Result<Vec<EngineVersion>, StoreError> {
        let sql = "select * from engine_version order by first_seen_us desc limit 1000";
        let read = |row: &AnyRow| {
            Ok(EngineVersion {
                engine: row.try_get("engine")?,
                version: row.try_get("version")?,
                data_version: row.try_get("data_version")?,
                first_seen: Timestamp::from_micros(row.try_get("first_seen_us")?),
            })
        };
        sqlx::query(sql).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// The ruleset in force; none before the first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ruleset_in_force(&self) -> Result<Option<RulesetId>, StoreError> {
        let sql = "select ruleset from ruleset_live order by since_us desc limit 1";
        let row = sqlx::query(sql).fetch_optional(&self.core.reads).await?;
        Ok(row.map(|row| row.try_get::<String, _>("ruleset")).transpose()?.map(RulesetId::from_text))
    }

    /// The detections, with their sources, of the ruleset that was in force before `live`; none if there was no other.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ruleset_before(&self, live: &RulesetId) -> Result<Vec<(Detection, String)>, StoreError> {
        let sql = "select ruleset from ruleset_live where ruleset <> $1 order by since_us desc limit 1";
        let row = sqlx::query(sql).bind(live.as_str()).fetch_optional(&self.core.reads).await?;
        let Some(row) = row else { return Ok(Vec::new()) };
        let before = RulesetId::from_text(row.try_get::<String, _>("ruleset")?);
        Ok(self.ruleset(&before).await?.map(|kept| kept.detections).unwrap_or_default())
    }

    /// A ruleset as it was kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ruleset(&self, id: &RulesetId) -> Result<Option<KeptRuleset>, StoreError> {
        let sql = "select versions_json, gates_json from ruleset where ruleset = $1";
        let Some(row) = sqlx::query(sql).bind(id.as_str()).fetch_optional(&self.core.reads).await? else {
            return Ok(None);
        };
        let versions: Vec<(String, String)> = from_json(&row, "versions_json")?;
        let gates = from_json(&row, "gates_json")?;
        let (mut detections, mut pages) = (Vec::with_capacity(versions.len()), BTreeMap::new());
        for (code, version) in versions {
            let sql = "select detection_json, source, page from detection_source where detection = $1 and \
                detection_version = $2";
            let row = sqlx::query(sql).bind(code).bind(version).fetch_optional(&self.core.reads).await?;
            let Some(row) = row else { continue };
            let detection: Detection = from_json(&row, "detection_json")?;
            let page: String = row.try_get("page")?;
            if !page.is_empty() {
                pages.insert(detection.code.clone(), page);
            }
            detections.push((detection, row.try_get("source")?));
        }
        Ok(Some(KeptRuleset { id: id.clone(), detections, pages, gates }))
    }

    /// All rulesets, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rulesets(&self) -> Result<Vec<ListedRuleset>, StoreError> {
        let sql = "select r.ruleset, r.first_seen_us, r.versions_json, max(l.since_us) as since_us from ruleset r \
                   left join ruleset_live l on l.ruleset = r.ruleset \
                   group by r.ruleset, r.first_seen_us, r.versions_json order by r.first_seen_us desc limit 1000";
        let read = |row: &AnyRow| {
            let versions: Vec<(String, String)> = from_json(row, "versions_json")?;
            let since: Option<i64> = row.try_get("since_us")?;
            Ok(ListedRuleset {
                id: RulesetId::from_text(row.try_get::<String, _>("ruleset")?),
                first_seen: Timestamp::from_micros(row.try_get("first_seen_us")?),
                detections: versions.len(),
                in_force_since: since.map(Timestamp::from_micros),
            })
        };
        sqlx::query(sql).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// Every version of a detection that was ever kept, newest first, with its source.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn versions_of(&self, code: &DetectionCode) -> Result<Vec<(Timestamp, Detection, String)>, StoreError> {
        let sql = "select first_seen_us, detection_json, source from detection_source where detection = $1 \
                   order by first_seen_us desc limit 1000";
        let read = |row: &AnyRow| {
            let since = Timestamp::from_micros(row.try_get("first_seen_us")?);
            Ok((since, from_json(row, "detection_json")?, row.try_get("source")?))
        };
        sqlx::query(sql).bind(code.as_str()).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// When a detection version was first kept: its first draft. None when it never was.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_draft(
        &self,
        code: &DetectionCode,
        version: &DetectionVersion,
    ) -> Result<Option<Timestamp>, StoreError> {
        let sql = "select first_seen_us from detection_source where detection = $1 and detection_version = $2";
        let row = sqlx::query(sql).bind(code.as_str()).bind(version.as_str()).fetch_optional(&self.core.reads).await?;
        row.map(|row| Ok(Timestamp::from_micros(row.try_get("first_seen_us")?))).transpose()
    }

    /// The code of a detection that is known, as it is kept, whatever the case in which `code` is written: one of a
    /// ruleset that was kept, or one that has hit something or was heard of.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known_detection(&self, code: &DetectionCode) -> Result<Option<DetectionCode>, StoreError> {
        // Findings and the journal are many, and are asked for by their index, in this spelling alone; the others are
        // few.
        let sql = format!(
            "{} union select detection from (select detection from finding where detection = $2 limit 1) as hit \
             union select detection from (select detection from sentinel_event where detection = $2 limit 1) as heard",
            spellings("$1")
        );
        let values = vec![code.as_str().to_lowercase().into(), code.as_str().into()];
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        let found: Vec<DetectionCode> = rows.iter().map(|row| parsed(row, "detection")).collect::<Result<_, _>>()?;
        Ok(found.iter().find(|one| *one == code).or(found.first()).cloned())
    }

    /// A policy as it was remembered.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy(&self, id: &str) -> Result<Option<Policy>, StoreError> {
        let sql = "select policy_json from policy_version where policy = $1";
        let row = sqlx::query(sql).bind(id.to_owned()).fetch_optional(&self.core.reads).await?;
        row.map(|row| from_json(&row, "policy_json")).transpose()
    }

    /// Remembers a policy version.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_policy(&self, policy: &Policy, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(VersionWrite::Policy { policy: Box::new(policy.clone()), at }).await
    }
}

impl Command for VersionWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Policy { policy, at } => {
                let values = vec![policy.id().as_str().into(), at.as_micros().into(), to_json(policy)?.into()];
                once(connection, "policy_version", &["policy", "first_seen_us", "policy_json"], values).await
            }
            Self::Engine { engine, version, data_version, at } => {
                let values = vec![
                    engine.as_str().into(),
                    version.as_str().into(),
                    data_version.as_str().into(),
                    at.as_micros().into(),
                ];
                once(connection, "engine_version", &["engine", "version", "data_version", "first_seen_us"], values)
                    .await
            }
            Self::Fixtures(fixtures) => {
                for one in fixtures {
                    // PostgreSQL's text has no NUL; nobody reads it either.
                    let words = [one.code.as_str(), one.version.as_str(), &one.hit, &one.miss];
                    let values = words.map(|word| word.replace('\0', "\u{fffd}").into());
                    let columns = ["detection", "detection_version", "hit", "miss"];
                    once(connection, "detection_fixture", &columns, values.into()).await?;
                }
                Ok(())
            }
            Self::Ruleset { kept, in_force, at } => {
                let KeptRuleset { id, detections, pages, gates } = kept.as_ref();
                let versions: Vec<(&str, &str)> = detections
                    .iter()
                    .map(|(detection, _)| (detection.code.as_str(), detection.version.as_str()))
                    .collect();
                // Built again, it is the same version; what was said of it last holds.
                let sql = "insert into ruleset (ruleset, first_seen_us, versions_json, gates_json) values ($1, $2, \
                       $3, $4) on conflict (ruleset) do update set gates_json = case when $4 = '[]' then \
                       ruleset.gates_json else $4 end";
                let values =
                    vec![id.as_str().into(), at.as_micros().into(), to_json(&versions)?.into(), to_json(gates)?.into()];
                database::query(sql.to_owned(), values).execute(&mut *connection).await?;
                if *in_force {
                    into_force(connection, id, *at).await?;
                }
                for (detection, source) in detections {
                    let columns =
                        ["detection", "detection_version", "first_seen_us", "detection_json", "source", "page"];
                    let page = pages.get(&detection.code).map(String::as_str).unwrap_or_default();
                    let values = vec![
                        detection.code.as_str().into(),
                        detection.version.as_str().into(),
                        at.as_micros().into(),
                        to_json(detection)?.into(),
                        source.as_str().into(),
                        page.into(),
                    ];
                    once(connection, "detection_source", &columns, values).await?;
                }
                Ok(())
            }
        }
    }
}

/// A new row unless it is in force already.
pub(crate) async fn into_force(
    connection: &mut AnyConnection,
    id: &RulesetId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "select ruleset from ruleset_live order by since_us desc limit 1";
    let last = sqlx::query(sql).fetch_optional(&mut *connection).await?;
    if last.map(|row| row.try_get::<String, _>("ruleset")).transpose()?.as_deref() == Some(id.as_str()) {
        return Ok(());
    }
    // Two changes in one microsecond of domain time still have an order.
    let sql = "insert into ruleset_live (since_us, ruleset) \
               select case when coalesce(max(since_us), 0) >= $1 then max(since_us) + 1 else $1 end, $2 from \
               ruleset_live";
    database::query(sql.to_owned(), vec![at.as_micros().into(), id.as_str().into()]).execute(connection).await?;
    Ok(())
}

async fn once(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[&str],
    values: Vec<Value>,
) -> Result<(), StoreError> {
    let marks = database::marks(1, columns.len());
    let sql = format!("insert into {table} ({}) values ({marks}) on conflict do nothing", columns.join(","));
    database::query(sql, values).execute(connection).await?;
    Ok(())
}
