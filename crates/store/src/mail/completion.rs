//! A later examination of a held message takes the place of the first: what an engine's failure left partial becomes
//! whole and what passes is released, in one transaction (mail held for re-examination drains by itself); and what a
//! wrong detection held is judged anew by a replay, which asks for the releases itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ledger::{Account, Move};
use domain::verdict::Verdict;
use domain::{Digest, Examination, MailId, Timestamp, UnitId};
use sqlx::{AnyConnection, Row};

use crate::audit::journal::{self, Grounds};
use crate::database::error::StoreError;
use crate::database::{self, Marks, Value, named, parsed, to_json};
use crate::mail::MailStore;
use crate::mail::arrival::{self, unit_id};
use crate::mail::moves::{self, UnitMove, UnitStep};
use crate::release::{self, Asking};
use crate::writer::{Command, Group};

/// Why a message was examined again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// An engine had failed. What passes is released.
    Partial,
    /// An incident is replayed.
    Replay,
    /// The version that holds it is on probation, and people had time to choose.
    Probation,
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

impl MailStore {
    /// Held messages whose examination is partial, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn held_and_examined_in_part(
        &self,
        after: Option<MailId>,
        limit: i64,
    ) -> Result<Vec<(MailId, String)>, StoreError> {
        let sql = "select distinct m.mail_id, m.client_ip from message m join unit u on u.mail_id = m.mail_id \
                   where m.is_partial = 1 and u.account = 'held' and m.mail_id > $1 order by m.mail_id limit $2";
        let after = after.map(|mail| mail.to_string()).unwrap_or_default();
        let rows = sqlx::query(sql).bind(after).bind(limit).fetch_all(&self.core.reads).await?;
        Ok(database::readable(&rows, |row| Ok((parsed(row, "mail_id")?, row.try_get("client_ip")?))))
    }

    /// Records a whole examination, and asks for the release of the units that pass.
    ///
    /// # Errors
    /// When it is not partial any more, or the store fails.
    pub async fn record_full_examination(&self, completion: Completion) -> Result<(), StoreError> {
        self.core.writer.write(completion).await
    }
}

/// A completion with what its new verdicts rest on.
struct Judged<'c> {
    completion: &'c Completion,
    grounds: Grounds,
    digest: Digest,
}

impl Command for Completion {
    type Reply = ();

    fn rows(&self) -> usize {
        1 + 2 * self.examination.findings.len() + 4 * self.verdicts.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        complete(group, &[self]).await
    }
}

/// Applies inside the writer's transaction: completions of different messages go together, in few statements.
pub(crate) async fn complete(group: &mut Group<'_>, completions: &[&Completion]) -> Result<(), StoreError> {
    let mut judged = Vec::with_capacity(completions.len());
    for completion in completions {
        let Some((_, first)) = completion.verdicts.first() else { continue };
        let grounds = Grounds::of(&completion.examination, Some(first))?;
        let digest = grounds.digest(&completion.examination.findings);
        judged.push(Judged { completion, grounds, digest });
    }
    update_messages(group.connection, &judged).await?;
    replace_findings(group.connection, completions).await?;
    let units = judged.iter().flat_map(|one| one.completion.verdicts.iter().map(move |verdict| (one, verdict)));
    let moved = update_units(group.connection, &units.collect::<Vec<_>>()).await?;
    let steps = moved.iter().map(|(unit_move, verdict)| UnitStep { unit_move, verdict: verdict.clone() });
    moves::make_steps(group, steps.collect()).await?;
    release_what_passes(group, completions, &moved).await
}

/// The new ground of each message: all of them are as they were taken up, or it is refused.
async fn update_messages(connection: &mut AnyConnection, judged: &[Judged<'_>]) -> Result<(), StoreError> {
    const COLUMNS: usize = 8;
    for judged in database::in_groups(judged.iter().collect(), COLUMNS) {
        let mut marks = Marks::of(connection);
        let sql = format!(
            "with v (mail_id, partial_least, category, ruleset, policy, epoch, engines_json, facts_json) as (values \
                {}) \
             update message set is_partial = 0, category = v.category, ruleset = v.ruleset, policy = v.policy, \
             containment_epoch = v.epoch, engines_json = v.engines_json, facts_json = v.facts_json \
             from v where message.mail_id = v.mail_id and message.is_partial >= v.partial_least",
            marks.rows(judged.len(), COLUMNS)
        );
        let mut values: Vec<Value> = Vec::with_capacity(judged.len() * COLUMNS);
        for Judged { completion, grounds, .. } in &judged {
            values.extend([
                completion.mail_id.to_string().into(),
                i64::from(completion.occasion == Occasion::Partial).into(),
                grounds.category.as_str().into(),
                grounds.ruleset.as_str().into(),
                grounds.policy.as_str().into(),
                grounds.containment_epoch.into(),
                grounds.engines_json.as_str().into(),
                Value::from(to_json(&completion.examination.facts)?),
            ]);
        }
        let updated = database::query(sql, values).execute(&mut *connection).await?;
        if updated.rows_affected() != judged.len() as u64 {
            let mails: Vec<String> = judged.iter().take(3).map(|one| one.completion.mail_id.to_string()).collect();
            return Err(StoreError::Refused(format!("not all of these are as they were: {}", mails.join(", "))));
        }
    }
    Ok(())
}

async fn replace_findings(connection: &mut AnyConnection, completions: &[&Completion]) -> Result<(), StoreError> {
    for some in database::in_groups(completions.to_vec(), 1) {
        let mails = || some.iter().map(|one| Value::from(one.mail_id.to_string())).collect::<Vec<_>>();
        let marks = database::marks(1, some.len());
        database::query(format!("delete from finding where mail_id in ({marks})"), mails())
            .execute(&mut *connection)
            .await?;
        if some.iter().any(|one| one.occasion == Occasion::Partial) {
            // An incident that counted it in knows no more whether it was held for one reason alone.
            let sql = format!("update incident_unit set is_alone = null where mail_id in ({marks})");
            database::query(sql, mails()).execute(&mut *connection).await?;
        }
    }
    arrival::insert_findings(connection, completions.iter().map(|one| (one.mail_id, &*one.examination))).await
}

/// Records the new verdict of each unit. Returns the step that each has made, with the digest of its verdict.
async fn update_units(
    connection: &mut AnyConnection,
    units: &[(&Judged<'_>, &(u32, Verdict))],
) -> Result<Vec<(UnitMove, String)>, StoreError> {
    const COLUMNS: usize = 4;
    let mut verdicts = BTreeMap::new();
    for (judged, (number, verdict)) in units {
        let unit = UnitId { mail: judged.completion.mail_id, number: *number };
        verdicts.insert(unit, (*judged, verdict, to_json(&verdict.reasons)?));
    }
    let mut moved = Vec::with_capacity(units.len());
    for some in database::in_groups(verdicts.iter().collect(), COLUMNS) {
        let mut marks = Marks::of(connection);
        let sql = format!(
            "with v (mail_id, unit_no, disposition, reasons_json) as (values {}) update unit set disposition = \
                v.disposition, \
             reasons_json = v.reasons_json from v where unit.mail_id = v.mail_id and unit.unit_no = v.unit_no \
             returning unit.mail_id, unit.unit_no, unit.recipient, unit.is_enforced, unit.account",
            marks.rows(some.len(), COLUMNS)
        );
        let row = |(unit, (_, verdict, reasons)): &(&UnitId, &(&Judged<'_>, &Verdict, String))| -> [Value; COLUMNS] {
            let disposition = verdict.disposition.as_str();
            [unit.mail.to_string().into(), unit.number.into(), disposition.into(), reasons.as_str().into()]
        };
        for row in database::query(sql, some.iter().flat_map(row).collect()).fetch_all(&mut *connection).await? {
            let unit = unit_id(&row)?;
            let Some((judged, verdict, reasons)) = verdicts.get(&unit) else { continue };
            let (actor, how) = match judged.completion.occasion {
                Occasion::Partial => ("re-examination", "examined completely"),
                Occasion::Replay => ("replay", "examined again"),
                Occasion::Probation => ("probation", "examined again"),
            };
            let unit_move = UnitMove {
                unit,
                from: named(&row, "account", Account::parse)?,
                by: Move::Reexamined,
                at: judged.completion.at,
                actor: actor.into(),
                reason: format!("{how}: {}", verdict.category.as_str()),
            };
            let recipient: String = row.try_get("recipient")?;
            let enforced = row.try_get::<i64, _>("is_enforced")? == 1;
            let disposition = verdict.disposition.as_str();
            let digest = journal::verdict(&judged.digest, &recipient, disposition, enforced, reasons);
            moved.push((unit_move, digest));
        }
    }
    Ok(moved)
}

/// What was held only because an engine had failed, and passes, is asked for.
async fn release_what_passes(
    group: &mut Group<'_>,
    completions: &[&Completion],
    moved: &[(UnitMove, String)],
) -> Result<(), StoreError> {
    let passes = |unit: UnitId| {
        let of = completions.iter().find(|one| one.mail_id == unit.mail && one.occasion == Occasion::Partial);
        of.is_some_and(|one| one.verdicts.iter().any(|(n, verdict)| *n == unit.number && verdict.disposition.passes()))
    };
    for (step, _) in moved.iter().filter(|(step, _)| step.from == Account::Held && passes(step.unit)) {
        let asking = Asking { by: &step.actor, reason: &step.reason, is_person: false, at: step.at };
        release::request(group, &[step.unit], &asking).await?;
    }
    Ok(())
}
