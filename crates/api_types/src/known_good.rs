//! Known-good content: how much there is, and its keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much is known to be good.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct KnownGoodView {
    /// Whether anything is remembered.
    pub on: bool,
    /// Contents (decoded parts of mails) that are remembered.
    pub contents: u64,
    /// Contents whose bytes are kept, for backtests.
    pub kept: u64,
    /// Bytes of the contents that are kept.
    pub kept_bytes: u64,
    /// Whole mails that are kept.
    pub mails: u64,
    /// Bytes of the mails that are kept.
    pub mail_bytes: u64,
    /// Contents of class C1: seen clean for 3 days, by 2 carriers, and of no better class.
    pub c1: u64,
    /// Contents of class C2: seen clean for 7 days, by 5 carriers, and of no better class.
    pub c2: u64,
    /// Contents of class C3: seen clean for 14 days, by a twentieth of the established identities: 5 carriers at least,
    /// 20 at most.
    pub c3: u64,
    /// How many of the contents are kept, by their family: text, html, image, archive, executable, script, office, pdf,
    /// media, mail or other.
    pub by_family: BTreeMap<String, u64>,
    /// When the oldest of the contents was first seen (RFC 3339); none while there is none.
    pub since: Option<String>,
    /// The ids of the keys that its bytes are encrypted with, in hexadecimal, the one that encrypts first; empty where
    /// nothing is remembered.
    pub keys: Vec<String>,
}

/// Why to make a new key.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotateAsk {
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Only say what there is.
    pub what_if: bool,
}
