//! People who may sign in to the console, over HTTP.

use api_types::person::{DisableAsk, InviteAsk, PersonView, RecoverAsk};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/people`: who may sign in to the console.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "person.list",
    path = "/api/v1/people",
    responses((status = 200, body = [PersonView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<PersonView>> {
    Ok(Json(service::person::list(&service, &operator).await?))
}

/// `POST /api/v1/people`: invites somebody, or somebody anew who has lost their password: what they had is forgotten,
/// and their sessions end.
///
/// # Errors
/// When the role is none, it is the last administrator who can sign in, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "person.invite",
    path = "/api/v1/people",
    request_body = InviteAsk,
    responses((status = 200, body = PersonView), Refusal),
)]
pub async fn invite(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<InviteAsk>,
) -> ApiResult<PersonView> {
    Ok(Json(service::person::invite(&service, &operator, ask).await?))
}

/// `POST /api/v1/people/{name}/disable`: shuts somebody out; their sessions end now.
///
/// # Errors
/// When there is nobody of this name, it is the last administrator who can sign in, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "person.disable",
    path = "/api/v1/people/{name}/disable",
    params(("name" = String, Path, description = "The name of somebody who may sign in")),
    request_body = DisableAsk,
    responses((status = 200, body = PersonView), Refusal),
)]
pub async fn disable(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
    Json(ask): Json<DisableAsk>,
) -> ApiResult<PersonView> {
    Ok(Json(service::person::disable(&service, &operator, &name, ask).await?))
}

/// `POST /api/v1/people/{name}/recover`: lets in again an administrator who has lost the password and the second
/// factor; over the unix socket alone. What they had is forgotten, their sessions and tokens end, and the other
/// administrators are called. The link holds for an hour.
///
/// # Errors
/// When it is not asked for on the host, no reason is given, or nobody of this name is an administrator.
#[utoipa::path(
    post,
    operation_id = "person.recover",
    path = "/api/v1/people/{name}/recover",
    params(("name" = String, Path, description = "The name of an administrator")),
    request_body = RecoverAsk,
    responses((status = 200, body = PersonView), Refusal),
)]
pub async fn recover(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
    Json(ask): Json<RecoverAsk>,
) -> ApiResult<PersonView> {
    Ok(Json(service::person::recover(&service, &operator, &name, ask).await?))
}
