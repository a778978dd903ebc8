//! Moves of units between accounts: compare-and-set on the account, and one row of the ledger for each.

use domain::ledger::{Account, Move};
use domain::{Timestamp, UnitId};
use sqlx::AnyConnection;

use crate::Store;
use crate::arrival::{LEDGER, unit_id};
use crate::db::{self, Value, named};
use crate::error::StoreError;
use crate::journal::{Group, Line};

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

impl Store {
    /// Makes moves durably, all or none.
    ///
    /// # Errors
    /// When a unit is not where it was believed to be, or its account does not allow the move.
    pub async fn move_units(&self, moves: Vec<UnitMove>) -> Result<(), StoreError> {
        self.writer.moves(moves).await
    }

    /// What this node was forwarding when it died is in doubt now: shown, and never sent again by us (ruling 9).
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
            .bind(self.node.clone())
            .fetch_all(&self.reads)
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

/// Makes moves inside the writer's transaction.
pub(crate) async fn make(group: &mut Group<'_>, moves: &[UnitMove]) -> Result<(), StoreError> {
    for step in moves {
        make_one(group, step, String::new()).await?;
    }
    Ok(())
}

/// Makes one move; `verdict` is the digest of a new verdict that comes with it, empty if none.
pub(crate) async fn make_one(group: &mut Group<'_>, step: &UnitMove, verdict: String) -> Result<(), StoreError> {
    let to = step.from.on(step.by).map_err(|refused| StoreError::Refused(refused.to_string()))?;
    let mail = step.unit.mail.to_string();
    let updated = sqlx::query(
        "update unit set account = $1, moved_us = $2, reply = case when account = $3 then reply else $4 end \
         where mail_id = $5 and unit_no = $6 and account = $7",
    )
    .bind(to.as_str())
    .bind(step.at.as_micros())
    .bind(to.as_str())
    .bind(step.reason.clone())
    .bind(mail.clone())
    .bind(i64::from(step.unit.number))
    .bind(step.from.as_str())
    .execute(&mut *group.connection)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(StoreError::Refused(format!("unit {} is not in {}", step.unit, step.from.as_str())));
    }
    let sql = format!(
        "insert into ledger ({}) select $1, $2, coalesce(max(step), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10 \
         from ledger where mail_id = $11 and unit_no = $12",
        LEDGER.join(",")
    );
    let values: Vec<Value> = vec![
        mail.as_str().into(),
        step.unit.number.into(),
        step.at.as_micros().into(),
        step.from.as_str().into(),
        to.as_str().into(),
        step.by.as_str().into(),
        step.actor.as_str().into(),
        step.reason.as_str().into(),
        group.journal.batch.into(),
        verdict.as_str().into(),
        mail.into(),
        step.unit.number.into(),
    ];
    db::query(sql, values).execute(&mut *group.connection).await?;
    group.journal.add(Line {
        unit: step.unit,
        at: step.at,
        from: step.from.as_str().into(),
        to: to.as_str().into(),
        by: step.by.as_str().into(),
        actor: step.actor.clone(),
        reason: step.reason.clone(),
        verdict,
    });
    Ok(())
}

/// Where a unit is, read inside the writer's transaction.
pub(crate) async fn account_of(connection: &mut AnyConnection, unit: UnitId) -> Result<Account, StoreError> {
    let row = sqlx::query("select account from unit where mail_id = $1 and unit_no = $2")
        .bind(unit.mail.to_string())
        .bind(i64::from(unit.number))
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("unit {unit}")))?;
    named(&row, "account", Account::parse)
}
