//! Tokens: made, listed, revoked. The secret is shown once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What token to make.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenAsk {
    /// Whose it is, or what for.
    pub name: String,
    /// admin, analyst or auditor.
    pub role: String,
    /// Only units of these domains; all without.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Days that it holds.
    pub days: u64,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be made.
    #[serde(default)]
    pub what_if: bool,
}

/// A token, without its secret.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TokenView {
    pub id: String,
    pub name: String,
    pub role: String,
    pub domains: Vec<String>,
    pub created: String,
    pub created_by: String,
    pub expires: String,
    pub revoked: Option<String>,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What to revoke a token with.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RevokeAsk {
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
}

/// What became of it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RevokedView {
    pub id: String,
    pub name: String,
    pub revoked: bool,
}
