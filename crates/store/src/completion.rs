//! Completing what an engine's failure left partial: the record of a held message becomes whole, and what passes is released,
//! in one transaction (promise 6: mail held for re-examination drains by itself).

use std::sync::Arc;

use domain::ledger::Account;
use domain::verdict::Verdict;
use domain::{Examination, MailId, Timestamp, UnitId};
use sqlx::AnyConnection;

use crate::Store;
use crate::arrival;
use crate::db::{parsed, to_json};
use crate::error::StoreError;
use crate::moves;
use crate::release;

/// A whole examination for a message whose first one was partial.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The message.
    pub mail_id: MailId,
    /// What is known now.
    pub examination: Arc<Examination>,
    /// The verdict for each unit, by its number in the envelope.
    pub verdicts: Vec<(u32, Verdict)>,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Held messages whose examination is partial, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn partial_held(&self, after: Option<MailId>, limit: i64) -> Result<Vec<MailId>, StoreError> {
        let sql = "select distinct m.mail_id from message m join unit u on u.mail_id = m.mail_id \
                   where m.is_partial = 1 and u.account = 'held' and m.mail_id > $1 order by m.mail_id limit $2";
        let after = after.map(|mail| mail.to_string()).unwrap_or_default();
        let rows = sqlx::query(sql).bind(after).bind(limit).fetch_all(&self.reads).await?;
        rows.iter().map(|row| parsed(row, "mail_id")).collect()
    }

    /// Records a whole examination, and asks for the release of the units that pass.
    ///
    /// # Errors
    /// When it is not partial any more, or the store fails.
    pub async fn complete(&self, completion: Completion) -> Result<(), StoreError> {
        self.writer.complete(completion).await
    }
}

/// Applies inside the writer's transaction.
pub(crate) async fn apply(connection: &mut AnyConnection, completion: &Completion) -> Result<(), StoreError> {
    let Completion { mail_id, examination, verdicts, at } = completion;
    let Some((_, first)) = verdicts.first() else { return Ok(()) };
    let mail = mail_id.to_string();
    let sql = "update message set is_partial = 0, category = $1, ruleset = $2, policy = $3, containment_epoch = $4, engines_json = $5 \
               where mail_id = $6 and is_partial = 1";
    let updated = sqlx::query(sql)
        .bind(first.category.as_str())
        .bind(examination.ruleset.as_str())
        .bind(first.policy.as_str())
        .bind(i64::try_from(first.containment_epoch).unwrap_or(i64::MAX))
        .bind(to_json(&examination.engines)?)
        .bind(mail.clone())
        .execute(&mut *connection)
        .await?;
    if updated.rows_affected() != 1 {
        return Err(StoreError::Refused(format!("mail {mail} is not partial any more")));
    }
    sqlx::query("delete from finding where mail_id = $1").bind(mail.clone()).execute(&mut *connection).await?;
    arrival::insert_findings(connection, *mail_id, examination).await?;
    for (number, verdict) in verdicts {
        let unit = UnitId { mail: *mail_id, number: *number };
        let known = sqlx::query("select account from unit where mail_id = $1 and unit_no = $2")
            .bind(mail.clone())
            .bind(i64::from(*number));
        if known.fetch_optional(&mut *connection).await?.is_none() {
            continue;
        }
        sqlx::query("update unit set disposition = $1, reasons_json = $2 where mail_id = $3 and unit_no = $4")
            .bind(verdict.disposition.as_str())
            .bind(to_json(&verdict.reasons)?)
            .bind(mail.clone())
            .bind(i64::from(*number))
            .execute(&mut *connection)
            .await?;
        if verdict.disposition.passes() && moves::account_of(connection, unit).await? == Account::Held {
            let reason = format!("examined completely: {}", verdict.category.as_str());
            release::request(connection, unit, "re-examination", &reason, *at).await?;
        }
    }
    Ok(())
}
