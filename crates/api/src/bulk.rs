//! Acts on everything that a query fits, over HTTP: first how much that is, then a job with a result for each unit.

use api_types::bulk::{BulkAsk, BulkView, CancelAsk, ItemView, ItemsQuery};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/bulk`: acts on everything that a query fits, or says what that would be.
///
/// # Errors
/// When the query is wrong or empty, a reason is missing, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "bulk.begin",
    path = "/api/v1/bulk",
    request_body = BulkAsk,
    responses((status = 200, body = BulkView), Refusal),
)]
pub async fn begin(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<BulkAsk>,
) -> ApiResult<BulkView> {
    Ok(Json(service::bulk::begin(&service, &operator, ask).await?))
}

/// `GET /api/v1/bulk`: jobs, newest first, 200 at most; for operators of some domains their own.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "bulk.list",
    path = "/api/v1/bulk",
    responses((status = 200, body = [BulkView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<BulkView>> {
    Ok(Json(service::bulk::list(&service, &operator).await?))
}

/// `GET /api/v1/bulk/{number}`: how far a job is.
///
/// # Errors
/// When there is none of this number, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "bulk.show",
    path = "/api/v1/bulk/{number}",
    params(("number" = i64, Path, description = "The number of a job")),
    responses((status = 200, body = BulkView), Refusal),
)]
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> ApiResult<BulkView> {
    Ok(Json(service::bulk::show(&service, &operator, number).await?))
}

/// `GET /api/v1/bulk/{number}/items`: what became of each unit, 500 at most, by the message.
///
/// # Errors
/// When there is none of this number, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "bulk.items",
    path = "/api/v1/bulk/{number}/items",
    params(("number" = i64, Path, description = "The number of a job"), ItemsQuery),
    responses((status = 200, body = [ItemView]), Refusal),
)]
pub async fn items(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Query(ask): Query<ItemsQuery>,
) -> ApiResult<Vec<ItemView>> {
    Ok(Json(service::bulk::items(&service, &operator, number, ask).await?))
}

/// `POST /api/v1/bulk/{number}/cancel`: stops a job; what it had done stays done.
///
/// # Errors
/// When it does not run, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "bulk.cancel",
    path = "/api/v1/bulk/{number}/cancel",
    params(("number" = i64, Path, description = "The number of a job")),
    request_body = CancelAsk,
    responses((status = 200, body = BulkView), Refusal),
)]
pub async fn cancel(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Json(ask): Json<CancelAsk>,
) -> ApiResult<BulkView> {
    Ok(Json(service::bulk::cancel(&service, &operator, number, ask).await?))
}

/// `POST /api/v1/bulk/{number}/approve`: somebody else agrees to a job that waits for that.
///
/// # Errors
/// When it does not wait, it is one's own, it reaches further than one's own domains, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "bulk.approve",
    path = "/api/v1/bulk/{number}/approve",
    params(("number" = i64, Path, description = "The number of a job")),
    request_body = CancelAsk,
    responses((status = 200, body = BulkView), Refusal),
)]
pub async fn approve(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Json(ask): Json<CancelAsk>,
) -> ApiResult<BulkView> {
    Ok(Json(service::bulk::approve(&service, &operator, number, ask).await?))
}
