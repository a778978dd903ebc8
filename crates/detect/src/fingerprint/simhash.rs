//! A simhash (Charikar, 2002) of 128 bits: each feature votes for or against each bit by its own hash, and the majority
//! decides. What has most features in common gets fingerprints that differ in few bits.

/// Votes that are counted: the first ones.
pub(super) const VOTES_MAX: usize = 4096;
/// Binary digits of the number of votes.
const COUNT_BITS: usize = VOTES_MAX.ilog2() as usize + 1;
/// Places of the table in which a vote is looked for: two for each.
const PLACES_BITS: u32 = VOTES_MAX.ilog2() + 1;

/// The features of something, each once.
pub(super) struct Votes(Vec<u64>);

impl Votes {
    /// The votes of these features.
    pub(super) fn of(features: impl Iterator<Item = u64>) -> Self {
        let mut votes = Vec::with_capacity(VOTES_MAX / 4);
        // The number of a vote, from 1, at the place that its first bits say, or the next free one: votes are hashes,
        // and sorting them takes longer than all else.
        let mut places = vec![0_u16; 1 << PLACES_BITS];
        for feature in features {
            let mut at = (feature >> (u64::BITS - PLACES_BITS)) as usize;
            let known = loop {
                match places[at] {
                    0 => break false,
                    number if votes[usize::from(number) - 1] == feature => break true,
                    _ => at = (at + 1) % places.len(),
                }
            };
            if known {
                continue;
            }
            if votes.len() == VOTES_MAX {
                break;
            }
            votes.push(feature);
            places[at] = votes.len() as u16;
        }
        Self(votes)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The bits that most votes have. The votes for all bits are counted side by side: plane `n` has the binary digit
    /// `n` of each count.
    pub(super) fn majority(&self) -> u128 {
        let mut planes = [0_u128; COUNT_BITS];
        for vote in &self.0 {
            let mut carry = u128::from(mix(*vote)) << 64 | u128::from(mix(!*vote));
            for plane in &mut planes {
                if carry == 0 {
                    break;
                }
                let next = *plane & carry;
                *plane ^= carry;
                carry = next;
            }
        }
        let count = |bit: usize| planes.iter().rev().fold(0, |count, plane| count << 1 | (plane >> bit & 1) as usize);
        (0..128).filter(|bit| count(*bit) * 2 > self.0.len()).fold(0, |bits, bit| bits | 1 << bit)
    }
}

/// The hash of a row of features, in their order.
pub(super) fn joined(features: &[u64]) -> u64 {
    features.iter().fold(0, |hash, feature| mix(hash ^ feature))
}

/// FNV-1a over characters or bytes, in 64 bits, spread.
pub(super) fn hash(signs: impl Iterator<Item = u32>) -> u64 {
    let step = |hash: u64, sign: u32| (hash ^ u64::from(sign)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(signs.fold(0xcbf2_9ce4_8422_2325, step))
}

/// Spreads a number over all 64 bits: the last step of SplitMix64.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The planes count as far as there are votes: each bit by itself, as one would.
    #[test]
    fn the_majority_is_that_of_a_plain_count() {
        for count in [1, 2, 3, 64, VOTES_MAX, VOTES_MAX + 10] {
            let votes = Votes::of((0_u64..).map(|n| n * 7 + 1).take(count));
            assert_eq!(votes.count(), count.min(VOTES_MAX));
            let bits: Vec<u128> =
                votes.0.iter().map(|vote| u128::from(mix(*vote)) << 64 | u128::from(mix(!*vote))).collect();
            let is_set = |bit: usize| bits.iter().filter(|one| *one >> bit & 1 == 1).count() * 2 > bits.len();
            let plain = (0..128).filter(|bit| is_set(*bit)).fold(0_u128, |all, bit| all | 1 << bit);
            assert_eq!(votes.majority(), plain, "{count}");
        }
    }
}
