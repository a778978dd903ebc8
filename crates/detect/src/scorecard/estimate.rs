//! Estimates the points of a scorecard from mail that is known to be good or bad: a logistic regression whose
//! coefficients stay within the bounds of their features, by coordinate descent in a fixed order. The same mails give
//! the same card.
//!
//! What a corpus is made of must not be learned. So a large source counts little more than a small one; every
//! threshold is set on mails of sources that the estimate has not seen; and copies of good mails with what sending
//! services do to mail stand beside them ([`dressed`]).

use std::collections::{BTreeMap, BTreeSet};

use super::card::{Card, GOOD_POINTS_MAX, Head};
use super::feature::{FEATURES, Feature};

/// Parts into which groups are dealt for estimates that have not seen them.
pub const FOLDS: u64 = 5;
/// Rounds over all features at most, and the largest step of one below which it is enough.
const ROUNDS_MAX: usize = 300;
const STEP_MIN: f64 = 1e-3;
/// Weight of the dressed copies, of that of all good mails.
const DRESSED_SHARE: f64 = 0.3;

/// What is known of features before any mail is counted. A feature is there because of what it says in general; a
/// collection of mail has some of them often and others never. So coefficients are drawn to a share of their bounds and
/// not to 0: what a collection knows much of goes where its mails want it, and what it hardly knows stays there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// The share of its bound that a feature has where no mail has it.
    pub share: f64,
    /// How strongly coefficients are drawn there, for all weights together 1.
    pub pull: f64,
}

impl Known {
    /// Nothing: what hardly occurs counts hardly anything.
    pub const NOTHING: Self = Self { share: 0.0, pull: 1e-4 };
}

/// What a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Good.
    Good,
    /// What the card is to find.
    Bad,
}

/// A mail to estimate on.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its features.
    pub features: Vec<Feature>,
    /// What it is.
    pub kind: Kind,
    /// Where it comes from: a list, a vendor, a collection.
    pub source: String,
    /// What it belongs together with: a campaign, a vendor, a thread. One group is never on both sides of a test.
    pub group: String,
    /// Whether it has a hard fact.
    pub is_hard: bool,
    /// Whether there is too little to judge by.
    pub abstains: bool,
}

/// Coefficients in the logarithm of the odds.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    bias: f64,
    coefficients: Vec<f64>,
}

/// FNV-1a: deals groups and dresses copies, the same everywhere.
fn dealt(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The part that a group is dealt to.
pub fn fold(group: &str) -> u64 {
    (dealt(group) >> 16) % FOLDS
}

/// What sending services, shops and marketing do to good mail, with the share of mails, in percent, that have it. No
/// corpus of good mail at hand has enough of it, so an estimate would take it for a mark of bad mail.
const DRESS: [(&str, u64); 36] = [
    ("picture-foreign", 50),
    ("link-long-token", 50),
    ("link-very-long", 25),
    ("link-foreign", 50),
    ("link-one-domain", 40),
    ("link-one-target", 5),
    ("link-few", 10),
    ("link-one", 10),
    ("subject-emoji", 25),
    ("emoji", 30),
    ("percent", 20),
    ("link-upper", 30),
    ("hidden-much", 10),
    ("hidden-tiny", 20),
    ("link-new-ending", 10),
    ("domain-new-ending", 10),
    ("link-foreign-country", 5),
    ("link-recipient", 10),
    ("link-digits", 5),
    ("link-deep", 10),
    ("text-brand-nowhere", 10),
    ("subject-marks", 10),
    ("to-nobody", 5),
    ("unseen-letters", 3),
    ("domain-cheap-ending", 2),
    ("link-cheap-ending", 2),
    ("link-new-ending-plain", 1),
    ("link-mark-alone", 2),
    ("hidden-long", 8),
    ("plain-differs", 2),
    ("money-often", 15),
    ("address-often", 15),
    ("exclamation-run", 4),
    ("from-joined-words", 3),
    ("name-joined", 10),
    ("pitch-some", 3),
];
/// What such a mail does not have.
const UNDRESS: [&str; 2] = ["link-own", "link-all-own"];

/// A copy of a good mail as a sending service might have made it.
pub fn dressed(example: &Example, seed: &str) -> Example {
    let has = |name: &str, percent: u64| (dealt(&format!("{seed} {name}")) >> 20) % 100 < percent;
    let undressed: Vec<Feature> = UNDRESS.iter().filter_map(|name| FEATURES.of_name(name)).collect();
    let is_undressed = has("undress", 50);
    let kept = example.features.iter().copied().filter(|one| !(is_undressed && undressed.contains(one)));
    let added =
        DRESS.iter().filter(|(name, percent)| has(name, *percent)).filter_map(|(name, _)| FEATURES.of_name(name));
    let mut features: Vec<Feature> = kept.chain(added).collect();
    features.sort_unstable();
    features.dedup();
    Example { features, ..example.clone() }
}

/// Estimates on all examples. A source counts as the square root of its mails against the others of its kind, and as
/// many times as `shares` says.
pub fn estimate(examples: &[&Example], shares: &BTreeMap<String, f64>, known: Known) -> Estimate {
    let copies: Vec<Example> = examples
        .iter()
        .enumerate()
        .filter(|(_, example)| example.kind == Kind::Good)
        .map(|(at, example)| dressed(example, &format!("{} {at}", example.group)))
        .collect();
    let rows: Vec<&Example> = examples.iter().copied().chain(&copies).collect();
    let weights = weights(&rows, examples.len(), shares);
    Descent::new(&rows, &weights, known).run()
}

/// What each example counts: both kinds the same, in a kind each source its share, in a source each mail the same.
fn weights(rows: &[&Example], originals: usize, shares: &BTreeMap<String, f64>) -> Vec<f64> {
    let key = |at: usize, row: &Example| (at < originals, row.kind, row.source.clone());
    let mut counts: BTreeMap<(bool, Kind, String), f64> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        *counts.entry(key(at, row)).or_default() += 1.0;
    }
    let share = |source: &str, count: f64| shares.get(source).copied().unwrap_or(1.0) * count.sqrt();
    let mut sums: BTreeMap<(bool, Kind), f64> = BTreeMap::new();
    for ((is_original, kind, source), count) in &counts {
        *sums.entry((*is_original, *kind)).or_default() += share(source, *count);
    }
    let weight = |(at, row): (usize, &&Example)| {
        let of_kind = match (at < originals, row.kind) {
            (true, Kind::Bad) => 0.5,
            (true, Kind::Good) => 0.5 * (1.0 - DRESSED_SHARE),
            (false, _) => 0.5 * DRESSED_SHARE,
        };
        let sum = sums.get(&(at < originals, row.kind)).copied().unwrap_or(1.0);
        let count = counts.get(&key(at, row)).copied().unwrap_or(1.0);
        of_kind * share(&row.source, count) / sum / count
    };
    rows.iter().enumerate().map(weight).collect()
}

/// Coordinate descent.
struct Descent<'e> {
    /// For each feature the examples that have it.
    having: Vec<Vec<u32>>,
    weights: &'e [f64],
    /// 1 for a bad example.
    bad: Vec<f64>,
    /// The score of each example so far.
    scores: Vec<f64>,
    bias: f64,
    coefficients: Vec<f64>,
    /// Where each coefficient is drawn to, and how strongly.
    known: Vec<f64>,
    pull: f64,
}

impl<'e> Descent<'e> {
    fn new(rows: &[&Example], weights: &'e [f64], known: Known) -> Self {
        let mut having = vec![Vec::new(); FEATURES.len()];
        for (at, row) in (0_u32..).zip(rows) {
            for feature in &row.features {
                if let Some(place) = having.get_mut(feature.number()) {
                    place.push(at);
                }
            }
        }
        let bad = rows.iter().map(|row| f64::from(u8::from(row.kind == Kind::Bad))).collect();
        let Known { share, pull } = known;
        let known: Vec<f64> = FEATURES.all().map(|one| f64::from(FEATURES.bound(one)) / 100.0 * share).collect();
        let coefficients = known.clone();
        let score = |row: &&Example| row.features.iter().filter_map(|one| known.get(one.number())).sum();
        let scores = rows.iter().map(score).collect();
        Self { having, weights, bad, scores, bias: 0.0, coefficients, known, pull }
    }

    fn run(mut self) -> Estimate {
        for _ in 0..ROUNDS_MAX {
            let mut largest = self.step_of_bias().abs();
            for feature in FEATURES.all() {
                largest = largest.max(self.step_of(feature).abs());
            }
            if largest < STEP_MIN {
                break;
            }
        }
        Estimate { bias: self.bias, coefficients: self.coefficients }
    }

    /// Slope and curvature of the loss along the examples named.
    fn slope(&self, examples: impl Iterator<Item = usize>) -> (f64, f64) {
        examples.fold((0.0, 0.0), |(slope, curve), at| {
            let share = 1.0 / (1.0 + (-self.scores[at]).exp());
            let weight = self.weights[at];
            (slope + weight * (share - self.bad[at]), curve + weight * (share * (1.0 - share)).max(1e-3))
        })
    }

    fn step_of_bias(&mut self) -> f64 {
        let (slope, curve) = self.slope(0..self.scores.len());
        let step = -slope / curve;
        self.bias += step;
        self.scores.iter_mut().for_each(|score| *score += step);
        step
    }

    fn step_of(&mut self, feature: Feature) -> f64 {
        let (number, bound) = (feature.number(), f64::from(FEATURES.bound(feature)) / 100.0);
        let before = self.coefficients[number];
        let having = std::mem::take(&mut self.having[number]);
        if bound == 0.0 || having.is_empty() {
            self.having[number] = having;
            return 0.0;
        }
        let (slope, curve) = self.slope(having.iter().map(|at| *at as usize));
        let wanted = before - (slope + self.pull * (before - self.known[number])) / (curve + self.pull);
        let after = wanted.clamp(bound.min(0.0), bound.max(0.0));
        for at in &having {
            self.scores[*at as usize] += after - before;
        }
        self.having[number] = having;
        self.coefficients[number] = after;
        after - before
    }
}

impl Estimate {
    /// The points of each feature.
    pub fn points(&self) -> BTreeMap<Feature, i32> {
        let rounded = |one: Feature| (self.coefficients[one.number()] * 100.0).round() as i32;
        FEATURES.all().map(|feature| (feature, rounded(feature))).filter(|(_, points)| *points != 0).collect()
    }

    /// The points of a mail without any feature.
    pub fn bias(&self) -> i32 {
        (self.bias * 100.0).round() as i32
    }

    /// A card with these points.
    pub fn card(&self, threshold: i32, conjunction: bool, good: usize, bad: usize) -> Card {
        let head = Head { form: 1, bias: self.bias(), threshold, conjunction, good, bad };
        Card::new(head, &self.points())
    }

    /// What a mail scores, as a card would say.
    pub fn score(&self, example: &Example) -> i32 {
        let points = example.features.iter().map(|one| (self.coefficients[one.number()] * 100.0).round() as i32);
        let (mut against, mut for_it) = (0, 0);
        for points in points {
            against += points.max(0);
            for_it += (-points).max(0);
        }
        self.bias() + against - for_it.min(GOOD_POINTS_MAX)
    }
}

/// The score of each example by an estimate that has not seen its group.
pub fn unseen(examples: &[Example], shares: &BTreeMap<String, f64>, known: Known) -> Vec<i32> {
    let others = |one: u64| examples.iter().filter(|example| fold(&example.group) != one).collect::<Vec<_>>();
    let estimates: Vec<Estimate> = (0..FOLDS).map(|one| estimate(&others(one), shares, known)).collect();
    let score = |example: &Example| {
        let estimate = usize::try_from(fold(&example.group)).ok().and_then(|at| estimates.get(at));
        estimate.map_or(0, |estimate| estimate.score(example))
    };
    examples.iter().map(score).collect()
}

/// The score of each bad example by an estimate that has not seen its source, and none of the good ones.
pub fn unseen_source(examples: &[Example], shares: &BTreeMap<String, f64>, known: Known) -> Vec<Option<i32>> {
    let bad = |example: &&Example| example.kind == Kind::Bad;
    let sources: BTreeSet<&str> = examples.iter().filter(bad).map(|example| example.source.as_str()).collect();
    let without = |source: &str| {
        let kept = examples.iter().filter(|one| one.kind == Kind::Good || one.source != source).collect::<Vec<_>>();
        estimate(&kept, shares, known)
    };
    let estimates: BTreeMap<&str, Estimate> = sources.into_iter().map(|source| (source, without(source))).collect();
    let score = |example: &Example| match example.kind {
        Kind::Good => None,
        Kind::Bad => estimates.get(example.source.as_str()).map(|estimate| estimate.score(example)),
    };
    examples.iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(names: &[&str], kind: Kind, group: &str) -> Example {
        let features = names.iter().map(|name| FEATURES.of_name(name).expect("a feature")).collect();
        let (source, group) = ("a source".to_owned(), group.to_owned());
        Example { features, kind, source, group, is_hard: false, abstains: false }
    }

    fn mails() -> Vec<Example> {
        let bad = (0..40).map(|at| example(&["link-shortener", "subject-emoji"], Kind::Bad, &format!("b{at}")));
        let good = (0..40).map(|at| example(&["thread", "link-own"], Kind::Good, &format!("g{at}")));
        bad.chain(good).collect()
    }

    #[test]
    fn what_bad_mail_has_counts_against_it_within_its_bounds() {
        let mails = mails();
        let estimate = estimate(&mails.iter().collect::<Vec<_>>(), &BTreeMap::new(), Known::NOTHING);
        let points = estimate.points();
        let of = |name: &str| points.get(&FEATURES.of_name(name).expect("a feature")).copied().unwrap_or_default();
        assert!(of("link-shortener") > of("subject-emoji"), "good mail has pictures in its subject as well");
        assert!(of("thread") < 0 && of("link-own") <= 0);
        for (feature, points) in &points {
            let bound = FEATURES.bound(*feature);
            assert!((bound.min(0)..=bound.max(0)).contains(points), "{}", FEATURES.name(*feature));
        }
        assert!(estimate.score(&mails[0]) > 100 && estimate.score(&mails[50]) < -100);
        let card = estimate.card(100, false, 40, 40);
        assert_eq!(Card::parse(&card.to_text()), Ok(card));
    }

    #[test]
    fn what_no_mail_has_stays_where_it_is_known_to_be() {
        let mails = mails();
        let rows: Vec<&Example> = mails.iter().collect();
        let points = |known| estimate(&rows, &BTreeMap::new(), known).points();
        let of = |name: &str, known| points(known).get(&FEATURES.of_name(name).expect("a feature")).copied();
        assert_eq!(of("text:casino", Known { share: 0.3, pull: 1e-3 }), Some(45));
        assert_eq!(of("text:casino", Known::NOTHING), None);
    }

    #[test]
    fn the_same_mails_give_the_same_card() {
        let mails = mails();
        let rows: Vec<&Example> = mails.iter().collect();
        let known = Known { share: 0.3, pull: 1e-3 };
        assert_eq!(estimate(&rows, &BTreeMap::new(), known), estimate(&rows, &BTreeMap::new(), known));
        assert_eq!(unseen(&mails, &BTreeMap::new(), known), unseen(&mails, &BTreeMap::new(), known));
        let scores = unseen_source(&mails, &BTreeMap::new(), known);
        assert!(scores[0].is_some() && scores[50].is_none());
    }

    #[test]
    fn a_group_is_dealt_to_one_part() {
        let parts: Vec<u64> = (0..100).map(|at| fold(&format!("group {at}"))).collect();
        for part in 0..FOLDS {
            assert!(parts.iter().filter(|one| **one == part).count() > 5);
        }
        let names = DRESS.iter().map(|(name, _)| *name).chain(UNDRESS);
        for name in names {
            assert!(FEATURES.of_name(name).is_some(), "{name}");
        }
    }
}
