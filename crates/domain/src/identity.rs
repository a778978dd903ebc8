//! Who a mail is from, as far as that can be vouched for. Content memory counts identities, and a domain that anybody
//! may write into From is none.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address;
use crate::finding::Examination;
use crate::time::Timestamp;

/// Domains at which anybody gets an address: there the address is the identity, not the domain.
const FREEMAIL: [&str; 32] = [
    "163.com",
    "126.com",
    "aol.com",
    "btinternet.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rocketmail.com",
    "seznam.cz",
    "t-online.de",
    "web.de",
    "yahoo.com",
    "yandex.ru",
    "ymail.com",
];

/// Who a mail is from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// One of ours, who has logged in.
    Login(String),
    /// An organisation outside, by the domain that SPF or DKIM vouch for.
    Domain(String),
    /// A person at a provider where everybody has an address.
    Address(String),
    /// Anybody: authentication was looked at, and vouches for nothing. All of these are one.
    Unverified,
    /// The domain of From, where nobody looks at authentication.
    Claimed(String),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(login) => write!(f, "login:{login}"),
            Self::Domain(domain) => write!(f, "domain:{domain}"),
            Self::Address(address) => write!(f, "address:{address}"),
            Self::Unverified => f.write_str("unverified"),
            Self::Claimed(domain) => write!(f, "claimed:{domain}"),
        }
    }
}

impl Identity {
    /// The stored name of its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Login(_) => Kind::Login,
            Self::Domain(_) => Kind::Domain,
            Self::Address(_) => Kind::Address,
            Self::Unverified => Kind::Unverified,
            Self::Claimed(_) => Kind::Claimed,
        }
    }

    /// Who stands behind an address whose organisational domain is vouched for.
    pub fn of(address: &str, organisation: &str) -> Self {
        if FREEMAIL.contains(&organisation) {
            Self::Address(address::normal(address))
        } else {
            Self::Domain(organisation.to_owned())
        }
    }
}

/// The kind of an identity: how it is vouched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A login of ours.
    Login,
    /// An aligned domain.
    Domain,
    /// An address at a provider where everybody has one.
    Address,
    /// Nobody knows who.
    Unverified,
    /// What From claims.
    Claimed,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Login, Self::Domain, Self::Address, Self::Unverified, Self::Claimed];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Domain => "domain",
            Self::Address => "address",
            Self::Unverified => "unverified",
            Self::Claimed => "claimed",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What is remembered of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquaintance {
    /// How it is vouched for.
    pub kind: Kind,
    /// When its first mail came.
    pub first_seen: Timestamp,
    /// Mails that were accepted as clean.
    pub mails: u64,
    /// Mails of ours to it that a person wrote.
    pub answered: u64,
    /// When something bad was last said of its mail by more than one engine, if ever.
    pub last_bad: Option<Timestamp>,
}

/// From when on somebody outside counts as established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Establish {
    /// Clean mails.
    pub mails: u64,
    /// How long it has been known.
    pub age: Duration,
    /// Mails of ours to it: who never gets an answer sends bulk.
    pub answered: u64,
    /// Whether the domain of From is taken for an identity where nobody looks at authentication.
    pub trusts_from: bool,
}

impl Default for Establish {
    fn default() -> Self {
        Self { mails: 10, age: Duration::from_secs(14 * 24 * 3600), answered: 2, trusts_from: false }
    }
}

impl Acquaintance {
    /// Whether it is established at `now`.
    pub fn is_established(&self, rule: &Establish, now: Timestamp) -> bool {
        match self.kind {
            Kind::Login => return true,
            Kind::Unverified => return false,
            Kind::Claimed if !rule.trusts_from => return false,
            Kind::Domain | Kind::Address | Kind::Claimed => {}
        }
        self.last_bad.is_none()
            && self.mails >= rule.mails
            && self.answered >= rule.answered
            && now.since(self.first_seen) >= rule.age
    }
}

impl Examination {
    /// Who the mail is from; `login` is the name under which its client has logged in.
    pub fn identity(&self, login: Option<&str>) -> Identity {
        if let Some(login) = login {
            return Identity::Login(login.to_owned());
        }
        match &self.facts.authentication {
            Some(said) => match &said.aligned {
                Some(domain) => Identity::of(&self.message.from, domain),
                None => Identity::Unverified,
            },
            None if self.message.from_domain.is_empty() => Identity::Unverified,
            None => Identity::Claimed(self.message.from_domain.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_we_know() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let rule = Establish::default();
        let long_known = Acquaintance {
            kind: Kind::Domain,
            first_seen: now.before(Duration::from_secs(14 * 24 * 3600)),
            mails: 10,
            answered: 2,
            last_bad: None,
        };
        let is = |one: Acquaintance| one.is_established(&rule, now);
        assert!(is(long_known));
        assert!(!is(Acquaintance { mails: 9, ..long_known }));
        assert!(!is(Acquaintance { answered: 1, ..long_known }), "nobody answers a newsletter");
        assert!(!is(Acquaintance { first_seen: now.before(Duration::from_secs(13 * 24 * 3600)), ..long_known }));
        assert!(!is(Acquaintance { last_bad: Some(now), ..long_known }));
        assert!(!is(Acquaintance { kind: Kind::Unverified, ..long_known }));
        let claimed = Acquaintance { kind: Kind::Claimed, ..long_known };
        assert!(!is(claimed));
        assert!(claimed.is_established(&Establish { trusts_from: true, ..rule }, now));
        let ours = Acquaintance { kind: Kind::Login, mails: 0, answered: 0, first_seen: now, last_bad: None };
        assert!(is(ours));
    }

    #[test]
    fn at_a_provider_the_address_is_the_identity() {
        let shown = |address: &str, organisation: &str| Identity::of(address, organisation).to_string();
        assert_eq!(shown("Anna@partner.example", "partner.example"), "domain:partner.example");
        assert_eq!(shown("Anna@Gmail.com", "gmail.com"), "address:anna@gmail.com");
        assert!(FREEMAIL.iter().all(|domain| *domain == domain.to_lowercase() && domain.contains('.')));
    }
}
