//! Whose units a reader may see: every read takes one.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Value, from_json, marks, to_json};
use crate::error::StoreError;

/// All units, those of some accepted domains, or those for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those whose unit belongs to one of these domains (lower case).
    Domains(Vec<String>),
    /// Those for this recipient (lower case).
    Recipient(String),
}

impl Scope {
    /// Whether all of `domain` is in it.
    pub fn covers(&self, domain: &str) -> bool {
        match self {
            Self::All => true,
            Self::Domains(domains) => domains.iter().any(|own| own == domain),
            Self::Recipient(_) => false,
        }
    }

    /// Whether a unit that belongs to `domain` and is for `recipient` is in it.
    pub fn covers_unit(&self, domain: &str, recipient: &str) -> bool {
        match self {
            Self::Recipient(own) => recipient.eq_ignore_ascii_case(own),
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
                format!("lower(u.recipient) = ${}", values.len())
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
