//! The books over HTTP.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::Account;
use serde::{Deserialize, Serialize};

use super::Console;
use super::error::ApiResult;
use crate::console::access::{Operator, Permission};

/// How to check.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerQuery {
    /// Whether to look for every blob in custody as well.
    #[serde(default)]
    deep: bool,
}

/// The state of the books.
#[derive(Debug, Serialize)]
pub struct LedgerView {
    balanced: bool,
    accepted: i64,
    unconfirmed: i64,
    accounts: BTreeMap<String, i64>,
    closed: BTreeMap<String, i64>,
    faults: Vec<String>,
}

/// `GET /api/v1/ledger`: checks the books.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn check(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<LedgerQuery>,
) -> ApiResult<LedgerView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let balance = console.store()?.check_ledger(query.deep).await?;
    let shown = Account::ALL.into_iter().map(|account| {
        let name = account.as_str().to_owned();
        let units = balance.accounts.get(&name).copied().unwrap_or(0);
        (name, units)
    });
    Ok(Json(LedgerView {
        balanced: balance.is_balanced(),
        accepted: balance.accepted,
        unconfirmed: balance.unconfirmed,
        accounts: shown.collect(),
        closed: balance.closed,
        faults: balance.faults,
    }))
}
