//! Tokens over HTTP: made, listed, revoked. The secret is shown once.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::Digest;
use serde::{Deserialize, Serialize};
use store::Scope;
use store::access::Token;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::word;
use crate::access::{Operator, Permission, Role, TOKEN_PREFIX};

/// Days that a token holds at most.
const DAYS_MAX: u64 = 366;

/// What token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenAsk {
    /// Whose it is, or what for.
    name: String,
    /// admin, analyst or auditor.
    role: String,
    /// Only units of these domains; all without.
    #[serde(default)]
    domains: Vec<String>,
    /// Days that it holds.
    days: u64,
    /// Who asks, for the record.
    #[serde(default)]
    actor: String,
    /// Only say what would be made.
    #[serde(default)]
    what_if: bool,
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    id: String,
    name: String,
    role: String,
    domains: Vec<String>,
    created: String,
    created_by: String,
    expires: String,
    revoked: Option<String>,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

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

/// `POST /api/v1/tokens`: makes a token.
///
/// # Errors
/// When the role is none, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "token.create",
    path = "/api/v1/tokens",
    request_body = TokenAsk,
    responses((status = 200, body = TokenView), Refusal),
)]
pub async fn create(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<TokenAsk>,
) -> ApiResult<TokenView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let role = Role::parse(word::one_of("role", &ask.role, &Role::ALL.map(Role::as_str))?);
    let role = role.ok_or_else(|| ApiError::Internal("a role without its name".into()))?;
    if ask.name.is_empty() || ask.name.len() > 100 || ask.days == 0 || ask.days > DAYS_MAX {
        return Err(ApiError::Bad(format!("give a name, and 1 to {DAYS_MAX} days")));
    }
    let mut random = [0; 40];
    for block in random.chunks_mut(8) {
        block.copy_from_slice(&console.clock.entropy()[2..]);
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let secret = format!("{TOKEN_PREFIX}{}", hex(&random[..32]));
    let created = console.clock.now();
    let actor = operator.actor(&ask.actor);
    let domains = word::domains(&console.config.border, &ask.domains)?;
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
        return Ok(Json(view(token, None)));
    }
    console.record(actor, "token.create", &token.id, &format!("{} as {}", token.name, token.role)).await?;
    console.store()?.add_token(token.clone(), Digest::of(secret.as_bytes())).await?;
    Ok(Json(view(token, Some(secret))))
}

/// `GET /api/v1/tokens`: all tokens, without their secrets.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "token.list",
    path = "/api/v1/tokens",
    responses((status = 200, body = [TokenView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<TokenView>> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let tokens = console.store()?.tokens().await?;
    Ok(Json(tokens.into_iter().map(|token| view(token, None)).collect()))
}

/// What to revoke a token with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RevokeAsk {
    /// Why, for the record.
    reason: String,
    /// Who asks, for the record.
    actor: String,
    /// Only say what would be done.
    what_if: bool,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevokedView {
    id: String,
    name: String,
    revoked: bool,
}

/// `POST /api/v1/tokens/{id}/revoke`: ends a token now.
///
/// # Errors
/// When there is no such token in force, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "token.revoke",
    path = "/api/v1/tokens/{id}/revoke",
    params(("id" = String, Path, description = "The id of a token")),
    responses((status = 200, body = RevokedView), Refusal),
)]
pub async fn revoke(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<RevokeAsk>,
) -> ApiResult<RevokedView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let store = console.store()?;
    let now = console.clock.now();
    let known = store.tokens().await?.into_iter().find(|token| token.id == id && token.is_in_force(now));
    let token =
        known.ok_or_else(|| ApiError::NotFound(format!("token {id} in force; `reprieve token list` shows them")))?;
    if !ask.what_if {
        console.record(operator.actor(&ask.actor), "token.revoke", &id, &ask.reason).await?;
        store.revoke_token(&id, now).await?;
    }
    Ok(Json(RevokedView { id, name: token.name, revoked: !ask.what_if }))
}
