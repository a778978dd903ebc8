//! Whether mail has changed since a model was trained: the population stability index, of its score and of the
//! features that weigh most, between mail of before and of after.
//!
//! The index is the sum of (after - before) * ln(after / before) over the shares of all classes. By the usual reading
//! of credit scoring, below 0.1 nothing has changed, and above 0.25 much has.

use serde::Serialize;

/// Classes that scores are sorted into: tenths of the mail of before.
const CLASSES: usize = 10;
/// A share below which it counts as this: nothing is known to never occur.
const SHARE_MIN: f64 = 1e-4;
/// Below it, stable; above the other, changed.
const STABLE_BELOW: f64 = 0.1;
const CHANGED_ABOVE: f64 = 0.25;

/// How an index is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// Below 0.1.
    Stable,
    /// Between.
    Moved,
    /// Above 0.25.
    Changed,
}

impl Reading {
    /// Of an index.
    pub fn of(index: f64) -> Self {
        match index {
            index if index < STABLE_BELOW => Self::Stable,
            index if index <= CHANGED_ABOVE => Self::Moved,
            _ => Self::Changed,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Moved => "moved",
            Self::Changed => "changed",
        }
    }
}

/// The index of shares of the same classes.
fn index(shares: impl Iterator<Item = (f64, f64)>) -> f64 {
    let term = |(before, after): (f64, f64)| {
        let (before, after) = (before.max(SHARE_MIN), after.max(SHARE_MIN));
        (after - before) * (after / before).ln()
    };
    shares.map(term).sum()
}

/// The index of a score: in classes that each have a tenth of the scores of before. 0 where one side has none.
pub fn of_scores(before: &[f64], after: &[f64]) -> f64 {
    if before.is_empty() || after.is_empty() {
        return 0.0;
    }
    let mut sorted = before.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut bounds: Vec<f64> = (1..CLASSES).filter_map(|at| sorted.get(at * sorted.len() / CLASSES)).copied().collect();
    bounds.dedup();
    let shares = |scores: &[f64]| {
        let mut counts = vec![0_usize; bounds.len() + 1];
        for score in scores {
            counts[bounds.partition_point(|bound| bound <= score)] += 1;
        }
        counts.into_iter().map(|count| count as f64 / scores.len() as f64).collect::<Vec<_>>()
    };
    index(shares(before).into_iter().zip(shares(after)))
}

/// The index of a feature, by the shares of mails that have it.
pub fn of_feature(before: f64, after: f64) -> f64 {
    index([(before, after), (1.0 - before, 1.0 - after)].into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mail_is_stable_and_other_mail_is_not() {
        let before: Vec<f64> = (0..1000).map(f64::from).collect();
        let shifted = |by: f64| before.iter().map(|score| score + by).collect::<Vec<_>>();
        assert_eq!(Reading::of(of_scores(&before, &before)), Reading::Stable);
        assert_eq!(Reading::of(of_scores(&before, &shifted(70.0))), Reading::Moved);
        assert_eq!(Reading::of(of_scores(&before, &shifted(500.0))), Reading::Changed);
        assert!(of_scores(&[], &before) == 0.0 && of_scores(&[1.0; 50], &[1.0; 9]) == 0.0);
    }

    #[test]
    fn shares_as_the_formula_says() {
        // (0.2 - 0.1) ln 2 + (0.8 - 0.9) ln (8/9)
        assert!((of_feature(0.1, 0.2) - 0.081_093).abs() < 1e-6, "{}", of_feature(0.1, 0.2));
        assert_eq!(of_feature(0.3, 0.3), 0.0);
        assert_eq!(Reading::of(of_feature(0.0, 0.2)), Reading::Changed);
    }
}
