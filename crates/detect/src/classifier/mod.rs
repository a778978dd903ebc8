//! A statistical classifier for what has no structure to look at: text. Hashed features and a logistic model for each
//! category, trained on a site's own mail; its weights are a file of the ruleset, so that a model is a detection like
//! any other: with a version, in shadow first, and taken back when it is wrong.
//!
//! Every score is a plain sum, and each of its terms is a word that was seen, so that a verdict can be read.

pub mod feature;
pub mod train;

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use self::feature::Feature;

/// Bits of a hashed feature: 262,144 weights.
pub const BITS: u32 = 18;
/// Weights of one model at most.
const WEIGHTS_MAX: usize = 1 << BITS;
/// The form of the file, and of the features that it speaks of.
const FORM: u32 = 1;
/// Terms that evidence names.
const NAMED: usize = 6;

/// The first line of a weights file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The form of file and features.
    pub form: u32,
    /// What a mail without any feature scores.
    pub bias: f64,
    /// The score from which on it acts. A score is the logarithm of the odds.
    pub threshold: f64,
    /// Good mails it was trained on.
    pub good: usize,
    /// Bad mails it was trained on.
    pub bad: usize,
}

/// A trained model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// How it was trained, and where it acts.
    pub head: Head,
    weights: HashMap<u32, f32>,
}

/// A weights file that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadModel {
    /// The first line.
    #[error("line 1: {0}")]
    Head(String),
    /// A form of another program version.
    #[error("line 1: form {0} is not known; this program reads form {FORM}: train it again")]
    Form(u32),
    /// A line that is no weight.
    #[error("line {0}: is not 'feature weight', such as '17 0.25'")]
    Line(usize),
    /// Too many of them.
    #[error("more than {WEIGHTS_MAX} weights")]
    TooMany,
}

/// What a mail scores, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The logarithm of the odds.
    pub log_odds: f64,
    /// Each feature's term, the heaviest first.
    pub terms: Vec<(String, f64)>,
}

impl Model {
    /// Reads a weights file: a line of JSON, then a weight a line.
    ///
    /// # Errors
    /// Says which line is wrong.
    pub fn parse(text: &str) -> Result<Self, BadModel> {
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        let head: Head = serde_json::from_str(head).map_err(|error| BadModel::Head(error.to_string()))?;
        if head.form != FORM {
            return Err(BadModel::Form(head.form));
        }
        if !(head.bias.is_finite() && head.threshold.is_finite()) {
            return Err(BadModel::Head("bias and threshold must be numbers".into()));
        }
        let mut weights = HashMap::new();
        for (at, line) in lines.enumerate() {
            if weights.len() >= WEIGHTS_MAX {
                return Err(BadModel::TooMany);
            }
            let read = line.split_once(' ').and_then(|(at, weight)| Some((at.parse().ok()?, weight.parse().ok()?)));
            let (at, weight) = read
                .filter(|(at, weight): &(u32, f32)| *at < 1 << BITS && weight.is_finite())
                .ok_or(BadModel::Line(at + 2))?;
            weights.insert(at, weight);
        }
        Ok(Self { head, weights })
    }

    /// The file of a model; the same model is the same file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string(&self.head).expect("plain numbers always have a JSON form");
        text.push('\n');
        let mut weights: Vec<(&u32, &f32)> = self.weights.iter().collect();
        weights.sort_unstable_by_key(|(at, _)| **at);
        for (at, weight) in weights {
            let _ = writeln!(text, "{at} {weight:.4}");
        }
        text
    }

    /// What features score. Terms are added in their order, so that the same mail scores the same everywhere.
    pub fn score(&self, features: &[Feature]) -> Score {
        let norm = norm(features.len());
        let mut log_odds = self.head.bias;
        let mut terms = Vec::new();
        for feature in features {
            let Some(weight) = self.weights.get(&feature.hash) else { continue };
            let term = f64::from(*weight) * norm;
            log_odds += term;
            terms.push((feature.text.clone(), term));
        }
        terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
        Score { log_odds, terms }
    }

    /// The weight of a feature; 0 for one that is not known.
    pub fn weight(&self, feature: &Feature) -> f64 {
        self.weights.get(&feature.hash).copied().map_or(0.0, f64::from)
    }

    /// Whether a score is one to act on.
    pub fn acts(&self, score: &Score) -> bool {
        score.log_odds >= self.head.threshold
    }
}

/// What each of a mail's features counts: a long mail has many, and no more to say by that alone.
fn norm(features: usize) -> f64 {
    10.0 / (features.max(1) as f64).sqrt()
}

impl Score {
    /// The probability that the odds stand for.
    pub fn probability(&self) -> f64 {
        1.0 / (1.0 + (-self.log_odds).exp())
    }

    /// The score with its heaviest terms, for people.
    pub fn evidence(&self) -> String {
        let terms: Vec<String> =
            self.terms.iter().take(NAMED).map(|(text, term)| format!("{text} {term:+.2}")).collect();
        format!("{:.3} ({:+.2}): {}", self.probability(), self.log_odds, terms.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(words: &[&str]) -> Vec<Feature> {
        words.iter().map(|word| Feature::new((*word).to_owned())).collect()
    }

    #[test]
    fn a_model_is_its_file() {
        let head = Head { form: 1, bias: -1.5, threshold: 0.5, good: 3, bad: 4 };
        let weights =
            features(&["w:free", "w:meeting"]).into_iter().zip([0.75, -0.5]).map(|(one, weight)| (one.hash, weight));
        let model = Model { head, weights: weights.collect() };
        assert_eq!(Model::parse(&model.to_text()), Ok(model.clone()));
        let score = model.score(&features(&["w:free", "w:unknown"]));
        assert!((score.log_odds - (-1.5 + 0.75 * 10.0 / 2.0_f64.sqrt())).abs() < 1e-9, "{score:?}");
        assert!(model.acts(&score));
        assert_eq!(score.evidence(), "0.978 (+3.80): w:free +5.30");
        assert!(!model.acts(&model.score(&features(&["w:meeting"]))));
    }

    #[test]
    fn what_is_no_model_is_told_by_its_line() {
        let head = "{\"form\":1,\"bias\":0.0,\"threshold\":1.0,\"good\":1,\"bad\":1}";
        assert!(matches!(Model::parse(""), Err(BadModel::Head(_))));
        assert_eq!(Model::parse(&head.replace("\"form\":1", "\"form\":9")), Err(BadModel::Form(9)));
        for line in ["x", "1 x", "999999999 1.0", "1 NaN", "-1 2"] {
            assert_eq!(Model::parse(&format!("{head}\n3 0.5\n{line}\n")), Err(BadModel::Line(3)), "{line}");
        }
    }
}
