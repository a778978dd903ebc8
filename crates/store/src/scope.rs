//! Whose units a reader may see: every read takes one.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Value, from_json, to_json};
use crate::error::StoreError;

/// All units, or those of some accepted domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those whose unit belongs to one of these domains (lower case).
    Domains(Vec<String>),
}

impl Scope {
    /// Whether a unit of `domain` is in it.
    pub fn covers(&self, domain: &str) -> bool {
        match self {
            Self::All => true,
            Self::Domains(domains) => domains.iter().any(|own| own == domain),
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
        };
        Ok(domains.into())
    }
}
