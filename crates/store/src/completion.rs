//! A later examination of a held message takes the place of the first: what an engine's failure left partial becomes whole and what passes
//! is released, in one transaction (promise 6: mail held for re-examination drains by itself); and what a wrong detection held is judged
//! anew by a replay, which asks for the releases itself.

use std::sync::Arc;

use domain::ledger::{Account, Move};
use domain::verdict::Verdict;
use domain::{Digest, Examination, MailId, Timestamp, UnitId};
use sqlx::Row;

use crate::Store;
use crate::arrival;
use crate::db::{named, parsed, to_json};
use crate::error::StoreError;
use crate::journal::{self, Grounds, Group};
use crate::moves::{self, Step, UnitMove};
use crate::release::{self, Asking};

/// Why a message was examined again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// An engine had failed. What passes is released.
    Partial,
    /// An incident is replayed.
    Replay,
}

/// A later examination of a message.
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
    /// Why.
    pub occasion: Occasion,
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
pub(crate) async fn apply(group: &mut Group<'_>, completion: &Completion) -> Result<(), StoreError> {
    let Completion { mail_id, examination, verdicts, at, occasion } = completion;
    let Some((_, first)) = verdicts.first() else { return Ok(()) };
    let mail = mail_id.to_string();
    let grounds = Grounds::of(examination, Some(first))?;
    let sql = "update message set is_partial = 0, category = $1, ruleset = $2, policy = $3, containment_epoch = $4, engines_json = $5, \
               facts_json = $8 where mail_id = $6 and is_partial >= $7";
    let updated = sqlx::query(sql)
        .bind(grounds.category.clone())
        .bind(grounds.ruleset.clone())
        .bind(grounds.policy.clone())
        .bind(grounds.containment_epoch)
        .bind(grounds.engines_json.clone())
        .bind(mail.clone())
        .bind(i64::from(*occasion == Occasion::Partial))
        .bind(to_json(&examination.facts)?)
        .execute(&mut *group.connection)
        .await?;
    if updated.rows_affected() != 1 {
        return Err(StoreError::Refused(format!("mail {mail} is not partial any more")));
    }
    sqlx::query("delete from finding where mail_id = $1").bind(mail).execute(&mut *group.connection).await?;
    arrival::insert_findings(group.connection, *mail_id, examination).await?;
    let digest = grounds.digest(&examination.findings);
    for (number, verdict) in verdicts {
        let unit = UnitId { mail: *mail_id, number: *number };
        decide_again(group, unit, verdict, &digest, *at, *occasion).await?;
    }
    Ok(())
}

/// Records the new verdict of a unit, and asks for its release if it passes now.
async fn decide_again(
    group: &mut Group<'_>,
    unit: UnitId,
    verdict: &Verdict,
    grounds: &Digest,
    at: Timestamp,
    occasion: Occasion,
) -> Result<(), StoreError> {
    let (mail, number) = (unit.mail.to_string(), i64::from(unit.number));
    let disposition = verdict.disposition.as_str();
    let reasons = to_json(&verdict.reasons)?;
    let sql = "update unit set disposition = $1, reasons_json = $2 where mail_id = $3 and unit_no = $4 \
               returning recipient, is_enforced, account";
    let updated = sqlx::query(sql)
        .bind(disposition)
        .bind(reasons.clone())
        .bind(mail)
        .bind(number)
        .fetch_optional(&mut *group.connection)
        .await?;
    let Some(row) = updated else { return Ok(()) };
    let from = named(&row, "account", Account::parse)?;
    let recipient: String = row.try_get("recipient")?;
    let enforced = row.try_get::<i64, _>("is_enforced")? == 1;
    let (actor, how) = match occasion {
        Occasion::Partial => ("re-examination", "examined completely"),
        Occasion::Replay => ("replay", "examined again"),
    };
    let reason = format!("{how}: {}", verdict.category.as_str());
    let step = UnitMove { unit, from, by: Move::Reexamined, at, actor: actor.into(), reason: reason.clone() };
    let verdict_digest = journal::verdict(grounds, &recipient, disposition, enforced, &reasons);
    moves::make_steps(group, vec![Step { unit_move: &step, verdict: verdict_digest }]).await?;
    if occasion == Occasion::Partial && verdict.disposition.passes() && from == Account::Held {
        let asking = Asking { by: actor, reason: &reason, is_person: false, at };
        release::request(group, &[unit], &asking).await?;
    }
    Ok(())
}
