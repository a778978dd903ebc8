//! The books.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How to check.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct LedgerQuery {
    /// Whether to read all stored bytes that a message needs as well, and compare them with their SHA-256.
    #[serde(default)]
    pub deep: bool,
}

/// The state of the books.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LedgerView {
    /// Whether nothing is wrong: `faults` is empty.
    pub balanced: bool,
    /// Units (one message for one recipient) that were answered with 2xx, and are still in the books.
    pub accepted: i64,
    /// Units beside them, in forwarding, tentative, in_doubt_live or refused.
    pub unconfirmed: i64,
    /// Units in each account: forwarding, tentative, in_doubt_live, refused, delivered, held, releasing, in_doubt,
    /// released, failed, denied, deleted and expired.
    pub accounts: BTreeMap<String, i64>,
    /// Units that purges have taken out of the books, by the account in which they ended.
    pub closed: BTreeMap<String, i64>,
    /// Units, as the id of the message and the number of the recipient, that have been tentative for over an hour:
    /// somebody should look at the next hop's log.
    pub stale_tentative: Vec<String>,
    /// What is wrong, one line each.
    pub faults: Vec<String>,
}
