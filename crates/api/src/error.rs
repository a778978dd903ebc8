//! Errors over HTTP, in one place: `{"error":{"code","message"}}`.

use api_types::refusal::{RefusalBody, RefusalView};
use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use service::error::ServiceError;
use utoipa::IntoResponses;

/// An answer instead of a result.
#[derive(Debug)]
pub struct ApiError(pub ServiceError);

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

/// The refusals that any request may meet, for the document of the API.
#[derive(Debug, IntoResponses)]
pub enum Refusal {
    /// The request makes no sense.
    #[response(status = 400)]
    Bad(RefusalView),
    /// No token in force was shown.
    #[response(status = 401)]
    Unauthorized(RefusalView),
    /// The role or the scope does not allow it.
    #[response(status = 403)]
    Forbidden(RefusalView),
    /// There is no such thing, or it is out of scope.
    #[response(status = 404)]
    NotFound(RefusalView),
    /// It cannot be done in this state.
    #[response(status = 409)]
    Conflict(RefusalView),
    /// The token asks too often; `Retry-After` says when it may again.
    #[response(status = 429)]
    TooMany(RefusalView),
    /// The store is not there.
    #[response(status = 503)]
    Unavailable(RefusalView),
}

/// The result of a handler.
pub type ApiResult<T> = Result<Json<T>, ApiError>;

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut retry_after = None;
        self.0.log();
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (code, message) = match self.0 {
            ServiceError::Bad(message) => ("bad_request", message),
            ServiceError::Query(error) => {
                ("bad_query", format!("{} (at {} to {})", error.what, error.at.start, error.at.end))
            }
            ServiceError::Unauthorized(message) => ("unauthorized", message),
            ServiceError::Forbidden(message) => ("forbidden", message),
            ServiceError::NotFound(message) => ("not_found", message),
            ServiceError::Conflict(message) => ("conflict", message),
            ServiceError::TooMany(seconds) => {
                retry_after = Some([(RETRY_AFTER, seconds.to_string())]);
                ("too_many_requests", format!("this token asks too often; try again in {seconds} s"))
            }
            ServiceError::Unavailable(message) => ("unavailable", message),
            ServiceError::Internal(message) => ("internal", message),
        };
        let error = RefusalBody { code: code.to_owned(), message };
        (status, retry_after, Json(RefusalView { error })).into_response()
    }
}
