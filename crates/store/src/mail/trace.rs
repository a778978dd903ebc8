//! The life of a message, unit by unit: every row of the ledger as an event.

use domain::ledger::Account;
use domain::{Direction, MailId, Timestamp, address};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Value, named, parsed};
use crate::explorer::fold::sender_is;
use crate::mail::MailStore;
use crate::mail::arrival::unit_id;
use crate::people::scope::{Scope, mailbox_is};

/// Units of one answer at most.
pub const TRACE_MAX: i64 = 1000;

/// What to trace: exactly one should be given; all given must fit.
#[derive(Clone, Debug, Default)]
pub struct TraceFilter {
    /// Our id.
    pub mail_id: Option<MailId>,
    /// The header `Message-ID`, with its angle brackets.
    pub message_id: Option<String>,
    /// The reverse path.
    pub sender: Option<String>,
    /// The recipient.
    pub recipient: Option<String>,
}

/// One event in the life of a unit.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What moved it.
    pub what: String,
    /// Where to.
    pub account: String,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// A unit with its life.
#[derive(Clone, Debug)]
pub struct TracedUnit {
    /// Our id of the message.
    pub mail_id: MailId,
    /// Its number in the envelope.
    pub number: u32,
    /// The header `Message-ID`.
    pub message_id: Option<String>,
    /// When it came.
    pub received: Timestamp,
    /// The reverse path.
    pub sender: String,
    /// The subject.
    pub subject: String,
    /// The recipient.
    pub recipient: String,
    /// The direction.
    pub direction: Direction,
    /// The category, by name.
    pub category: String,
    /// What was decided.
    pub disposition: String,
    /// Whether that was acted on.
    pub enforced: bool,
    /// Where it is.
    pub account: Account,
    /// The last reply or reason.
    pub reply: String,
    /// Its life, oldest first.
    pub events: Vec<Event>,
}

impl MailStore {
    /// The ids of the messages that came last, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest(&self, limit: i64) -> Result<Vec<MailId>, StoreError> {
        let sql = "select mail_id from message order by mail_id desc limit $1";
        let rows = sqlx::query(sql).bind(limit).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| parsed(row, "mail_id")).collect()
    }

    /// The units that fit, newest first, each with its life.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trace(&self, filter: &TraceFilter, scope: &Scope) -> Result<Vec<TracedUnit>, StoreError> {
        let mut texts = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let mail_id = filter.mail_id.map(|id| id.to_string());
        for (column, value) in [("m.mail_id", &mail_id), ("m.message_id", &filter.message_id)] {
            if let Some(value) = value {
                values.push(value.as_str().into());
                texts.push(format!("{column} = ${}", values.len()));
            }
        }
        if let Some(sender) = &filter.sender {
            texts.push(sender_is(sender, &mut values));
        }
        if let Some(recipient) = &filter.recipient {
            values.push(address::normal(recipient).into());
            texts.push(mailbox_is(&format!("${}", values.len())));
        }
        if texts.is_empty() {
            return Err(StoreError::Refused("give a mail id, a Message-ID, a sender or a recipient to trace".into()));
        }
        values.push(TRACE_MAX.into());
        let sql = format!(
            "select m.mail_id, m.message_id, m.received_us, m.sender, m.subject, m.category, u.unit_no, u.recipient, \
                u.domain, \
             u.direction, u.disposition, u.is_enforced, u.account, u.reply from message m join unit u on u.mail_id = \
             m.mail_id \
             where {} order by m.mail_id desc, u.unit_no limit ${}",
            texts.join(" and "),
            values.len()
        );
        let mut units = Vec::new();
        for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
            if scope.covers_unit(&row.try_get::<String, _>("domain")?.into(), &row.try_get::<String, _>("recipient")?) {
                units.push(self.with_life(&row).await?);
            }
        }
        Ok(units)
    }

    async fn with_life(&self, row: &AnyRow) -> Result<TracedUnit, StoreError> {
        let id = unit_id(row)?;
        let events = sqlx::query("select * from ledger where mail_id = $1 and unit_no = $2 order by step")
            .bind(id.mail.to_string())
            .bind(i64::from(id.number))
            .fetch_all(&self.core.reads)
            .await?;
        let event = |row: &AnyRow| {
            Ok::<_, StoreError>(Event {
                at: Timestamp::from_micros(row.try_get("at_us")?),
                what: row.try_get("moved_by")?,
                account: row.try_get("to_account")?,
                actor: row.try_get("actor")?,
                reason: row.try_get("reason")?,
            })
        };
        Ok(TracedUnit {
            mail_id: id.mail,
            number: id.number,
            message_id: row.try_get("message_id")?,
            received: Timestamp::from_micros(row.try_get("received_us")?),
            sender: row.try_get("sender")?,
            subject: row.try_get("subject")?,
            recipient: row.try_get("recipient")?,
            direction: named(row, "direction", Direction::parse)?,
            category: row.try_get("category")?,
            disposition: row.try_get("disposition")?,
            enforced: row.try_get::<i64, _>("is_enforced")? == 1,
            account: named(row, "account", Account::parse)?,
            reply: row.try_get("reply")?,
            events: events.iter().map(event).collect::<Result<_, _>>()?,
        })
    }
}
