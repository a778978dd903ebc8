//! Names of things as types, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::Digest;

/// Our own id for one passage of one message (Exchange: network message id); a UUID version 7,
/// so that ids sort by time of arrival. The header `Message-ID` is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailId(Uuid);

/// The text is not an id of a mail.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a mail id; `reprieve quarantine list` shows them")]
pub struct BadMailId(String);

impl MailId {
    /// An id from the time of arrival and ten random bytes, both given by the caller's clock.
    pub fn new(at: crate::Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_micros() / 1000).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The moment in it, to the millisecond.
    pub fn at(&self) -> crate::Timestamp {
        let millis = self.0.as_bytes()[..6].iter().fold(0_i64, |millis, byte| millis << 8 | i64::from(*byte));
        crate::Timestamp::from_micros(millis * 1000)
    }

    /// Its 128 bits. The first 48 are the moment, the last 62 are random.
    pub fn bits(&self) -> [u8; 16] {
        self.0.into_bytes()
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for MailId {
    type Err = BadMailId;
    fn from_str(text: &str) -> Result<Self, BadMailId> {
        Uuid::try_parse(text).map(Self).map_err(|_| BadMailId(text.chars().take(80).collect()))
    }
}

/// One (message, recipient) unit: what the ledger counts and what a release delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitId {
    /// The message.
    pub mail: MailId,
    /// The position of the recipient in the envelope, from 0.
    pub number: u32,
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mail, self.number)
    }
}

/// The id of the release of one unit: derived from the unit, so whoever asks for a release,
/// and however often, speaks of the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseId(String);

impl ReleaseId {
    /// The one release id of `unit`: 26 characters of base 32 (RFC 4648 section 6, lower case).
    pub fn of(unit: UnitId) -> Self {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let digest = Digest::of(format!("{unit}|release").as_bytes());
        let bits = digest.as_bytes();
        let text = (0..26).map(|at| {
            let (byte, shift) = (at * 5 / 8, at * 5 % 8);
            let window = u16::from_be_bytes([bits[byte], bits[byte + 1]]);
            char::from(ALPHABET[usize::from((window >> (11 - shift)) & 31)])
        });
        Self(text.collect())
    }

    /// Takes an id as read from our own store or a token.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn ids_sort_by_arrival_and_read_back() {
        let first = MailId::new(Timestamp::from_micros(1_000_000), [9; 10]);
        let second = MailId::new(Timestamp::from_micros(2_000_000), [0; 10]);
        assert!(first.to_string() < second.to_string());
        assert_eq!(first.to_string().parse::<MailId>().expect("own form"), first);
        assert!("nonsense".parse::<MailId>().is_err());
    }

    #[test]
    fn a_release_id_is_a_function_of_the_unit() {
        let mail = MailId::new(Timestamp::from_micros(1), [1; 10]);
        let id = ReleaseId::of(UnitId { mail, number: 0 });
        assert_eq!(id, ReleaseId::of(UnitId { mail, number: 0 }));
        assert_ne!(id, ReleaseId::of(UnitId { mail, number: 1 }));
        assert_eq!(id.as_str().len(), 26);
    }
}
