//! Why something cannot be done, whoever asked and by whichever way.

use domain::query::QueryError;
use store::StoreError;

/// Why there is no result.
#[derive(Debug)]
pub enum ServiceError {
    /// The request makes no sense; says what does.
    Bad(String),
    /// A query of the explorer is wrong; says where and what to write.
    Query(QueryError),
    /// Who asks has not shown who they are.
    Unauthorized(String),
    /// The role or the scope does not allow it.
    Forbidden(String),
    /// There is no such thing, or it is out of scope.
    NotFound(String),
    /// What is asked for cannot be done in this state.
    Conflict(String),
    /// Asks too often; when it may again, in seconds.
    TooMany(u64),
    /// The store is not there.
    Unavailable(String),
    /// Something failed here; the log says what.
    Internal(String),
}

/// The result of a use case.
pub type ServiceResult<T> = Result<T, ServiceError>;

impl ServiceError {
    /// The status that HTTP has for it (RFC 9110 section 15, RFC 6585).
    pub fn status(&self) -> u16 {
        match self {
            Self::Bad(_) | Self::Query(_) => 400,
            Self::Unauthorized(_) => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::Conflict(_) => 409,
            Self::TooMany(_) => 429,
            Self::Internal(_) => 500,
            Self::Unavailable(_) => 503,
        }
    }

    /// Writes into the log what nobody is told.
    pub fn log(&self) {
        if let Self::Internal(message) = self {
            tracing::error!(message, "a request failed");
        }
    }
}

impl From<StoreError> for ServiceError {
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
