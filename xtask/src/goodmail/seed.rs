//! Choices that are the same on every machine: a stream of numbers from names, without clock and randomness.

/// A stream of choices (SplitMix64 over an FNV-1a digest of the names).
#[derive(Clone)]
pub(super) struct Seed(u64);

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

impl Seed {
    /// The stream of these names.
    pub(super) fn of(names: &[&str]) -> Self {
        let mut digest = 0xcbf2_9ce4_8422_2325_u64;
        for byte in names.iter().flat_map(|name| name.bytes().chain([0])) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(digest)
    }

    /// A number.
    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where `end` is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    /// A number from `first` to `last`.
    pub(super) fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// One of them; the default of nothing.
    pub(super) fn pick<T: Copy + Default>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len());
        of.get(at).copied().unwrap_or_default()
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Letters and digits.
    pub(super) fn token(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.pick(LETTERS))).collect()
    }

    /// Digits, the first of which is not 0.
    pub(super) fn digits(&mut self, length: usize) -> String {
        (0..length)
            .map(|at| char::from(self.pick(if at == 0 { b"123456789".as_slice() } else { b"0123456789" })))
            .collect()
    }

    /// Digits of base 16.
    pub(super) fn hex(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.pick(b"0123456789abcdef"))).collect()
    }

    /// Bytes.
    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap_or_default()).collect()
    }

    /// In the form of a UUID.
    pub(super) fn uuid(&mut self) -> String {
        format!("{}-{}-4{}-a{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_give_the_same_choices() {
        let choices = |names: &[&str]| {
            let mut seed = Seed::of(names);
            (seed.token(8), seed.digits(6), seed.uuid(), seed.below(10))
        };
        assert_eq!(choices(&["pypi", "reset", "1"]), choices(&["pypi", "reset", "1"]));
        assert_ne!(choices(&["pypi", "reset", "1"]), choices(&["pypi", "reset", "2"]));
        assert_ne!(choices(&["ab", "c"]), choices(&["a", "bc"]), "names do not run into one another");
    }
}
