//! Content that went through clean, and how well the past vouches for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::finding::MemoryClass;
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What is known of one content: a decoded part, by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// When it was first seen in a clean mail.
    pub first_seen: Timestamp,
    /// How many identities have carried it.
    pub carriers: u64,
    /// When something bad was last said of it, if ever.
    pub last_bad: Option<Timestamp>,
}

/// Carriers that make a heirloom (C3) of content where many are established.
pub const HEIRLOOM_CARRIERS: u64 = 20;

/// Carriers that make a heirloom at a site where so many are established: a twentieth of them, from 5 to
/// [`HEIRLOOM_CARRIERS`].
pub fn heirloom_carriers(established: u64) -> u64 {
    (established / 20).clamp(5, HEIRLOOM_CARRIERS)
}

impl Standing {
    /// The class at `now`, where so many carriers make a heirloom. What was ever called bad vouches for nothing.
    pub fn class(&self, now: Timestamp, heirloom: u64) -> MemoryClass {
        let age = now.since(self.first_seen);
        match self.carriers {
            _ if self.last_bad.is_some() => MemoryClass::Unknown,
            carriers if carriers >= heirloom && age >= 14 * DAY => MemoryClass::C3,
            5.. if age >= 7 * DAY => MemoryClass::C2,
            2.. if age >= 3 * DAY => MemoryClass::C1,
            _ => MemoryClass::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_by_age_and_carriers() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let class = |days: u32, carriers| {
            Standing { first_seen: now.before(days * DAY), carriers, last_bad: None }.class(now, HEIRLOOM_CARRIERS)
        };
        assert_eq!(class(30, 1), MemoryClass::Unknown);
        assert_eq!(class(2, 50), MemoryClass::Unknown);
        assert_eq!(class(3, 2), MemoryClass::C1);
        assert_eq!(class(6, 50), MemoryClass::C1);
        assert_eq!(class(7, 5), MemoryClass::C2);
        assert_eq!(class(14, 19), MemoryClass::C2);
        assert_eq!(class(14, 20), MemoryClass::C3);
        let bad = Standing { first_seen: now.before(30 * DAY), carriers: 99, last_bad: Some(now) };
        assert_eq!(bad.class(now, HEIRLOOM_CARRIERS), MemoryClass::Unknown);
    }

    #[test]
    fn a_small_site_has_heirlooms_of_fewer() {
        assert_eq!([0, 99, 100, 200, 399, 400, 10_000].map(heirloom_carriers), [5, 5, 5, 10, 19, 20, 20]);
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let logo = Standing { first_seen: now.before(20 * DAY), carriers: 6, last_bad: None };
        assert_eq!((logo.class(now, 5), logo.class(now, 7)), (MemoryClass::C3, MemoryClass::C2));
    }
}
