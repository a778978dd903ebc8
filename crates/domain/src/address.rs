//! Mailboxes of the envelope (RFC 5321 section 4.1.2), parsed once and kept as they were written.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::domain_name::DomainName;

/// Octets of a whole address at most.
///
/// RFC 5321 section 4.5.3.1.1 gives a local part 64, and section 4.5.3.1 asks to set no such limit where it can be
/// avoided: forwarders write `anna+caf_=bert=other.example`, SRS and VERP put an address into another. Whether it
/// exists the next hop knows, and a refusal here would be a bounce that no quarantine sees. This bound only keeps
/// commands, rows and header fields of a size that everybody takes.
pub const ADDRESS_BYTES_MAX: usize = 500;
/// Octets of a domain at most (RFC 5321 section 4.5.3.1.2).
pub const DOMAIN_BYTES_MAX: usize = 255;

/// A mailbox `local@domain`, without the angle brackets, byte for byte as received.
///
/// Dots at the ends of a local part or in a row are taken although RFC 5321 has none: telephones had such addresses for
/// years, and still have.
///
/// UTF-8 is accepted here (RFC 6531); whether a transaction may use it is the session's question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: String,
    at: usize,
}

/// Why a text is not a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// There is no `@` outside quotes.
    #[error("no '@domain'")]
    NoDomain,
    /// The local part is empty or has a character that must be quoted.
    #[error("bad local part")]
    LocalPart,
    /// The domain is neither a name nor an address literal.
    #[error("bad domain")]
    Domain,
    /// Longer than [`ADDRESS_BYTES_MAX`], or its domain longer than [`DOMAIN_BYTES_MAX`].
    #[error("too long (at most {ADDRESS_BYTES_MAX} octets, of which the domain {DOMAIN_BYTES_MAX})")]
    TooLong,
}

impl Address {
    /// Parses `local@domain`; a source route (RFC 5321 appendix C) is the wire's to remove.
    ///
    /// # Errors
    /// Says which half is wrong.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let at = local_part_end(text)?;
        let domain = &text[at + 1..];
        if text.len() > ADDRESS_BYTES_MAX || domain.len() > DOMAIN_BYTES_MAX {
            return Err(BadAddress::TooLong);
        }
        if !is_domain(domain) {
            return Err(BadAddress::Domain);
        }
        Ok(Self { text: text.to_owned(), at })
    }

    /// The mailbox as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The domain, for comparing; neither case nor the kind of its labels carries a meaning there (RFC 5321 2.4, RFC
    /// 5890).
    pub fn domain(&self) -> DomainName {
        DomainName::of(&self.text[self.at + 1..])
    }

    /// The form in which mailboxes are compared: the local part in lower case and NFC (RFC 6532 section 3.1), the
    /// domain as [`DomainName`]. It is never sent.
    pub fn normal(&self) -> String {
        let local = self.local_part();
        if local.is_ascii() {
            return format!("{}@{}", local.to_ascii_lowercase(), self.domain());
        }
        let lower = local.nfc().collect::<String>().to_lowercase();
        format!("{}@{}", lower.nfc(), self.domain())
    }

    /// The same mailbox with A-labels for U-labels, so that it needs SMTPUTF8 only where its local part does (RFC 6531
    /// section 3.2). For mail of our own: what others wrote goes on as they wrote it.
    pub fn with_a_labels(&self) -> Self {
        if self.text[self.at..].is_ascii() {
            return self.clone();
        }
        Self::parse(&format!("{}@{}", self.local_part(), self.domain())).unwrap_or_else(|_| self.clone())
    }

    /// Whether any octet is outside ASCII, so that only SMTPUTF8 may carry it.
    pub fn needs_smtputf8(&self) -> bool {
        !self.text.is_ascii()
    }
}

/// A text as mailboxes are compared: as [`Address::normal`] if it is one, else in lower case.
pub fn normal(text: &str) -> String {
    Address::parse(text).map_or_else(|_| text.to_lowercase(), |address| address.normal())
}

/// The place of the `@` that ends the local part, which is a dot-string or a quoted string.
fn local_part_end(text: &str) -> Result<usize, BadAddress> {
    if text.starts_with('"') {
        return quoted_end(text);
    }
    let at = text.find('@').ok_or(BadAddress::NoDomain)?;
    let local = &text[..at];
    if !local.is_empty() && local.chars().all(|c| c == '.' || is_atom_char(c)) {
        Ok(at)
    } else {
        Err(BadAddress::LocalPart)
    }
}

fn quoted_end(text: &str) -> Result<usize, BadAddress> {
    let mut characters = text.char_indices().skip(1);
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => {
                let rest = &text[place + 1..];
                return if rest.starts_with('@') { Ok(place + 1) } else { Err(BadAddress::LocalPart) };
            }
            '\\' => match characters.next() {
                Some((_, ' '..='~')) => {}
                _ => return Err(BadAddress::LocalPart),
            },
            c if c.is_control() => return Err(BadAddress::LocalPart),
            _ => {}
        }
    }
    Err(BadAddress::LocalPart)
}

fn is_atom_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
}

fn is_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[') {
        let Some(inner) = literal.strip_suffix(']') else { return false };
        let v6 = inner.strip_prefix("IPv6:").or_else(|| inner.strip_prefix("ipv6:"));
        return match v6 {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => inner.parse::<std::net::Ipv4Addr>().is_ok(),
        };
    }
    let name = domain.strip_suffix('.').unwrap_or(domain);
    !name.is_empty() && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    // Underscores are no host names, but senders use them and next hops take them.
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_' || (!c.is_ascii() && !c.is_control()))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;
    fn try_from(text: String) -> Result<Self, BadAddress> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_what_mail_really_has() {
        for text in [
            "a@b.example",
            "first.last+tag@Sub.Example.COM",
            "\"odd @ name\"@b.example",
            "\"a\\\"b\"@b.example",
            "x@[192.0.2.1]",
            "x@[IPv6:2001:db8::1]",
            "grüße@bücher.example",
            "o'neil=x@b_c.example",
            "root@localhost",
            "a..b.@docomo.example",
            ".a@b.example",
            "bert+caf_=anna=very-long-name.of.a.forwarder.example@and-the-forwarder-behind-it.example",
            "SRS0=HHH=TT=long-name-of-a-domain-of-a-forwarder-that-rewrites.example=anna@forwarder.example",
        ] {
            assert_eq!(Address::parse(text).map(|a| a.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Address::parse("A@B.Example").expect("valid").domain(), "b.example");
    }

    #[test]
    fn refuses_what_is_no_mailbox() {
        for text in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c.example",
            "a@b..c",
            "\"a@b",
            "\"a\"b@c",
            "a@-b",
            "a@[1.2.3]",
            "a@b\r\nc",
            "a\0@b",
            "<a@b>",
            "a>b@c.example",
            "a b@c.example",
            "a\"b@c.example",
            "\"a\\\"@b.example",
            "a\u{85}b@c.example",
            "\"a\r\nb\"@c.example",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        let of_bytes = |bytes: usize| Address::parse(&format!("{}@b.example", "a".repeat(bytes - "@b.example".len())));
        assert!(of_bytes(ADDRESS_BYTES_MAX).is_ok());
        assert_eq!(of_bytes(ADDRESS_BYTES_MAX + 1), Err(BadAddress::TooLong));
        assert_eq!(Address::parse(&format!("a@{}x", "b.".repeat(130))), Err(BadAddress::TooLong));
    }

    #[test]
    fn one_mailbox_however_it_is_written() {
        let normal = |text: &str| Address::parse(text).expect("an address").normal();
        for text in ["Jörg@Bücher.example", "jo\u{308}rg@xn--bcher-kva.example", "JÖRG@BÜCHER.example."] {
            assert_eq!(normal(text), "jörg@xn--bcher-kva.example", "{text}");
        }
        assert_ne!(normal("strasse@b.example"), normal("straße@b.example"), "two mailboxes");
        assert_eq!(normal("A..B.@Docomo.example"), "a..b.@docomo.example");
    }

    #[test]
    fn mail_of_our_own_to_a_domain_with_u_labels_needs_no_smtputf8() {
        let ops = Address::parse("Ops@Bücher.example").expect("an address").with_a_labels();
        assert_eq!((ops.as_str(), ops.needs_smtputf8()), ("Ops@xn--bcher-kva.example", false));
        for same in ["Ops@B.Example", "x@[192.0.2.1]"] {
            assert_eq!(Address::parse(same).expect("an address").with_a_labels().as_str(), same);
        }
        assert!(Address::parse("jörg@bücher.example").expect("an address").with_a_labels().needs_smtputf8());
    }

    proptest! {
        #[test]
        fn what_is_taken_cannot_end_its_command(text in "[a.@\"\\\\<> \r\n\0\u{7f}\u{85}ü\\-]{0,24}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(address.as_str(), text.as_str(), "it is kept as it was written");
                prop_assert!(!text.chars().any(char::is_control));
                if !text.starts_with('"') {
                    prop_assert!(!text.contains(['<', '>', ' ', '"']));
                }
                prop_assert_eq!(Address::parse(&address.normal()).map(|one| one.normal()), Ok(address.normal()));
            }
        }
    }
}
