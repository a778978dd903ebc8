//! Held outbound mail whose sender does not know it yet.

use domain::{Account, Direction, MailId, Timestamp};
use sqlx::Row;

use crate::database::error::StoreError;
use crate::database::{self, Value, parsed};
use crate::notices::NoticeStore;
use crate::notices::claim::{self, NoticeClaim};
use crate::writer::{Command, Group};

/// A held message whose sender is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// Our id.
    pub mail_id: MailId,
    /// Its reverse path; empty for the null sender.
    pub sender: String,
    /// Its subject.
    pub subject: String,
    /// `Auto-Submitted`, if it has one: a program does not read notices.
    pub auto_submitted: Option<String>,
    /// When it came.
    pub received: Timestamp,
    /// For whom it is held.
    pub recipients: Vec<String>,
}

/// Senders who were told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) claim: NoticeClaim,
    pub(crate) mails: Vec<MailId>,
    pub(crate) sender: String,
    pub(crate) at: Timestamp,
    pub(crate) reply: String,
}

impl NoticeStore {
    /// Up to `most` held outbound units that came since `since` and whose sender is not told, oldest first, gathered by
    /// message.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn senders_not_yet_told(&self, since: Timestamp, most: i64) -> Result<Vec<Untold>, StoreError> {
        let sql = "select u.mail_id, u.recipient, m.sender, m.subject, m.auto_submitted, m.received_us from unit u \
                   join message m on m.mail_id = u.mail_id left join sender_notice n on n.mail_id = u.mail_id \
                   where u.account = $1 and u.mail_id > $2 and u.direction = $3 and u.is_enforced = 1 and n.mail_id is \
                   null \
                   and not exists (select 1 from incident_unit i where i.mail_id = u.mail_id) order by u.mail_id, \
                   u.unit_no limit $4";
        let values = vec![
            Account::Held.as_str().into(),
            MailId::new(since, [0; 10]).to_string().into(),
            Direction::Outbound.as_str().into(),
            most.into(),
        ];
        let mut untold: Vec<Untold> = Vec::new();
        for row in database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await? {
            let mail_id: MailId = parsed(&row, "mail_id")?;
            let recipient: String = row.try_get("recipient")?;
            match untold.last_mut().filter(|last| last.mail_id == mail_id) {
                Some(last) => last.recipients.push(recipient),
                None => untold.push(Untold {
                    mail_id,
                    sender: row.try_get("sender")?,
                    subject: row.try_get("subject")?,
                    auto_submitted: row.try_get("auto_submitted")?,
                    received: Timestamp::from_micros(row.try_get("received_us")?),
                    recipients: vec![recipient],
                }),
            }
        }
        Ok(untold)
    }

    /// When this sender was last told something.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sender_last_told_at(&self, sender: &str) -> Result<Option<Timestamp>, StoreError> {
        let sql = "select max(told_us) as told_us from sender_notice where sender = $1";
        let row = sqlx::query(sql).bind(sender.to_owned()).fetch_one(&self.core.reads).await?;
        Ok(row.try_get::<Option<i64>, _>("told_us")?.map(Timestamp::from_micros))
    }

    /// Remembers that a sender was told of these messages, or that there is nobody to tell.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is another's meanwhile; or when the store fails.
    pub async fn record_sender_told(
        &self,
        claim: NoticeClaim,
        mails: Vec<MailId>,
        sender: &str,
        at: Timestamp,
        reply: &str,
    ) -> Result<(), StoreError> {
        self.core.writer.write(Told { claim, mails, sender: sender.to_owned(), at, reply: reply.to_owned() }).await
    }
}

impl Command for Told {
    type Reply = ();

    fn rows(&self) -> usize {
        self.mails.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        claim::settle(connection, &self.claim, self.at).await?;
        for mail in &self.mails {
            let sql = "insert into sender_notice (mail_id, sender, told_us, reply) values ($1, $2, $3, $4) on \
                conflict do nothing";
            let values: Vec<Value> = vec![
                mail.to_string().into(),
                self.sender.as_str().into(),
                self.at.as_micros().into(),
                self.reply.as_str().into(),
            ];
            database::query(sql.to_owned(), values).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
