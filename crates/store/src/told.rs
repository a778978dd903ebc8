//! What is read of an incident, beside its units, to say when it began and what came of a message.

use domain::detection::Detection;
use domain::incident::Outcome;
use domain::incident::told::came_into_force;
use domain::{MailId, Timestamp};
use sqlx::Row;

use crate::Store;
use crate::db::{self, named};
use crate::error::StoreError;
use crate::sentinel::Suspect;

impl Store {
    /// When the first message came that the detection held, and the first that it held wrongly, as far as that is
    /// known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn incident_first(&self, id: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        // An id begins with the moment at which it came, and the index is in their order.
        let sql = "select (select min(mail_id) from incident_unit where incident = $1) as held, \
                   (select min(mail_id) from incident_unit where incident = $1 and outcome in ('cleared', 'asked')) as \
                   wrong";
        let row = sqlx::query(sql).bind(id.to_owned()).fetch_one(&self.reads).await?;
        let moment = |column: &str| {
            let mail: Option<String> = row.try_get(column)?;
            let mail = mail.map(|mail| mail.parse::<MailId>()).transpose();
            Ok::<_, StoreError>(mail.map_err(|error| StoreError::Unreadable(error.to_string()))?.map(|mail| mail.at()))
        };
        Ok((moment("held")?, moment("wrong")?))
    }

    /// What the replay made of the units of one message.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn incident_outcomes(&self, id: &str, mail: MailId) -> Result<Vec<Outcome>, StoreError> {
        let sql = "select outcome from incident_unit where incident = $1 and mail_id = $2 order by unit_no";
        let rows = db::query(sql.to_owned(), vec![id.into(), mail.to_string().into()]).fetch_all(&self.reads).await?;
        rows.iter().map(|row| named(row, "outcome", Outcome::parse)).collect()
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
