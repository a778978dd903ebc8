//! The parts of a mail, in the order in which they stand there.

use std::borrow::Cow;

use domain::Digest;
use domain::message::{Family, Part, Tail};
use mail_parser::{Encoding, MessagePart, MimeHeaders, PartType};

use super::encoding::{self, Transfer};
use super::name::{self, Names};
use super::reading::Reading;
use super::{Decoded, LimitHit, clean};
use crate::family;
use crate::field_text::{self, Charset};
use crate::limits::Limits;

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

/// What a part decodes to whose boundary never comes: a strict reader gives its base64 up and shows the letters, and a
/// mail program decodes what is there.
fn unended(message: &mail_parser::Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    let transfer = Transfer::named(part.content_transfer_encoding()?.trim().as_bytes());
    let body = message.raw_message.get(part.offset_body as usize..part.offset_end as usize)?;
    (part.is_encoding_problem && transfer == Transfer::Base64 && encoding::is_clean_base64(body))
        .then(|| transfer.decode(body))
}

/// A walk through the parts of a mail.
pub(super) struct Walk<'m, 'l> {
    pub raw: &'m [u8],
    /// The mail that is walked now; the same, unless it is nested or stands alone.
    pub inner: &'m [u8],
    pub charset: Charset,
    pub parts: Vec<Part>,
    pub decoded: Vec<Decoded<'m>>,
    pub limit_hits: Vec<LimitHit>,
    /// Bytes of mails in mails so far, each counted with all that it holds.
    pub mail_bytes: u64,
    pub limits: &'l Limits,
}

impl<'m> Walk<'m, '_> {
    /// The parts that one parse of the mail reached.
    pub(super) fn message(&mut self, message: &'m mail_parser::Message<'m>, parent: Option<u32>, depth: u32) {
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
                    let bytes = unended(message, part).map(|bytes| self.in_utf8(part, &bytes));
                    self.push(part, bytes.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned), parent, None, true);
                }
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                    let bytes = unended(message, part).map_or(Cow::Borrowed(&**bytes), Cow::Owned);
                    self.push(part, bytes, parent, None, false);
                }
            }
        }
    }

    /// A text in the charset that its part declares, or the mail.
    fn in_utf8(&self, part: &MessagePart<'_>, bytes: &[u8]) -> Vec<u8> {
        let label = part.content_type().and_then(|kind| kind.attribute("charset")).unwrap_or_default();
        field_text::in_utf8(bytes, label, self.charset)
    }

    /// What another program reads. Where a part with these bytes is known, only its other names and types are new.
    pub(super) fn other(&mut self, reading: Reading) {
        let sha256 = Digest::of(&reading.bytes);
        let known = self.parts.iter().position(|part| part.sha256 == sha256);
        if let Some(at) = known {
            let Reading { names, declared, .. } = reading;
            self.decoded[at].also_named(std::iter::once(names.shown).chain(names.others), &self.parts[at].name);
            self.decoded[at].also_declared(declared, &self.parts[at].declared);
            return;
        }
        if self.parts.len() >= self.limits.parts_max {
            return;
        }
        let Reading { names, mut declared, bytes, is_text, is_attachment } = reading;
        let first = if declared.is_empty() { String::new() } else { clean(&declared.remove(0)) };
        let traits = Traits { names, declared: first, known: None, is_text, is_attachment };
        let number = self.keep(traits, Cow::Owned(bytes), None);
        if let Some(part) = self.decoded.get_mut(number as usize) {
            part.also_declared(declared, "");
        }
    }

    fn push(
        &mut self,
        part: &MessagePart<'_>,
        bytes: Cow<'m, [u8]>,
        parent: Option<u32>,
        known: Option<Family>,
        is_text: bool,
    ) -> u32 {
        let names = name::of_part(part, &[self.inner, self.raw], self.charset);
        let is_attachment =
            !names.shown.is_empty() || part.content_disposition().is_some_and(|shown| shown.is_attachment());
        self.keep(Traits { names, declared: declared(part), known, is_text, is_attachment }, bytes, parent)
    }

    fn keep(&mut self, traits: Traits, bytes: Cow<'m, [u8]>, parent: Option<u32>) -> u32 {
        let number = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        let Traits { names: Names { shown: name, others: other_names }, declared, known, is_text, is_attachment } =
            traits;
        let (family, content_type) = match known {
            Some(family) => (family, "message/rfc822"),
            None => family::of_part(&bytes, &name, &declared, is_text && !is_attachment),
        };
        self.parts.push(Part {
            number,
            parent,
            sha256: Digest::of(&bytes),
            size: bytes.len() as u64,
            family,
            content_type: content_type.to_owned(),
            declared,
            name: name.clone(),
            tail: Tail::NotWalked,
        });
        let is_walked = known.is_some();
        let declarations = Vec::new();
        self.decoded.push(Decoded {
            number,
            family,
            name,
            other_names,
            declarations,
            bytes,
            is_text,
            is_attachment,
            is_walked,
        });
        number
    }
}

/// What is said of a part.
struct Traits {
    names: Names,
    declared: String,
    known: Option<Family>,
    is_text: bool,
    is_attachment: bool,
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
