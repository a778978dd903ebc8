//! The books over HTTP.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::Account;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiResult, Refusal};
use crate::access::{Operator, Permission};
use store::ledger::Balance;
use store::retention::{TENTATIVE_LISTED_MAX, TENTATIVE_SHOWN};

/// How to check.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct LedgerQuery {
    /// Whether to look for every blob in custody as well.
    #[serde(default)]
    pub(crate) deep: bool,
}

/// The state of the books.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerView {
    pub(crate) balanced: bool,
    pub(crate) accepted: i64,
    pub(crate) unconfirmed: i64,
    pub(crate) accounts: BTreeMap<String, i64>,
    pub(crate) closed: BTreeMap<String, i64>,
    /// Units that have been tentative for over an hour: somebody should look at the next hop's log.
    pub(crate) stale_tentative: Vec<String>,
    pub(crate) faults: Vec<String>,
}

/// `GET /api/v1/ledger`: checks the books.
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
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<LedgerQuery>,
) -> ApiResult<LedgerView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let before = console.clock.now().before(TENTATIVE_SHOWN);
    let stale = console.store()?.tentative(before, TENTATIVE_LISTED_MAX).await?;
    let balance = console.store()?.check_ledger(query.deep).await?;
    let mut view = view(balance);
    view.stale_tentative = stale.iter().map(ToString::to_string).collect();
    Ok(Json(view))
}

/// The books without what only a look of its own finds.
pub(super) fn view(balance: Balance) -> LedgerView {
    let shown = Account::ALL.into_iter().map(|account| {
        let name = account.as_str().to_owned();
        let units = balance.accounts.get(&name).copied().unwrap_or(0);
        (name, units)
    });
    LedgerView {
        balanced: balance.is_balanced(),
        accepted: balance.accepted,
        unconfirmed: balance.unconfirmed,
        accounts: shown.collect(),
        closed: balance.closed,
        stale_tentative: Vec::new(),
        faults: balance.faults,
    }
}
