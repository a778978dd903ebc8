//! What every refusal of the API looks like.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What every refusal looks like.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RefusalView {
    /// What was wrong.
    pub error: RefusalBody,
}

/// What was wrong.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RefusalBody {
    /// A word for programs: bad_request, bad_query, unauthorized, forbidden, not_found, conflict, too_many_requests,
    /// unavailable or internal.
    pub code: String,
    /// What, where and what to do, for people.
    pub message: String,
}
