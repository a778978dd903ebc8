//! Whose units a reader may see: every read takes one.

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
}
