//! What people see of the quarantine: a list by filters, newest first, page by page.

pub mod recipient;
pub mod recovery;

use std::collections::HashMap;

use domain::ledger::Account;
use domain::verdict::Reason;
use domain::{Direction, MailId, Timestamp, address};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::core::part;
use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, marks, named, parsed};
use crate::explorer::fold::{sender_is, subject_contains};
use crate::mail::arrival::unit_id;
use crate::people::scope::{Scope, mailbox_is};

part! {
    /// What is held, and how what ended is taken back.
    QuarantineStore
}

part! {
    /// What recipients ask for, and what they are told is held.
    RecipientStore
}

/// Rows of one page at most.
pub const PAGE_MAX: u32 = 1000;

/// Which held messages to list. Empty fields ask for all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only with a unit in one of these accounts; empty for all that the quarantine has.
    pub accounts: Vec<Account>,
    /// Only with a unit of this direction.
    pub direction: Option<Direction>,
    /// Only of this category, by its name.
    pub category: Option<String>,
    /// Only with a finding of this detection.
    pub detection: Option<String>,
    /// Only from this reverse path.
    pub sender: Option<String>,
    /// Only with this recipient.
    pub recipient: Option<String>,
    /// Only with this text in the subject.
    pub subject: Option<String>,
    /// Only with this Message-ID.
    pub message_id: Option<String>,
    /// Only received at or after.
    pub since: Option<Timestamp>,
    /// Only received before.
    pub until: Option<Timestamp>,
    /// The last id of the page before.
    pub after: Option<MailId>,
    /// Rows wanted; 0 means 100.
    pub limit: u32,
}

/// One unit of a held message.
#[derive(Clone, Debug)]
pub struct HeldUnit {
    /// Its number in the envelope.
    pub number: u32,
    /// The recipient.
    pub recipient: String,
    /// The owning domain.
    pub domain: String,
    /// The direction.
    pub direction: Direction,
    /// Where it is.
    pub account: Account,
    /// The reasons of its verdict.
    pub reasons: Vec<Reason>,
    /// The last reply or reason.
    pub reply: String,
}

/// One held message with the units in scope.
#[derive(Clone, Debug)]
pub struct HeldMessage {
    /// Its id.
    pub mail_id: MailId,
    /// When it came.
    pub received: Timestamp,
    /// The reverse path.
    pub sender: String,
    /// The subject.
    pub subject: String,
    /// The header `Message-ID`.
    pub message_id: Option<String>,
    /// The category, by name.
    pub category: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the stored bytes, in hexadecimal.
    pub sha256: String,
    /// The units, in the order of the envelope.
    pub units: Vec<HeldUnit>,
}

impl HeldMessage {
    /// The detection that caused it, with its version, if one did.
    pub fn cause(&self) -> Option<(String, String)> {
        let reasons = self.units.iter().flat_map(|unit| &unit.reasons);
        reasons
            .filter_map(|reason| {
                Some((reason.detection.as_ref()?.to_string(), reason.detection_version.as_ref()?.to_string()))
            })
            .next()
    }
}

/// The accounts that the quarantine shows.
pub const SHOWN: [Account; 8] = [
    Account::Tentative,
    Account::Held,
    Account::Releasing,
    Account::InDoubt,
    Account::Released,
    Account::Failed,
    Account::Denied,
    Account::Deleted,
];

/// Conditions on a message row `m` and a unit row `u`, with their values.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, text: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.texts.push(text.replace('?', &format!("${}", self.values.len())));
    }

    fn add_any_of(&mut self, column: &str, wanted: Vec<String>) {
        let list = marks(self.values.len() + 1, wanted.len());
        // An empty list asks for nothing that exists, and `in ()` is no portable text.
        self.texts.push(if wanted.is_empty() { "1 = 0".into() } else { format!("{column} in ({list})") });
        self.values.extend(wanted.into_iter().map(Value::from));
    }

    fn scope(&mut self, scope: &Scope) {
        self.texts.push(scope.condition(&mut self.values));
    }
}

fn conditions(filter: &Filter, scope: &Scope) -> Conditions {
    let mut all = Conditions::default();
    let accounts = if filter.accounts.is_empty() { SHOWN.to_vec() } else { filter.accounts.clone() };
    all.add_any_of("u.account", accounts.iter().map(|account| account.as_str().to_owned()).collect());
    all.scope(scope);
    let mut text = |condition: &str, value: &Option<String>| {
        if let Some(value) = value {
            all.add(condition, value.as_str());
        }
    };
    text("m.category = ?", &filter.category);
    text("m.message_id = ?", &filter.message_id);
    text("exists (select 1 from finding f where f.mail_id = m.mail_id and f.detection = ?)", &filter.detection);
    if let Some(sender) = &filter.sender {
        let condition = sender_is(sender, &mut all.values);
        all.texts.push(condition);
    }
    if let Some(recipient) = &filter.recipient {
        all.values.push(address::normal(recipient).into());
        let condition = mailbox_is(&format!("${}", all.values.len()));
        all.texts.push(condition);
    }
    if let Some(subject) = &filter.subject {
        let condition = subject_contains(subject, &mut all.values);
        all.texts.push(condition);
    }
    if let Some(direction) = filter.direction {
        all.add("u.direction = ?", direction.as_str());
    }
    if let Some(since) = filter.since {
        all.add("m.received_us >= ?", since.as_micros());
    }
    if let Some(until) = filter.until {
        all.add("m.received_us < ?", until.as_micros());
    }
    if let Some(after) = filter.after {
        all.add("m.mail_id < ?", after.to_string());
    }
    all
}

impl QuarantineStore {
    /// Held messages by a filter, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn held(&self, filter: &Filter, scope: &Scope) -> Result<Vec<HeldMessage>, StoreError> {
        let Conditions { texts, mut values } = conditions(filter, scope);
        let limit = if filter.limit == 0 { 100 } else { filter.limit.min(PAGE_MAX) };
        values.push(i64::from(limit).into());
        let sql = format!(
            "select distinct m.mail_id, m.received_us, m.sender, m.subject, m.message_id, m.category, m.size_bytes, \
                m.sha256 \
             from message m join unit u on u.mail_id = m.mail_id \
             where m.blob is not null and {} order by m.mail_id desc limit ${}",
            texts.join(" and "),
            values.len()
        );
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        let mut held: Vec<HeldMessage> = rows.iter().map(read_message).collect::<Result<_, _>>()?;
        self.add_units(&mut held, scope).await?;
        Ok(held)
    }

    /// One held message; `None` when there is none with this id in scope.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn held_one(&self, mail_id: MailId, scope: &Scope) -> Result<Option<HeldMessage>, StoreError> {
        Ok(self.held_some(&[mail_id], scope).await?.pop())
    }

    /// Held messages by their ids, in the order of these; those that there are not, or not in scope, are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn held_some(&self, ids: &[MailId], scope: &Scope) -> Result<Vec<HeldMessage>, StoreError> {
        let mut found = HashMap::new();
        for ids in ids.chunks(500) {
            let sql = format!(
                "select mail_id, received_us, sender, subject, message_id, category, size_bytes, sha256 \
                 from message where mail_id in ({}) and blob is not null",
                marks(1, ids.len())
            );
            let ids = ids.iter().map(|id| id.to_string().into()).collect();
            let rows = database::query(sql, ids).fetch_all(&self.core.reads).await?;
            let mut held: Vec<HeldMessage> = rows.iter().map(read_message).collect::<Result<_, _>>()?;
            self.add_units(&mut held, scope).await?;
            found.extend(held.into_iter().map(|held| (held.mail_id, held)));
        }
        found.retain(|_, held| !held.units.is_empty());
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Where the units of a message are, in their order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn accounts_of(&self, mail_id: MailId) -> Result<Vec<(u32, Account)>, StoreError> {
        let sql = "select mail_id, unit_no, account from unit where mail_id = $1 order by unit_no";
        let rows = sqlx::query(sql).bind(mail_id.to_string()).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok((unit_id(row)?.number, named(row, "account", Account::parse)?))).collect()
    }

    async fn add_units(&self, held: &mut [HeldMessage], scope: &Scope) -> Result<(), StoreError> {
        for group in held.chunks_mut(500) {
            let ids: Vec<Value> = group.iter().map(|held| held.mail_id.to_string().into()).collect();
            let places: HashMap<MailId, usize> =
                group.iter().enumerate().map(|(at, held)| (held.mail_id, at)).collect();
            let sql =
                format!("select * from unit where mail_id in ({}) order by mail_id, unit_no", marks(1, ids.len()));
            for row in database::query(sql, ids).fetch_all(&self.core.reads).await? {
                let unit = read_unit(&row)?;
                let mail: MailId = parsed(&row, "mail_id")?;
                if scope.covers_unit(&unit.domain.as_str().into(), &unit.recipient)
                    && let Some(at) = places.get(&mail)
                {
                    group[*at].units.push(unit);
                }
            }
        }
        Ok(())
    }
}

fn read_message(row: &AnyRow) -> Result<HeldMessage, StoreError> {
    Ok(HeldMessage {
        mail_id: parsed(row, "mail_id")?,
        received: Timestamp::from_micros(row.try_get("received_us")?),
        sender: row.try_get("sender")?,
        subject: row.try_get("subject")?,
        message_id: row.try_get("message_id")?,
        category: row.try_get("category")?,
        size: row.try_get("size_bytes")?,
        sha256: row.try_get("sha256")?,
        units: Vec::new(),
    })
}

fn read_unit(row: &AnyRow) -> Result<HeldUnit, StoreError> {
    Ok(HeldUnit {
        number: unit_id(row)?.number,
        recipient: row.try_get("recipient")?,
        domain: row.try_get("domain")?,
        direction: named(row, "direction", Direction::parse)?,
        account: named(row, "account", Account::parse)?,
        reasons: from_json(row, "reasons_json")?,
        reply: row.try_get("reply")?,
    })
}
