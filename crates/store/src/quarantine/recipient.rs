//! What recipients ask for, what they are told is held for them, and the links that let them in.

use std::collections::BTreeSet;

use domain::ledger::Account;
use domain::{Digest, MailId, Timestamp, UnitId};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, marks, parsed};
use crate::mail::arrival::unit_id;
use crate::notices::claim::{self, NoticeClaim};
use crate::people::scope::{MAILBOX, Scope};
use crate::quarantine::RecipientStore;
use crate::writer::{Command, Group, SWEEP_ROWS};

/// A wish for a release, with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRequest {
    /// Of which unit.
    pub unit: UnitId,
    /// When it was asked.
    pub asked: Timestamp,
    /// By whom: the recipient.
    pub by: String,
    /// In their own words.
    pub reason: String,
    /// The recipient of the unit, as the envelope has it.
    pub recipient: String,
    /// The reverse path of the message.
    pub sender: String,
    /// Its subject.
    pub subject: String,
    /// Its category, by name.
    pub category: String,
}

/// A recipient's wish for a release, as data.
#[derive(Clone, Debug)]
struct Ask {
    unit: UnitId,
    by: String,
    reason: String,
    at: Timestamp,
}

/// The use of a link, as data.
#[derive(Clone, Debug)]
struct UseLink {
    link: Digest,
    until: Timestamp,
}

/// Another write about recipients, as data.
#[derive(Clone, Debug)]
enum RecipientWrite {
    Close { address: String, at: Timestamp },
    Forget { links: Timestamp, closings: Timestamp, notices: Timestamp },
}

/// Somebody who was told what is held for them.
#[derive(Clone, Debug)]
pub struct Noticed {
    /// The right to tell them.
    pub claim: NoticeClaim,
    /// Who.
    pub address: String,
    /// In which period: a number that grows with each.
    pub period: i64,
    /// Up to which message.
    pub until: MailId,
    /// When.
    pub at: Timestamp,
    /// What their mailbox server said, or why nobody was told.
    pub reply: String,
}

impl RecipientStore {
    /// What a recipient (lower case) got or began before `at` opens the portal no longer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn close_portal(&self, address: &str, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(RecipientWrite::Close { address: address.to_owned(), at }).await
    }

    /// When the portal was last closed to what a recipient (lower case) had, if ever.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn portal_closed_at(&self, address: &str) -> Result<Option<Timestamp>, StoreError> {
        let sql = "select closed_us from portal_closed where address = $1";
        let row = sqlx::query(sql).bind(address.to_owned()).fetch_optional(&self.core.reads).await?;
        row.map(|row| Ok(Timestamp::from_micros(row.try_get("closed_us")?))).transpose()
    }

    /// A recipient asks for a release. Returns whether that is news: once is enough.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ask_release(&self, unit: UnitId, by: &str, reason: &str, at: Timestamp) -> Result<bool, StoreError> {
        let ask = Ask { unit, by: by.to_owned(), reason: reason.to_owned(), at };
        self.core.writer.write(ask).await
    }

    /// What recipients in scope have asked for and nobody has decided: it is held still. The longest waiting first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release_requests(&self, scope: &Scope, limit: i64) -> Result<Vec<ReleaseRequest>, StoreError> {
        let mut values = vec![Account::Held.as_str().into(), limit.into()];
        let sql = format!(
            "select r.*, u.recipient, m.sender, m.subject, m.category from release_request r \
             join unit u on u.mail_id = r.mail_id and u.unit_no = r.unit_no join message m on m.mail_id = r.mail_id \
             where u.account = $1 and {} order by r.asked_us, r.mail_id, r.unit_no limit $2",
            scope.condition(&mut values)
        );
        database::query(sql, values).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// The units of these messages whose release somebody has asked for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn units_asked_for(&self, mails: &[MailId]) -> Result<BTreeSet<UnitId>, StoreError> {
        let mut units = BTreeSet::new();
        for mails in mails.chunks(500) {
            let sql =
                format!("select mail_id, unit_no from release_request where mail_id in ({})", marks(1, mails.len()));
            let ids = mails.iter().map(|mail| mail.to_string().into()).collect();
            for row in database::query(sql, ids).fetch_all(&self.core.reads).await? {
                units.insert(unit_id(&row)?);
            }
        }
        Ok(units)
    }

    /// Up to `most` recipients for whom something is held that came at `since` or later, of which they have not been
    /// told, and who were told nothing in this period. What an open incident is about to give back is told nobody; what
    /// one did not give back is told when it is over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recipients_not_yet_told(
        &self,
        period: i64,
        since: Timestamp,
        most: i64,
    ) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "select distinct {MAILBOX} as address from unit u \
                   left join quarantine_notice n on n.address = {MAILBOX} \
                   where u.account = $1 and u.mail_id >= $2 and u.direction <> 'Outbound' and u.is_enforced = 1 \
                   and (n.address is null or n.period < $3 and (u.mail_id > n.until_mail or exists (select 1 from \
                   incident_unit i \
                   join incident c on c.incident = i.incident where i.mail_id = u.mail_id and i.unit_no = u.unit_no \
                   and c.opened_us <= n.told_us and c.resolved_us > n.told_us))) \
                   and not exists (select 1 from incident_unit i join incident c on c.incident = i.incident \
                   where i.mail_id = u.mail_id and i.unit_no = u.unit_no and c.stage <> 'resolved') order by address \
                   limit $4"
        );
        let values = vec![
            Account::Held.as_str().into(),
            MailId::new(since, [0; 10]).to_string().into(),
            period.into(),
            most.into(),
        ];
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        Ok(rows.iter().map(|row| row.try_get("address")).collect::<Result<_, _>>()?)
    }

    /// Those of these messages that are part of an incident which is not over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn in_open_incident(&self, mails: &[MailId]) -> Result<BTreeSet<MailId>, StoreError> {
        let mut found = BTreeSet::new();
        for mails in mails.chunks(500) {
            let sql = format!(
                "select distinct i.mail_id from incident_unit i join incident c on c.incident = i.incident \
                 where c.stage <> 'resolved' and i.mail_id in ({})",
                marks(1, mails.len())
            );
            let ids = mails.iter().map(|mail| mail.to_string().into()).collect();
            for row in database::query(sql, ids).fetch_all(&self.core.reads).await? {
                found.insert(parsed(&row, "mail_id")?);
            }
        }
        Ok(found)
    }

    /// Those of these messages of which this recipient has not been told because an incident might have given them
    /// back, and did not: it was open when they were last told, and is over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn left_untold_for_an_incident(
        &self,
        address: &str,
        mails: &[MailId],
    ) -> Result<BTreeSet<MailId>, StoreError> {
        let mut found = BTreeSet::new();
        for mails in mails.chunks(500) {
            let sql = format!(
                "select distinct i.mail_id from incident_unit i join incident c on c.incident = i.incident \
                 join quarantine_notice n on n.address = $1 \
                 where c.opened_us <= n.told_us and c.resolved_us > n.told_us and i.mail_id in ({})",
                marks(2, mails.len())
            );
            let ids = mails.iter().map(|mail| mail.to_string().into());
            let values = std::iter::once(address.into()).chain(ids).collect();
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                found.insert(parsed(&row, "mail_id")?);
            }
        }
        Ok(found)
    }

    /// Up to which message this recipient has been told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn told_up_to(&self, address: &str) -> Result<Option<MailId>, StoreError> {
        let sql = "select until_mail as mail_id from quarantine_notice where address = $1";
        let row = sqlx::query(sql).bind(address.to_owned()).fetch_optional(&self.core.reads).await?;
        row.map(|row| parsed(&row, "mail_id")).transpose()
    }

    /// Remembers that a recipient was told.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is another's meanwhile; or when the store fails.
    pub async fn record_recipient_told(&self, told: Noticed) -> Result<(), StoreError> {
        self.core.writer.write(told).await
    }

    /// Uses a link that holds until `until`; says whether this was the first time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn use_link(&self, link: Digest, until: Timestamp) -> Result<bool, StoreError> {
        self.core.writer.write(UseLink { link, until }).await
    }

    /// Forgets used links that hold no longer at `links`, closings of the portal from before `closings`, when nothing
    /// from before them can hold any more, and who was told before `notices`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_recipients(
        &self,
        links: Timestamp,
        closings: Timestamp,
        notices: Timestamp,
    ) -> Result<(), StoreError> {
        self.core.writer.write(RecipientWrite::Forget { links, closings, notices }).await
    }
}

fn read(row: &AnyRow) -> Result<ReleaseRequest, StoreError> {
    Ok(ReleaseRequest {
        unit: unit_id(row)?,
        asked: Timestamp::from_micros(row.try_get("asked_us")?),
        by: row.try_get("asked_by")?,
        reason: row.try_get("reason")?,
        recipient: row.try_get("recipient")?,
        sender: row.try_get("sender")?,
        subject: row.try_get("subject")?,
        category: row.try_get("category")?,
    })
}

impl Command for Ask {
    /// Whether it is news.
    type Reply = bool;

    async fn apply(&self, group: &mut Group<'_>) -> Result<bool, StoreError> {
        let sql = "insert into release_request (mail_id, unit_no, asked_us, asked_by, reason) values ($1, $2, $3, $4, \
            $5) on conflict (mail_id, unit_no) do nothing";
        let values = vec![
            self.unit.mail.to_string().into(),
            self.unit.number.into(),
            self.at.as_micros().into(),
            self.by.as_str().into(),
            self.reason.as_str().into(),
        ];
        Ok(database::query(sql.to_owned(), values).execute(&mut *group.connection).await?.rows_affected() == 1)
    }
}

impl Command for UseLink {
    /// Whether this was the first time.
    type Reply = bool;

    async fn apply(&self, group: &mut Group<'_>) -> Result<bool, StoreError> {
        let sql =
            "insert into portal_link (link_sha256, until_us) values ($1, $2) on conflict (link_sha256) do nothing";
        let values = vec![self.link.hex().into(), self.until.as_micros().into()];
        Ok(database::query(sql.to_owned(), values).execute(&mut *group.connection).await?.rows_affected() == 1)
    }
}

impl Command for Noticed {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        claim::settle(group.connection, &self.claim, self.at).await?;
        let sql = "insert into quarantine_notice (address, period, until_mail, told_us, reply) values ($1, $2, $3, $4, \
            $5) on conflict (address) do update set period = $2, until_mail = $3, told_us = $4, reply = $5";
        let values = vec![
            self.address.as_str().into(),
            self.period.into(),
            self.until.to_string().into(),
            self.at.as_micros().into(),
            self.reply.as_str().into(),
        ];
        database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
        Ok(())
    }
}

impl Command for RecipientWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Close { .. } => 1,
            Self::Forget { .. } => SWEEP_ROWS,
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        match self {
            Self::Close { address, at } => {
                let sql = "insert into portal_closed (address, closed_us) values ($1, $2) \
                    on conflict (address) do update set closed_us = excluded.closed_us";
                let values = vec![address.as_str().into(), at.as_micros().into()];
                database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
            }
            Self::Forget { links, closings, notices } => {
                let rounds = [
                    ("delete from portal_link where until_us < $1", links),
                    ("delete from portal_closed where closed_us < $1", closings),
                    ("delete from quarantine_notice where told_us < $1", notices),
                ];
                for (sql, before) in rounds {
                    sqlx::query(sql).bind(before.as_micros()).execute(&mut *group.connection).await?;
                }
            }
        }
        Ok(())
    }
}
