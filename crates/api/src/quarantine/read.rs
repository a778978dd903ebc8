//! Reading somebody's mail: the bytes, the header, a preview. Each look is in the audit log.

use api_types::quarantine::{ArchiveAsk, ExportQuery, HeadersView, PagesView, PicturesView, PreviewView};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;
use web::download;

use crate::error::{ApiError, ApiResult, Refusal};

/// `GET /api/v1/quarantine/{id}/raw`: exactly the stored bytes.
///
/// # Errors
/// When it is not known, or its bytes are gone.
#[utoipa::path(
    get,
    operation_id = "quarantine.export",
    path = "/api/v1/quarantine/{id}/raw",
    params(("id" = String, Path, description = "The id of a held message"), ExportQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), Refusal),
)]
pub async fn export(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Query(ask): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    Ok(download::whole(service::quarantine::read::export(&service, &operator, &id, ask).await?))
}

/// `POST /api/v1/quarantine/{id}/archive`: the stored bytes in a zip file with a password (AES-256), which no other
/// program opens by mistake.
///
/// # Errors
/// When it is not known, its bytes are gone, or the password is too short.
#[utoipa::path(
    post,
    operation_id = "quarantine.archive",
    path = "/api/v1/quarantine/{id}/archive",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = ArchiveAsk,
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), Refusal),
)]
pub async fn archive(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<ArchiveAsk>,
) -> Result<Response, ApiError> {
    Ok(download::whole(service::quarantine::read::archive(&service, &operator, &id, ask).await?))
}

/// `GET /api/v1/quarantine/{id}/headers`: the header block exactly as in the message, not unfolded.
///
/// # Errors
/// When it is not known, or its bytes are gone.
#[utoipa::path(
    get,
    operation_id = "quarantine.headers",
    path = "/api/v1/quarantine/{id}/headers",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = HeadersView), Refusal),
)]
pub async fn headers(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<HeadersView> {
    Ok(Json(service::quarantine::read::headers(&service, &operator, &id).await?))
}

/// `GET /api/v1/quarantine/{id}/preview`: the plain texts, and the names of the parts. No HTML, nothing is loaded.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
#[utoipa::path(
    get,
    operation_id = "quarantine.preview",
    path = "/api/v1/quarantine/{id}/preview",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = PreviewView), Refusal),
)]
pub async fn preview(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<PreviewView> {
    Ok(Json(service::quarantine::read::preview(&service, &operator, &id).await?))
}

/// `GET /api/v1/quarantine/{id}/pages`: the HTML texts, made harmless.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
#[utoipa::path(
    get,
    operation_id = "quarantine.pages",
    path = "/api/v1/quarantine/{id}/pages",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = PagesView), Refusal),
)]
pub async fn pages(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<PagesView> {
    Ok(Json(service::quarantine::read::pages(&service, &operator, &id).await?))
}

/// `GET /api/v1/quarantine/{id}/pictures`: the pictures, decoded and encoded anew; nothing of the files themselves.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
#[utoipa::path(
    get,
    operation_id = "quarantine.pictures",
    path = "/api/v1/quarantine/{id}/pictures",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = PicturesView), Refusal),
)]
pub async fn pictures(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<PicturesView> {
    Ok(Json(service::quarantine::read::pictures(&service, &operator, &id).await?))
}
