//! Content that went through clean, and how well the past vouches for it (methods 1.2).

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

impl Standing {
    /// The class at `now`. What was ever called bad vouches for nothing.
    pub fn class(&self, now: Timestamp) -> MemoryClass {
        let age = now.since(self.first_seen);
        match self.carriers {
            _ if self.last_bad.is_some() => MemoryClass::Unknown,
            20.. if age >= 14 * DAY => MemoryClass::C3,
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
        let class =
            |days: u32, carriers| Standing { first_seen: now.before(days * DAY), carriers, last_bad: None }.class(now);
        assert_eq!(class(30, 1), MemoryClass::Unknown);
        assert_eq!(class(2, 50), MemoryClass::Unknown);
        assert_eq!(class(3, 2), MemoryClass::C1);
        assert_eq!(class(6, 50), MemoryClass::C1);
        assert_eq!(class(7, 5), MemoryClass::C2);
        assert_eq!(class(14, 19), MemoryClass::C2);
        assert_eq!(class(14, 20), MemoryClass::C3);
        let bad = Standing { first_seen: now.before(30 * DAY), carriers: 99, last_bad: Some(now) };
        assert_eq!(bad.class(now), MemoryClass::Unknown);
    }
}
