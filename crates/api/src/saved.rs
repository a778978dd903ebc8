//! Queries of the explorer that people keep by a name, over HTTP.

use api_types::saved::{SaveAsk, SavedView};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/queries`: the kept queries, by name. They are everybody's; what they find is what each may see.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(get, operation_id = "query.list", path = "/api/v1/queries", responses((status = 200, body = [SavedView]),
    Refusal))]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<SavedView>> {
    Ok(Json(service::saved::list(&service, &operator).await?))
}

/// `POST /api/v1/queries`: keeps a query by a name; one of the same name is replaced.
///
/// # Errors
/// When the query cannot be read, the name is none, or the operator may not.
#[utoipa::path(post, operation_id = "query.save", path = "/api/v1/queries", request_body = SaveAsk,
    responses((status = 200, body = SavedView), Refusal))]
pub async fn save(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<SaveAsk>,
) -> ApiResult<SavedView> {
    Ok(Json(service::saved::save(&service, &operator, ask).await?))
}

/// `POST /api/v1/queries/{name}/forget`: forgets a kept query, and answers with those that are left.
///
/// # Errors
/// When there is none of this name, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "query.forget",
    path = "/api/v1/queries/{name}/forget",
    params(("name" = String, Path, description = "The name of a kept query")),
    responses((status = 200, body = [SavedView]), Refusal),
)]
pub async fn forget(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
) -> ApiResult<Vec<SavedView>> {
    Ok(Json(service::saved::forget(&service, &operator, &name).await?))
}
