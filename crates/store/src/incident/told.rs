//! What is read of an incident, beside its units, to say when it held first and what came of a message.

use domain::incident::Outcome;
use domain::{MailId, Timestamp};
use sqlx::Row;

use crate::database::error::StoreError;
use crate::database::{self, named};
use crate::incident::IncidentStore;

impl IncidentStore {
    /// When the first message came that the detection held, and the first that it held wrongly, as far as that is
    /// known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_held_and_first_wrongly_held(
        &self,
        id: &str,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        // An id begins with the moment at which it came, and the index is in their order.
        let sql = "select (select min(mail_id) from incident_unit where incident = $1) as held, \
                   (select min(mail_id) from incident_unit where incident = $1 and outcome in ('cleared', 'asked')) as \
                   wrong";
        let row = sqlx::query(sql).bind(id.to_owned()).fetch_one(&self.core.reads).await?;
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
    pub async fn replay_outcomes_of_mail(&self, id: &str, mail: MailId) -> Result<Vec<Outcome>, StoreError> {
        let sql = "select outcome from incident_unit where incident = $1 and mail_id = $2 order by unit_no";
        let rows = database::query(sql.to_owned(), vec![id.into(), mail.to_string().into()])
            .fetch_all(&self.core.reads)
            .await?;
        rows.iter().map(|row| named(row, "outcome", Outcome::parse)).collect()
    }
}
