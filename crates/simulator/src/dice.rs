//! Chance that a seed decides.

use domain::Digest;

/// A row of numbers that a seed decides (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The row of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED)
    }

    /// The row of a seed and a name: the same whenever it is asked for, whatever was asked for before.
    pub(crate) fn named(seed: u64, name: &str) -> Self {
        let digest = Digest::of_pieces(&[&seed.to_be_bytes(), name.as_bytes()]);
        let bytes = digest.as_bytes();
        Self(bytes[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number under `most`; 0 when that is 0.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.number() % most).unwrap_or(0)
    }

    /// Whether something happens that happens so often in a hundred.
    pub(crate) fn happens(&mut self, percent: u64) -> bool {
        self.number() % 100 < percent
    }

    /// One of these; none of nothing.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let at = self.below(all.len());
        all.get(at)
    }

    /// One of these, each as often as its weight says.
    pub(crate) fn weighed<T: Copy>(&mut self, all: &[(u64, T)]) -> Option<T> {
        let sum: u64 = all.iter().map(|(weight, _)| weight).sum();
        let mut left = self.number() % sum.max(1);
        for (weight, one) in all {
            if left < *weight {
                return Some(*one);
            }
            left -= weight;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_the_row() {
        let row = |seed| {
            let mut dice = Dice::new(seed);
            [dice.number(), dice.number(), dice.number()]
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
        assert_eq!(Dice::named(7, "a").number(), Dice::named(7, "a").number());
        assert_ne!(Dice::named(7, "a").number(), Dice::named(7, "b").number());
    }
}
