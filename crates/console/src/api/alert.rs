//! What operators are called for, over HTTP.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use store::alert::Alert;
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiResult, Refusal};
use crate::access::{Operator, Permission};

/// Alerts of one answer at most.
const LISTED_MAX: i64 = 500;

/// Which to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct AlertQuery {
    /// Also those that somebody has seen.
    pub(crate) seen: bool,
}

/// Something that operators are called for.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertView {
    pub(crate) number: i64,
    pub(crate) at: String,
    /// rate, reports, undecided, pardoned, engine, books, panic, clock or damage.
    pub(crate) kind: String,
    /// What it is about: mostly the code of a detection.
    pub(crate) subject: String,
    /// What happened, and what to do.
    pub(crate) text: String,
    pub(crate) seen: Option<String>,
    pub(crate) seen_by: Option<String>,
}

fn view(alert: Alert) -> AlertView {
    let (seen, seen_by) = alert.seen.map(|(at, by)| (at.to_string(), by)).unzip();
    AlertView {
        number: alert.number,
        at: alert.at.to_string(),
        kind: alert.kind.as_str().to_owned(),
        subject: alert.subject,
        text: alert.text,
        seen,
        seen_by,
    }
}

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
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<AlertQuery>,
) -> ApiResult<Vec<AlertView>> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let alerts = console.store()?.alerts(query.seen, LISTED_MAX).await?;
    Ok(Json(alerts.into_iter().map(view).collect()))
}

/// That somebody has seen it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeenAsk {
    /// What was made of it, for the record.
    pub(crate) reason: String,
    /// Who, for the record.
    pub(crate) actor: String,
}

/// `POST /api/v1/alerts/{number}/seen`: somebody has seen it; nobody is called for it any more.
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
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Json(ask): Json<SeenAsk>,
) -> ApiResult<AlertView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let (store, at, by) = (console.store()?, console.clock.now(), operator.actor(&ask.actor));
    let mut alert = store.alert(number).await?;
    if alert.seen.is_none() {
        console.record(by.clone(), "alert.seen", &number.to_string(), &ask.reason).await?;
        store.alert_seen(number, at, &by).await?;
        alert.seen = Some((at, by));
    }
    Ok(Json(view(alert)))
}
