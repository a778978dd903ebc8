//! The change of a figure from one build to another, of runs in pairs.

/// Student's t for 95 % (two-sided), by degrees of freedom from 1 on; NIST/SEMATECH e-Handbook of Statistical Methods,
/// section 1.3.6.7.2.
const T: [f64; 14] =
    [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145];

/// Values before and after, a pair for each run.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pairs: Vec<(f64, f64)>,
}

impl Change {
    /// None yet.
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// One run of each.
    pub fn add(&mut self, before: f64, after: f64) {
        self.pairs.push((before, after));
    }

    /// Prints a row of the table: the medians, and the geometric mean of the ratios with its interval.
    pub fn row(&self, what: &str) {
        let before = rig::median(&self.pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
        let after = rig::median(&self.pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
        let (low, mean, high) = self.ratio();
        let percent = |ratio: f64| (ratio - 1.0) * 100.0;
        println!(
            "| {what} | {before:.2} | {after:.2} | {:+.1} % | {:+.1} to {:+.1} % |",
            percent(mean),
            percent(low),
            percent(high)
        );
    }

    /// The geometric mean of after / before, between the ends of its interval.
    fn ratio(&self) -> (f64, f64, f64) {
        let logs: Vec<f64> = self.pairs.iter().map(|(before, after)| (after / before).ln()).collect();
        let count = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / count;
        let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let t = T.get(logs.len().saturating_sub(2)).copied().unwrap_or(f64::NAN);
        let half = t * (variance / count).sqrt();
        ((mean - half).exp(), mean.exp(), (mean + half).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[test]
    fn a_change_that_is_always_the_same_has_no_interval() {
        let mut change = Change::new();
        (1..=10).for_each(|run| change.add(f64::from(run), f64::from(run) * 1.1));
        let (low, mean, high) = change.ratio();
        assert!((mean - 1.1).abs() < 1e-9 && (high - low).abs() < 1e-9, "{low} {mean} {high}");
    }

    #[test]
    fn noise_makes_the_interval_wide_and_leaves_the_mean() {
        let mut change = Change::new();
        for after in [0.9, 1.0 / 0.9, 0.9, 1.0 / 0.9] {
            change.add(1.0, after);
        }
        let (low, mean, high) = change.ratio();
        // Half of it is 3.182 * 0.12166 / 2 in logarithms.
        assert!((mean - 1.0).abs() < 1e-9 && (high.ln() - 0.19356).abs() < 1e-4, "{low} {mean} {high}");
    }
}
