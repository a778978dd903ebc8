//! A mail as the scorecards read it: what of it is known once, before its marks are looked for.

use std::collections::BTreeSet;

use domain::DomainName;
use domain::header;
use domain::message::Message;

use super::words::Words;
use crate::examine::EnvelopeFacts;
use crate::mime::Parsed;
use crate::page::link::{LinkOrigin, Url};
use crate::seen::Seen;
use crate::structure::{Check, Signal};
use crate::text::{organisation, registrable};

/// Links of one mail that are weighed.
const LINKS_MAX: usize = 300;
/// Bytes of a header field that are read.
const FIELD_BYTES_MAX: usize = 4000;
/// Bytes of a text in which sums, numbers, signs and capitals are looked for: the first 1,200 words. What stands behind
/// them changes no judgement.
const SHOWN_BYTES_MAX: usize = 8 << 10;
/// Bytes of a text in which a brand at its beginning is looked for.
const TEXT_HEAD_BYTES: usize = 1500;

/// A link of the web.
#[derive(Debug)]
pub(super) struct Target {
    /// In its pieces.
    pub(super) url: Url,
    /// As it is written.
    pub(super) written: String,
    /// The registrable domain.
    pub(super) domain: String,
    /// What it shows; empty where it shows itself.
    pub(super) shown: String,
    /// Where it was found.
    pub(super) origin: LinkOrigin,
}

/// What the header of a mail says, as far as it is weighed.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) to: Vec<String>,
    pub(super) has_reference: bool,
    pub(super) has_list: bool,
    pub(super) has_unsubscribe: bool,
    pub(super) has_one_click: bool,
    pub(super) is_bulk: bool,
    pub(super) is_automatic: bool,
    pub(super) is_urgent: bool,
    pub(super) has_date: bool,
    pub(super) is_report: bool,
}

/// A mail as it is read.
pub(super) struct Reading<'m> {
    pub(super) parsed: &'m Parsed<'m>,
    pub(super) seen: &'m Seen,
    pub(super) head: Head,
    pub(super) subject: Words,
    pub(super) name: Words,
    pub(super) text: Words,
    pub(super) document: Words,
    /// The beginning of what a person reads, as it stands there.
    pub(super) shown_text: &'m str,
    /// The first lines of it.
    pub(super) text_head: &'m str,
    /// The registrable domain of From.
    pub(super) from: String,
    /// Whom the mail goes to, in lower case.
    pub(super) recipients: Vec<String>,
    /// Their organisations, and the accepted domains of this site.
    pub(super) ours: BTreeSet<String>,
    pub(super) links: Vec<Target>,
    pub(super) checks: BTreeSet<Check>,
    pub(super) envelope: &'m EnvelopeFacts,
}

impl<'m> Reading<'m> {
    /// Reads a mail that was taken apart.
    pub(super) fn of(
        raw: &[u8],
        parsed: &'m Parsed<'m>,
        seen: &'m Seen,
        signals: &[Signal],
        envelope: &'m EnvelopeFacts,
    ) -> Self {
        let head = Head::of(raw);
        let shown_text = beginning(seen.text(), SHOWN_BYTES_MAX);
        let recipients: Vec<String> =
            envelope.recipients.iter().chain(&head.to).map(|one| one.to_lowercase()).collect();
        let own = envelope.own_domains.iter().map(|one| one.trim_start_matches('.'));
        let ours = recipients.iter().filter_map(|one| organisation(one)).chain(own.filter_map(registrable));
        Self {
            subject: Words::of(&parsed.message.subject),
            name: Words::of(&parsed.from_name),
            text: Words::of(seen.text()),
            document: Words::of(&seen.document),
            shown_text,
            text_head: beginning(shown_text, TEXT_HEAD_BYTES),
            from: registrable(&parsed.message.from_domain).unwrap_or_else(|| parsed.message.from_domain.clone()),
            ours: ours.collect(),
            links: links(seen),
            checks: signals.iter().map(|signal| signal.check).collect(),
            parsed,
            seen,
            head,
            recipients,
            envelope,
        }
    }

    /// The facts of the mail.
    pub(super) fn message(&self) -> &'m Message {
        &self.parsed.message
    }

    /// The part of the sender's address before `@`, in lower case.
    pub(super) fn local(&self) -> String {
        let from = &self.message().from;
        from.rsplit_once('@').map_or(from.as_str(), |(local, _)| local).to_lowercase()
    }

    /// Links of the mail's own text, its codes left out.
    pub(super) fn body_links(&self) -> impl Iterator<Item = &Target> {
        self.links.iter().filter(|link| matches!(link.origin, LinkOrigin::Page | LinkOrigin::Text))
    }

    /// Whether the mail comes from one of our own organisations.
    pub(super) fn is_from_ours(&self) -> bool {
        self.ours.contains(&self.from)
    }
}

fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn links(seen: &Seen) -> Vec<Target> {
    let mut known = BTreeSet::new();
    let found = seen.links.iter().take(LINKS_MAX).filter_map(|link| {
        let url = Url::parse(&link.target)?;
        let is_new = known.insert((link.target.clone(), link.shown.clone()));
        let domain = url.domain();
        let (written, shown) = (link.target.clone(), link.shown.clone());
        is_new.then_some(Target { url, written, domain, shown, origin: link.place })
    });
    found.collect()
}

impl Head {
    fn of(raw: &[u8]) -> Self {
        let mut head = Self::default();
        for field in header::fields(raw) {
            let name = field.name.to_ascii_lowercase();
            let value = || {
                let value = field.unfolded();
                value[..value.floor_char_boundary(FIELD_BYTES_MAX)].to_owned()
            };
            let says = |words: &[&str]| {
                let value = value().to_ascii_lowercase();
                words.iter().any(|word| value.contains(word))
            };
            match name.as_str() {
                "to" | "cc" => {
                    head.to.extend(header::addresses(&value()).into_iter().map(|address| address.to_string()));
                }
                "in-reply-to" | "references" => head.has_reference |= value().contains('@'),
                "list-id" | "list-post" => head.has_list = true,
                "list-unsubscribe" => head.has_unsubscribe = true,
                "list-unsubscribe-post" => head.has_one_click = true,
                "precedence" => head.is_bulk |= says(&["bulk", "list", "junk"]),
                "feedback-id" => head.is_bulk = true,
                "auto-submitted" => head.is_automatic |= !says(&["no"]),
                "x-auto-response-suppress" => head.is_automatic = true,
                "x-priority" | "importance" | "x-msmail-priority" | "priority" => {
                    head.is_urgent |= says(&["high", "urgent"]) || value().trim().starts_with('1');
                }
                "date" => head.has_date = true,
                "content-type" => head.is_report |= says(&["multipart/report", "message/delivery-status"]),
                _ => {}
            }
        }
        head
    }
}

/// The registrable domain of a Message-ID's right side.
pub(super) fn domain_of_id(id: &str) -> Option<String> {
    let right = id.rsplit_once('@')?.1.trim_end_matches(['>', ' ']);
    registrable(&DomainName::of(right))
}

/// Whether a word of letters looks made by a machine: hardly a vowel, or letters and digits that take turns.
pub(super) fn looks_random(word: &str) -> bool {
    let (mut consonants, mut longest, mut turns, mut digits, mut letters) =
        (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    let mut before = None;
    for c in word.chars().filter(char::is_ascii_alphanumeric) {
        let is_digit = c.is_ascii_digit();
        turns += usize::from(before.is_some_and(|was| was != is_digit));
        before = Some(is_digit);
        digits += usize::from(is_digit);
        letters += usize::from(!is_digit);
        let is_vowel = matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
        consonants = if is_digit || is_vowel { 0 } else { consonants + 1 };
        longest = longest.max(consonants);
    }
    longest >= 6 || turns >= 4 || (digits >= 2 && letters >= 3 && turns >= 3 && word.len() >= 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_machine_makes() {
        for word in ["xkcdqzrt", "a9b8c7d6", "x7k2p9qq", "info8f3a1c"] {
            assert!(looks_random(word), "{word}");
        }
        for word in ["anna", "schmidt2024", "newsletter", "web3", "strengths", "", "office365"] {
            assert!(!looks_random(word), "{word}");
        }
    }

    #[test]
    fn a_header_is_read() {
        let raw = b"To: Anna <a@x.example>, b@y.example\r\nReferences: <1@x.example>\r\nList-Id: <l.x>\r\n\
            X-Priority: 1 (Highest)\r\nDate: today\r\nAuto-Submitted: no\r\n\r\nPrecedence: bulk\r\n";
        let head = Head::of(raw);
        assert_eq!(head.to, ["a@x.example", "b@y.example"]);
        assert!(head.has_reference && head.has_list && head.is_urgent && head.has_date);
        assert!(!head.is_bulk && !head.is_automatic && !head.has_unsubscribe);
    }
}
