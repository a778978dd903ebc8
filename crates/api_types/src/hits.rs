//! How often detections hit, by the hour, and how often people said that they were wrong.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Of which detection, and for how many days.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct HitsQuery {
    /// The code of a detection; all without.
    pub detection: Option<String>,
    /// Days back from now, 1 to 90; 7 without.
    pub days: Option<u64>,
}

/// How often detections hit.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HitsView {
    /// By hour and detection version, the oldest first. The present hour is counted every minute.
    pub hours: Vec<HourView>,
    /// By detection, the messages of the same time that people have called a false positive or an incident has cleared.
    pub contradictions: Vec<ContradictedView>,
}

/// What a detection version hit in one hour.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HourView {
    /// The beginning of the hour (RFC 3339).
    pub hour: String,
    /// The code of the detection.
    pub detection: String,
    /// Its version.
    pub detection_version: String,
    /// Messages that it hit.
    pub hits: u64,
    /// Those of them on which it could act: it was enforced, and its effect is to hold or to block. What was held is
    /// policy's to say, and what is held still is found with `detection:CODE state:held`.
    pub acted: u64,
}

/// How often a detection was wrong, by what people and incidents say.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ContradictedView {
    /// The code of the detection.
    pub detection: String,
    /// Distinct messages that it was wrong about, in all its versions.
    pub messages: u64,
}
