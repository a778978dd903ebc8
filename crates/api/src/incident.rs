//! Incidents over HTTP: what happened, how far it is, and what people do about it.

use api_types::incident::{ChangeAsk, DryRunView, IncidentRow, IncidentView, OpenAsk, ReportQuery};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;
use web::download;

use crate::error::{ApiError, ApiResult, Refusal};

/// `GET /api/v1/incidents`: all incidents, newest first.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.list",
    path = "/api/v1/incidents",
    responses((status = 200, body = [IncidentRow]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<IncidentRow>> {
    Ok(Json(service::incident::list(&service, &operator).await?))
}

/// `GET /api/v1/incidents/{id}`: an incident with its timeline, its reach and what is left.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.show",
    path = "/api/v1/incidents/{id}",
    params(("id" = String, Path, description = "The public id of an incident")),
    responses((status = 200, body = IncidentView), Refusal),
)]
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<IncidentView> {
    Ok(Json(service::incident::show(&service, &operator, &id).await?))
}

/// `GET /api/v1/incidents/{id}/progress`: how far an incident is; what is asked for again and again.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.progress",
    path = "/api/v1/incidents/{id}/progress",
    params(("id" = String, Path, description = "The public id of an incident")),
    responses((status = 200, body = IncidentRow), Refusal),
)]
pub async fn progress(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<IncidentRow> {
    Ok(Json(service::incident::progress(&service, &operator, &id).await?))
}

/// `POST /api/v1/incidents`: opens an incident about a detection version; one that is open already is shown. What it
/// held is counted in at once.
///
/// # Errors
/// When the detection is not in force and no version is named, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "incident.open",
    path = "/api/v1/incidents",
    request_body = OpenAsk,
    responses((status = 200, body = IncidentView), Refusal),
)]
pub async fn open(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<OpenAsk>,
) -> ApiResult<IncidentView> {
    Ok(Json(service::incident::open(&service, &operator, ask).await?))
}

/// `POST /api/v1/incidents/{id}`: writes a note into an incident, or takes a step that a person decides.
///
/// # Errors
/// When the incident does not allow it, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "incident.change",
    path = "/api/v1/incidents/{id}",
    params(("id" = String, Path, description = "The public id of an incident")),
    request_body = ChangeAsk,
    responses((status = 200, body = IncidentView), Refusal),
)]
pub async fn change(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<ChangeAsk>,
) -> ApiResult<IncidentView> {
    Ok(Json(service::incident::change(&service, &operator, &id, ask).await?))
}

/// `GET /api/v1/incidents/{id}/dry-run`: what a replay would do, from recorded findings: quick, and silent about what a
/// corrected detection would say.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.dry_run",
    path = "/api/v1/incidents/{id}/dry-run",
    params(("id" = String, Path, description = "The public id of an incident")),
    responses((status = 200, body = DryRunView), Refusal),
)]
pub async fn dry_run(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<DryRunView> {
    Ok(Json(service::incident::dry_run(&service, &operator, &id).await?))
}

/// `GET /api/v1/incidents/{id}/report`: the post-incident report, drafted from the record.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.report",
    path = "/api/v1/incidents/{id}/report",
    params(("id" = String, Path, description = "The public id of an incident"), ReportQuery),
    responses((status = 200, body = String), Refusal),
)]
pub async fn report(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, ApiError> {
    Ok(download::whole(service::incident::report(&service, &operator, &id, query).await?))
}
