//! The mail of a drill: read from files, addressed so that the instance takes it, each with a Message-ID of its own.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use domain::envelope::Direction;
use domain::{Address, DomainName, header};

use super::scenario::{Label, Traffic};
use cli::{CliError, mailbox};

/// A mail to play.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Where it came from.
    pub name: String,
    /// What it is.
    pub label: Label,
    /// Where it goes.
    pub direction: Direction,
    /// The reverse path.
    pub sender: Option<Address>,
    /// The forward paths.
    pub recipients: Vec<Address>,
    /// Its own Message-ID, in this drill.
    pub message_id: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The mails of files and folders.
///
/// # Errors
/// When one cannot be read.
pub fn read(base: &Path, paths: &[String]) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| base.join(path)).collect();
    let mut mails = Vec::new();
    for path in mailbox::files(&paths).map_err(CliError::unreachable)? {
        let bytes =
            mailbox::read(&path).map_err(|error| CliError::unreachable(format!("{}: {error}", path.display())))?;
        if mailbox::is_mail(&bytes) {
            let name = path.display().to_string();
            mails.extend(mailbox::mails(&path, &bytes).into_iter().map(|mail| (name.clone(), mail)));
        }
    }
    Ok(mails)
}

/// Addresses mails so that they reach the instance, and sees to it that each has a Message-ID that no other has.
#[derive(Debug)]
pub struct Clerk {
    ours: Vec<String>,
    seen: HashSet<String>,
    made: u64,
}

impl Clerk {
    /// A clerk for a site with these domains.
    pub fn new(ours: Vec<String>) -> Self {
        Self { ours, seen: HashSet::new(), made: 0 }
    }

    /// A mail of a traffic.
    pub fn letter(&mut self, name: &str, bytes: &[u8], traffic: &Traffic) -> Letter {
        let first = |field: &'static str| addresses(bytes, &[field]).into_iter().next();
        let sender = first("Return-Path").or_else(|| first("From"));
        let from_us = sender.as_ref().is_some_and(|sender| self.is_ours(sender));
        let mut named = addresses(bytes, &["Delivered-To", "X-Original-To"]);
        if named.is_empty() {
            named = addresses(bytes, &["To", "Cc"]);
        }
        let to_us = named.iter().any(|address| self.is_ours(address));
        let direction = traffic.direction.unwrap_or(match (from_us, to_us) {
            (true, true) => Direction::Internal,
            (true, false) => Direction::Outbound,
            (false, _) => Direction::Inbound,
        });
        let wanted = direction != Direction::Outbound;
        named.retain(|address| self.is_ours(address) == wanted);
        named.sort();
        named.dedup();
        named.truncate(5);
        if named.is_empty() {
            let domain = if wanted { self.ours[0].as_str() } else { "elsewhere.example" };
            named.extend(Address::parse(&format!("somebody@{domain}")).ok());
        }
        let (message_id, bytes) = self.identified(bytes);
        Letter { name: name.to_owned(), label: traffic.label, direction, sender, recipients: named, message_id, bytes }
    }

    fn is_ours(&self, address: &Address) -> bool {
        let domain = address.domain();
        self.ours.iter().any(|one| domain == DomainName::of(one))
    }

    /// A Message-ID that is missing or was seen before is replaced.
    fn identified(&mut self, bytes: &[u8]) -> (String, Vec<u8>) {
        let field = header::fields(bytes).find(|field| field.is("Message-ID"));
        let id = field.as_ref().map(|field| field.unfolded().trim().to_owned());
        if let Some(id) = id.filter(|id| !id.is_empty() && self.seen.insert(id.clone())) {
            return (id, bytes.to_vec());
        }
        self.made += 1;
        let id = format!("<{}@drill.example>", self.made);
        let line = format!("Message-ID: {id}\r\n");
        let range = field.map_or(0..0, |field| field.range());
        let mut own = bytes[..range.start].to_vec();
        own.extend_from_slice(line.as_bytes());
        own.extend_from_slice(&bytes[range.end..]);
        (id, own)
    }
}

fn addresses(bytes: &[u8], names: &[&str]) -> Vec<Address> {
    let fields = header::fields(bytes).filter(|field| names.iter().any(|name| field.is(name)));
    fields.flat_map(|field| header::addresses(&field.unfolded())).collect()
}

/// Shuffles by a seed; with 0 the order stays.
pub fn shuffled<T>(mut items: Vec<T>, seed: u64) -> Vec<T> {
    if seed == 0 {
        return items;
    }
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        // xorshift64*: even enough to shuffle mail with.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    };
    for at in (1..items.len()).rev() {
        items.swap(at, next(at + 1));
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_an_order() {
        let items: Vec<u32> = (0..50).collect();
        assert_eq!(shuffled(items.clone(), 0), items);
        assert_eq!(shuffled(items.clone(), 7), shuffled(items.clone(), 7));
        assert_ne!(shuffled(items.clone(), 7), shuffled(items, 8));
    }

    #[test]
    fn every_mail_has_an_id_of_its_own() {
        let mut clerk = Clerk::new(vec!["ours.example".into()]);
        let raw = b"From: a@x.example\r\nMessage-ID:\r\n <1@x>\r\nTo: b@ours.example\r\n\r\nx\r\n";
        let (first, same) = clerk.identified(raw);
        assert_eq!((first.as_str(), same.as_slice()), ("<1@x>", &raw[..]));
        let (second, other) = clerk.identified(raw);
        assert_eq!(second, "<1@drill.example>");
        assert_eq!(other, b"From: a@x.example\r\nMessage-ID: <1@drill.example>\r\nTo: b@ours.example\r\n\r\nx\r\n");
        let (third, other) = clerk.identified(b"Subject: x\r\n\r\n");
        assert_eq!(third, "<2@drill.example>");
        assert!(other.starts_with(b"Message-ID: <2@drill.example>\r\nSubject"));
    }
}
