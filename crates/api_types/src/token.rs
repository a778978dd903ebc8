//! Tokens: made, listed, revoked. The secret is shown once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What token to make.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenAsk {
    /// Whose it is, or what for: 1 to 100 bytes; the actor in the audit log.
    pub name: String,
    /// admin, analyst or auditor.
    pub role: String,
    /// Accepted domains whose units it may see; all without.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Days that it holds, 1 to 366.
    pub days: u64,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be made.
    #[serde(default)]
    pub what_if: bool,
}

/// A token, without its secret.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TokenView {
    /// Its id, 16 hexadecimal digits: what it is revoked with.
    pub id: String,
    /// Whose it is, or what for.
    pub name: String,
    /// admin, analyst or auditor.
    pub role: String,
    /// It sees units of these accepted domains alone; empty for all.
    pub domains: Vec<String>,
    /// When it was made (RFC 3339).
    pub created: String,
    /// The name of who made it.
    pub created_by: String,
    /// When it ends (RFC 3339).
    pub expires: String,
    /// When it was revoked (RFC 3339); none if it was not.
    pub revoked: Option<String>,
    /// What a request shows (`Authorization: Bearer rpv_...`), in the answer that made it and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Why to revoke a token.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RevokeAsk {
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
}

/// A token that was revoked.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RevokedView {
    /// The id of the token.
    pub id: String,
    /// Whose it is, or what for.
    pub name: String,
    /// Whether it was revoked; false with `what_if`.
    pub revoked: bool,
}
