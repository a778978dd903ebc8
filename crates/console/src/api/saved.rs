//! Queries of the explorer that people keep by a name, over HTTP.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use store::saved::SavedQuery;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::explore::read;
use crate::access::{Operator, Permission};

/// Characters of a name.
const NAME_MAX: usize = 80;

/// A query with a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedView {
    pub(crate) name: String,
    pub(crate) q: String,
    pub(crate) by: String,
    pub(crate) made: String,
    /// Whether it stands on the first page, with how much fitted it in the last day.
    pub(crate) tracked: bool,
}

fn view(saved: SavedQuery) -> SavedView {
    let SavedQuery { name, query, by, made, is_tracked } = saved;
    SavedView { name, q: query, by, made: made.to_string(), tracked: is_tracked }
}

/// `GET /api/v1/queries`: all of them, by name. They are everybody's; what they find is what each may see.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(get, operation_id = "query.list", path = "/api/v1/queries", responses((status = 200, body = [SavedView]),
    Refusal))]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<SavedView>> {
    operator.may(Permission::Look)?;
    Ok(Json(console.store()?.saved_queries().await?.into_iter().map(view).collect()))
}

/// What to keep.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SaveAsk {
    /// Its name; one of the same name is replaced.
    pub(crate) name: String,
    /// The query; `received:>=-24h` and the like stay relative.
    pub(crate) q: String,
    /// Whether it is to stand on the first page.
    pub(crate) tracked: bool,
}

/// `POST /api/v1/queries`: keeps a query.
///
/// # Errors
/// When the query cannot be read, the name is none, or the operator may not.
#[utoipa::path(post, operation_id = "query.save", path = "/api/v1/queries", request_body = SaveAsk,
    responses((status = 200, body = SavedView), Refusal))]
pub async fn save(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<SaveAsk>,
) -> ApiResult<SavedView> {
    operator.may(Permission::Decide)?;
    let (name, now) = (ask.name.trim().to_owned(), console.clock.now());
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(ApiError::Bad(format!("a name has 1 to {NAME_MAX} characters")));
    }
    read(&ask.q, now)?;
    let saved = SavedQuery {
        name,
        query: ask.q.trim().to_owned(),
        by: operator.name.clone(),
        made: now,
        is_tracked: ask.tracked,
    };
    console.record(operator.name, "query.save", &saved.name, &saved.query).await?;
    console.store()?.save_query(saved.clone()).await?;
    Ok(Json(view(saved)))
}

/// `POST /api/v1/queries/{name}/forget`: keeps it no longer.
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
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
) -> ApiResult<Vec<SavedView>> {
    operator.may(Permission::Decide)?;
    console.record(operator.name.clone(), "query.forget", &name, "").await?;
    console.store()?.forget_query(&name).await?;
    list(State(console), Extension(operator)).await
}
