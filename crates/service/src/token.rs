//! Tokens: made, listed, revoked. The secret is shown once.

use std::time::Duration;

use api_types::token::{RevokeAsk, RevokedView, TokenAsk, TokenView};
use domain::Digest;
use platform::keys::random;
use store::Scope;
use store::people::access::Token;

use super::word;
use crate::Service;
use crate::access::{Operator, Permission, Role, TOKEN_PREFIX};
use crate::error::{ServiceError, ServiceResult};

/// Days that a token holds at most.
const DAYS_MAX: u64 = 366;

fn view(token: Token, secret: Option<String>) -> TokenView {
    let domains = match token.scope {
        Scope::All | Scope::Recipient(_) => Vec::new(),
        Scope::Domains(domains) => domains.into_iter().map(String::from).collect(),
    };
    TokenView {
        id: token.id,
        name: token.name,
        role: token.role,
        domains,
        created: token.created.to_string(),
        created_by: token.created_by,
        expires: token.expires.to_string(),
        revoked: token.revoked.map(|at| at.to_string()),
        secret,
    }
}

/// Makes a token.
///
/// # Errors
/// When the role is none, or the operator may not.
pub async fn create(service: &Service, operator: &Operator, ask: TokenAsk) -> ServiceResult<TokenView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let role = Role::parse(word::one_of("role", &ask.role, &Role::ALL.map(Role::as_str))?);
    let role = role.ok_or_else(|| ServiceError::Internal("a role without its name".into()))?;
    if ask.name.is_empty() || ask.name.len() > 100 || ask.days == 0 || ask.days > DAYS_MAX {
        return Err(ServiceError::Bad(format!("give a name, and 1 to {DAYS_MAX} days")));
    }
    let random: [u8; 40] = random(service.clock.as_ref());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let secret = format!("{TOKEN_PREFIX}{}", hex(&random[..32]));
    let created = service.clock.now();
    let actor = operator.actor(&ask.actor);
    let domains = word::domains(&service.config.border, &ask.domains)?;
    let token = Token {
        id: hex(&random[32..]),
        name: ask.name,
        role: role.as_str().to_owned(),
        scope: if domains.is_empty() { Scope::All } else { Scope::Domains(domains) },
        created,
        created_by: actor.clone(),
        expires: created.after(Duration::from_secs(ask.days * 24 * 3600)),
        revoked: None,
    };
    if ask.what_if {
        return Ok(view(token, None));
    }
    service.record(actor, "token.create", &token.id, &format!("{} as {}", token.name, token.role)).await?;
    service.store()?.people.add_token(token.clone(), Digest::of(secret.as_bytes())).await?;
    Ok(view(token, Some(secret)))
}

/// All tokens, without their secrets.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<TokenView>> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let tokens = service.store()?.people.tokens().await?;
    Ok(tokens.into_iter().map(|token| view(token, None)).collect())
}

/// Ends a token now.
///
/// # Errors
/// When there is no such token in force, or the operator may not.
pub async fn revoke(service: &Service, operator: &Operator, id: &str, ask: RevokeAsk) -> ServiceResult<RevokedView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let store = service.store()?;
    let now = service.clock.now();
    let known = store.people.tokens().await?.into_iter().find(|token| token.id == id && token.is_in_force(now));
    let token = known
        .ok_or_else(|| ServiceError::NotFound(format!("token {id} in force; `reprieve token list` shows them")))?;
    if !ask.what_if {
        service.record(operator.actor(&ask.actor), "token.revoke", id, &ask.reason).await?;
        store.people.revoke_token(id, now).await?;
    }
    Ok(RevokedView { id: id.to_owned(), name: token.name, revoked: !ask.what_if })
}
