//! Backups over HTTP: written by the gateway, on its own host.

use api_types::backup::{BackupAsk, BackupView};
use axum::extract::State;
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `POST /api/v1/backup`: a consistent copy of database, held mail and key while mail flows. Over the unix socket only:
/// who may name files on the host is root anyway.
///
/// # Errors
/// When the folder exists or cannot be written.
#[utoipa::path(
    post,
    operation_id = "backup",
    path = "/api/v1/backup",
    request_body = BackupAsk,
    responses((status = 200, body = BackupView), Refusal),
)]
pub async fn create(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<BackupAsk>,
) -> ApiResult<BackupView> {
    Ok(Json(service::backup::create(&service, &operator, ask).await?))
}
