//! Mailboxes of the envelope (RFC 5321 section 4.1.2), parsed once and kept as they were written.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Octets of a local part at most (RFC 5321 section 4.5.3.1.1).
pub const LOCAL_PART_BYTES_MAX: usize = 64;
/// Octets of a domain at most (RFC 5321 section 4.5.3.1.2).
pub const DOMAIN_BYTES_MAX: usize = 255;

/// A mailbox `local@domain`, without the angle brackets, byte for byte as received.
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
    /// Longer than RFC 5321 section 4.5.3.1 allows.
    #[error("longer than RFC 5321 allows (local part 64, domain 255 octets)")]
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
        if at > LOCAL_PART_BYTES_MAX || domain.len() > DOMAIN_BYTES_MAX {
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

    /// The domain in lower case, for comparing; case carries no meaning there (RFC 5321 2.4).
    pub fn domain(&self) -> String {
        self.text[self.at + 1..].to_lowercase()
    }

    /// Whether any octet is outside ASCII, so that only SMTPUTF8 may carry it.
    pub fn needs_smtputf8(&self) -> bool {
        !self.text.is_ascii()
    }
}

/// The place of the `@` that ends the local part, which is a dot-string or a quoted string.
fn local_part_end(text: &str) -> Result<usize, BadAddress> {
    if text.starts_with('"') {
        return quoted_end(text);
    }
    let at = text.find('@').ok_or(BadAddress::NoDomain)?;
    let local = &text[..at];
    let atoms_hold = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char));
    if atoms_hold { Ok(at) } else { Err(BadAddress::LocalPart) }
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
            ".a@b",
            "a.@b",
            "\"a@b",
            "\"a\"b@c",
            "a@-b",
            "a@[1.2.3]",
            "a@b\r\nc",
            "a\0@b",
            "<a@b>",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(Address::parse(&format!("{}@b.example", "a".repeat(65))), Err(BadAddress::TooLong));
    }
}
