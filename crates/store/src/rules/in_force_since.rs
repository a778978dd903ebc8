//! Since when versions have been in force, as far as the record says.

use domain::Timestamp;
use domain::detection::{Detection, RulesetId};
use domain::incident::told::came_into_force;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::evidence::sentinel::Suspect;
use crate::rules::RuleStore;

impl RuleStore {
    /// Since when each ruleset that was ever in force was so, newest first: what changed when.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn in_force_since(&self) -> Result<Vec<(RulesetId, Timestamp)>, StoreError> {
        let sql = "select ruleset, since_us from ruleset_live order by since_us desc limit 50";
        let read = |row: &AnyRow| {
            let id = RulesetId::from_text(row.try_get::<String, _>("ruleset")?);
            Ok((id, Timestamp::from_micros(row.try_get("since_us")?)))
        };
        sqlx::query(sql).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// When a detection version came into force, as far as the record says: by the rulesets that were in force, or by
    /// what an engine outside has said of its data.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn came_into_force(&self, suspect: &Suspect) -> Result<Option<Timestamp>, StoreError> {
        if let Some((engine, _)) = suspect.code.as_str().split_once(':') {
            let said = self.engine_versions().await?.into_iter();
            let said = said.filter(|one| one.engine == engine && one.data_version == suspect.version.as_str());
            return Ok(said.map(|one| one.first_seen).min());
        }
        let mut history = Vec::new();
        for (id, since) in self.in_force_since().await? {
            let kept = self.ruleset(&id).await?;
            let is_it = |one: &Detection| one.code == suspect.code && one.version == suspect.version;
            let has = kept.is_some_and(|kept| kept.detections.iter().any(|(one, _)| is_it(one)));
            history.push((has, since));
        }
        Ok(came_into_force(history))
    }
}
