//! A test of the ways by which people are told, over HTTP.

use api_types::notify::{NotifyAsk, TriedView};
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/notices/test`: sends a test notice, marked as one, through every way that the configuration names, and
/// to a recipient if one is given; says what each other side answered. Nothing else is changed by it.
///
/// # Errors
/// When the recipient is none of ours, it is asked for too often, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "notify.test",
    path = "/api/v1/notices/test",
    request_body = NotifyAsk,
    responses((status = 200, body = [TriedView]), Refusal),
)]
pub async fn test(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<NotifyAsk>,
) -> ApiResult<Vec<TriedView>> {
    Ok(Json(service::notify::test(&service, &operator, ask).await?))
}
