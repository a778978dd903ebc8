//! Retention: whether the clock is believed, that it is right, and taking back what was deleted or expired.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is known of the clock.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ClockView {
    /// believed; or doubted, and then nothing is removed for its age.
    pub state: String,
    /// What the clock says (RFC 3339).
    pub now: String,
    /// The last moment that has certainly come (RFC 3339).
    pub certain: String,
    /// Why it is doubted and what to do, as a sentence; empty when it is not.
    pub why: String,
    /// When an operator last said that it is right (RFC 3339); none if none ever has.
    pub confirmed: Option<String>,
}

/// That the clock is right, and why.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmAsk {
    /// How it is known that the clock is right, for the record; it may not be empty.
    pub reason: String,
    /// Who says so, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}

/// What to take back.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverAsk {
    /// What ended at this time or later: a moment such as 2026-11-23T08:00:00Z, a date, or a time before now such as
    /// -2h.
    pub since: String,
    /// Whether to take back what people deleted as well as what retention expired.
    #[serde(default)]
    pub deleted: bool,
    /// Why, for the record; only with `what_if` it may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say how much it would be.
    #[serde(default)]
    pub what_if: bool,
}

/// What was taken back.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RecoveredView {
    /// Whether nothing was done, and `units` says how much it would be.
    pub what_if: bool,
    /// Units (one message for one recipient) that are held again, 5,000 at most, or would be.
    pub units: u64,
    /// Units that remain to be taken back: ask again. 0 with `what_if`.
    pub remain: u64,
}
