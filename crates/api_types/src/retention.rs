//! Retention: whether the clock is believed, that it is right, and taking back what was deleted or expired.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is known of the clock.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ClockView {
    /// believed; or doubted, and then nothing is removed for its age.
    pub state: String,
    /// What it says.
    pub now: String,
    /// The last time that has certainly come.
    pub certain: String,
    /// Why it is doubted, and what to do; empty when it is not.
    pub why: String,
    /// When an operator last said that it is right.
    pub confirmed: Option<String>,
}

/// That the clock is right, and why.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmAsk {
    /// Why, for the record; it must be said.
    pub reason: String,
    /// Who says so, for the record.
    #[serde(default)]
    pub actor: String,
}

/// What to take back.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverAsk {
    /// What was deleted or expired at this time or later, such as 2026-11-23T08:00:00Z or -2h.
    pub since: String,
    /// What people deleted as well as what retention expired.
    #[serde(default)]
    pub deleted: bool,
    /// Why, for the record; it must be said.
    pub reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say how much it would be.
    #[serde(default)]
    pub what_if: bool,
}

/// What was taken back.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RecoveredView {
    pub what_if: bool,
    /// Units that are held again, or would be.
    pub units: u64,
    /// Units that remain to be taken back: ask again.
    pub remain: u64,
}
