//! A scorecard: how many points each feature of a mail counts, and from which sum on the mail is what the card is
//! about. A file of a detection, so that its weights are a version like any other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::feature::{FEATURES, Feature, Features};

/// The form of the file, and of the features that it speaks of.
const FORM: u32 = 1;
/// Features that evidence names.
const NAMED: usize = 6;
/// Points that what speaks for a mail takes away at most: good words can be stuffed into any mail.
pub(crate) const GOOD_POINTS_MAX: i32 = 400;
/// Points more that a mail needs for whose sender something vouches.
pub(crate) const VOUCHER_POINTS: i32 = 150;

/// The first line of a scorecard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The form of file and features.
    pub form: u32,
    /// What a mail without any feature scores, in points: a point is a hundredth of the logarithm of the odds.
    pub bias: i32,
    /// The points from which on it acts.
    pub threshold: i32,
    /// Whether it acts only beside a hard fact, and for no mail for whose sender something vouches.
    pub conjunction: bool,
    /// Good and bad mails that the weights were estimated on.
    pub good: usize,
    /// The bad ones.
    pub bad: usize,
}

/// A scorecard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// How it was made, and where it acts.
    pub head: Head,
    /// The points of each feature, by its number.
    points: Vec<i32>,
}

/// A file that is no scorecard.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCard {
    /// The first line.
    #[error("line 1: {0}")]
    Head(String),
    /// A form of another program version.
    #[error("line 1: form {0} is not known; this program reads form {FORM}")]
    Form(u32),
    /// A line that is no weight.
    #[error("line {0}: is not 'feature points', such as 'link-shortener 85'")]
    Line(usize),
    /// Points that a feature may not count.
    #[error("line {0}: {1} may count {2} points at most, in that direction")]
    Bound(usize, String, i32),
    /// A feature that this program does not know.
    #[error("line {0}: this program knows no feature '{1}'")]
    Feature(usize, String),
}

/// What a mail scores, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The sum, in points.
    pub points: i32,
    /// Points of each feature, the heaviest first.
    pub terms: Vec<(Feature, i32)>,
}

impl Card {
    /// A card with these points; features without any count nothing.
    pub fn new(head: Head, points: &BTreeMap<Feature, i32>) -> Self {
        let mut all = vec![0; FEATURES.len()];
        for (feature, points) in points {
            if let Some(place) = all.get_mut(feature.number()) {
                *place = *points;
            }
        }
        Self { head, points: all }
    }

    /// Reads a scorecard: a line of JSON, then a feature with its points a line.
    ///
    /// # Errors
    /// Says which line is wrong.
    pub fn parse(text: &str) -> Result<Self, BadCard> {
        let mut lines = text.lines();
        let head: Head =
            serde_json::from_str(lines.next().unwrap_or_default()).map_err(|error| BadCard::Head(error.to_string()))?;
        if head.form != FORM {
            return Err(BadCard::Form(head.form));
        }
        let mut points = BTreeMap::new();
        for (at, line) in lines.enumerate() {
            let (name, count) = line.split_once(' ').ok_or(BadCard::Line(at + 2))?;
            let count: i32 = count.trim().parse().map_err(|_| BadCard::Line(at + 2))?;
            let feature = FEATURES.of_name(name).ok_or_else(|| BadCard::Feature(at + 2, name.to_owned()))?;
            let bound = FEATURES.bound(feature);
            if count < bound.min(0) || count > bound.max(0) {
                return Err(BadCard::Bound(at + 2, name.to_owned(), bound));
            }
            points.insert(feature, count);
        }
        Ok(Self::new(head, &points))
    }

    /// The file of a card; the same card is the same file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string(&self.head).expect("plain numbers always have a JSON form");
        text.push('\n');
        for feature in FEATURES.all().filter(|feature| self.points_of(*feature) != 0) {
            let _ = writeln!(text, "{} {}", FEATURES.name(feature), self.points_of(feature));
        }
        text
    }

    /// The points of a feature.
    pub fn points_of(&self, feature: Feature) -> i32 {
        self.points.get(feature.number()).copied().unwrap_or_default()
    }

    /// What a mail scores.
    pub fn score(&self, features: &Features) -> Score {
        let mut terms: Vec<(Feature, i32)> =
            features.iter().map(|one| (one, self.points_of(one))).filter(|(_, points)| *points != 0).collect();
        terms.sort_by_key(|(feature, points)| (-points.abs(), feature.number()));
        let bad: i32 = terms.iter().map(|(_, points)| (*points).max(0)).sum();
        let good: i32 = terms.iter().map(|(_, points)| (-points).max(0)).sum();
        Score { points: self.head.bias + bad - good.min(GOOD_POINTS_MAX), terms }
    }

    /// Whether it acts on a mail that scores so.
    pub fn acts(&self, score: &Score, features: &Features) -> bool {
        acts(score.points, self.head.threshold, self.head.conjunction, features)
    }
}

/// Whether a score acts on a mail with these features, be it of a card or of a trained model: never where there is too
/// little to judge by, later where something vouches for the sender; and as a conjunction only beside a hard fact and
/// where nothing vouches.
pub(crate) fn acts(points: i32, threshold: i32, conjunction: bool, features: &Features) -> bool {
    if features.abstains() {
        return false;
    }
    let vouched = if features.is_vouched() { VOUCHER_POINTS } else { 0 };
    let is_over = points >= threshold.saturating_add(vouched);
    is_over && (!conjunction || (features.is_hard() && !features.is_vouched()))
}

impl Score {
    /// The heaviest features in sentences, for people.
    pub fn evidence(&self) -> String {
        let against = self.terms.iter().filter(|(_, points)| *points > 0).take(NAMED);
        let said: Vec<String> =
            against.map(|(feature, points)| format!("{} (+{points})", FEATURES.sentence(*feature))).collect();
        format!("{} points: {}", self.points, said.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"form":1,"bias":-10,"threshold":20,"conjunction":false,"good":1,"bad":1}"#;

    #[test]
    fn what_is_no_card_is_told_by_its_line() {
        assert!(matches!(Card::parse(""), Err(BadCard::Head(_))));
        assert_eq!(Card::parse(&HEAD.replace("\"form\":1", "\"form\":9")), Err(BadCard::Form(9)));
        let second = |line: &str| Card::parse(&format!("{HEAD}\nlink-shortener 85\n{line}\n"));
        assert_eq!(second("link-shortener"), Err(BadCard::Line(3)));
        assert_eq!(second("link-shortener many"), Err(BadCard::Line(3)));
        assert_eq!(second("no-such-mark 5"), Err(BadCard::Feature(3, "no-such-mark".into())));
        assert!(matches!(second("link-shortener 9999"), Err(BadCard::Bound(3, _, _))));
        assert!(matches!(second("thread 10"), Err(BadCard::Bound(3, _, _))), "an answer never speaks against a mail");
        assert!(second("thread -10").is_ok());
    }
}
