//! What recipients have asked for, and nobody has decided: a release or a denial of the unit is the answer.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use store::recipient::ReleaseRequest;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiResult, Refusal};
use crate::access::{Operator, Permission};

/// Requests of one answer; the longest waiting come first.
const REQUESTS_MAX: i64 = 500;

/// A recipient's wish for a release.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestView {
    pub(crate) mail_id: String,
    /// The recipient: what to release or deny with.
    pub(crate) recipient: String,
    pub(crate) asked: String,
    pub(crate) reason: String,
    pub(crate) sender: String,
    pub(crate) subject: String,
    pub(crate) category: String,
}

fn view(request: ReleaseRequest) -> RequestView {
    RequestView {
        mail_id: request.unit.mail.to_string(),
        recipient: request.recipient,
        asked: request.asked.to_string(),
        reason: request.reason,
        sender: request.sender,
        subject: request.subject,
        category: request.category,
    }
}

/// `GET /api/v1/quarantine/requests`: what recipients ask for and is held still. Release approves, deny denies, for the
/// named recipient.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "quarantine.requests",
    path = "/api/v1/quarantine/requests",
    responses((status = 200, body = [RequestView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<RequestView>> {
    operator.may(Permission::Look)?;
    let requests = console.store()?.release_requests(&operator.scope, REQUESTS_MAX).await?;
    Ok(Json(requests.into_iter().map(view).collect()))
}
