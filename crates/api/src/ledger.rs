//! The books over HTTP.

use api_types::ledger::{LedgerQuery, LedgerView};
use axum::extract::{Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/ledger`: checks the books: whether every unit (one message for one recipient) is in exactly one
/// account.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "ledger.check",
    path = "/api/v1/ledger",
    params(LedgerQuery),
    responses((status = 200, body = LedgerView), Refusal),
)]
pub async fn check(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<LedgerQuery>,
) -> ApiResult<LedgerView> {
    Ok(Json(service::ledger::check(&service, &operator, query).await?))
}
