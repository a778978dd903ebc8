//! Bytes to [`Message`] and decoded parts: `mail-parser` reads, we bound it and say where it had to guess.

use std::borrow::Cow;
use std::collections::HashSet;

use domain::address::ADDRESS_BYTES_MAX;
use domain::header::{self, Field};
use domain::message::{Ambiguity, Correspondence, Family, Message, Part, Tail};
use domain::{Digest, DomainName};
use mail_parser::{Encoding, HeaderName, MessageParser, MessagePart, MimeHeaders, PartType};

use crate::bounds;
use crate::family;
use crate::field_text::{self, Charset};
use crate::limits::Limits;
use crate::text;

/// Characters of a name, a subject or an address that are kept.
const TEXT_CHARS_MAX: usize = 300;
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
    /// The decoded bytes.
    pub bytes: Cow<'m, [u8]>,
    /// Whether it is text or HTML of the mail, which `text` detections read.
    pub is_text: bool,
    /// Whether the mail presents it as a file.
    pub is_attachment: bool,
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
        for stray in strays(raw, read) {
            has_strays = true;
            walk.stray(stray);
        }
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
        urls: Vec::new(),
        parts: walk.parts,
        ambiguities: ambiguities(head, read, has_strays),
    };
    let reply_to = clean_address(reply_to.unwrap_or_default());
    Parsed { message, parts: walk.decoded, limit_hits: walk.limit_hits, from_name, reply_to }
}

/// One part without a mail around it, as an attachment of this name.
pub fn alone<'m>(bytes: &'m [u8], name: &str, declared: &str) -> Parsed<'m> {
    let (name, sha256, size) = (clean(name), Digest::of(bytes), bytes.len() as u64);
    let (family, content_type) = family::sniff(bytes, &name);
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
        urls: Vec::new(),
        parts: vec![part],
        ambiguities: Vec::new(),
    };
    let bytes = Cow::Borrowed(bytes);
    let decoded = Decoded { number: 0, family, name, bytes, is_text: false, is_attachment: true };
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

fn cleaned(text: &str, chars_max: usize) -> String {
    let shown = text.chars().filter(|c| {
        !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    });
    shown.take(chars_max).collect::<String>().trim().to_owned()
}

/// The bytes of a mail in a mail. One that is not encoded borrows the whole mail, of which it is a piece.
fn bytes_of<'m>(
    message: &'m mail_parser::Message<'m>,
    part: &MessagePart<'_>,
    nested: &'m mail_parser::Message<'m>,
) -> &'m [u8] {
    let is_piece = part.encoding == Encoding::None && nested.raw_message.len() == message.raw_message.len();
    let piece = message.raw_message.get(part.offset_body as usize..part.offset_end as usize);
    piece.filter(|_| is_piece).unwrap_or(&nested.raw_message)
}

struct Walk<'m, 'l> {
    raw: &'m [u8],
    /// The mail that is walked now; the same, unless it is nested or stands alone.
    inner: &'m [u8],
    charset: Charset,
    parts: Vec<Part>,
    decoded: Vec<Decoded<'m>>,
    limit_hits: Vec<LimitHit>,
    /// Bytes of mails in mails so far, each counted with all that it holds.
    mail_bytes: u64,
    limits: &'l Limits,
}

impl<'m> Walk<'m, '_> {
    fn message(&mut self, message: &'m mail_parser::Message<'m>, parent: Option<u32>, depth: u32) {
        let depths = depths(message, depth);
        for (part, depth) in message.parts.iter().zip(depths) {
            if depth > self.limits.mime_depth_max {
                let limit = self.limits.mime_depth_max;
                return self.limit_hits.push(LimitHit {
                    part: parent,
                    family: Family::Mail,
                    what: format!("nesting over {limit} levels"),
                });
            }
            if self.parts.len() >= self.limits.parts_max {
                let limit = self.limits.parts_max;
                return self.limit_hits.push(LimitHit {
                    part: parent,
                    family: Family::Mail,
                    what: format!("more than {limit} parts"),
                });
            }
            match &part.body {
                PartType::Multipart(_) => {}
                PartType::Message(nested) => {
                    let bytes = bytes_of(message, part, nested);
                    self.mail_bytes += bytes.len() as u64;
                    if self.mail_bytes > self.limits.unpacked_bytes_max {
                        let limit = self.limits.unpacked_bytes_max >> 20;
                        return self.limit_hits.push(LimitHit {
                            part: parent,
                            family: Family::Mail,
                            what: format!("more than {limit} MiB of mails in mails"),
                        });
                    }
                    let number = self.push(part, Cow::Borrowed(bytes), parent, Some(Family::Mail), false);
                    let outer = std::mem::replace(&mut self.inner, &nested.raw_message);
                    self.message(nested, Some(number), depth + 1);
                    self.inner = outer;
                }
                PartType::Text(text) | PartType::Html(text) => {
                    self.push(part, Cow::Borrowed(text.as_bytes()), parent, None, true);
                }
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                    self.push(part, Cow::Borrowed(bytes), parent, None, false);
                }
            }
        }
    }

    /// A part that the parse of the whole mail did not reach, parsed alone.
    fn stray(&mut self, segment: &'m [u8]) {
        let Some(read) = MessageParser::default().parse(segment) else { return };
        self.inner = segment;
        for part in &read.parts {
            if self.parts.len() >= self.limits.parts_max {
                return;
            }
            match &part.body {
                PartType::Multipart(_) => {}
                PartType::Message(nested) => {
                    let bytes = nested.raw_message.to_vec();
                    self.push(part, Cow::Owned(bytes), None, Some(Family::Mail), false);
                }
                PartType::Text(text) | PartType::Html(text) => {
                    self.push(part, Cow::Owned(text.as_bytes().to_vec()), None, None, true);
                }
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                    self.push(part, Cow::Owned(bytes.to_vec()), None, None, false);
                }
            }
        }
    }

    fn name(&self, part: &MessagePart<'_>) -> String {
        file_name(part, &[self.inner, self.raw], self.charset)
    }

    fn push(
        &mut self,
        part: &MessagePart<'_>,
        bytes: Cow<'m, [u8]>,
        parent: Option<u32>,
        known: Option<Family>,
        is_text: bool,
    ) -> u32 {
        let number = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        let name = self.name(part);
        let (family, content_type) = shown_as(part, &bytes, &name, is_text);
        let family = known.unwrap_or(family);
        self.parts.push(Part {
            number,
            parent,
            sha256: Digest::of(&bytes),
            size: bytes.len() as u64,
            family,
            content_type: if known.is_some() { "message/rfc822" } else { content_type }.to_owned(),
            declared: declared(part),
            name: name.clone(),
            tail: Tail::NotWalked,
        });
        let is_attachment = !name.is_empty() || part.content_disposition().is_some_and(|d| d.is_attachment());
        self.decoded.push(Decoded { number, family, name, bytes, is_text, is_attachment });
        number
    }
}

/// What a part is by its bytes. A text of the mail itself, declared as plain text, shown in its place and without
/// a name, is a text whatever it begins with: no mail program makes anything else of it.
fn shown_as(part: &MessagePart<'_>, bytes: &[u8], name: &str, is_text: bool) -> (Family, &'static str) {
    let (family, content_type) = family::sniff(bytes, name);
    let is_inline = name.is_empty() && part.content_disposition().is_none_or(|d| !d.is_attachment());
    let is_plain = matches!(declared(part).as_str(), "" | "text/plain");
    let is_picture = family == Family::Image && content_type == "image/svg+xml";
    if is_text && is_inline && is_plain && is_picture {
        return (Family::Text, "text/plain");
    }
    (family, content_type)
}

/// The name of the file that a part is; empty if none. `texts` are those in which its header may stand.
pub(crate) fn file_name(part: &MessagePart<'_>, texts: &[&[u8]], charset: Charset) -> String {
    let Some(plain) = part.attachment_name() else { return String::new() };
    let of = |field: HeaderName<'_>, parameter: &str| {
        let header = part.headers.iter().rev().find(|header| header.name == field)?;
        let bytes = field_text::raw_of(header, texts).filter(|bytes| field_text::is_coded(bytes))?;
        field_text::parameter(bytes, parameter, charset)
    };
    let has =
        |kind: Option<&mail_parser::ContentType<'_>>, name: &str| kind.is_some_and(|kind| kind.has_attribute(name));
    let decoded = if has(part.content_disposition(), "filename") {
        of(HeaderName::ContentDisposition, "filename")
    } else {
        of(HeaderName::ContentType, "name")
    };
    clean(&decoded.unwrap_or_else(|| plain.to_owned()))
}

fn declared(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else { return String::new() };
    clean(&format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("*")).to_lowercase())
}

/// The nesting depth of each part of one message, from the multiparts that list them.
fn depths(message: &mail_parser::Message<'_>, base: u32) -> Vec<u32> {
    let mut depths = vec![base; message.parts.len()];
    for at in 0..message.parts.len() {
        if let PartType::Multipart(children) = &message.parts[at].body {
            let below = depths[at] + 1;
            for child in children {
                if let Some(depth) = depths.get_mut(*child as usize) {
                    *depth = below;
                }
            }
        }
    }
    depths
}

/// Parts of one mail that are read although the parse did not reach them.
const STRAYS_MAX: usize = 100;
/// Bytes by which two readers may differ on where a part begins: the line end behind its delimiter.
const BEGIN_TOLERANCE: usize = 4;

/// What stands behind a delimiter line and was not reached by the parse. Other programs read on behind the end of a
/// multipart, or recover from damage that ends ours; what they show must have been looked at.
fn strays<'m>(raw: &'m [u8], read: &mail_parser::Message<'_>) -> Vec<&'m [u8]> {
    let (mut boundaries, mut begins) = (HashSet::new(), Vec::new());
    reached(read, &mut boundaries, &mut begins);
    if boundaries.is_empty() {
        return Vec::new();
    }
    begins.sort_unstable();
    let delimiters = delimiters(raw, &boundaries);
    let mut found = Vec::new();
    for (at, (begin, is_end)) in delimiters.iter().enumerate() {
        let after = begins.partition_point(|known| *known + BEGIN_TOLERANCE < *begin);
        let is_reached = begins.get(after).is_some_and(|known| *known <= begin + BEGIN_TOLERANCE);
        if *is_end || is_reached || found.len() >= STRAYS_MAX {
            continue;
        }
        let end = delimiters.get(at + 1).map_or(raw.len(), |(next, _)| *next);
        let segment = &raw[*begin..end];
        // A delimiter in front of nothing, or of text without fields, is no part.
        if header::fields(segment).next().is_some_and(|field| field.name.to_ascii_lowercase().starts_with("content-")) {
            found.push(segment);
        }
    }
    found
}

/// The boundaries that the parse knows, and where the parts begin that it reached.
fn reached(message: &mail_parser::Message<'_>, boundaries: &mut HashSet<Vec<u8>>, begins: &mut Vec<usize>) {
    let mut messages = vec![message];
    while let Some(message) = messages.pop() {
        for part in &message.parts {
            begins.push(part.offset_header as usize);
            let boundary = part.content_type().and_then(|kind| kind.attribute("boundary"));
            boundaries.extend(boundary.filter(|text| !text.is_empty()).map(|text| text.as_bytes().to_vec()));
            if let PartType::Message(nested) = &part.body {
                messages.push(nested);
            }
        }
    }
}

/// Delimiter lines (RFC 2046 section 5.1.1): where what follows begins, and whether it is the last of its multipart.
fn delimiters(raw: &[u8], boundaries: &HashSet<Vec<u8>>) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        let end = memchr::memchr(b'\n', &raw[at..]).map_or(raw.len(), |lf| at + lf + 1);
        if let Some(line) = raw[at..end].strip_prefix(b"--") {
            let line = line.trim_ascii_end();
            let last = line.strip_suffix(b"--");
            if boundaries.contains(line) {
                found.push((end, false));
            } else if last.is_some_and(|line| boundaries.contains(line)) {
                found.push((end, true));
            }
        }
        at = end;
    }
    found
}

const ONCE: [&str; 8] = ["From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "Subject", "Date"];
const ENCODINGS: [&str; 5] = ["7bit", "8bit", "binary", "quoted-printable", "base64"];

/// Where two programs may read these bytes differently.
fn ambiguities(raw: &[u8], read: Option<&mail_parser::Message<'_>>, has_strays: bool) -> Vec<Ambiguity> {
    let mut found = Vec::new();
    if has_strays {
        found.push(Ambiguity::StrayParts);
    }
    let mut note = |ambiguity| {
        if !found.contains(&ambiguity) {
            found.push(ambiguity);
        }
    };
    let top: Vec<Field<'_>> = header::fields(raw).collect();
    if ONCE.iter().any(|name| top.iter().filter(|field| field.is(name)).count() > 1) {
        note(Ambiguity::RepeatedField);
    }
    in_block(&top, &mut note);
    for part in read.iter().flat_map(|read| &read.parts).skip(1).take(2000) {
        let begin = part.offset_header as usize;
        let end = (part.offset_body as usize).max(begin);
        if let Some(block) = raw.get(begin..end) {
            in_block(&header::fields(block).collect::<Vec<_>>(), &mut note);
        }
        if part.is_encoding_problem {
            note(Ambiguity::OddBase64);
        }
    }
    found.sort();
    found
}

fn in_block(fields: &[Field<'_>], note: &mut impl FnMut(Ambiguity)) {
    let types: Vec<String> =
        fields.iter().filter(|field| field.is("Content-Type")).map(|field| field.unfolded().to_lowercase()).collect();
    let encodings: Vec<String> = fields
        .iter()
        .filter(|field| field.is("Content-Transfer-Encoding"))
        .map(|field| field.unfolded().to_lowercase())
        .collect();
    if types.len() > 1 {
        note(Ambiguity::TwoContentTypes);
    }
    for kind in &types {
        let boundaries = kind.split(';').skip(1).filter(|parameter| parameter.trim().starts_with("boundary")).count();
        if boundaries > 1 {
            note(Ambiguity::TwoBoundaries);
        }
        if boundaries == 0 && kind.starts_with("multipart/") {
            note(Ambiguity::NoBoundary);
        }
    }
    if encodings.len() > 1 {
        note(Ambiguity::TwoTransferEncodings);
    }
    let known = |encoding: &String| {
        let word = encoding.split(|c: char| c == ';' || c == '(' || c.is_whitespace()).next().unwrap_or_default();
        ENCODINGS.contains(&word)
    };
    if !encodings.iter().all(known) {
        note(Ambiguity::UnknownTransferEncoding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(names, ["", "a.exe"]);
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
