//! Rulesets, detections and policies as they were, kept for ever: a verdict names them, and a replay loads them.

use domain::Timestamp;
use domain::detection::{Detection, RulesetId};
use domain::policy::Policy;
use sqlx::{AnyConnection, Row};

use crate::Store;
use crate::db::{self, Value, from_json, to_json};
use crate::error::StoreError;

/// A version to remember.
#[derive(Clone, Debug)]
pub(crate) enum VersionWrite {
    Ruleset { id: RulesetId, detections: Vec<(Detection, String)>, at: Timestamp },
    Policy { policy: Box<Policy>, at: Timestamp },
}

impl Store {
    /// Remembers a ruleset with the source of each of its detections, and that it is in force from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_ruleset(
        &self,
        id: &RulesetId,
        detections: Vec<(Detection, String)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.version(VersionWrite::Ruleset { id: id.clone(), detections, at }).await
    }

    /// The detections, with their sources, of the ruleset that was in force before `live`; none if there was no other.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ruleset_before(&self, live: &RulesetId) -> Result<Vec<(Detection, String)>, StoreError> {
        let sql = "select r.versions_json from ruleset_live l join ruleset r on r.ruleset = l.ruleset \
                   where l.ruleset <> $1 order by l.since_us desc limit 1";
        let row = sqlx::query(sql).bind(live.as_str()).fetch_optional(&self.reads).await?;
        let Some(row) = row else { return Ok(Vec::new()) };
        let versions: Vec<(String, String)> = from_json(&row, "versions_json")?;
        let mut detections = Vec::with_capacity(versions.len());
        for (code, version) in versions {
            let sql =
                "select detection_json, source from detection_source where detection = $1 and detection_version = $2";
            let row = sqlx::query(sql).bind(code).bind(version).fetch_optional(&self.reads).await?;
            if let Some(row) = row {
                detections.push((from_json(&row, "detection_json")?, row.try_get("source")?));
            }
        }
        Ok(detections)
    }

    /// Remembers a policy version.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_policy(&self, policy: &Policy, at: Timestamp) -> Result<(), StoreError> {
        self.writer.version(VersionWrite::Policy { policy: Box::new(policy.clone()), at }).await
    }
}

/// Remembers inside the writer's transaction; what is known already stays as it is.
pub(crate) async fn apply(connection: &mut AnyConnection, write: &VersionWrite) -> Result<(), StoreError> {
    match write {
        VersionWrite::Policy { policy, at } => {
            let values = vec![policy.id().as_str().into(), at.as_micros().into(), to_json(policy)?.into()];
            once(connection, "policy_version", &["policy", "first_seen_us", "policy_json"], values).await
        }
        VersionWrite::Ruleset { id, detections, at } => {
            let versions: Vec<(&str, &str)> =
                detections.iter().map(|(detection, _)| (detection.code.as_str(), detection.version.as_str())).collect();
            let values = vec![id.as_str().into(), at.as_micros().into(), to_json(&versions)?.into()];
            once(connection, "ruleset", &["ruleset", "first_seen_us", "versions_json"], values).await?;
            into_force(connection, id, *at).await?;
            for (detection, source) in detections {
                let columns = ["detection", "detection_version", "first_seen_us", "detection_json", "source"];
                let values = vec![
                    detection.code.as_str().into(),
                    detection.version.as_str().into(),
                    at.as_micros().into(),
                    to_json(detection)?.into(),
                    source.as_str().into(),
                ];
                once(connection, "detection_source", &columns, values).await?;
            }
            Ok(())
        }
    }
}

/// A new row unless it is in force already.
async fn into_force(connection: &mut AnyConnection, id: &RulesetId, at: Timestamp) -> Result<(), StoreError> {
    let sql = "select ruleset from ruleset_live order by since_us desc limit 1";
    let last = sqlx::query(sql).fetch_optional(&mut *connection).await?;
    if last.map(|row| row.try_get::<String, _>("ruleset")).transpose()?.as_deref() == Some(id.as_str()) {
        return Ok(());
    }
    let values = vec![at.as_micros().into(), id.as_str().into()];
    once(connection, "ruleset_live", &["since_us", "ruleset"], values).await
}

async fn once(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[&str],
    values: Vec<Value>,
) -> Result<(), StoreError> {
    let marks = db::marks(1, columns.len());
    let sql = format!("insert into {table} ({}) values ({marks}) on conflict do nothing", columns.join(","));
    db::query(sql, values).execute(connection).await?;
    Ok(())
}
