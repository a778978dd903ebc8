//! What people say of verdicts, over HTTP.

use api_types::submission::{BundleView, SubmissionAsk, SubmissionDetailView, SubmissionQuery, SubmissionView};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/submissions`: what people have said of verdicts, newest first, 200 at most.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "submission.list",
    path = "/api/v1/submissions",
    params(SubmissionQuery),
    responses((status = 200, body = [SubmissionView]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<SubmissionQuery>,
) -> ApiResult<Vec<SubmissionView>> {
    Ok(Json(service::submission::list(&service, &operator, query).await?))
}

/// `GET /api/v1/submissions/{number}`: one submission, and what others say of the same.
///
/// # Errors
/// When there is none of this number, or the operator may not know of its message.
#[utoipa::path(
    get,
    operation_id = "submission.show",
    path = "/api/v1/submissions/{number}",
    params(("number" = i64, Path, description = "The number of a submission")),
    responses((status = 200, body = SubmissionDetailView), Refusal),
)]
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> ApiResult<SubmissionDetailView> {
    Ok(Json(service::submission::show(&service, &operator, number).await?))
}

/// `POST /api/v1/submissions`: says that a message was judged wrongly. Saying the same twice is saying it once.
///
/// # Errors
/// When the message is not known, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "submission.add",
    path = "/api/v1/submissions",
    request_body = SubmissionAsk,
    responses((status = 200, body = SubmissionView), Refusal),
)]
pub async fn add(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<SubmissionAsk>,
) -> ApiResult<SubmissionView> {
    Ok(Json(service::submission::add(&service, &operator, ask).await?))
}

/// `GET /api/v1/submissions/{number}/bundle`: evidence for the maker of the detection, without anything about people.
///
/// # Errors
/// When there is none of this number, its message is not known any more, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "submission.export",
    path = "/api/v1/submissions/{number}/bundle",
    params(("number" = i64, Path, description = "The number of a submission")),
    responses((status = 200, body = BundleView), Refusal),
)]
pub async fn export(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> ApiResult<BundleView> {
    Ok(Json(service::submission::export(&service, &operator, number).await?))
}
