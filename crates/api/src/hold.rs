//! Legal hold over HTTP: mail that neither expires nor is deleted until the hold is lifted.

use api_types::hold::{HoldAsk, HoldQuery, HoldView, LiftAsk};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/holds`: the holds, newest first.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "hold.list",
    path = "/api/v1/holds",
    params(HoldQuery),
    responses((status = 200, body = [HoldView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<HoldQuery>,
) -> ApiResult<Vec<HoldView>> {
    Ok(Json(service::hold::list(&service, &operator, query).await?))
}

/// `POST /api/v1/holds`: makes a hold. From then on nothing that it is about expires, is deleted or is purged.
///
/// # Errors
/// When something about it is wrong, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "hold.add",
    path = "/api/v1/holds",
    request_body = HoldAsk,
    responses((status = 200, body = HoldView), Refusal),
)]
pub async fn add(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<HoldAsk>,
) -> ApiResult<HoldView> {
    Ok(Json(service::hold::add(&service, &operator, ask).await?))
}

/// `POST /api/v1/holds/{number}/lift`: lifts a hold. What it was about goes its way again, a day later at the earliest.
///
/// # Errors
/// When no reason is given, there is no open hold of this number, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "hold.lift",
    path = "/api/v1/holds/{number}/lift",
    params(("number" = u64, Path, description = "The number of a hold")),
    request_body = LiftAsk,
    responses((status = 200, body = HoldView), Refusal),
)]
pub async fn lift(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<u64>,
    Json(ask): Json<LiftAsk>,
) -> ApiResult<HoldView> {
    Ok(Json(service::hold::lift(&service, &operator, number, ask).await?))
}
