//! How often detections hit, by the hour, and how often people said that they were wrong,.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Of which detection, and for how long.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct HitsQuery {
    /// The code of a detection; all without.
    pub detection: Option<String>,
    /// Days back from now: 7, or another number up to 90.
    pub days: Option<u64>,
}

/// How often detections hit.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HitsView {
    /// By hour and detection version, oldest first. The present hour is counted every minute.
    pub hours: Vec<HourView>,
    /// Distinct messages of the same time that people have called a false positive or an incident has cleared, by
    /// detection.
    pub contradictions: Vec<ContradictedView>,
}

/// What a detection version hit in one hour.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HourView {
    pub hour: String,
    pub detection: String,
    pub detection_version: String,
    /// Messages.
    pub hits: u64,
    /// Those of them on which it could act: it was enforced, and its effect is to hold or to block. What was held is
    /// policy's to say, and what is held still is found with `detection:CODE state:held`.
    pub acted: u64,
}

/// How often a detection was wrong, by what people and incidents say.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ContradictedView {
    pub detection: String,
    pub messages: u64,
}
