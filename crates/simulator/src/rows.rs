//! The rows as they stand, read by queries of the simulator's own.

use std::collections::BTreeMap;

use domain::UnitId;
use domain::ledger::Account;
use domain::release::ReleaseState;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use store::StoreError;
use store::database;

/// A unit: one message for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) id: UnitId,
    pub(crate) mail_id: String,
    /// The name of its letter.
    pub(crate) letter: String,
    pub(crate) recipient: String,
    pub(crate) account: Account,
    /// How often the answer to its release was lost.
    pub(crate) doubts: i64,
    pub(crate) release: Option<Release>,
}

/// The release of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) state: ReleaseState,
    pub(crate) owner: String,
    pub(crate) fence: i64,
    /// Attempts that were committed.
    pub(crate) attempts: i64,
    /// How often it was sent once more out of doubt.
    pub(crate) repeats: i64,
    pub(crate) possibly_twice: bool,
}

impl Release {
    /// Whether a round may have to do with it.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, ReleaseState::Released | ReleaseState::Failed)
    }
}

const UNITS: &str = "select u.mail_id, u.unit_no, u.recipient, u.account, m.sender, r.state, r.lease_owner, r.fence, \
    r.attempt, r.repeats, r.possibly_twice, (select count(*) from ledger l where l.mail_id = u.mail_id and \
    l.unit_no = u.unit_no and l.moved_by = 'release_unanswered') as doubts from unit u \
    join message m on m.mail_id = u.mail_id \
    left join release_item r on r.mail_id = u.mail_id and r.unit_no = u.unit_no order by u.mail_id, u.unit_no";

/// All units, in the order of their ids.
pub(crate) async fn units(connection: &mut AnyConnection) -> Result<Vec<Unit>, StoreError> {
    let rows = database::query(UNITS.to_owned(), Vec::new()).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Runs a statement.
pub(crate) async fn run(connection: &mut AnyConnection, sql: &str) -> Result<(), StoreError> {
    database::query(sql.to_owned(), Vec::new()).execute(connection).await?;
    Ok(())
}

/// The one number that a query answers.
pub(crate) async fn number(connection: &mut AnyConnection, sql: &str) -> Result<i64, StoreError> {
    let row = database::query(sql.to_owned(), Vec::new()).fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

fn read(row: &AnyRow) -> Result<Unit, StoreError> {
    let sender: String = row.try_get("sender")?;
    let number: i64 = row.try_get("unit_no")?;
    let id = UnitId { mail: database::parsed(row, "mail_id")?, number: u32::try_from(number).unwrap_or(u32::MAX) };
    let state: Option<String> = row.try_get("state")?;
    let release = match state.as_deref().and_then(ReleaseState::parse) {
        None => None,
        Some(state) => Some(Release {
            state,
            owner: row.try_get("lease_owner")?,
            fence: row.try_get("fence")?,
            attempts: row.try_get("attempt")?,
            repeats: row.try_get("repeats")?,
            possibly_twice: row.try_get::<i64, _>("possibly_twice")? == 1,
        }),
    };
    Ok(Unit {
        id,
        mail_id: row.try_get("mail_id")?,
        letter: sender.split('@').next().unwrap_or_default().to_owned(),
        recipient: row.try_get("recipient")?,
        account: database::named(row, "account", Account::parse)?,
        doubts: row.try_get("doubts")?,
        release,
    })
}

/// How many units are in each account, as one line.
pub(crate) fn summary(units: &[Unit]) -> String {
    let mut accounts: BTreeMap<&str, usize> = BTreeMap::new();
    for unit in units {
        *accounts.entry(unit.account.as_str()).or_default() += 1;
    }
    let each: Vec<String> = accounts.iter().map(|(account, units)| format!("{account} {units}")).collect();
    each.join(", ")
}
