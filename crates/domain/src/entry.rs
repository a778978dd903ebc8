//! Allow and block entries: what people know better than any detection, for whom, until when.
//!
//! Which entries match is found out before a verdict is made, and recorded with it. A block always holds and never does
//! more. An allow clears what only guesses (spam, bulk, spoofing, phishing), and only for a sender who is vouched for;
//! one for a file clears what speaks of that file, malware only where it says so itself. What looks like something can
//! be made by anybody, so pictures, texts and layouts are only blocked.

use std::collections::{BTreeSet, HashMap};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::address::{self, ADDRESS_BYTES_MAX, Address};
use crate::authentication::AuthResult;
use crate::detection::Category;
use crate::digest::Digest;
use crate::domain_name::DomainName;
use crate::envelope::{Direction, Envelope, Recipient};
use crate::finding::{Examination, Finding, Outcome};
use crate::fingerprint::{Fingerprints, LayoutFingerprint, PictureSet, TextFingerprint};
use crate::id::MailId;
use crate::time::Timestamp;

/// Characters of a value: those that the longest address has.
pub const VALUE_CHARS_MAX: usize = ADDRESS_BYTES_MAX;

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "lowercase")]
pub enum Subject {
    /// An address, of the reverse path or of From, as [`Address::normal`] writes it.
    Sender(String),
    /// The domain of such an address, and all below it.
    Domain(DomainName),
    /// A host and what is below it, with the beginning of a path where one is given: `evil.example/login`.
    Url(String),
    /// A part, or a whole message, by the SHA-256 of its decoded bytes.
    File(Digest),
    /// The client's address or network.
    Ip(IpNet),
    /// Pictures that look like these: half of them, two at least, or one that is large.
    Picture(PictureSet),
    /// A visible text like this one.
    Text(TextFingerprint),
    /// Pages that are laid out like this.
    Layout(LayoutFingerprint),
}

/// A value that an entry cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSubject {
    /// Not a kind.
    #[error("'{0}' is no kind of entry; use sender, domain, url, file, ip, picture, text or layout")]
    Kind(String),
    /// Not a value of that kind.
    #[error("'{value}' is no {kind}: {why}")]
    Value {
        /// The kind.
        kind: String,
        /// The value.
        value: String,
        /// What it should be.
        why: &'static str,
    },
}

impl Subject {
    /// Reads a kind and a value.
    ///
    /// # Errors
    /// Says what the value should be.
    pub fn parse(kind: &str, value: &str) -> Result<Self, BadSubject> {
        let value = value.trim();
        let bad = |why| BadSubject::Value { kind: kind.to_owned(), value: value.chars().take(80).collect(), why };
        if value.chars().count() > VALUE_CHARS_MAX {
            return Err(bad("it is too long"));
        }
        match kind {
            "sender" => {
                let address =
                    Address::parse(value).map_err(|_| bad("give an address, such as anna@partner.example"))?;
                Ok(Self::Sender(address.normal()))
            }
            "domain" => {
                let domain = DomainName::of(value.trim_start_matches("*.").trim_matches('.'));
                let why = "give a domain, such as partner.example; what is below it is meant as well";
                if is_host(&domain) { Ok(Self::Domain(domain)) } else { Err(bad(why)) }
            }
            "url" => {
                let (host, path) = split_url(value);
                let why = "give a host, with the beginning of a path if it matters: evil.example/login";
                if is_host(&host) { Ok(Self::Url(format!("{host}{path}"))) } else { Err(bad(why)) }
            }
            "file" => Digest::parse(&value.to_lowercase())
                .map(Self::File)
                .map_err(|_| bad("give the SHA-256 of the file: 64 hexadecimal digits")),
            "ip" => {
                let alone = value.parse::<std::net::IpAddr>().map(IpNet::from);
                let why = "give an address or a network, such as 192.0.2.7 or 192.0.2.0/24";
                value.parse().or(alone).map(|net: IpNet| Self::Ip(net.trunc())).map_err(|_| bad(why))
            }
            "picture" => PictureSet::parse(value).map(Self::Picture).map_err(|_| {
                bad("give fingerprints as `reprieve entry block-like ID --what-if` shows them, 6 at most, with commas")
            }),
            "text" => TextFingerprint::parse(&value.to_lowercase()).map(Self::Text).map_err(|_| bad(GIVE_FINGERPRINT)),
            "layout" => {
                LayoutFingerprint::parse(&value.to_lowercase()).map(Self::Layout).map_err(|_| bad(GIVE_FINGERPRINT))
            }
            other => Err(BadSubject::Kind(other.chars().take(40).collect())),
        }
    }

    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sender(_) => "sender",
            Self::Domain(_) => "domain",
            Self::Url(_) => "url",
            Self::File(_) => "file",
            Self::Ip(_) => "ip",
            Self::Picture(_) => "picture",
            Self::Text(_) => "text",
            Self::Layout(_) => "layout",
        }
    }

    /// Its value, as it is stored and shown.
    pub fn value(&self) -> String {
        match self {
            Self::Sender(text) | Self::Url(text) => text.clone(),
            Self::Domain(domain) => domain.to_string(),
            Self::File(digest) => digest.hex(),
            Self::Ip(net) => net.to_string(),
            Self::Picture(set) => set.to_string(),
            Self::Text(print) => print.to_string(),
            Self::Layout(print) => print.to_string(),
        }
    }

    /// Whether it is about what something looks like, and not about what it is.
    pub fn is_likeness(&self) -> bool {
        matches!(self, Self::Picture(_) | Self::Text(_) | Self::Layout(_))
    }

    /// Whether what a mail looks like is what this is about.
    pub fn is_like(&self, prints: &Fingerprints) -> bool {
        match self {
            Self::Picture(set) => set.parts_of(&prints.pictures).is_some(),
            Self::Text(print) => prints.text.is_some_and(|text| text.is_like(print)),
            Self::Layout(print) => prints.layout.is_some_and(|layout| layout.is_like(print)),
            _ => false,
        }
    }

    /// What it is about, in words for people.
    pub fn shown(&self) -> String {
        let begin = |text: String| text.chars().take(SHOWN_DIGITS).collect::<String>();
        match self {
            Self::Picture(set) => match set.prints() {
                [one] => format!("a picture like {}…", begin(one.to_string())),
                many => format!(
                    "{} of {} pictures like {}…",
                    set.needed(),
                    many.len(),
                    many.first().map(|one| begin(one.to_string())).unwrap_or_default()
                ),
            },
            Self::Text(print) => format!("a text like {}…", begin(print.to_string())),
            Self::Layout(print) => format!("a layout like {}…", begin(print.to_string())),
            _ => format!("{} {}", self.kind(), self.value()),
        }
    }
}

/// What is wrong with a value that is no fingerprint.
const GIVE_FINGERPRINT: &str = "give a fingerprint as `reprieve entry block-like ID --what-if` shows it";
/// Digits of a fingerprint that stand for it in a sentence.
const SHOWN_DIGITS: usize = 8;

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    text.contains('.') && text.len() <= 255 && text.split('.').all(is_label)
}

/// Host, and path, of a link with or without its scheme.
fn split_url(value: &str) -> (DomainName, String) {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = DomainName::of(host.split(':').next().unwrap_or_default());
    let path = if path == "/" { "" } else { path };
    (host, path.to_owned())
}

/// For whom an entry counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "reach", content = "whom", rename_all = "lowercase")]
pub enum Reach {
    /// Everybody.
    Everyone,
    /// The units of one accepted domain.
    Domain(DomainName),
    /// One recipient, as [`Address::normal`] writes it.
    Recipient(String),
}

impl Reach {
    /// Whether a unit is meant.
    pub fn covers(&self, unit: &Recipient) -> bool {
        match self {
            Self::Everyone => true,
            Self::Domain(domain) => unit.domain == *domain,
            Self::Recipient(address) => unit.address.normal() == *address,
        }
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// Whether it allows or blocks.
    pub allow: bool,
    /// What it is about.
    pub subject: Subject,
    /// For whom it counts.
    pub reach: Reach,
    /// An allow entry for a file: whether it clears malware as well.
    pub clears_malware: bool,
    /// Who made it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The message because of whose verdict it was made, if it was: when that is taken back, so is the entry.
    pub caused_by: Option<MailId>,
    /// When it was made.
    pub made: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it last decided something, if ever.
    pub last_used: Option<Timestamp>,
}

/// A matched entry, as it stood then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryFact {
    /// The entry.
    pub id: u64,
    /// `true` to allow, `false` to block.
    pub allow: bool,
    /// What it is about.
    pub subject: Subject,
    /// For whom it counts.
    pub reach: Reach,
    /// Whether it clears malware.
    pub clears_malware: bool,
    /// The parts that it matched; none where it matched the message, its sender or its links.
    pub parts: Vec<u32>,
}

impl EntryFact {
    /// Whether this entry, an allow entry, takes a finding's right to act.
    pub fn clears(&self, finding: &Finding) -> bool {
        if !self.allow {
            return false;
        }
        match self.subject {
            Subject::File(_) => {
                let of_file = self.parts.is_empty() || finding.part.is_some_and(|part| self.parts.contains(&part));
                of_file && (self.clears_malware || finding.category < Category::HighConfidencePhish)
            }
            Subject::Picture(_) | Subject::Text(_) | Subject::Layout(_) => false,
            _ => matches!(finding.category, Category::Bulk | Category::Spam | Category::Spoof | Category::Phish),
        }
    }

    /// What it is, for people.
    pub fn shown(&self) -> String {
        let what = if self.allow { "allow" } else { "block" };
        format!("{what} entry {} for {}", self.id, self.subject.shown())
    }
}

/// The entries in force, made for looking up.
#[derive(Clone, Debug, Default)]
pub struct EntryBook {
    entries: Vec<Entry>,
    senders: HashMap<String, Vec<usize>>,
    domains: HashMap<DomainName, Vec<usize>>,
    hosts: HashMap<DomainName, Vec<usize>>,
    files: HashMap<Digest, Vec<usize>>,
    nets: Vec<usize>,
    /// Those about pictures, texts and layouts: each is compared with every mail that has any.
    likenesses: Vec<usize>,
}

impl EntryBook {
    /// A book of these entries.
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut book = Self::default();
        for (at, entry) in entries.iter().enumerate() {
            match &entry.subject {
                Subject::Sender(address) => book.senders.entry(address.clone()).or_default().push(at),
                Subject::Domain(domain) => book.domains.entry(domain.clone()).or_default().push(at),
                Subject::Url(url) => book.hosts.entry(split_url(url).0).or_default().push(at),
                Subject::File(digest) => book.files.entry(*digest).or_default().push(at),
                Subject::Ip(_) => book.nets.push(at),
                Subject::Picture(_) | Subject::Text(_) | Subject::Layout(_) => book.likenesses.push(at),
            }
        }
        book.entries = entries;
        book
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries that match a message, by number.
    pub fn matching(&self, examination: &Examination, envelope: &Envelope) -> Vec<EntryFact> {
        if self.is_empty() {
            return Vec::new();
        }
        let message = &examination.message;
        let mut found: BTreeSet<usize> = BTreeSet::new();
        let path = envelope.sender.as_ref().map(Address::normal).unwrap_or_default();
        let from = address::normal(&message.from);
        for (mailbox, is_vouched) in
            [(&path, vouches_path(examination, envelope)), (&from, vouches_from(examination, envelope))]
        {
            let domain = mailbox.rsplit_once('@').map_or("", |(_, domain)| domain);
            let by_address = self.senders.get(mailbox.as_str()).into_iter().flatten();
            let by_domain = above(domain).filter_map(|one| self.domains.get(one)).flatten();
            found.extend(by_address.chain(by_domain).filter(|at| is_vouched || !self.entries[**at].allow));
        }
        for url in &message.urls {
            let (host, path) = split_url(url);
            let near = above(&host).filter_map(|one| self.hosts.get(one)).flatten();
            found.extend(near.filter(|at| self.begins(**at, &path)));
        }
        let ip = envelope.client.ip.to_canonical();
        found.extend(
            self.nets.iter().filter(|at| matches!(&self.entries[**at].subject, Subject::Ip(net) if net.contains(&ip))),
        );
        let whole = self.files.get(&message.sha256).into_iter().flatten();
        found.extend(message.parts.iter().filter_map(|part| self.files.get(&part.sha256)).flatten().chain(whole));
        found.extend(self.alike(examination));
        found.into_iter().map(|at| self.fact(at, examination)).collect()
    }

    /// The entries about pictures and texts that look like those of a message.
    fn alike(&self, examination: &Examination) -> impl Iterator<Item = usize> {
        let prints = &examination.message.fingerprints;
        self.likenesses.iter().filter(|at| self.entries[**at].subject.is_like(prints)).copied()
    }

    fn begins(&self, at: usize, path: &str) -> bool {
        let Subject::Url(url) = &self.entries[at].subject else { return false };
        path.starts_with(&split_url(url).1)
    }

    fn fact(&self, at: usize, examination: &Examination) -> EntryFact {
        let Entry { id, allow, subject, reach, clears_malware, .. } = self.entries[at].clone();
        let parts = match &subject {
            Subject::File(digest) => {
                let same = examination.message.parts.iter().filter(|part| part.sha256 == *digest);
                same.map(|part| part.number).collect()
            }
            Subject::Picture(set) => set.parts_of(&examination.message.fingerprints.pictures).unwrap_or_default(),
            _ => Vec::new(),
        };
        EntryFact { id, allow, subject, reach, clears_malware, parts }
    }
}

/// A domain and those above it, but for the topmost label.
fn above(domain: &str) -> impl Iterator<Item = &str> {
    let ends = domain.match_indices('.').map(|(dot, _)| &domain[dot + 1..]);
    std::iter::once(domain).chain(ends).filter(|one| one.contains('.'))
}

/// Whether the reverse path is who it says it is. Where nobody looks at authentication, it is taken at its word.
fn vouches_path(examination: &Examination, envelope: &Envelope) -> bool {
    is_ours(envelope)
        || match &examination.facts.authentication {
            Some(said) => {
                let domain = envelope.sender.as_ref().map(Address::domain).unwrap_or_default();
                said.spf == AuthResult::Pass && domain == said.spf_domain
            }
            None => !was_missed(examination),
        }
}

/// Whether From is who it says it is.
fn vouches_from(examination: &Examination, envelope: &Envelope) -> bool {
    is_ours(envelope)
        || match &examination.facts.authentication {
            Some(said) => {
                let from = &examination.message.from_domain;
                said.aligned.as_ref().is_some_and(|aligned| from == aligned || from.ends_with(&format!(".{aligned}")))
            }
            None => !was_missed(examination),
        }
}

/// Mail of our own, whose client has logged in or is trusted.
fn is_ours(envelope: &Envelope) -> bool {
    envelope.recipients.iter().all(|unit| unit.direction != Direction::Inbound)
}

/// Authentication was to be looked at, and was not.
fn was_missed(examination: &Examination) -> bool {
    examination.engines.iter().any(|report| report.engine == "auth" && report.outcome != Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_shown_in_one_form() {
        let shown = |kind: &str, value: &str| Subject::parse(kind, value).map(|subject| subject.value());
        assert_eq!(shown("sender", " Anna@Partner.example "), Ok("anna@partner.example".into()));
        assert_eq!(shown("domain", "*.Partner.Example."), Ok("partner.example".into()));
        assert_eq!(shown("url", "https://user@Evil.example:8443/Login?x"), Ok("evil.example/Login?x".into()));
        assert_eq!(shown("url", "evil.example/"), Ok("evil.example".into()));
        assert_eq!(shown("ip", "192.0.2.77/24"), Ok("192.0.2.0/24".into()));
        assert_eq!(shown("ip", "2001:db8::1"), Ok("2001:db8::1/128".into()));
        assert_eq!(shown("file", &"AB".repeat(32)), Ok("ab".repeat(32)));
        for (kind, value) in [
            ("sender", "anna"),
            ("domain", "com"),
            ("domain", "a b.c"),
            ("url", "/x"),
            ("file", "12"),
            ("picture", "12"),
            ("text", "12"),
            ("ip", "x"),
            ("colour", "red"),
        ] {
            assert!(shown(kind, value).is_err(), "{kind} {value}");
        }
    }

    #[test]
    fn what_looks_like_something_is_shown_shortly() {
        let print = |digit: &str| format!("{}80", digit.repeat(64));
        let shown = |kind: &str, value: &str| Subject::parse(kind, value).expect("a value").shown();
        assert_eq!(shown("picture", &print("a")), "a picture like aaaaaaaa…");
        let three = [print("a"), print("5"), print("3")].join(",");
        assert_eq!(shown("picture", &three), "2 of 3 pictures like aaaaaaaa…");
        assert_eq!(shown("text", &"0F".repeat(16)), "a text like 0f0f0f0f…");
        assert_eq!(shown("domain", "evil.example"), "domain evil.example");
    }

    #[test]
    fn a_domain_and_those_above_it() {
        assert_eq!(above("a.b.example.com").collect::<Vec<_>>(), ["a.b.example.com", "b.example.com", "example.com"]);
        assert_eq!(above("localhost").count(), 0);
    }
}
