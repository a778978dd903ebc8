//! Mail of the last days that looks like something: what an entry about it would have held.

use std::time::Duration;

use domain::fingerprint::Fingerprints;
use domain::{MailId, Timestamp};
use sqlx::Row;
use tokio::time::Instant;

use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, marks, parsed};
use crate::mail::MailStore;
use crate::people::scope::Scope;

/// Mails that are compared at most, the newest first.
pub const COMPARED_MAX: usize = 200_000;
/// Mails that one statement asks for.
const PAGE: usize = 5000;
/// Time for all of it: somebody waits.
const TIME_MAX: Duration = Duration::from_secs(20);
/// Mails that are alike and of which is asked what became of them.
const ALIKE_MAX: usize = 500;

/// How much mail looks like something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlikeMail {
    /// Mails that were compared; those without a fingerprint are not.
    pub compared: u64,
    /// Whether that was all mail of the time that was asked for.
    pub is_all: bool,
    /// Mails that are alike.
    pub alike: u64,
    /// The newest of them that were passed on to somebody: of 500 that are looked at.
    pub delivered: Vec<MailId>,
}

impl MailStore {
    /// The mail since `since` of which `is_like` says that it is alike.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn alike_since(
        &self,
        since: Timestamp,
        scope: &Scope,
        is_like: impl Fn(&Fingerprints) -> bool,
    ) -> Result<AlikeMail, StoreError> {
        let until = Instant::now() + TIME_MAX;
        let (mut found, mut alike, mut before) = (AlikeMail::default(), Vec::new(), None);
        let mut looked_at = 0;
        loop {
            let page = self.page(since, scope, before).await?;
            for (id, prints) in &page {
                if is_like(prints) {
                    found.alike += 1;
                    alike.push(*id);
                }
            }
            alike.truncate(ALIKE_MAX);
            looked_at += page.len();
            before = page.last().map(|(id, _)| *id);
            found.is_all = page.len() < PAGE;
            if found.is_all || looked_at >= COMPARED_MAX || Instant::now() >= until {
                break;
            }
        }
        found.compared = looked_at as u64;
        found.delivered = self.passed_on(alike, scope).await?;
        Ok(found)
    }

    /// The next mails that have fingerprints, newest first.
    async fn page(
        &self,
        since: Timestamp,
        scope: &Scope,
        before: Option<MailId>,
    ) -> Result<Vec<(MailId, Fingerprints)>, StoreError> {
        // An id begins with its moment: only the mail of these days is gone through.
        let mut values: Vec<Value> = vec![MailId::new(since, [0; 10]).to_string().into()];
        let mut filter = String::new();
        if let Some(before) = before {
            values.push(before.to_string().into());
            filter.push_str(" and m.mail_id < $2");
        }
        if *scope != Scope::All {
            let condition = scope.condition(&mut values);
            filter.push_str(&format!(" and exists (select 1 from unit u where u.mail_id = m.mail_id and {condition})"));
        }
        let sql = format!(
            "select m.mail_id, m.fingerprints_json from message m where m.mail_id >= $1 and m.fingerprints_json <> \
                '{{}}'{filter} order by m.mail_id desc limit {PAGE}"
        );
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok((parsed(row, "mail_id")?, from_json(row, "fingerprints_json")?))).collect()
    }

    /// Which of these mails were passed on to somebody within the scope, in their order.
    async fn passed_on(&self, mails: Vec<MailId>, scope: &Scope) -> Result<Vec<MailId>, StoreError> {
        if mails.is_empty() {
            return Ok(mails);
        }
        let mut values: Vec<Value> = mails.iter().map(|id| id.to_string().into()).collect();
        let seen = if *scope == Scope::All { String::new() } else { format!(" and {}", scope.condition(&mut values)) };
        let sql = format!(
            "select distinct u.mail_id from unit u \
             where (u.disposition in ('Deliver', 'Tag', 'Junk') or u.is_enforced = 0) and u.mail_id in ({}){seen}",
            marks(1, mails.len())
        );
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        let passed: Vec<String> = rows.iter().map(|row| row.try_get("mail_id")).collect::<Result<_, _>>()?;
        Ok(mails.into_iter().filter(|id| passed.contains(&id.to_string())).collect())
    }
}
