//! Which detection versions are contained: withdrawn from acting, without being switched off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::detection::{DetectionCode, DetectionVersion};

/// The containment state at one moment, one of the five things a verdict rests on.
///
/// The sentinel fills it; until it exists the state is empty and its epoch is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containment {
    /// Grows with every change; recorded with each verdict.
    pub epoch: u64,
    /// The contained detection versions.
    pub contained: BTreeMap<DetectionCode, DetectionVersion>,
}

impl Containment {
    /// Whether this version of the detection is contained.
    pub fn holds_back(&self, code: &DetectionCode, version: &DetectionVersion) -> bool {
        self.contained.get(code) == Some(version)
    }
}
