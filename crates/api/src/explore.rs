//! The explorer over HTTP: units by a query, their sums, an export without a limit of rows, and what could come next in
//! a query.

use api_types::explore::{
    CompleteQuery, ExploreQuery, ExploredView, ExportQuery, PivotQuery, PivotedView, SuggestionView, SummaryQuery,
    SummaryView,
};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;
use web::download;

use crate::error::{ApiError, ApiResult, Refusal};

/// `GET /api/v1/explore`: units that fit a query, newest first.
///
/// # Errors
/// When the query is wrong, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "explore.list",
    path = "/api/v1/explore",
    params(ExploreQuery),
    responses((status = 200, body = ExploredView), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<ExploreQuery>,
) -> ApiResult<ExploredView> {
    Ok(Json(service::explore::list(&service, &operator, ask).await?))
}

/// `GET /api/v1/explore/summary`: how many units fit a query, by direction, category, disposition, state and time.
///
/// # Errors
/// When the query is wrong, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "explore.summary",
    path = "/api/v1/explore/summary",
    params(SummaryQuery),
    responses((status = 200, body = SummaryView), Refusal),
)]
pub async fn summary(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<SummaryQuery>,
) -> ApiResult<SummaryView> {
    Ok(Json(service::explore::summary(&service, &operator, ask).await?))
}

/// `GET /api/v1/explore/pivot`: how many units fit a query by detection, version, sender domain, host of a link, type
/// of a part or client.
///
/// # Errors
/// When the query or the field is wrong, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "explore.pivot",
    path = "/api/v1/explore/pivot",
    params(PivotQuery),
    responses((status = 200, body = PivotedView), Refusal),
)]
pub async fn pivot(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<PivotQuery>,
) -> ApiResult<PivotedView> {
    Ok(Json(service::explore::pivot(&service, &operator, ask).await?))
}

/// `GET /api/v1/explore/export`: everything that fits a query, however much it is, as it is read.
///
/// # Errors
/// When the query is wrong, or the operator may not. What fails later ends the answer without its end.
#[utoipa::path(
    get,
    operation_id = "explore.export",
    path = "/api/v1/explore/export",
    params(ExportQuery),
    responses((status = 200, body = String), Refusal),
)]
pub async fn export(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    Ok(download::in_pieces(service::explore::export(&service, &operator, ask).await?))
}

/// `GET /api/v1/explore/complete`: what could come next in a query.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "explore.complete",
    path = "/api/v1/explore/complete",
    params(CompleteQuery),
    responses((status = 200, body = [SuggestionView]), Refusal),
)]
pub async fn suggest(
    Extension(operator): Extension<Operator>,
    Query(ask): Query<CompleteQuery>,
) -> ApiResult<Vec<SuggestionView>> {
    Ok(Json(service::explore::suggest(&operator, ask)?))
}
