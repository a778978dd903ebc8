//! Moves of units between accounts: compare-and-set on the account, and one row of the ledger for each.

use std::collections::{BTreeSet, HashSet};

use domain::ledger::{Account, Move};
use domain::{Timestamp, UnitId};
use sqlx::AnyConnection;

use crate::audit::journal::Line;
use crate::database::error::StoreError;
use crate::database::{self, Marks, Value};
use crate::mail::MailStore;
use crate::mail::arrival::unit_id;
use crate::quarantine::recovery;
use crate::upkeep::hold;
use crate::writer::{Batch, Command, Group};

/// The columns of the ledger, but for the step.
const COLUMNS: [&str; 10] =
    ["mail_id", "unit_no", "at_us", "from_account", "to_account", "moved_by", "actor", "reason", "batch", "verdict"];

/// One move to make.
#[derive(Clone, Debug)]
pub struct UnitMove {
    /// Which unit.
    pub unit: UnitId,
    /// Where it is believed to be.
    pub from: Account,
    /// What moves it.
    pub by: Move,
    /// When.
    pub at: Timestamp,
    /// Who: `gateway`, a reconciler, or a person.
    pub actor: String,
    /// Why, or the next hop's reply.
    pub reason: String,
}

/// Moves of units, all or none.
#[derive(Clone, Debug)]
struct Moves(Vec<UnitMove>);

impl Command for Moves {
    type Reply = ();

    fn rows(&self) -> usize {
        2 * self.0.len()
    }

    fn join<'b>(&'b self, batch: &mut Batch<'b>) {
        batch.moves.extend(&self.0);
    }

    async fn apply(&self, _group: &mut Group<'_>) -> Result<(), StoreError> {
        // Made with the batch.
        Ok(())
    }
}

impl MailStore {
    /// Makes moves durably, all or none.
    ///
    /// # Errors
    /// When a unit is not where it was believed to be, or its account does not allow the move.
    pub async fn move_units(&self, moves: Vec<UnitMove>) -> Result<(), StoreError> {
        self.core.writer.write(Moves(moves)).await
    }

    /// What this node was forwarding when it died is in doubt now: shown, and never sent again by us.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn doubt_forwarding(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut doubted = 0;
        loop {
            let rows = sqlx::query(
                "select u.mail_id, u.unit_no from unit u join message m on m.mail_id = u.mail_id \
                 where u.account = 'forwarding' and m.node = $1 order by u.mail_id, u.unit_no limit 200",
            )
            .bind(self.core.node.clone())
            .fetch_all(&self.core.reads)
            .await?;
            if rows.is_empty() {
                return Ok(doubted);
            }
            doubted += rows.len();
            let doubt = |unit| UnitMove {
                unit,
                from: Account::Forwarding,
                by: Move::AnswerLost,
                at: now,
                actor: "start".into(),
                reason: "the gateway stopped before the next hop's answer was recorded".into(),
            };
            let units: Vec<UnitId> = rows.iter().map(unit_id).collect::<Result<_, _>>()?;
            self.move_units(units.into_iter().map(doubt).collect()).await?;
        }
    }
}

/// A move with the digest of a new verdict that comes with it; empty if none.
pub(crate) struct UnitStep<'m> {
    pub(crate) unit_move: &'m UnitMove,
    pub(crate) verdict: String,
}

/// Makes moves inside the writer's transaction, in their order.
pub(crate) async fn make<'m, I>(group: &mut Group<'_>, moves: I) -> Result<(), StoreError>
where
    I: IntoIterator<Item = &'m UnitMove>,
{
    make_steps(group, moves.into_iter().map(|unit_move| UnitStep { unit_move, verdict: String::new() }).collect()).await
}

/// Makes steps. Those of different units go together, in few statements.
pub(crate) async fn make_steps(group: &mut Group<'_>, steps: Vec<UnitStep<'_>>) -> Result<(), StoreError> {
    let mut together: Vec<UnitStep<'_>> = Vec::new();
    let mut units = HashSet::new();
    for step in steps {
        if !units.insert(step.unit_move.unit) {
            make_together(group, std::mem::take(&mut together)).await?;
            units = HashSet::from([step.unit_move.unit]);
        }
        together.push(step);
    }
    make_together(group, together).await
}

/// Makes steps of different units.
async fn make_together(group: &mut Group<'_>, steps: Vec<UnitStep<'_>>) -> Result<(), StoreError> {
    let taken_back = steps.iter().filter(|step| step.unit_move.by == Move::Recovered).map(|step| step.unit_move.unit);
    recovery::must_have_bytes(group.connection, &taken_back.collect::<Vec<_>>()).await?;
    let ending = steps.iter().filter(|step| matches!(step.unit_move.by, Move::Deleted | Move::Expired));
    let ending: BTreeSet<String> = ending.map(|step| step.unit_move.unit.mail.to_string()).collect();
    hold::refuse_held(group.connection, &ending).await?;
    let lines = steps.into_iter().map(line).collect::<Result<Vec<Line>, StoreError>>()?;
    for lines in database::in_groups(lines.iter().collect(), 6) {
        update_units(group.connection, &lines).await?;
    }
    insert_lines(group, lines).await
}

fn line(step: UnitStep<'_>) -> Result<Line, StoreError> {
    let UnitMove { unit, from, by, at, actor, reason } = step.unit_move;
    let to = from.on(*by).map_err(|refused| StoreError::Refused(refused.to_string()))?;
    Ok(Line {
        unit: *unit,
        at: *at,
        from: from.as_str().into(),
        to: to.as_str().into(),
        by: by.as_str().into(),
        actor: actor.clone(),
        reason: reason.clone(),
        verdict: step.verdict,
    })
}

/// Compare-and-set of each unit's account: all of them, or it is refused.
async fn update_units(connection: &mut AnyConnection, lines: &[&Line]) -> Result<(), StoreError> {
    let mut marks = Marks::of(connection);
    let sql = format!(
        "with v (mail_id, unit_no, from_account, to_account, at_us, reply) as (values {}) \
         update unit set account = v.to_account, moved_us = v.at_us, \
         reply = case when account = v.to_account then unit.reply else v.reply end \
         from v where unit.mail_id = v.mail_id and unit.unit_no = v.unit_no and unit.account = v.from_account",
        marks.rows(lines.len(), 6)
    );
    let row = |line: &&Line| -> [Value; 6] {
        [
            line.unit.mail.to_string().into(),
            line.unit.number.into(),
            line.from.as_str().into(),
            line.to.as_str().into(),
            line.at.as_micros().into(),
            line.reason.as_str().into(),
        ]
    };
    let updated = database::query(sql, lines.iter().flat_map(row).collect()).execute(connection).await?;
    if updated.rows_affected() == lines.len() as u64 {
        return Ok(());
    }
    let units: Vec<String> = lines.iter().take(3).map(|line| format!("{} in {}", line.unit, line.from)).collect();
    Err(StoreError::Refused(format!(
        "of {} units not all are where they were, such as {}",
        lines.len(),
        units.join(", ")
    )))
}

/// Writes lines into the ledger, each one step after the last of its unit, and into the journal.
pub(crate) async fn insert_lines(group: &mut Group<'_>, lines: Vec<Line>) -> Result<(), StoreError> {
    for lines in database::in_groups(lines, COLUMNS.len()) {
        let columns = COLUMNS.join(",");
        let mut marks = Marks::of(group.connection);
        let sql = format!(
            "with v ({columns}) as (values {}) insert into ledger ({columns}, step) select {}, \
             (select coalesce(max(l.step), -1) + 1 from ledger l where l.mail_id = v.mail_id and l.unit_no = \
             v.unit_no) from v",
            marks.rows(lines.len(), COLUMNS.len()),
            COLUMNS.map(|column| format!("v.{column}")).join(",")
        );
        let batch = group.journal.batch;
        let row = |line: &Line| -> [Value; 10] {
            [
                line.unit.mail.to_string().into(),
                line.unit.number.into(),
                line.at.as_micros().into(),
                line.from.as_str().into(),
                line.to.as_str().into(),
                line.by.as_str().into(),
                line.actor.as_str().into(),
                line.reason.as_str().into(),
                batch.into(),
                line.verdict.as_str().into(),
            ]
        };
        database::query(sql, lines.iter().flat_map(row).collect()).execute(&mut *group.connection).await?;
        lines.into_iter().for_each(|line| group.journal.add(line));
    }
    Ok(())
}
