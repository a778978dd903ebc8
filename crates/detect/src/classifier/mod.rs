//! A statistical classifier for what has no structure to look at: text. Hashed features and a logistic model for each
//! category, trained on a site's own mail; its weights are a file of the ruleset, so that a model is a detection like
//! any other: with a version, in shadow first, and taken back when it is wrong.
//!
//! Every score is a plain sum, and each of its terms is a word or a mark that was seen, so that a verdict can be read.
//!
//! There are two forms of features. Form 1 took what there was of a mail; a model of it knows senders and collectors
//! better than what they write. Form 2 ([`neutral`]) leaves out what says who and when, and is what training makes. Its
//! marks count what they count in a scorecard; what is learned is what the words add to that, and they add only so
//! much: a few hundred mails of one site do not say what the mail of the world is like.

pub mod drift;
pub mod example;
pub mod feature;
mod fit;
pub mod neutral;
pub mod train;
mod vocabulary;
pub mod word;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use self::feature::Feature;
use crate::scorecard::card::{self, GOOD_POINTS_MAX};
use crate::scorecard::feature::{FEATURES, Features};

/// Bits of a hashed feature of form 1: 262,144 weights.
pub const BITS: u32 = 18;
/// Weights of a model of form 1 at most.
const WEIGHTS_MAX: usize = 1 << BITS;
/// Weights of a model of form 2 at most.
pub const NEUTRAL_WEIGHTS_MAX: usize = 60_000;
/// The forms of the file, and of the features that it speaks of.
const FORMS: [u32; 2] = [1, 2];
/// Terms that evidence names.
pub const NAMED: usize = 6;
/// Words below which a text counts as if it had so many: a word of a line is no louder than one of a letter.
const WORDS_LEAST: usize = 60;
/// What the words of a mail say together counts so much against it at most, and so much for it.
const AGAINST_MAX: f64 = 2.0;
const FOR_MAX: f64 = 3.0;
/// Points of the scorecards in the logarithm of the odds.
const POINTS: f64 = 100.0;

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
    /// Whether it acts only beside a hard fact, and for no mail for whose sender something vouches.
    #[serde(default, skip_serializing_if = "is_false")]
    pub conjunction: bool,
    /// Good mails it was trained on.
    pub good: usize,
    /// Bad mails it was trained on.
    pub bad: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_false(value: &bool) -> bool {
    !value
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
    #[error("line 1: form {0} is not known; this program reads the forms 1 and 2: train it again")]
    Form(u32),
    /// A line that is no weight.
    #[error("line {0}: is not 'feature weight', such as '17 0.25'")]
    Line(usize),
    /// Too many of them.
    #[error("more than {0} weights")]
    TooMany(usize),
    /// Words alone, in a category that holds mail.
    #[error(
        "words alone hold no mail: category must be Spam or Bulk, or line 1 must say \"conjunction\":true, so that it \
         acts only beside a hard fact"
    )]
    Holds,
}

/// Which features are asked for: those of the forms of the models in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Those of form 1.
    pub first: bool,
    /// Those of form 2.
    pub second: bool,
}

impl Asked {
    /// What these models ask for.
    pub fn by<'m>(models: impl IntoIterator<Item = &'m Model>) -> Self {
        models.into_iter().fold(Self::default(), |asked, model| Self {
            first: asked.first || model.head.form == 1,
            second: asked.second || model.head.form == 2,
        })
    }

    /// Whether one of two is asked for.
    pub fn or(self, other: Self) -> Self {
        Self { first: self.first || other.first, second: self.second || other.second }
    }
}

/// What models see of one mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForModels {
    /// The features of form 1, if they were asked for.
    pub first: Vec<Feature>,
    /// Those of form 2.
    pub second: Vec<Feature>,
    /// The words that the recipients are called by: none of them is to be learned.
    pub recipients: BTreeSet<String>,
    /// The named features: whether there is a hard fact, a voucher, or too little to judge by.
    pub named: Features,
}

/// What a mail scores, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The logarithm of the odds.
    pub log_odds: f64,
    /// Each feature's term, the heaviest first.
    pub terms: Vec<(String, f64)>,
    /// What the words say together, as far as it counts; none of a model of form 1.
    words: Option<f64>,
}

impl Model {
    /// A model of form 2 with these weights.
    pub(crate) fn neutral(head: Head, weights: impl IntoIterator<Item = (u32, f32)>) -> Self {
        Self { head, weights: weights.into_iter().collect() }
    }

    /// Reads a weights file: a line of JSON, then a weight a line.
    ///
    /// # Errors
    /// Says which line is wrong.
    pub fn parse(text: &str) -> Result<Self, BadModel> {
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        let head: Head = serde_json::from_str(head).map_err(|error| BadModel::Head(error.to_string()))?;
        if !FORMS.contains(&head.form) {
            return Err(BadModel::Form(head.form));
        }
        if !(head.bias.is_finite() && head.threshold.is_finite()) {
            return Err(BadModel::Head("bias and threshold must be numbers".into()));
        }
        let (bits, most) = if head.form == 1 { (BITS, WEIGHTS_MAX) } else { (u32::BITS, NEUTRAL_WEIGHTS_MAX) };
        let mut weights = HashMap::new();
        for (at, line) in lines.enumerate() {
            if weights.len() >= most {
                return Err(BadModel::TooMany(most));
            }
            let read = line.split_once(' ').and_then(|(at, weight)| Some((at.parse().ok()?, weight.parse().ok()?)));
            let (at, weight) = read
                .filter(|(at, weight): &(u32, f32)| u64::from(*at) < 1 << bits && weight.is_finite())
                .ok_or(BadModel::Line(at + 2))?;
            weights.insert(at, weight);
        }
        Ok(Self { head, weights })
    }

    /// Refuses a model that would hold mail for its words alone, where its category is one that policy holds. Models of
    /// form 1 were admitted before there was this rule.
    ///
    /// # Errors
    /// [`BadModel::Holds`].
    pub fn fit_for(self, is_tagging: bool) -> Result<Self, BadModel> {
        if self.head.form == 1 || is_tagging || self.head.conjunction { Ok(self) } else { Err(BadModel::Holds) }
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

    /// The numbers of the features that weigh most, with their weights, the heaviest first.
    pub fn heaviest(&self, count: usize) -> Vec<(u32, f64)> {
        let mut weights: Vec<(u32, f64)> = self.weights.iter().map(|(at, weight)| (*at, f64::from(*weight))).collect();
        weights.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        weights.truncate(count);
        weights
    }

    /// The features of a mail that it speaks of.
    pub fn features<'m>(&self, mail: &'m ForModels) -> &'m [Feature] {
        if self.head.form == 1 { &mail.first } else { &mail.second }
    }

    /// What a mail scores. Terms are added in the order of the features, so that the same mail scores the same
    /// everywhere.
    pub fn score(&self, mail: &ForModels) -> Score {
        if self.head.form == 1 { self.score_first(&mail.first) } else { self.score_second(&mail.second) }
    }

    fn score_first(&self, features: &[Feature]) -> Score {
        let norm = norm(features.len());
        let mut log_odds = self.head.bias;
        let mut terms = Vec::new();
        for feature in features {
            let Some(weight) = self.weights.get(&feature.hash) else { continue };
            let term = f64::from(*weight) * norm;
            log_odds += term;
            terms.push((feature.text.clone(), term));
        }
        Score::of(log_odds, terms, None)
    }

    /// What speaks for a mail takes away only so much: good words can be stuffed into any mail. And what words say
    /// against one decides nothing alone.
    fn score_second(&self, features: &[Feature]) -> Score {
        let word = word_value(features.iter().filter(|feature| !feature.is_mark()).count());
        let (mut against, mut for_it, mut words) = (0.0_f64, 0.0_f64, 0.0_f64);
        let mut terms = Vec::new();
        for feature in features {
            let Some(weight) = self.weights.get(&feature.hash) else { continue };
            let term = f64::from(*weight) * if feature.is_mark() { 1.0 } else { word };
            if feature.is_mark() {
                against += term.max(0.0);
                for_it += (-term).max(0.0);
            } else {
                words += term;
            }
            terms.push((feature.text.clone(), term));
        }
        let words = bounded(words);
        Score::of(self.head.bias + against - for_it.min(good_max()) + words, terms, Some(words))
    }

    /// Whether it acts on a mail that scores so.
    pub fn acts(&self, score: &Score, named: &Features) -> bool {
        let head = &self.head;
        if head.form == 1 {
            return score.log_odds >= head.threshold;
        }
        card::acts(points(score.log_odds), points(head.threshold), head.conjunction, named)
    }
}

/// What words say together, as far as it counts.
fn bounded(words: f64) -> f64 {
    words.clamp(-FOR_MAX, AGAINST_MAX)
}

/// What marks for a mail take away of the logarithm of the odds at most.
fn good_max() -> f64 {
    f64::from(GOOD_POINTS_MAX) / POINTS
}

/// A score in the points of the scorecards.
fn points(log_odds: f64) -> i32 {
    (log_odds * POINTS).round() as i32
}

/// What each of a mail's features of form 1 counts: a long mail has many, and no more to say by that alone.
fn norm(features: usize) -> f64 {
    10.0 / (features.max(1) as f64).sqrt()
}

/// The same of form 2, for words.
fn word_value(words: usize) -> f64 {
    1.0 / (words.max(WORDS_LEAST) as f64).sqrt()
}

/// A feature of form 2 as people read it: words in quotation marks, marks as their sentences.
pub fn readable(text: &str) -> String {
    match text.split_once(':') {
        Some(("u", name)) => FEATURES.of_name(name).map_or(name, |one| FEATURES.sentence(one)).to_owned(),
        Some(("s" | "t", words)) => format!("\"{words}\" in its subject"),
        Some((_, words)) => format!("\"{words}\""),
        None => text.to_owned(),
    }
}

impl Score {
    fn of(log_odds: f64, mut terms: Vec<(String, f64)>, words: Option<f64>) -> Self {
        terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
        Self { log_odds, terms, words }
    }

    /// The probability that the odds stand for.
    pub fn probability(&self) -> f64 {
        1.0 / (1.0 + (-self.log_odds).exp())
    }

    /// The heaviest terms as people read them: of form 2 those against the mail alone.
    pub fn heaviest(&self) -> Vec<(String, f64)> {
        let is_first = self.words.is_none();
        let terms = self.terms.iter().filter(|(_, term)| is_first || *term > 0.0).take(NAMED);
        let read = |text: &String| if is_first { text.clone() } else { readable(text) };
        terms.map(|(text, term)| (read(text), *term)).collect()
    }

    /// The score with its heaviest terms, for people.
    pub fn evidence(&self) -> String {
        let terms: Vec<String> = self.heaviest().iter().map(|(text, term)| format!("{text} {term:+.2}")).collect();
        let (between, words) = match self.words {
            None => (", ", String::new()),
            Some(words) => ("; ", format!("; words together {words:+.2}")),
        };
        format!("{:.3} ({:+.2}): {}{words}", self.probability(), self.log_odds, terms.join(between))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(words: &[&str]) -> ForModels {
        let text = |word: &&str| (*word).to_owned();
        ForModels {
            first: words.iter().map(text).map(Feature::new).collect(),
            second: words.iter().map(text).map(Feature::neutral).collect(),
            ..ForModels::default()
        }
    }

    const FIRST: &str = include_str!("first-form.txt");

    #[test]
    fn a_model_of_form_1_scores_as_it_always_did() {
        let model = Model::parse(FIRST).expect("a model");
        assert_eq!(model.to_text(), FIRST, "and is written as it was");
        let found = mail(&["w:free", "w:unknown"]);
        let score = model.score(&found);
        assert!((score.log_odds - (-1.5 + 0.75 * 10.0 / 2.0_f64.sqrt())).abs() < 1e-9, "{score:?}");
        assert!(model.acts(&score, &found.named));
        assert_eq!(score.evidence(), "0.978 (+3.80): w:free +5.30");
        let innocent = mail(&["w:meeting"]);
        assert!(!model.acts(&model.score(&innocent), &innocent.named));
        assert!(model.fit_for(false).is_ok(), "it was admitted before words alone held nothing");
    }

    fn second(conjunction: bool, threshold: f64) -> Model {
        let head = Head { form: 2, bias: -1.0, threshold, conjunction, good: 3, bad: 4 };
        let weights = [
            ("w:free", 8.0),
            ("w:meeting", -90.0),
            ("u:link-shortener", 1.5),
            ("u:thread", -9.0),
            ("p:free offer", 4.0),
        ];
        let hashed = |(text, weight): (&str, f32)| (Feature::neutral(text.to_owned()).hash, weight);
        Model::neutral(head, weights.map(hashed))
    }

    #[test]
    fn a_model_of_form_2_is_its_file_and_says_what_it_saw() {
        let model = second(false, 1.5);
        assert_eq!(Model::parse(&model.to_text()), Ok(model.clone()));
        let score = model.score(&mail(&["p:free offer", "u:link-shortener", "w:free"]));
        let word = 1.0 / 60.0_f64.sqrt();
        assert!((score.log_odds - (12.0 * word + 1.5 - 1.0)).abs() < 1e-9, "{score:?}");
        let said = "0.886 (+2.05): leads through a link shortener +1.50; \"free\" +1.03; \"free offer\" +0.52; \
            words together +1.55";
        assert_eq!(score.evidence(), said);
        assert_eq!(readable("t:your account"), "\"your account\" in its subject");
    }

    #[test]
    fn words_count_only_so_much_in_either_direction() {
        let model = second(false, 1.5);
        let score = model.score(&mail(&["w:meeting"]));
        assert!((score.log_odds + 1.0 + FOR_MAX).abs() < 1e-9, "{score:?}");
        assert!(score.heaviest().is_empty(), "what speaks for a mail is no evidence against it");
        let score = model.score(&mail(&["u:thread", "w:meeting"]));
        assert!((score.log_odds + 1.0 + FOR_MAX + good_max()).abs() < 1e-9, "{score:?}");
        let head = model.head.clone();
        let loud = Model::neutral(head, [(Feature::neutral("w:free".into()).hash, 500.0)]);
        assert!((loud.score(&mail(&["w:free"])).log_odds + 1.0 - AGAINST_MAX).abs() < 1e-9);
    }

    #[test]
    fn words_alone_hold_nothing() {
        assert_eq!(second(false, 1.5).fit_for(false), Err(BadModel::Holds));
        assert!(second(false, 1.5).fit_for(true).is_ok() && second(true, 1.5).fit_for(false).is_ok());
        let found = mail(&["p:free offer", "u:link-shortener", "w:free"]);
        let (tags, holds) = (second(false, 1.5), second(true, 1.5));
        assert!(tags.acts(&tags.score(&found), &found.named), "no hard fact is needed to tag");
        assert!(!holds.acts(&holds.score(&found), &found.named), "and one is to hold");
    }

    #[test]
    fn what_is_no_model_is_told_by_its_line() {
        let head = "{\"form\":1,\"bias\":0.0,\"threshold\":1.0,\"good\":1,\"bad\":1}";
        assert!(matches!(Model::parse(""), Err(BadModel::Head(_))));
        assert_eq!(Model::parse(&head.replace("\"form\":1", "\"form\":9")), Err(BadModel::Form(9)));
        for line in ["x", "1 x", "999999999 1.0", "1 NaN", "-1 2"] {
            assert_eq!(Model::parse(&format!("{head}\n3 0.5\n{line}\n")), Err(BadModel::Line(3)), "{line}");
        }
        let head = head.replace("\"form\":1", "\"form\":2");
        assert!(Model::parse(&format!("{head}\n999999999 1.0\n")).is_ok());
        let many: String = (0..=NEUTRAL_WEIGHTS_MAX).map(|at| format!("{at} 1.0\n")).collect();
        assert_eq!(Model::parse(&format!("{head}\n{many}")), Err(BadModel::TooMany(NEUTRAL_WEIGHTS_MAX)));
    }
}
