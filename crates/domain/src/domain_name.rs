//! Domains as they are compared. `Bücher.example`, `bücher.example.` and `xn--bcher-kva.example` are one name (RFC
//! 5890, UTS 46), and whoever compares a domain with another compares two of these, so that none of the three is
//! forgotten.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

/// A domain in its one form for comparing: A-labels, lower case, without the dot of the root. What is sent is what was
/// written, never this.
///
/// A leading dot, which stands for all that is below a domain, stays. What is no domain (an address literal, labels
/// that UTS 46 refuses) is only put into lower case, so that it equals itself and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct DomainName(String);

impl DomainName {
    /// The domain that a text names.
    pub fn of(text: &str) -> Self {
        let name = Some(text.trim_end_matches('.')).filter(|name| !name.is_empty()).unwrap_or(text);
        let (below, name) = name.strip_prefix('.').map_or(("", name), |name| (".", name));
        Self(match a_labels(name) {
            Some(ascii) => format!("{below}{ascii}"),
            None => format!("{below}{}", name.to_lowercase()),
        })
    }

    /// The name, in lower case and with A-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as people read it: with U-labels (`bücher.example`).
    pub fn shown(&self) -> Cow<'_, str> {
        if has_a_label(&self.0) { idna::domain_to_unicode(&self.0).0.into() } else { self.0.as_str().into() }
    }
}

/// The name with A-labels; none if UTS 46 refuses it.
fn a_labels(name: &str) -> Option<String> {
    if name.is_ascii() && !has_a_label(name) {
        return Some(name.to_ascii_lowercase());
    }
    // Underscores are no host names, but stand in domains of mail; what could be taken for another address is refused.
    let ascii = Uts46::new().to_ascii(name.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, DnsLength::Ignore).ok()?;
    let ascii = ascii.trim_end_matches('.');
    (!ascii.is_empty()).then(|| ascii.to_owned())
}

/// Whether a label begins with the prefix of A-labels.
pub(crate) fn has_a_label(text: &str) -> bool {
    text.split(['.', '@']).any(|label| label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--")))
}

impl Deref for DomainName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for DomainName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for DomainName {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<String> for DomainName {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

impl PartialEq<str> for DomainName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for DomainName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for DomainName {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_name_however_it_is_written() {
        for text in
            ["bücher.example", "Bücher.Example.", "BÜCHER.example", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE"]
        {
            assert_eq!(DomainName::of(text), "xn--bcher-kva.example", "{text}");
        }
        // Composed or not; with the full stop of another script.
        assert_eq!(DomainName::of("bu\u{308}cher。example"), "xn--bcher-kva.example");
        assert_eq!(DomainName::of(".Bücher.example"), ".xn--bcher-kva.example");
        assert_eq!(DomainName::of("b_c.Example."), "b_c.example");
        assert_eq!(DomainName::of("xn--bcher-kva.example").shown(), "bücher.example");
        assert_ne!(DomainName::of("straße.example"), DomainName::of("strasse.example"), "two names since IDNA2008");
    }

    #[test]
    fn what_is_no_domain_equals_only_itself() {
        assert_eq!(DomainName::of("[IPv6:2001:DB8::1]"), "[ipv6:2001:db8::1]");
        // A full-width sign that maps to one of our own syntax does not become it.
        for text in ["evil.example＠ours.example", "a％b.example", "xn--a.example"] {
            assert!(!DomainName::of(text).contains(['@', '%']), "{text}");
            assert_eq!(DomainName::of(text), text.to_lowercase());
        }
    }

    proptest! {
        #[test]
        fn a_name_is_the_name_of_itself(text in "[a-zäßжσς日.@ \\-\u{308}xn]{0,20}") {
            let once = DomainName::of(&text);
            prop_assert_eq!(DomainName::of(&once), once);
        }
    }
}
