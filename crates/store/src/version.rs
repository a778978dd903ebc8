//! Rulesets, detections and policies as they were, kept for ever: a verdict names them, and a replay loads them.

use domain::Timestamp;
use domain::detection::{Detection, RulesetId};
use domain::policy::Policy;
use sqlx::AnyConnection;

use crate::Store;
use crate::db::{self, Value, to_json};
use crate::error::StoreError;

/// A version to remember.
#[derive(Clone, Debug)]
pub(crate) enum VersionWrite {
    Ruleset { id: RulesetId, detections: Vec<(Detection, String)>, at: Timestamp },
    Policy { policy: Box<Policy>, at: Timestamp },
}

impl Store {
    /// Remembers a ruleset with the source of each of its detections.
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
