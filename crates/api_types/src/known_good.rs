//! Known-good content: how much there is, and its keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much is known to be good.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct KnownGoodView {
    /// Whether anything is remembered.
    pub on: bool,
    /// Contents remembered.
    pub contents: u64,
    /// Contents whose bytes are kept, for backtests.
    pub kept: u64,
    pub kept_bytes: u64,
    /// Whole mails kept.
    pub mails: u64,
    pub mail_bytes: u64,
    /// Seen clean for 3 days by two carriers; for 7 by five; for 14 by twenty.
    pub c1: u64,
    pub c2: u64,
    pub c3: u64,
    /// Kept contents by family.
    pub by_family: BTreeMap<String, u64>,
    pub since: Option<String>,
    /// The ids of its keys, the one that encrypts first.
    pub keys: Vec<String>,
}

/// Why to make a new key.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotateAsk {
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Only say what there is.
    pub what_if: bool,
}
