//! Errors of the API, turned into HTTP in one place: `{"error":{"code","message"}}`.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use domain::query::QueryError;
use serde::Serialize;
use store::StoreError;
use utoipa::{IntoResponses, ToSchema};

/// What an answer can be instead of a result.
#[derive(Debug)]
pub enum ApiError {
    /// 400: the request makes no sense; says what does.
    Bad(String),
    /// 400: a query of the explorer is wrong; says where and what to write.
    Query(QueryError),
    /// 401.
    Unauthorized(String),
    /// 403.
    Forbidden(String),
    /// 404.
    NotFound(String),
    /// 409: what is asked for cannot be done in this state.
    Conflict(String),
    /// 429: asks too often; when it may again, in seconds.
    TooMany(u64),
    /// 503: the store is not there.
    Unavailable(String),
    /// 500.
    Internal(String),
}

/// What every refusal looks like.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalView {
    error: RefusalBody,
}

/// What was wrong.
#[derive(Debug, Serialize, ToSchema)]
struct RefusalBody {
    /// A name for programs, such as `not_found`.
    code: &'static str,
    /// What, where and what to do, for people.
    message: String,
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
        let (status, code, message) = match self {
            Self::Bad(message) => (StatusCode::BAD_REQUEST, "bad_request", message),
            Self::Query(error) => {
                let message = format!("{} (at {} to {})", error.what, error.at.start, error.at.end);
                (StatusCode::BAD_REQUEST, "bad_query", message)
            }
            Self::Unauthorized(message) => (StatusCode::UNAUTHORIZED, "unauthorized", message),
            Self::Forbidden(message) => (StatusCode::FORBIDDEN, "forbidden", message),
            Self::NotFound(message) => (StatusCode::NOT_FOUND, "not_found", message),
            Self::Conflict(message) => (StatusCode::CONFLICT, "conflict", message),
            Self::TooMany(seconds) => {
                retry_after = Some([(RETRY_AFTER, seconds.to_string())]);
                let message = format!("this token asks too often; try again in {seconds} s");
                (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
            }
            Self::Unavailable(message) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", message),
            Self::Internal(message) => {
                tracing::error!(message, "a request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
            }
        };
        (status, retry_after, Json(RefusalView { error: RefusalBody { code, message } })).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::NotFound(error.to_string()),
            StoreError::Refused(_) => Self::Conflict(error.to_string()),
            StoreError::Broken(_)
            | StoreError::Damaged { .. }
            | StoreError::Full(_)
            | StoreError::Busy(_)
            | StoreError::Unreachable(_) => Self::Unavailable(error.to_string()),
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
