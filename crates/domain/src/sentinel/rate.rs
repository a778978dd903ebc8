//! A rate out of the ordinary. An outbreak is one as well as a mistake, so a rate calls people and convicts nobody.
//!
//! Hits of one hour are compared with those of the same hour of the week in the weeks before, as a Gamma-Poisson
//! mixture: its tail says how seldom as many or more are seen by chance.

/// Hits below which nobody is called.
pub const HITS_MIN: u64 = 10;
/// Chance below which somebody is.
pub const CHANCE_MAX: f64 = 1e-6;
/// Weeks that are looked back.
pub const WEEKS: usize = 4;
/// The shape of the mixture at least: few hits are never taken for regular ones. Also the hits that a week without any
/// stands for.
const SHAPE_MIN: f64 = 0.5;

/// Whether this many hits in an hour are out of the ordinary, after `before`: the same hour of the weeks before.
pub fn is_unusual(before: &[u64], hits: u64) -> bool {
    hits >= HITS_MIN && chance(before, hits) < CHANCE_MAX
}

/// The chance of `hits` or more in an hour.
pub fn chance(before: &[u64], hits: u64) -> f64 {
    let weeks = before.len().max(1) as f64;
    let sum: f64 = before.iter().map(|hits| *hits as f64).sum();
    let mean = (sum + SHAPE_MIN) / weeks;
    tail(shape(before, sum), mean, hits)
}

/// The shape by the weeks' own spread, and never more certain than their sum allows.
fn shape(before: &[u64], sum: f64) -> f64 {
    let known = sum + SHAPE_MIN;
    if before.len() < 2 {
        return known;
    }
    let weeks = before.len() as f64;
    let mean = sum / weeks;
    let spread = before.iter().map(|hits| (*hits as f64 - mean).powi(2)).sum::<f64>() / (weeks - 1.0);
    let seen = if spread > mean { mean * mean / (spread - mean) } else { known };
    seen.min(known).max(SHAPE_MIN)
}

/// The upper tail of the negative binomial distribution with this shape and mean.
fn tail(shape: f64, mean: f64, from: u64) -> f64 {
    let log_more = (mean / (shape + mean)).ln();
    let mut log_term = shape * (shape / (shape + mean)).ln();
    let mut below = 0.0;
    for count in 0..from {
        below += log_term.exp();
        let count = count as f64;
        log_term += ((count + shape) / (count + 1.0)).ln() + log_more;
    }
    (1.0 - below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_ordinary_and_what_is_not() {
        for (before, hits, expected) in [
            // A new installation, or a detection of this week: a score in an hour.
            (&[][..], 10, false),
            (&[][..], 30, true),
            // Four quiet weeks, and then ten.
            (&[0, 0, 0, 0], 9, false),
            (&[0, 0, 0, 0], 10, true),
            // Busy as ever.
            (&[500, 480, 510, 520], 560, false),
            (&[500, 480, 510, 520], 800, true),
            // It has had such hours before.
            (&[5, 400, 3, 90], 800, false),
            (&[2, 3, 1, 2], 8, false),
            (&[2, 3, 1, 2], 40, true),
        ] {
            assert_eq!(is_unusual(before, hits), expected, "{before:?} {hits}: {}", chance(before, hits));
        }
    }

    proptest! {
        #[test]
        fn a_chance_is_one_and_falls(before in proptest::collection::vec(0_u64..2000, 0..5), hits in 0_u64..3000) {
            let (here, further) = (chance(&before, hits), chance(&before, hits + 1));
            prop_assert!((0.0..=1.0 + 1e-9).contains(&here));
            prop_assert!(further <= here + 1e-9);
            prop_assert!((chance(&before, 0) - 1.0).abs() < 1e-9);
        }
    }
}
