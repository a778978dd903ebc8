//! Reloads over HTTP: what the configuration file says now is put in force, and what came of that.

use api_types::reload::{ReloadAsk, ReloadView};
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/reload`: puts in force what the configuration file says that the service was started with. The answer
/// comes before that is done: mail that is under way ends first, new connections wait for some seconds, and then
/// `GET /api/v1/reload` tells what came of it. Only for admins.
///
/// # Errors
/// When the file is wrong or changes what needs a restart, another reload is under way, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "reload.ask",
    path = "/api/v1/reload",
    request_body = ReloadAsk,
    responses((status = 200, body = ReloadView), Refusal),
)]
pub async fn ask(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<ReloadAsk>,
) -> ApiResult<ReloadView> {
    Ok(Json(service::reload::ask(&service, &operator, ask).await?))
}

/// `GET /api/v1/reload`: the last reload since the process began, and what came of it.
///
/// # Errors
/// When there was none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "reload.last",
    path = "/api/v1/reload",
    responses((status = 200, body = ReloadView), Refusal),
)]
pub async fn last(State(service): State<Service>, Extension(operator): Extension<Operator>) -> ApiResult<ReloadView> {
    Ok(Json(service::reload::last(&service, &operator).await?))
}
