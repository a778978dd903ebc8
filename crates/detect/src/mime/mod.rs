//! Bytes to [`Message`] and decoded parts: `mail-parser` reads, we bound it, say where it had to guess, and read what
//! other programs make of these places.

mod ambiguity;
mod encoding;
mod name;
mod reading;
mod stray;
mod walk;

use std::borrow::Cow;

use domain::address::ADDRESS_BYTES_MAX;
use domain::header::{self, Field};
use domain::message::{Correspondence, Family, Message, Part, Tail};
use domain::{Digest, DomainName};
use mail_parser::{HeaderName, MessageParser};

use crate::bounds;
use crate::family;
use crate::field_text::{self, Charset};
use crate::limits::Limits;
use crate::text;

pub(crate) use encoding::base64;
use walk::Walk;

/// Characters of a name, a subject or an address that are kept.
const TEXT_CHARS_MAX: usize = 300;
/// Characters of a long name that are kept of its end.
const NAME_END_CHARS: usize = 100;
/// Bytes of a mail that is over a limit, in which its fields are looked for.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Upstream Authentication-Results fields kept, and bytes of each.
const RESULTS_MAX: usize = 10;
const RESULT_BYTES_MAX: usize = 2000;

/// A decoded part with its bytes.
#[derive(Debug)]
pub struct Decoded<'m> {
    /// Its number in [`Message::parts`].
    pub number: u32,
    /// Its family.
    pub family: Family,
    /// Its file name, cleaned; empty if none.
    pub name: String,
    /// Names under which other programs show it, cleaned.
    pub other_names: Vec<String>,
    /// Content types that it is declared as besides the first, in lower case.
    pub declarations: Vec<String>,
    /// The decoded bytes.
    pub bytes: Cow<'m, [u8]>,
    /// Whether it is text or HTML of the mail, which `text` detections read.
    pub is_text: bool,
    /// Whether the mail presents it as a file.
    pub is_attachment: bool,
    /// Whether it is a mail whose parts are parts of this mail already.
    pub is_walked: bool,
}

/// Other names, and other declared types, of one part that are kept.
const OTHERS_MAX: usize = 20;

impl Decoded<'_> {
    /// All names, the shown one first; empty ones left out.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = std::iter::once(&self.name).chain(&self.other_names);
        names.map(String::as_str).filter(|name| !name.is_empty())
    }

    fn also_named(&mut self, names: impl IntoIterator<Item = String>, known: &str) {
        for name in names.into_iter().map(|name| clean_name(&name)) {
            let is_new = !name.is_empty() && name != known && !self.other_names.contains(&name);
            if is_new && self.other_names.len() < OTHERS_MAX {
                self.other_names.push(name);
                self.is_attachment = true;
            }
        }
    }

    fn also_declared(&mut self, types: impl IntoIterator<Item = String>, known: &str) {
        for declared in types.into_iter().map(|declared| clean(&declared)) {
            let is_new = !declared.is_empty() && declared != known && !self.declarations.contains(&declared);
            if is_new && self.declarations.len() < OTHERS_MAX {
                self.declarations.push(declared);
            }
        }
    }
}

/// A limit that kept something from being seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitHit {
    /// The part in which it happened.
    pub part: Option<u32>,
    /// Its family.
    pub family: Family,
    /// What was over which limit, for people.
    pub what: String,
}

/// A parsed message.
#[derive(Debug)]
pub struct Parsed<'m> {
    /// The facts.
    pub message: Message,
    /// The parts with their bytes, in the order of [`Message::parts`].
    pub parts: Vec<Decoded<'m>>,
    /// Limits that were hit.
    pub limit_hits: Vec<LimitHit>,
    /// The display name of From; empty if none.
    pub from_name: String,
    /// The first address of Reply-To; empty if none.
    pub reply_to: String,
}

/// The parse of `mail-parser`; it borrows the raw bytes, and the parts borrow it. None for what nests or grows beyond
/// the limits; then [`parse`] says which.
pub fn read(raw: &[u8]) -> Option<mail_parser::Message<'_>> {
    read_within(raw, &Limits::default())
}

/// As [`read`], with limits of one's own.
pub fn read_within<'m>(raw: &'m [u8], limits: &Limits) -> Option<mail_parser::Message<'m>> {
    bounds::check(raw, limits).ok()?;
    MessageParser::default().parse(raw)
}

/// A mail as it goes over the wire: every LF without CR before it becomes CRLF; everything else stays.
pub fn wire_form(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 40);
    let mut before = 0;
    for byte in bytes {
        if *byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(*byte);
        before = *byte;
    }
    out
}

/// Turns what `mail-parser` read into facts and decoded parts. It never fails: what cannot be parsed has no parts.
pub fn parse<'m>(raw: &'m [u8], read: Option<&'m mail_parser::Message<'m>>, limits: &Limits) -> Parsed<'m> {
    let charset = read.map(Charset::of).unwrap_or_default();
    let (parts, decoded, limit_hits) = (Vec::new(), Vec::new(), Vec::new());
    let mut walk = Walk { raw, inner: raw, charset, parts, decoded, limit_hits, mail_bytes: 0, limits };
    let mut has_strays = false;
    // Of what is over a limit the beginning is enough to know it by.
    let mut head = raw;
    if let (None, Err(what)) = (read, bounds::check(raw, limits)) {
        walk.limit_hits.push(LimitHit { part: None, family: Family::Mail, what });
        head = &raw[..raw.len().min(HEAD_BYTES_MAX)];
    }
    if let Some(read) = read {
        walk.message(read, None, 0);
        let strays = stray::strays(raw, read);
        has_strays = !strays.is_empty();
        let readings = reading::others(raw, &strays, charset, limits);
        readings.found.into_iter().for_each(|reading| walk.other(reading));
        let hit = readings.limit.map(|what| LimitHit { part: None, family: Family::Mail, what });
        walk.limit_hits.extend(hit);
    }
    let texts: Vec<&str> = walk
        .decoded
        .iter()
        .filter(|part| part.is_text)
        .filter_map(|part| std::str::from_utf8(&part.bytes).ok())
        .collect();
    let sender = read.and_then(|read| read.from()).and_then(|from| from.first());
    let from = clean_address(sender.and_then(|from| from.address()).unwrap_or_default());
    let from_name = match read.and_then(|read| coded(raw, read, HeaderName::From)) {
        Some(field) => clean(&field_text::display_name(field, charset)),
        None => clean(sender.and_then(|from| from.name()).unwrap_or_default()),
    };
    let reply_to = read.and_then(|read| read.reply_to()).and_then(|to| to.first()).and_then(|to| to.address());
    let message = Message {
        sha256: Digest::of(raw),
        body_sha256: Digest::of(&raw[header::body_start(raw)..]),
        size: raw.len() as u64,
        message_id: first(head, "Message-ID").map(|field| clean(&field.unfolded())).filter(|id| !id.is_empty()),
        subject: match read {
            Some(read) => match coded(raw, read, HeaderName::Subject) {
                Some(field) => clean(&field_text::unstructured(field, charset)),
                None => clean(read.subject().unwrap_or_default()),
            },
            // What could not be read is shown as it came.
            None => first(head, "Subject")
                .map(|field| clean(&field_text::unstructured(field.value, charset)))
                .unwrap_or_default(),
        },
        from_domain: from.rsplit_once('@').map(|(_, domain)| DomainName::of(domain).into()).unwrap_or_default(),
        from,
        auto_submitted: first(head, "Auto-Submitted").map(|field| clean(&field.unfolded())),
        correspondence: Correspondence::of(head),
        authentication_results: upstream_results(head),
        received_count: u32::try_from(header::fields(head).filter(|field| field.is("Received")).count())
            .unwrap_or(u32::MAX),
        text_sha256: text::digest(&texts),
        url_domains: text::url_domains(&texts),
        fingerprints: domain::fingerprint::Fingerprints::default(),
        urls: Vec::new(),
        parts: walk.parts,
        ambiguities: ambiguity::ambiguities(head, read, has_strays),
    };
    let reply_to = clean_address(reply_to.unwrap_or_default());
    Parsed { message, parts: walk.decoded, limit_hits: walk.limit_hits, from_name, reply_to }
}

/// One part without a mail around it, as an attachment of this name.
pub fn alone<'m>(bytes: &'m [u8], name: &str, declared: &str) -> Parsed<'m> {
    let (name, sha256, size) = (clean_name(name), Digest::of(bytes), bytes.len() as u64);
    let (family, content_type) = family::of(bytes, &name, declared);
    let (content_type, declared, tail) = (content_type.to_owned(), declared.to_owned(), Tail::NotWalked);
    let part = Part { number: 0, parent: None, sha256, size, family, content_type, declared, name: name.clone(), tail };
    let message = Message {
        sha256,
        body_sha256: sha256,
        size,
        message_id: None,
        subject: String::new(),
        from: String::new(),
        from_domain: String::new(),
        auto_submitted: None,
        correspondence: Correspondence::default(),
        authentication_results: Vec::new(),
        received_count: 0,
        text_sha256: None,
        url_domains: Vec::new(),
        fingerprints: domain::fingerprint::Fingerprints::default(),
        urls: Vec::new(),
        parts: vec![part],
        ambiguities: Vec::new(),
    };
    let bytes = Cow::Borrowed(bytes);
    let (other_names, declarations) = (Vec::new(), Vec::new());
    let (is_text, is_attachment, is_walked) = (false, true, false);
    let decoded =
        Decoded { number: 0, family, name, other_names, declarations, bytes, is_text, is_attachment, is_walked };
    let (from_name, reply_to) = (String::new(), String::new());
    Parsed { message, parts: vec![decoded], limit_hits: Vec::new(), from_name, reply_to }
}

fn first<'m>(raw: &'m [u8], name: &str) -> Option<Field<'m>> {
    header::fields(raw).find(|field| field.is(name))
}

fn upstream_results(raw: &[u8]) -> Vec<String> {
    let fields = header::fields(raw).filter(|field| field.is("Authentication-Results")).take(RESULTS_MAX);
    fields.map(|field| field.unfolded().chars().take(RESULT_BYTES_MAX).collect()).collect()
}

/// The body of the field that was read, where it has more than plain ASCII.
fn coded<'m>(raw: &'m [u8], read: &mail_parser::Message<'_>, name: HeaderName<'_>) -> Option<&'m [u8]> {
    let header = read.parts.first()?.headers.iter().rev().find(|header| header.name == name)?;
    field_text::raw_of(header, &[raw]).filter(|bytes| field_text::is_coded(bytes))
}

/// An address for showing and comparing: as [`clean`], but none that the envelope could have is cut, and with it its
/// domain.
fn clean_address(text: &str) -> String {
    cleaned(text, ADDRESS_BYTES_MAX)
}

/// Text for showing: no control characters, none that turn the reading direction, not endless.
pub fn clean(text: &str) -> String {
    cleaned(text, TEXT_CHARS_MAX)
}

/// A file name for showing and comparing: as [`clean`], but a long one is cut in its middle, because its end says what
/// opens it.
pub(crate) fn clean_name(name: &str) -> String {
    let shown = cleaned(name, usize::MAX);
    let count = shown.chars().count();
    if count <= TEXT_CHARS_MAX {
        return shown;
    }
    let begin = shown.chars().take(TEXT_CHARS_MAX - NAME_END_CHARS - 1);
    let end = shown.chars().skip(count - NAME_END_CHARS);
    begin.chain(['\u{2026}']).chain(end).collect()
}

fn cleaned(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| is_shown(*c)).take(chars_max).collect::<String>().trim().to_owned()
}

/// Whether a character is kept: controls and what turns the reading direction are not.
fn is_shown(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    !c.is_control() && !turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::Ambiguity;

    fn facts(raw: &str) -> Message {
        let raw = raw.replace('\n', "\r\n");
        let read = read(raw.as_bytes());
        parse(raw.as_bytes(), read.as_ref(), &Limits::default()).message
    }

    #[test]
    fn only_line_ends_change() {
        assert_eq!(wire_form(b"a\nb\r\nc\rd\n"), b"a\r\nb\r\nc\rd\r\n");
    }

    #[test]
    fn a_reply_with_a_signature_image() {
        let message = facts(concat!(
            "From: =?utf-8?q?J=C3=BCrgen?= <j@Partner.example>\nSubject: Re: offer\nMessage-ID: <1@partner.example>\n",
            "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>See \
                https://www.partner.example/x</p>\n",
            "--b\nContent-Type: image/png; name=\"image001.png\"\nContent-Transfer-Encoding: \
                base64\n\niVBORw0KGgoAAAANSUhEUg==\n--b--\n"
        ));
        assert_eq!((message.from.as_str(), message.from_domain.as_str()), ("j@Partner.example", "partner.example"));
        assert_eq!(message.message_id.as_deref(), Some("<1@partner.example>"));
        assert_eq!(message.url_domains, ["partner.example"]);
        let kinds: Vec<_> =
            message.parts.iter().map(|part| (part.family, part.name.as_str(), part.declared.as_str())).collect();
        assert_eq!(kinds, [(Family::Html, "", "text/html"), (Family::Image, "image001.png", "image/png")]);
        assert!(message.ambiguities.is_empty(), "{:?}", message.ambiguities);
    }

    #[test]
    fn a_part_whose_boundary_never_comes_is_decoded() {
        let page = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=iso-8859-1\n\
                    Content-Transfer-Encoding: base64\n\naHR0cHM6Ly93d3cucGFydG5lci5leGFtcGxlL3g/IGNhZuk=\n";
        for end in ["", "\n", "--b--\n"] {
            assert_eq!(facts(&format!("{page}{end}")).url_domains, ["partner.example"], "{end}");
        }
        let program = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/octet-stream; \
                       name=a.exe\nContent-Transfer-Encoding: base64\n\nUEsDBBQAAAAAAA==\n";
        let families = facts(program).parts.into_iter().map(|part| part.family).collect::<Vec<_>>();
        assert!(families.contains(&Family::Archive), "{families:?}");
    }

    #[test]
    fn ambiguity_is_seen() {
        let check = |raw: &str, expected: &[Ambiguity]| assert_eq!(facts(raw).ambiguities, expected, "{raw}");
        check("Content-Type: text/plain\nContent-Type: text/html\n\nx\n", &[Ambiguity::TwoContentTypes]);
        check(
            "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n\nx\n--a--\n",
            &[Ambiguity::TwoBoundaries],
        );
        check(
            "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\nx\n",
            &[Ambiguity::TwoTransferEncodings],
        );
        check("Content-Transfer-Encoding: uuencode\n\nx\n", &[Ambiguity::UnknownTransferEncoding]);
        check("From: a@b\nFrom: c@d\n\nx\n", &[Ambiguity::RepeatedField]);
        check("Content-Type: multipart/mixed\n\nx\n", &[Ambiguity::NoBoundary]);
        check("Content-Transfer-Encoding: 8BIT (yes)\n\nx\n", &[]);
    }

    #[test]
    fn parts_behind_the_end_are_read_and_told() {
        let mail = "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nContent-Type: \
            text/plain\n\none\n--b--\nepilogue\n\
                    --b\nContent-Type: application/octet-stream; name=a.exe\nContent-Transfer-Encoding: \
                    base64\n\nTVqQAA==\n--b--\n";
        let message = facts(mail);
        assert_eq!(message.ambiguities, [Ambiguity::StrayParts]);
        let names: Vec<&str> = message.parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["", "a.exe"], "{:?}", message.parts);
        let usual = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; \
            boundary=c\n\n\
                     --c\nContent-Type: text/plain\n\none\n--c\nContent-Type: text/html\n\n<p>one</p>\n--c--\n\n--b\n\n\
                     Content-Type: text/plain\n\ntwo\n--b\nContent-Type: message/rfc822\n\nSubject: x\nContent-Type: \
                     multipart/mixed; boundary=d\n\n\
                     --d\nContent-Type: text/plain\n\nthree\n--d--\n\n--b--\n";
        assert!(facts(usual).ambiguities.is_empty(), "{:?}", facts(usual).ambiguities);
    }

    #[test]
    fn limits_stop_the_walk_and_say_so() {
        let mut raw = String::from("Content-Type: multipart/mixed; boundary=b\n\n");
        raw.push_str(&"--b\nContent-Type: text/plain\n\nx\n".repeat(50));
        let raw = raw.replace('\n', "\r\n");
        let read = read(raw.as_bytes());
        let limits = Limits { parts_max: 10, ..Limits::default() };
        let parsed = parse(raw.as_bytes(), read.as_ref(), &limits);
        assert_eq!(parsed.message.parts.len(), 10);
        assert_eq!(parsed.limit_hits[0].what, "more than 10 parts");
    }

    #[test]
    fn names_are_safe_to_show() {
        assert_eq!(clean("in\u{202e}voice\r\n.exe\0"), "invoice.exe");
    }
}
