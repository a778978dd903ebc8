//! Who may do what: an [`Operator`] with a role and a scope, asked in every use case.

use domain::{Digest, DomainName};
use store::Scope;
use store::audit::Act;

use crate::Service;
use crate::error::ServiceError;

/// What begins every token, so that a leaked one is recognised for what it is.
pub const TOKEN_PREFIX: &str = "rpv_";

/// What a role is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Admin,
    /// Sees, reads, releases, denies, deletes; writes detections and publishes them through the gates.
    Analyst,
    /// Sees what was held and who did what; reads nobody's mail and changes nothing.
    Auditor,
}

/// What a handler asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See lists, verdicts, traces and ledger.
    Look,
    /// Read somebody's mail: preview, header, export.
    Read,
    /// Release, deny, delete.
    Decide,
    /// Read and check the audit log.
    Audit,
    /// Build and publish rulesets through the gates, take them back, set modes of detections.
    Rules,
    /// Publish past the gates or the stages.
    Force,
    /// Make and revoke tokens and keys.
    Tokens,
    /// Keep mail from expiry and deletion, and end that.
    Hold,
    /// Put in force what the configuration file says now.
    Configure,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Analyst, Self::Auditor];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The one table of roles and permissions: what is not here is denied.
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Admin => true,
            Self::Analyst => matches!(permission, P::Look | P::Read | P::Decide | P::Rules),
            Self::Auditor => matches!(permission, P::Look | P::Audit),
        }
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The name in the record.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Whose units it may see.
    pub(crate) scope: Scope,
    /// Whether the unix socket vouches for it, so that it may say in whose name it acts.
    pub is_local: bool,
}

impl Operator {
    /// Root, or the user that runs the program, over the unix socket.
    pub fn local() -> Self {
        Self { name: "local administrator".into(), role: Role::Admin, scope: Scope::All, is_local: true }
    }

    /// Denies what the role does not have.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`].
    pub fn may(&self, permission: Permission) -> Result<(), ServiceError> {
        if self.role.may(permission) {
            return Ok(());
        }
        Err(ServiceError::Forbidden(format!("role {} may not do this ({permission:?})", self.role.as_str())))
    }

    /// Denies what only somebody with all domains may do.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`].
    pub fn must_see_all(&self) -> Result<(), ServiceError> {
        if self.scope == Scope::All {
            Ok(())
        } else {
            Err(ServiceError::Forbidden("this is for operators of all domains".into()))
        }
    }

    /// Whether it may see all of a domain.
    pub fn sees(&self, domain: &DomainName) -> bool {
        self.scope.covers(domain)
    }

    /// The actor for the record: a token's own name; over the socket also the name that was given.
    pub fn actor(&self, given: &str) -> String {
        if self.is_local && !given.is_empty() { format!("{given} (local)") } else { self.name.clone() }
    }
}

impl Service {
    /// Records an act before it is done.
    ///
    /// # Errors
    /// When it cannot be recorded; then it must not be done.
    pub(crate) async fn record(
        &self,
        actor: String,
        action: &str,
        object: &str,
        reason: &str,
    ) -> Result<(), ServiceError> {
        self.record_all(&actor, action, std::iter::once(object.to_owned()), reason).await
    }

    /// Records the same act on many objects, one entry each, before it is done.
    ///
    /// # Errors
    /// As [`Service::record`].
    pub(crate) async fn record_all(
        &self,
        actor: &str,
        action: &str,
        objects: impl Iterator<Item = String>,
        reason: &str,
    ) -> Result<(), ServiceError> {
        let at = self.clock.now();
        let act = |object| Act {
            at,
            actor: actor.to_owned(),
            action: action.to_owned(),
            object,
            reason: reason.to_owned(),
            detail: String::new(),
        };
        Ok(self.store()?.audit.record_acts(objects.map(act).collect()).await?)
    }
}

/// Who shows a token in force: `shown` is the field Authorization as it came, `Bearer rpv_...`.
///
/// # Errors
/// When there is none, or it asks too often.
pub async fn by_token(service: &Service, shown: Option<String>) -> Result<Operator, ServiceError> {
    let unknown = || ServiceError::Unauthorized("show a token in force: Authorization: Bearer rpv_...".into());
    let shown = shown.ok_or_else(unknown)?;
    let secret = shown.strip_prefix("Bearer ").filter(|secret| secret.starts_with(TOKEN_PREFIX)).ok_or_else(unknown)?;
    // The digest is what is compared, in the index; so no time tells how much of a secret was right.
    let found = service.store()?.people.token(Digest::of(secret.trim().as_bytes()), service.clock.now()).await?;
    let token = found.ok_or_else(unknown)?;
    service.rates.take_one(&token.id, service.clock.now())?;
    let role = Role::parse(&token.role).ok_or_else(unknown)?;
    Ok(Operator { name: token.name, role, scope: token.scope, is_local: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles() {
        use Permission as P;
        let all = [P::Look, P::Read, P::Decide, P::Audit, P::Rules, P::Force, P::Tokens, P::Hold, P::Configure];
        let may = |role: Role| all.into_iter().filter(|permission| role.may(*permission)).collect::<Vec<_>>();
        assert_eq!(may(Role::Admin), all);
        assert_eq!(may(Role::Analyst), [P::Look, P::Read, P::Decide, P::Rules]);
        assert_eq!(may(Role::Auditor), [P::Look, P::Audit]);
    }
}
