//! People who may sign in to the console.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody who may sign in to the console.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PersonView {
    /// What they type to sign in, and the actor in the audit log.
    pub name: String,
    /// admin, analyst or auditor.
    pub role: String,
    /// They see units of these accepted domains alone; empty for all.
    pub domains: Vec<String>,
    /// Whether they have chosen a password.
    pub has_password: bool,
    /// Whether they use one-time codes.
    pub has_totp: bool,
    /// Until when their invitation holds (RFC 3339); none when they have accepted it.
    pub invited_until: Option<String>,
    /// When they were last invited (RFC 3339).
    pub made: String,
    /// The name of who invited them.
    pub made_by: String,
    /// When they were shut out (RFC 3339); none while they may sign in.
    pub disabled: Option<String>,
    /// The secret of the invitation, in the answer that made it and nowhere else: the page `/welcome#SECRET` of the
    /// console takes it.
    pub invitation: Option<String>,
    /// In the answer to an invitation: where the console is, as the configuration has it for browsers (`console` of
    /// `[oidc]`); none where it has nothing.
    pub console: Option<String>,
    /// In the answer to an invitation: where the console listens, such as http://192.0.2.7:8025; none while it does
    /// not.
    pub console_listens: Option<String>,
}

/// Whom to invite.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteAsk {
    /// What they will type to sign in, and the actor in the audit log: 1 to 100 characters.
    pub name: String,
    /// admin, analyst or auditor.
    pub role: String,
    /// Accepted domains whose units they may see; all without.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Over the unix socket alone: invites anew even the last administrator who can sign in.
    #[serde(default)]
    pub last_admin: bool,
}

/// Why an administrator is let in again.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecoverAsk {
    /// Why, for the record; it may not be empty.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
}

/// Why somebody is shut out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DisableAsk {
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Over the unix socket alone: shuts out even the last administrator who can sign in.
    pub last_admin: bool,
}
