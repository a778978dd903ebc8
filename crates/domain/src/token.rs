//! The release token: a signed field that lets our own released mail pass us again unexamined, and nothing else.
//!
//! It is the lowest of the prepended fields. Its MAC covers the release id, the recipient, the expiry and
//! every byte below it, so it cannot be moved to another mail, another recipient or another day.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::address::Address;
use crate::digest::Digest;
use crate::id::ReleaseId;
use crate::time::Timestamp;

/// The name of the field.
pub const FIELD: &str = "X-Reprieve-Release";

/// The key of this installation: 32 random bytes, made once, kept beside the database.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

impl TokenKey {
    /// Takes the key's bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for one purpose, from which this one cannot be found: for whoever must not be able to make a token.
    #[must_use]
    pub fn for_purpose(&self, purpose: &str) -> Self {
        Self(*seal(self, "key", purpose).as_bytes())
    }

    /// The key's bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

/// Seals a text for one purpose: only who has the key can make the same seal.
pub fn seal(key: &TokenKey, purpose: &str, text: &str) -> Digest {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    for piece in [purpose.as_bytes(), text.as_bytes()] {
        mac.update(&(piece.len() as u64).to_be_bytes());
        mac.update(piece);
    }
    Digest::from_bytes(mac.finalize().into_bytes().into())
}

/// The field, with its CRLF, for one release of `below` (the bytes that follow it) to `recipient`.
pub fn field(key: &TokenKey, release: &ReleaseId, recipient: &Address, expires: Timestamp, below: &[u8]) -> String {
    let expires = expires.as_seconds();
    let mac = mac_hex(key, release.as_str(), recipient, expires, below);
    format!("{FIELD}: v=1; id={release}; exp={expires};\r\n mac={mac}\r\n")
}

/// Whether `value` (the unfolded field body) is our valid token for `recipient` over the bytes `below` it.
pub fn verify(key: &TokenKey, value: &str, recipient: &Address, now: Timestamp, below: &[u8]) -> Option<ReleaseId> {
    let mut id = None;
    let mut expires = None;
    let mut mac = None;
    for pair in value.split(';') {
        match pair.trim().split_once('=')? {
            ("v", "1") => {}
            ("id", text) => id = Some(text),
            ("exp", text) => expires = text.parse::<i64>().ok(),
            ("mac", text) => mac = Some(text),
            _ => return None,
        }
    }
    let (id, expires, mac) = (id?, expires?, Digest::parse(mac?).ok()?);
    if expires < now.as_seconds() {
        return None;
    }
    keyed(key, id, recipient, expires, below).verify_slice(mac.as_bytes()).ok()?;
    Some(ReleaseId::from_text(id))
}

fn keyed(key: &TokenKey, id: &str, recipient: &Address, expires: i64, below: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    let body = Digest::of(below);
    for piece in [id.as_bytes(), recipient.as_str().as_bytes(), &expires.to_be_bytes(), body.as_bytes()] {
        mac.update(&(piece.len() as u64).to_be_bytes());
        mac.update(piece);
    }
    mac
}

fn mac_hex(key: &TokenKey, id: &str, recipient: &Address, expires: i64, below: &[u8]) -> String {
    keyed(key, id, recipient, expires, below).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{MailId, UnitId};

    #[test]
    fn a_token_holds_for_its_own_mail_recipient_and_time_only() {
        let key = TokenKey::new([7; 32]);
        let release = ReleaseId::of(UnitId { mail: MailId::new(Timestamp::from_micros(1), [0; 10]), number: 0 });
        let rcpt = Address::parse("a@b.example").expect("valid");
        let other = Address::parse("c@b.example").expect("valid");
        let expires = Timestamp::from_micros(10_000_000);
        let now = Timestamp::from_micros(5_000_000);
        let text = field(&key, &release, &rcpt, expires, b"body");
        let value = text.strip_prefix("X-Reprieve-Release:").expect("name").replace("\r\n", "");
        assert_eq!(verify(&key, &value, &rcpt, now, b"body"), Some(release));
        assert_eq!(verify(&key, &value, &other, now, b"body"), None);
        assert_eq!(verify(&key, &value, &rcpt, now, b"Body"), None);
        assert_eq!(verify(&key, &value, &rcpt, Timestamp::from_micros(11_000_000), b"body"), None);
        assert_eq!(verify(&TokenKey::new([8; 32]), &value, &rcpt, now, b"body"), None);
        assert_eq!(verify(&key, "nonsense", &rcpt, now, b"body"), None);
    }
}
