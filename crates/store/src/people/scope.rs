//! Whose units a reader may see: every read takes one.

use domain::{DomainName, address};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{Value, from_json, marks, to_json};

/// The mailbox of a unit row `u`, as mailboxes are compared.
pub(crate) const MAILBOX: &str = "coalesce((select f.folded from folded f where f.mail_id = u.mail_id and f.field = \
    'mailbox' \
                                  and f.number = u.unit_no), lower(u.recipient))";

/// A condition on a unit row `u`: its mailbox is that of the value with this mark. The indexes find the messages.
pub(crate) fn mailbox_is(mark: &str) -> String {
    format!(
        "(u.mail_id in (select x.mail_id from unit x where lower(x.recipient) = {mark} union all select f.mail_id from \
            folded f \
         where f.field = 'mailbox' and f.folded = {mark}) and {MAILBOX} = {mark})"
    )
}

/// All units, those of some accepted domains, or those for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those whose unit belongs to one of these domains.
    Domains(Vec<DomainName>),
    /// Those for this recipient, as [`domain::Address::normal`] writes it.
    Recipient(String),
}

impl Scope {
    /// Whether all of `domain` is in it.
    pub fn covers(&self, domain: &DomainName) -> bool {
        match self {
            Self::All => true,
            Self::Domains(domains) => domains.iter().any(|own| own == domain),
            Self::Recipient(_) => false,
        }
    }

    /// Whether a unit that belongs to `domain` and is for `recipient` is in it.
    pub fn covers_unit(&self, domain: &DomainName, recipient: &str) -> bool {
        match self {
            Self::Recipient(own) => address::normal(recipient) == *own,
            _ => self.covers(domain),
        }
    }

    /// The same as a condition on a unit row `u`, with its values behind those that there are.
    pub(crate) fn condition(&self, values: &mut Vec<Value>) -> String {
        match self {
            Self::All => "1 = 1".into(),
            // An empty list asks for nothing that exists, and `in ()` is no portable text.
            Self::Domains(domains) if domains.is_empty() => "1 = 0".into(),
            Self::Domains(domains) => {
                let list = marks(values.len() + 1, domains.len());
                values.extend(domains.iter().map(|domain| domain.as_str().into()));
                format!("u.domain in ({list})")
            }
            Self::Recipient(own) => {
                values.push(own.as_str().into());
                mailbox_is(&format!("${}", values.len()))
            }
        }
    }

    /// Reads the column `domains_json`: none for all.
    pub(crate) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let domains: Option<String> = row.try_get("domains_json")?;
        if domains.is_some() { Ok(Self::Domains(from_json(row, "domains_json")?)) } else { Ok(Self::All) }
    }

    /// The same column, to write.
    pub(crate) fn column(&self) -> Result<Value, StoreError> {
        let domains = match self {
            Self::All => None,
            Self::Domains(domains) => Some(to_json(domains)?),
            Self::Recipient(_) => {
                return Err(StoreError::Refused("a recipient's view is nobody's scope of work".into()));
            }
        };
        Ok(domains.into())
    }
}
