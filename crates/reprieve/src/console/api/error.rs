//! Errors of the API, turned into HTTP in one place: `{"error":{"code","message"}}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use store::StoreError;

/// What an answer can be instead of a result.
#[derive(Debug)]
pub enum ApiError {
    /// 400: the request makes no sense; says what does.
    Bad(String),
    /// 401.
    Unauthorized(String),
    /// 403.
    Forbidden(String),
    /// 404.
    NotFound(String),
    /// 409: what is asked for cannot be done in this state.
    Conflict(String),
    /// 503: the store is not there.
    Unavailable(String),
    /// 500.
    Internal(String),
}

/// The result of a handler.
pub type ApiResult<T> = Result<Json<T>, ApiError>;

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::Bad(message) => (StatusCode::BAD_REQUEST, "bad_request", message),
            Self::Unauthorized(message) => (StatusCode::UNAUTHORIZED, "unauthorized", message),
            Self::Forbidden(message) => (StatusCode::FORBIDDEN, "forbidden", message),
            Self::NotFound(message) => (StatusCode::NOT_FOUND, "not_found", message),
            Self::Conflict(message) => (StatusCode::CONFLICT, "conflict", message),
            Self::Unavailable(message) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", message),
            Self::Internal(message) => {
                tracing::error!(message, "a request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
            }
        };
        (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::NotFound(error.to_string()),
            StoreError::Refused(_) => Self::Conflict(error.to_string()),
            StoreError::Broken(_) | StoreError::Full(_) => Self::Unavailable(error.to_string()),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl super::Console {
    /// The store, or the answer that it is not there.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`].
    pub fn store(&self) -> Result<&store::Store, ApiError> {
        self.store
            .as_ref()
            .ok_or_else(|| ApiError::Unavailable("the store is not open; see the log of `reprieve serve`".into()))
    }
}
