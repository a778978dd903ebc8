//! Tokens over HTTP: made, listed, revoked. The secret is shown once.

use api_types::token::{RevokeAsk, RevokedView, TokenAsk, TokenView};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/tokens`: makes a token. Its secret is in this answer and nowhere else.
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
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<TokenAsk>,
) -> ApiResult<TokenView> {
    Ok(Json(service::token::create(&service, &operator, ask).await?))
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
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<TokenView>> {
    Ok(Json(service::token::list(&service, &operator).await?))
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
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<RevokeAsk>,
) -> ApiResult<RevokedView> {
    Ok(Json(service::token::revoke(&service, &operator, &id, ask).await?))
}
