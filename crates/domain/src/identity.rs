//! Who a mail is from, as far as that can be vouched for (methods 1.2). Content memory counts identities, and a domain that anybody may
//! write into From is none.

use std::fmt;

use crate::finding::Examination;

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
    /// Who stands behind an address whose organisational domain is vouched for.
    pub fn of(address: &str, organisation: &str) -> Self {
        if FREEMAIL.contains(&organisation) {
            Self::Address(address.to_lowercase())
        } else {
            Self::Domain(organisation.to_owned())
        }
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
    fn at_a_provider_the_address_is_the_identity() {
        let shown = |address: &str, organisation: &str| Identity::of(address, organisation).to_string();
        assert_eq!(shown("Anna@partner.example", "partner.example"), "domain:partner.example");
        assert_eq!(shown("Anna@Gmail.com", "gmail.com"), "address:anna@gmail.com");
        assert!(FREEMAIL.iter().all(|domain| *domain == domain.to_lowercase() && domain.contains('.')));
    }
}
