//! What lets a recipient in: a link that was mailed to them and opens the portal once, and the session that it begins.
//! Both are sealed, so that nothing of them has to be kept but which links have been used.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::token::{TokenKey, seal};
use domain::{Address, Timestamp};

use crate::clock::Clock;

/// How long a link holds.
pub const LINK: Duration = Duration::from_secs(7 * 86_400);
/// How long a session lasts.
pub const SESSION: Duration = Duration::from_secs(8 * 3600);
/// The cookie: for this host alone, and only over a connection that nobody reads.
pub const COOKIE_NAME: &str = "__Host-reprieve-mail";
/// Letters of a link at most: an address has 320 at most.
const TEXT_MAX: usize = 900;

/// What a seal is for: one cannot stand for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In a mail.
    Link,
    /// In a cookie.
    Session,
}

impl Kind {
    fn purpose(self) -> &'static str {
        match self {
            Self::Link => "portal-link",
            Self::Session => "portal-session",
        }
    }
}

impl Kind {
    /// How long what is sealed for this holds.
    pub fn span(self) -> Duration {
        match self {
            Self::Link => LINK,
            Self::Session => SESSION,
        }
    }
}

/// Who a sealed text is for, and until when it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The recipient, lower case.
    pub address: String,
    /// Its end.
    pub until: Timestamp,
}

impl Pass {
    /// Whether it was made before a moment, and in its second at the latest: its end is known to the second.
    pub fn is_from_before(&self, kind: Kind, moment: Timestamp) -> bool {
        self.until.before(kind.span()) <= moment
    }
}

/// A sealed text: end, a random number, the seal, and the address. It needs no quoting in a fragment, a cookie or a
/// form.
pub fn make(key: &TokenKey, kind: Kind, address: &Address, until: Timestamp, clock: &dyn Clock) -> String {
    let random: String = clock.entropy()[2..].iter().map(|byte| format!("{byte:02x}")).collect();
    let said = format!("{}.{random}", until.as_seconds());
    let address = BASE64_URL_SAFE_NO_PAD.encode(address.normal());
    let mac = seal(key, kind.purpose(), &format!("{said}.{address}")).hex();
    format!("{said}.{mac}.{address}")
}

/// Reads a sealed text; none when it is not ours, or its time is over.
pub fn read(key: &TokenKey, kind: Kind, text: &str, now: Timestamp) -> Option<Pass> {
    let text = text.trim();
    if text.len() > TEXT_MAX {
        return None;
    }
    let mut pieces = text.splitn(4, '.');
    let (until, random, mac, address) = (pieces.next()?, pieces.next()?, pieces.next()?, pieces.next()?);
    // Digests are compared, so that no time tells how much of a seal was right.
    let expected = seal(key, kind.purpose(), &format!("{until}.{random}.{address}"));
    let shown = domain::Digest::parse(mac).ok()?;
    let is_ours = domain::Digest::of(shown.as_bytes()) == domain::Digest::of(expected.as_bytes());
    let until = Timestamp::from_micros(until.parse::<i64>().ok()?.checked_mul(1_000_000)?);
    let address = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(address).ok()?).ok()?;
    (is_ours && now < until).then_some(Pass { address, until })
}

/// The header that begins a session.
pub fn begun(session: &str) -> String {
    format!("{COOKIE_NAME}={session}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}", SESSION.as_secs())
}

/// The header that ends one.
pub fn ended() -> String {
    format!("{COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use proptest::prelude::*;

    fn key() -> TokenKey {
        TokenKey::new([3; 32])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000 + second * 1_000_000)
    }

    fn bert() -> Address {
        Address::parse("Bert@ours.example").expect("an address")
    }

    #[test]
    fn a_link_is_for_one_person_for_a_while_and_for_one_thing() {
        let link = make(&key(), Kind::Link, &bert(), at(100), &SystemClock);
        let pass = read(&key(), Kind::Link, &link, at(99)).expect("it holds");
        assert_eq!((pass.address.as_str(), pass.until), ("bert@ours.example", at(100)));
        assert_eq!(read(&key(), Kind::Link, &link, at(100)), None, "its time is over");
        assert_eq!(read(&key(), Kind::Session, &link, at(99)), None, "a link is no session");
        assert_eq!(read(&TokenKey::new([4; 32]), Kind::Link, &link, at(99)), None, "another installation's");
        assert_ne!(link, make(&key(), Kind::Link, &bert(), at(100), &SystemClock), "each is another");
        assert!(link.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)), "{link}");
    }

    #[test]
    fn what_is_from_before_a_moment() {
        for kind in [Kind::Link, Kind::Session] {
            let made = make(&key(), kind, &bert(), at(100).after(kind.span()), &SystemClock);
            let pass = read(&key(), kind, &made, at(101)).expect("it holds");
            assert!(pass.is_from_before(kind, at(100)) && !pass.is_from_before(kind, at(99)));
        }
    }

    proptest! {
        /// Nobody makes one of another, by changing one sign of it.
        #[test]
        fn no_sign_of_it_can_be_changed(place in 0_usize..150, sign in "[a-z0-9.]") {
            let link = make(&key(), Kind::Link, &bert(), at(100), &SystemClock);
            let place = place % link.len();
            let mut changed = link.clone();
            changed.replace_range(place..=place, &sign);
            prop_assume!(changed != link);
            prop_assert_eq!(read(&key(), Kind::Link, &changed, at(1)), None);
        }

        #[test]
        fn any_text_is_read(text in ".{0,1000}") {
            prop_assert_eq!(read(&key(), Kind::Link, &text, at(1)), None);
        }
    }
}
