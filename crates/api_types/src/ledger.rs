//! The books.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How to check.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct LedgerQuery {
    /// Whether to look for every blob in custody as well.
    #[serde(default)]
    pub deep: bool,
}

/// The state of the books.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LedgerView {
    pub balanced: bool,
    pub accepted: i64,
    pub unconfirmed: i64,
    pub accounts: BTreeMap<String, i64>,
    pub closed: BTreeMap<String, i64>,
    /// Units that have been tentative for over an hour: somebody should look at the next hop's log.
    pub stale_tentative: Vec<String>,
    pub faults: Vec<String>,
}
