//! Legal hold: mail that neither expires nor is deleted until the hold is lifted.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which holds to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct HoldQuery {
    /// Whether to list those that were lifted as well.
    pub lifted: bool,
}

/// A hold.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HoldView {
    /// Its number; 0 where it was only asked what it would be.
    pub number: u64,
    /// What it is about: mail, query or person.
    pub kind: String,
    /// Which: the id of a message, a query of the explorer, or an address.
    pub what: String,
    /// Why, in the words of who made it.
    pub reason: String,
    /// The name of who made it.
    pub by: String,
    /// When it was made (RFC 3339): what a query's relative moments are relative to.
    pub made: String,
    /// Mails that were found to be on it so far. With `what_if`: units (one message for one recipient) that it fits.
    pub mails: u64,
    /// When it was lifted (RFC 3339); none while it holds.
    pub lifted: Option<String>,
    /// The name of who lifted it; empty while it holds.
    pub lifted_by: String,
    /// Why it was lifted; empty while it holds.
    pub lifted_reason: String,
}

/// What to hold.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldAsk {
    /// What it is about: mail, query or person.
    pub kind: String,
    /// The id of a message; a query of the explorer about what of a mail never changes, such as
    /// `sender:*@x.example received:>=2026-11-01`; or an address, of whose mail as sender or recipient all is meant.
    pub what: String,
    /// Why, for the record; it may not be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say what it would be.
    #[serde(default)]
    pub what_if: bool,
}

/// Why to lift a hold.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftAsk {
    /// Why, for the record; it may not be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}

/// A hold that a message is on.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct OnHoldView {
    /// The number of the hold.
    pub number: u64,
    /// What it is about: mail, query or person.
    pub kind: String,
    /// Why, in the words of who made it.
    pub reason: String,
    /// The name of who made it.
    pub by: String,
    /// When it was made (RFC 3339).
    pub made: String,
}

/// What is on hold.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldView {
    /// Holds that are open.
    pub holds: u64,
    /// Mails on them that were found so far.
    pub mails: u64,
    /// Bytes of those that are kept here.
    pub bytes: u64,
    /// Whether the whole record was looked through for each of them.
    pub is_counted: bool,
}
