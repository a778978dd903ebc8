//! Does the ledger balance? Each check is one query that anyone with `sqlite3` or `psql` can run.

use std::collections::BTreeMap;

use domain::Digest;
use domain::ledger::Account;
use sqlx::Row;

use crate::database::error::StoreError;
use crate::upkeep::UpkeepStore;

/// Blobs whose names are read at once by a deep check.
const BLOBS_AT_ONCE: i64 = 200;

/// What is wrong with a unit, and the query that finds it: `mail_id`, `unit_no` and `what` of each fault.
pub const CHECKS: [(&str, &str); 6] = [
    (
        "the last row of the ledger is not where the unit is",
        "select u.mail_id, u.unit_no, u.account as what from unit u where not exists (select 1 from ledger l \
         where l.mail_id = u.mail_id and l.unit_no = u.unit_no and l.to_account = u.account and l.step = \
         (select max(step) from ledger x where x.mail_id = u.mail_id and x.unit_no = u.unit_no)) limit 100",
    ),
    (
        "a row of the ledger does not begin where the one before ended",
        "select l.mail_id, l.unit_no, l.from_account as what from ledger l left join ledger b on b.mail_id = l.mail_id \
         and b.unit_no = l.unit_no and b.step = l.step - 1 where coalesce(b.to_account, 'outside') <> l.from_account \
         limit 100",
    ),
    (
        "the ledger speaks of a unit that is not there",
        "select l.mail_id, l.unit_no, l.to_account as what from ledger l left join unit u on u.mail_id = l.mail_id \
         and u.unit_no = l.unit_no where u.mail_id is null limit 100",
    ),
    (
        "a unit has no message",
        "select u.mail_id, u.unit_no, u.account as what from unit u left join message m on m.mail_id = u.mail_id \
         where m.mail_id is null limit 100",
    ),
    (
        "a unit in custody has no stored bytes",
        "select u.mail_id, u.unit_no, u.account as what from unit u join message m on m.mail_id = u.mail_id \
         where m.blob is null and u.account in ('tentative', 'held', 'releasing', 'in_doubt', 'failed', 'denied') \
         limit 100",
    ),
    (
        "a release and its unit disagree",
        "select u.mail_id, u.unit_no, r.state as what from release_item r join unit u on u.mail_id = r.mail_id \
         and u.unit_no = r.unit_no where u.account <> case r.state when 'released' then 'released' \
         when 'in_doubt' then 'in_doubt' when 'failed' then u.account else 'releasing' end limit 100",
    ),
];

/// The result of a check of the ledger.
#[derive(Clone, Debug)]
pub struct Balance {
    /// Units in each account.
    pub accounts: BTreeMap<String, i64>,
    /// Units that we answered 2xx for.
    pub accepted: i64,
    /// Units shown beside them: being forwarded, tentative, refused, or in doubt while live.
    pub unconfirmed: i64,
    /// Units that purges removed from the ledger, by account; sealed.
    pub closed: BTreeMap<String, i64>,
    /// What is wrong, one line each.
    pub faults: Vec<String>,
}

impl Balance {
    /// Whether nothing is wrong.
    pub fn is_balanced(&self) -> bool {
        self.faults.is_empty()
    }
}

impl UpkeepStore {
    /// Checks the ledger: the units of each account, the chain of each unit, and that custody has its bytes.
    /// With `deep` every blob is read as well and its bytes are checked against its name.
    ///
    /// # Errors
    /// When the store fails; a fault in the ledger is no error but part of the answer.
    pub async fn check_ledger(&self, deep: bool) -> Result<Balance, StoreError> {
        self.core.soundness.heed(self.balance(deep).await)
    }

    async fn balance(&self, deep: bool) -> Result<Balance, StoreError> {
        // One transaction, so that all queries see the same moment.
        let mut moment = self.core.reads.begin().await?;
        let mut accounts = BTreeMap::new();
        let rows =
            sqlx::query("select account, count(*) as units from unit group by account").fetch_all(&mut *moment).await?;
        for row in rows {
            accounts.insert(row.try_get::<String, _>("account")?, row.try_get::<i64, _>("units")?);
        }
        let mut faults = Vec::new();
        let sides = "select account, cast(sum(units) as bigint) as units from (\
                     select to_account as account, count(*) as units from ledger group by to_account union all \
                     select from_account as account, -count(*) as units from ledger group by from_account) sides group \
                     by account";
        for row in sqlx::query(sides).fetch_all(&mut *moment).await? {
            let (account, units): (String, i64) = (row.try_get("account")?, row.try_get("units")?);
            let shown = if account == "outside" {
                -accounts.values().sum::<i64>()
            } else {
                *accounts.get(&account).unwrap_or(&0)
            };
            if units != shown {
                faults.push(format!("account {account}: the ledger says {units}, the units say {shown}"));
            }
        }
        for (what, sql) in CHECKS {
            for row in sqlx::query(sql).fetch_all(&mut *moment).await? {
                let (mail, unit, state): (String, i64, String) =
                    (row.try_get("mail_id")?, row.try_get("unit_no")?, row.try_get("what")?);
                faults.push(format!("unit {mail}/{unit} ({state}): {what}"));
            }
        }
        moment.commit().await?;
        if deep {
            faults.extend(self.check_blobs().await?);
        }
        let sum = |accepted: bool| {
            let known = accounts.iter().filter_map(|(name, units)| Some((Account::parse(name)?, units)));
            known.filter(|(account, _)| account.is_accepted() == accepted).map(|(_, units)| units).sum()
        };
        let (closed, broken_seals) = self.closing_balances().await?;
        faults.extend(broken_seals);
        Ok(Balance { accepted: sum(true), unconfirmed: sum(false), accounts, closed, faults })
    }

    /// Reads every blob that a message needs. Not in one transaction: reading takes as long as the disk takes.
    async fn check_blobs(&self) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        let sql = "select mail_id, blob from message where blob is not null and mail_id > $1 order by mail_id limit $2";
        let mut place = String::new();
        loop {
            let rows = sqlx::query(sql).bind(place).bind(BLOBS_AT_ONCE).fetch_all(&self.core.reads).await?;
            let Some(last) = rows.last() else { return Ok(faults) };
            place = last.try_get("mail_id")?;
            for row in &rows {
                let (mail, blob): (String, String) = (row.try_get("mail_id")?, row.try_get("blob")?);
                let Ok(digest) = Digest::parse(&blob) else {
                    faults.push(format!("mail {mail}: '{blob}' names no bytes"));
                    continue;
                };
                let fault = self.core.blobs.check(digest).await?.fault();
                // It may have been removed since its row was read, as what has ended is.
                if let Some(fault) = fault
                    && self.needs_blob(&mail).await?
                {
                    faults.push(format!("mail {mail}: {blob}: {fault}"));
                }
            }
        }
    }

    async fn needs_blob(&self, mail: &str) -> Result<bool, StoreError> {
        let sql = "select 1 as one from message where mail_id = $1 and blob is not null";
        Ok(sqlx::query(sql).bind(mail.to_owned()).fetch_optional(&self.core.reads).await?.is_some())
    }
}
