//! People who may sign in to the console,.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody who may sign in.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PersonView {
    pub name: String,
    pub role: String,
    /// Only units of these domains; all without.
    pub domains: Vec<String>,
    /// Whether they have chosen a password, and whether they use one-time codes.
    pub has_password: bool,
    pub has_totp: bool,
    pub invited_until: Option<String>,
    pub made: String,
    pub made_by: String,
    pub disabled: Option<String>,
    /// The secret of the invitation, once, when it was made: the page `/welcome#SECRET` of the console takes it.
    pub invitation: Option<String>,
    /// Where the console is, as the configuration has it for browsers (`console` of `[oidc]`); none where it has
    /// nothing.
    pub console: Option<String>,
    /// Where the console listens.
    pub console_listens: Option<String>,
}

/// Whom to invite.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteAsk {
    /// The name: what they type, and the actor in the audit log.
    pub name: String,
    /// admin, analyst or auditor.
    pub role: String,
    /// Only units of these domains; all without.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Over the unix socket alone: invites anew even the last administrator who can sign in.
    #[serde(default)]
    pub last_admin: bool,
}

/// Why somebody is shut out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DisableAsk {
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Over the unix socket alone: shuts out even the last administrator who can sign in.
    pub last_admin: bool,
}
