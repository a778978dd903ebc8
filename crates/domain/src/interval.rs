//! The exact interval of a share by Clopper and Pearson (Biometrika 26, 1934): every share for which what was counted
//! is not among the 2.5 % rarest outcomes on either side.

/// Probability on each side that the interval leaves out.
const TAIL: f64 = 0.025;
/// Halvings of the interval from 0 to 1: below what a table prints.
const HALVINGS: u32 = 50;

/// The shares between which the true one lies with 95 %, where `hits` of `count` were hit.
pub fn interval(hits: usize, count: usize) -> (f64, f64) {
    if count == 0 {
        return (0.0, 1.0);
    }
    let terms = Terms::new(count);
    let low = if hits == 0 { 0.0 } else { halved(|share| 1.0 - terms.at_most(hits - 1, share) > TAIL) };
    let high = if hits >= count { 1.0 } else { halved(|share| terms.at_most(hits, share) < TAIL) };
    (low, high)
}

/// The smallest share from which on `is_over` holds.
fn halved(is_over: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if is_over(middle) { high = middle } else { low = middle }
    }
    high
}

/// Logarithms of the factorials up to a count.
struct Terms(Vec<f64>);

impl Terms {
    fn new(count: usize) -> Self {
        let mut sum = 0.0;
        let of = |number: usize| {
            sum += (number.max(1) as f64).ln();
            sum
        };
        Self((0..=count).map(of).collect())
    }

    /// The probability of `hits` or fewer of all, where each is a hit with this probability.
    fn at_most(&self, hits: usize, share: f64) -> f64 {
        let count = self.0.len() - 1;
        let term = |one: usize| {
            let ways = self.0[count] - self.0[one] - self.0[count - one];
            (ways + one as f64 * share.ln() + (count - one) as f64 * (1.0 - share).ln()).exp()
        };
        (0..=hits).map(term).sum::<f64>().min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_about(found: (f64, f64), wanted: (f64, f64)) -> bool {
        (found.0 - wanted.0).abs() < 5e-5 && (found.1 - wanted.1).abs() < 5e-5
    }

    #[test]
    fn the_intervals_are_those_of_the_tables() {
        // R: binom.test(k, n)$conf.int
        assert!(is_about(interval(5, 10), (0.1871, 0.8129)), "{:?}", interval(5, 10));
        assert!(is_about(interval(1, 20), (0.0013, 0.2487)), "{:?}", interval(1, 20));
        assert!(is_about(interval(0, 100), (0.0, 0.0362)), "{:?}", interval(0, 100));
        assert!(is_about(interval(100, 100), (0.9638, 1.0)), "{:?}", interval(100, 100));
    }

    #[test]
    fn what_was_counted_lies_within() {
        for (hits, count) in [(0, 1), (1, 1), (3, 4707), (1135, 1344), (4706, 4707), (0, 20_000)] {
            let (low, high) = interval(hits, count);
            let share = hits as f64 / count as f64;
            assert!(low <= share && share <= high && low < high, "{hits} of {count}: {low} to {high}");
        }
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }
}
