//! A compiled ruleset as bytes: how it comes to a process that examines. Compiling its rules takes seconds, reading
//! them takes milliseconds. Only for a process of the same program: what is compiled is machine code, and is believed.

use domain::detection::{Detection, DetectionCode};
use serde::{Deserialize, Serialize};
use yara_x::Rules;

use super::{LoadErrors, Ruleset, load};
use crate::yara::{Layer, RuleSets};

/// What is text of a ruleset; its compiled rules are bytes beside it, in the order in which they are named here.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Packed {
    detections: Vec<(Detection, String)>,
    rules: Vec<(String, String, DetectionCode)>,
    /// Each layer with the number of bytes of its compiled rules.
    layers: Vec<(Layer, usize)>,
    previous: Option<Box<Packed>>,
}

impl Packed {
    /// The text of a ruleset; its compiled rules go to the end of `compiled`.
    ///
    /// # Errors
    /// When the engine cannot write its rules down.
    pub(crate) fn of(ruleset: &Ruleset, compiled: &mut Vec<u8>) -> Result<Self, LoadErrors> {
        let mut layers = Vec::new();
        for (layer, rules) in &ruleset.yara.0 {
            let bytes = rules.serialize().map_err(|error| failed(&error))?;
            layers.push((*layer, bytes.len()));
            compiled.extend(bytes);
        }
        let rule = |((namespace, rule), code): (&(String, String), &DetectionCode)| {
            (namespace.clone(), rule.clone(), code.clone())
        };
        Ok(Self {
            detections: ruleset.stored(),
            rules: ruleset.rules.iter().map(rule).collect(),
            layers,
            previous: ruleset
                .previous
                .as_ref()
                .map(|previous| Self::of(previous, compiled).map(Box::new))
                .transpose()?,
        })
    }

    /// The ruleset; its compiled rules are taken from the beginning of `compiled`.
    ///
    /// # Errors
    /// When what was written is not what this program writes.
    pub(crate) fn unpack(self, compiled: &mut &[u8]) -> Result<Ruleset, LoadErrors> {
        let mut yara = RuleSets::default();
        for (layer, length) in self.layers {
            let bytes = compiled.split_off(..length).ok_or_else(|| failed(&"compiled rules are missing"))?;
            yara.0.insert(layer, Rules::deserialize(bytes).map_err(|error| failed(&error))?);
        }
        let mut ruleset = load::compiled(self.detections, yara)?;
        ruleset.rules = self.rules.into_iter().map(|(namespace, rule, code)| ((namespace, rule), code)).collect();
        ruleset.previous = self.previous.map(|previous| previous.unpack(compiled).map(Box::new)).transpose()?;
        Ok(ruleset)
    }
}

pub(crate) fn failed(error: &dyn std::fmt::Display) -> LoadErrors {
    LoadErrors(vec![format!("a compiled ruleset cannot be handed over: {error}")])
}
