//! What operators are called for, over HTTP.

use api_types::alert::{AlertQuery, AlertView, ChooseAsk, SeenAsk};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/alerts`: what operators are called for, newest first, 500 at most.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "alert.list",
    path = "/api/v1/alerts",
    params(AlertQuery),
    responses((status = 200, body = [AlertView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<AlertQuery>,
) -> ApiResult<Vec<AlertView>> {
    Ok(Json(service::alert::list(&service, &operator, query).await?))
}

/// `POST /api/v1/alerts/{number}/seen`: says that somebody has seen an alert; nobody is called for it any more.
///
/// # Errors
/// When there is none of this number, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "alert.seen",
    path = "/api/v1/alerts/{number}/seen",
    params(("number" = i64, Path, description = "The number of an alert")),
    request_body = SeenAsk,
    responses((status = 200, body = AlertView), Refusal),
)]
pub async fn seen(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Json(ask): Json<SeenAsk>,
) -> ApiResult<AlertView> {
    Ok(Json(service::alert::seen(&service, &operator, number, ask).await?))
}

/// `POST /api/v1/alerts/{number}/choose`: contains the detection of an alert for a day, switches it off for a day, or
/// says that it is right; the alert counts as seen then.
///
/// # Errors
/// When there is none of this number or no such choice, the detection is not in force, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "alert.choose",
    path = "/api/v1/alerts/{number}/choose",
    params(("number" = i64, Path, description = "The number of an alert")),
    request_body = ChooseAsk,
    responses((status = 200, body = AlertView), Refusal),
)]
pub async fn choose(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Json(ask): Json<ChooseAsk>,
) -> ApiResult<AlertView> {
    Ok(Json(service::alert::choose(&service, &operator, number, ask).await?))
}
