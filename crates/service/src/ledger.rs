//! The ledger.

use api_types::ledger::{LedgerQuery, LedgerView};
use domain::Account;
use store::upkeep::ledger::Balance;
use store::upkeep::retention::{TENTATIVE_LISTED_MAX, TENTATIVE_SHOWN};

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::ServiceResult;

/// Checks the ledger.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn check(service: &Service, operator: &Operator, query: LedgerQuery) -> ServiceResult<LedgerView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let before = service.clock.now().before(TENTATIVE_SHOWN);
    let stale = service.store()?.upkeep.tentative(before, TENTATIVE_LISTED_MAX).await?;
    let balance = service.store()?.upkeep.check_ledger(query.deep).await?;
    let mut view = view(balance);
    view.stale_tentative = stale.iter().map(ToString::to_string).collect();
    Ok(view)
}

/// The ledger without what only a look of its own finds.
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
