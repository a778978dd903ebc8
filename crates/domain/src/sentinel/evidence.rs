//! How much a witness weighs, and what a probe proves: e-values, valid at any time and without a rate of before.

use serde::{Deserialize, Serialize};

use crate::finding::MemoryClass;

/// The share of a right detection's hits that fall on content of each class, at most: unknown, C1, C2, C3. A bound,
/// never lowered.
pub const BAD_SHARE_MAX: [f64; 4] = [0.939, 0.05, 0.01, 0.001];
/// How much of each bet is kept back, so that no run of hits on new content can sink the evidence.
const HEDGE: f64 = 0.5;
/// The weight of one witness at most.
const WEIGHT_MAX: f64 = 60.0;
/// The share of old, good content that is bad without anybody knowing, at most: what a right detection may hit in a
/// probe.
const LATENT_BAD: f64 = 5e-4;
/// The rates of false positives that a probe bets on, with equal stakes.
const RATES: [f64; 5] = [0.001, 0.003, 0.01, 0.05, 0.3];
/// The evidence of a probe at most.
pub const PROBE_MAX: f64 = 1e6;
/// Contents between two looks at a probe's evidence.
pub const PROBE_BATCH: u32 = 50;

/// How much a witness of each class weighs: unknown, C1, C2, C3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights([f64; 4]);

impl Weights {
    /// From how many distinct contents of good mail are of each class.
    pub fn of(contents: [u64; 4]) -> Self {
        let all: u64 = contents.iter().sum::<u64>() + 4;
        Self::of_shares(contents.map(|count| (count + 1) as f64 / all as f64))
    }

    /// From the shares themselves.
    pub fn of_shares(good: [f64; 4]) -> Self {
        let mut weights = [0.0; 4];
        for (class, weight) in weights.iter_mut().enumerate() {
            // New content may never speak for the detection being wrong, however good most of it is.
            let most = if class == 0 { 1.0 } else { WEIGHT_MAX };
            *weight = ((1.0 - HEDGE) + HEDGE * good[class] / BAD_SHARE_MAX[class]).min(most);
        }
        Self(weights)
    }

    /// The weight of a witness of this class.
    pub fn of_class(&self, class: MemoryClass) -> f64 {
        self.0[class as usize]
    }
}

/// What a probe proves that has looked at `seen` contents, known to be good, and found `hits` among them (each with a
/// carrier of its own).
pub fn probe_value(hits: u32, seen: u32) -> f64 {
    let misses = f64::from(seen.saturating_sub(hits));
    let bet = |rate: f64| {
        let log = f64::from(hits) * (rate / LATENT_BAD).ln() + misses * ((1.0 - rate) / (1.0 - LATENT_BAD)).ln();
        log.min(700.0).exp()
    };
    let value = RATES.iter().map(|rate| bet(*rate)).sum::<f64>() / RATES.len() as f64;
    value.min(PROBE_MAX)
}

/// How often a detection may still be wrong when it was so `wrong` times of `seen`: the greatest rate that this fits
/// with 95 % confidence (Clopper and Pearson 1934, one-sided). 1 when nothing was seen.
pub fn rate_at_most(wrong: u64, seen: u64) -> f64 {
    const DOUBT: f64 = 0.05;
    if wrong >= seen {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if at_most(wrong, seen, middle) > DOUBT { low = middle } else { high = middle }
    }
    high
}

/// The chance of `wrong` or fewer of `seen` at this rate; summed in logarithms, relative to the last term.
fn at_most(wrong: u64, seen: u64, rate: f64) -> f64 {
    let (all, odds) = (seen as f64, (rate / (1.0 - rate)).ln());
    let mut log = all * (1.0 - rate).ln();
    let mut logs = vec![log];
    for count in 0..wrong {
        log += ((all - count as f64) / (count as f64 + 1.0)).ln() + odds;
        logs.push(log);
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most.exp() * logs.iter().map(|log| (log - most).exp()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_weights_of_the_method() {
        let weights = Weights::of_shares([0.49, 0.15, 0.24, 0.13]);
        let shown: Vec<String> = [MemoryClass::Unknown, MemoryClass::C1, MemoryClass::C2, MemoryClass::C3]
            .map(|class| format!("{:.2}", weights.of_class(class)))
            .into();
        assert_eq!(shown, ["0.76", "2.00", "12.50", "60.00"]);
        // A cold store: all content is new, and new content still says nothing.
        assert!(Weights::of([10_000, 0, 0, 0]).of_class(MemoryClass::Unknown) <= 1.0);
    }

    #[test]
    fn a_probe_without_hits_speaks_for_the_detection() {
        assert!((0.05..0.12).contains(&probe_value(0, 2000)), "{}", probe_value(0, 2000));
        assert!(probe_value(4, 50) >= 1e4);
        assert!(probe_value(1, 2000) < 30.0);
    }

    #[test]
    fn what_the_past_still_fits() {
        let shown = |wrong, seen| format!("{:.5}", rate_at_most(wrong, seen));
        // Tables of the binomial distribution: 1 - 0.05^(1/n) without a hit, 4.656 % for one of a hundred.
        assert_eq!(shown(0, 2000), "0.00150");
        assert_eq!(shown(0, 300), "0.00994");
        assert_eq!(shown(1, 100), "0.04656");
        assert_eq!(shown(5, 10), "0.77756");
        assert_eq!((rate_at_most(0, 0), rate_at_most(3, 3)), (1.0, 1.0));
        assert!((0.0101..0.0104).contains(&rate_at_most(10_000, 1_000_000)));
    }

    proptest! {
        /// Under any mix of classes within the bounds a witness is worth at most 1 on average: what makes the false
        /// alarms rare.
        #[test]
        fn a_right_detection_earns_nothing(good in proptest::array::uniform4(0_u64..100_000),
            old in proptest::array::uniform3(0.0_f64..1.0)) {
            let weights = Weights::of(good);
            let bad: Vec<f64> = (0..3).map(|class| BAD_SHARE_MAX[class + 1] * old[class]).collect();
            let unknown = 1.0 - bad.iter().sum::<f64>();
            let mean = unknown * weights.0[0] + (0..3).map(|class| bad[class] * weights.0[class + 1]).sum::<f64>();
            prop_assert!(mean <= 1.0 + 1e-9, "{mean}");
        }

        /// The mean of a probe's evidence under the null is at most 1.
        #[test]
        fn a_probe_of_a_right_detection_earns_nothing(seen in 1_u32..400) {
            let mut mean = 0.0;
            let mut chance = (1.0 - LATENT_BAD).powi(i32::try_from(seen).unwrap_or(0));
            for hits in 0..=seen {
                mean += chance * probe_value(hits, seen);
                chance *= f64::from(seen - hits) / f64::from(hits + 1) * LATENT_BAD / (1.0 - LATENT_BAD);
            }
            prop_assert!(mean <= 1.0 + 1e-9, "{mean}");
        }
    }
}
