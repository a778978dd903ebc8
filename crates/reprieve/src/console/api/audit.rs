//! The audit log over HTTP.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::audit::Entry;
use serde::{Deserialize, Serialize};

use super::Console;
use super::error::ApiResult;
use crate::console::access::{Operator, Permission};

/// Entries of one answer at most.
const ENTRIES_MAX: i64 = 1000;

/// Where to begin.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuery {
    from: u64,
}

/// `GET /api/v1/audit`: entries from one on, oldest first.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<AuditQuery>,
) -> ApiResult<Vec<Entry>> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    Ok(Json(console.store()?.audit_entries(query.from, ENTRIES_MAX).await?))
}

/// What a check found.
#[derive(Debug, Serialize)]
pub struct VerifiedView {
    intact: bool,
    size: u64,
    root: String,
    faults: Vec<String>,
}

/// `GET /api/v1/audit/verify`: computes the tree anew and compares it with its sealed head.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn verify(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<VerifiedView> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let verified = console.store()?.verify_audit().await?;
    Ok(Json(VerifiedView {
        intact: verified.faults.is_empty(),
        size: verified.size,
        root: verified.root,
        faults: verified.faults,
    }))
}
