//! Taking back that mail was deleted or expired, as long as its bytes are there: one unit, or all that ended since a
//! moment.

use std::collections::BTreeSet;

use domain::ledger::{Account, Move};
use domain::{Timestamp, UnitId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, marks, named};
use crate::mail::MailStore;
use crate::mail::arrival::unit_id;
use crate::mail::moves::UnitMove;
use crate::people::scope::Scope;
use crate::quarantine::QuarantineStore;

/// Which units to take back.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Those that were deleted or expired at this moment or later.
    pub since: Timestamp,
    /// Whether those that retention expired are meant.
    pub expired: bool,
    /// Whether those that people deleted are meant.
    pub deleted: bool,
}

impl Ended {
    fn accounts(&self) -> Vec<&'static str> {
        let named = [(self.expired, Account::Expired), (self.deleted, Account::Deleted)];
        named.into_iter().filter(|(is_meant, _)| *is_meant).map(|(_, account)| account.as_str()).collect()
    }
}

impl QuarantineStore {
    /// Units that can be taken back, oldest first: how many there are, and the first `most` with where they are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recoverable(
        &self,
        ended: &Ended,
        scope: &Scope,
        most: i64,
    ) -> Result<(u64, Vec<(UnitId, Account)>), StoreError> {
        let mut values: Vec<Value> = vec![ended.since.as_micros().into()];
        let accounts = ended.accounts();
        if accounts.is_empty() {
            return Ok((0, Vec::new()));
        }
        let list = marks(2, accounts.len());
        values.extend(accounts.into_iter().map(Value::from));
        let scope = scope.condition(&mut values);
        let from = format!(
            "from unit u join message m on m.mail_id = u.mail_id where u.moved_us >= $1 and u.account in ({list}) \
             and m.blob is not null and {scope}"
        );
        let counted = database::query(format!("select count(*) as units {from}"), values.clone());
        let count: i64 = counted.fetch_one(&self.core.reads).await?.try_get("units")?;
        values.push(most.into());
        let sql = format!(
            "select u.mail_id, u.unit_no, u.account {from} order by u.mail_id, u.unit_no limit ${}",
            values.len()
        );
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        let unit = |row: &AnyRow| Ok((unit_id(row)?, named(row, "account", Account::parse)?));
        Ok((u64::try_from(count).unwrap_or(0), rows.iter().map(unit).collect::<Result<_, StoreError>>()?))
    }

    /// Takes units back into the quarantine; returns those that came. One whose bytes have gone, or that somebody else
    /// took back, stays as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(
        &self,
        units: Vec<(UnitId, Account)>,
        now: Timestamp,
        actor: &str,
        reason: &str,
    ) -> Result<Vec<UnitId>, StoreError> {
        let back = |(unit, from): &(UnitId, Account)| UnitMove {
            unit: *unit,
            from: *from,
            by: Move::Recovered,
            at: now,
            actor: actor.to_owned(),
            reason: reason.to_owned(),
        };
        let moves: Vec<UnitMove> = units.iter().map(back).collect();
        let mails = MailStore::new(&self.core);
        match mails.move_units(moves.clone()).await {
            Ok(()) => Ok(units.into_iter().map(|(unit, _)| unit).collect()),
            Err(StoreError::Refused(_)) => {
                let mut back = Vec::new();
                for one in moves {
                    let unit = one.unit;
                    match mails.move_units(vec![one]).await {
                        Ok(()) => back.push(unit),
                        Err(StoreError::Refused(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(back)
            }
            Err(error) => Err(error),
        }
    }
}

/// Inside the writer's transaction: what is taken back has its bytes, and keeps them and its record until the end of
/// the transaction; or it is refused.
pub(crate) async fn must_have_bytes(connection: &mut AnyConnection, units: &[UnitId]) -> Result<(), StoreError> {
    let mails: BTreeSet<String> = units.iter().map(|unit| unit.mail.to_string()).collect();
    let mails: Vec<String> = mails.into_iter().collect();
    claim(connection, &mails).await?;
    for mails in database::in_groups(mails, 1) {
        let sql =
            format!("select mail_id from message where blob is not null and mail_id in ({})", marks(1, mails.len()));
        let rows = database::query(sql, mails.iter().map(|mail| mail.as_str().into()).collect())
            .fetch_all(&mut *connection)
            .await?;
        let with_bytes = rows.iter().map(|row| row.try_get("mail_id")).collect::<Result<BTreeSet<String>, _>>()?;
        if let Some(mail) = mails.iter().find(|mail| !with_bytes.contains(*mail)) {
            return Err(StoreError::Refused(format!("the bytes of {mail} are gone: it cannot be taken back")));
        }
    }
    Ok(())
}

/// Inside the writer's transaction: what another transaction does about these messages and has not ended is waited for,
/// and what it would begin waits for this one. Whoever takes back, forgets bytes or purges does this first, and looks
/// then, in a statement of its own: PostgreSQL shows a statement what was committed before it began, not before its
/// wait ended.
pub(crate) async fn claim(connection: &mut AnyConnection, mails: &[String]) -> Result<(), StoreError> {
    // One at a time and in their order, so that two that claim the same ones do not wait for each other.
    let mut mails: Vec<&String> = mails.iter().collect();
    mails.sort_unstable();
    for mail in mails {
        sqlx::query("update message set blob = blob where mail_id = $1")
            .bind(mail.clone())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
