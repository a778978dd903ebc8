//! The list, by filters.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::held::ReleaseStatus;
use domain::{Direction, Timestamp};
use serde::Deserialize;
use store::quarantine::Filter;
use utoipa::IntoParams;

use super::error::{ApiError, ApiResult, Refusal};
use super::{Console, HeldView, mail_id, view};
use crate::console::access::{Operator, Permission};

/// Filters of the list, as query parameters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct ListQuery {
    status: Option<String>,
    direction: Option<String>,
    category: Option<String>,
    detection: Option<String>,
    sender: Option<String>,
    recipient: Option<String>,
    subject: Option<String>,
    message_id: Option<String>,
    since: Option<String>,
    until: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

impl ListQuery {
    fn filter(self) -> Result<Filter, ApiError> {
        let bad =
            |what: &str, text: &str, use_: &str| ApiError::Bad(format!("{what} '{text}' is not known; use {use_}"));
        let status = self.status.map(|text| {
            let known = "NotReleased, PreparingToRelease, Released, Error, Denied or Gone";
            ReleaseStatus::parse(&text).ok_or_else(|| bad("status", &text, known))
        });
        let direction = self.direction.map(|text| {
            Direction::parse(&text).ok_or_else(|| bad("direction", &text, "Inbound, Outbound or Internal"))
        });
        let time = |text: Option<String>| {
            text.map(|text| Timestamp::parse(&text).map_err(|error| ApiError::Bad(error.to_string()))).transpose()
        };
        Ok(Filter {
            accounts: status.transpose()?.map(ReleaseStatus::accounts).unwrap_or_default(),
            direction: direction.transpose()?,
            category: self.category,
            detection: self.detection,
            sender: self.sender,
            recipient: self.recipient,
            subject: self.subject,
            message_id: self.message_id,
            since: time(self.since)?,
            until: time(self.until)?,
            after: self.after.map(|text| mail_id(&text)).transpose()?,
            limit: self.limit.unwrap_or_default(),
        })
    }
}

/// `GET /api/v1/quarantine`: held messages, newest first.
///
/// # Errors
/// When a filter makes no sense, or the store fails.
#[utoipa::path(
    get,
    operation_id = "quarantine.list",
    path = "/api/v1/quarantine",
    params(ListQuery),
    responses((status = 200, body = [HeldView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Vec<HeldView>> {
    operator.may(Permission::Look)?;
    let held = console.store()?.held(&query.filter()?, &operator.scope).await?;
    Ok(Json(held.iter().map(view).collect()))
}
