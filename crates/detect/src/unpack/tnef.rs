//! TNEF (MS-OXTNEF), the winmail.dat of Outlook: its attachments with their names.

use super::found::Found;
use super::number::{piece, piece_so_far, u16_le, u32_le, until_nul};
use super::{Allowance, Closed, Member};
use crate::{compressed_rtf, utf16};

const SIGNATURE: u32 = 0x223e_9f78;
/// The levels of attributes: of the message, of an attachment.
const MESSAGE: u8 = 1;
const ATTACHMENT: u8 = 2;
const ATTACH_RENDERING: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_TRANSPORT_NAME: u32 = 0x0006_9001;
const ATTACH_DATA: u32 = 0x0006_800f;
const ATTACH_PROPERTIES: u32 = 0x0006_9005;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
/// The body of a message in RTF (MS-OXPROPS).
const RTF_BODY: u16 = 0x1009;
/// Properties of an attachment (MS-OXPROPS): its long name, its short one, how it is called in a list, its content.
const LONG_NAME: u16 = 0x3707;
const SHORT_NAME: u16 = 0x3704;
const SHOWN_NAME: u16 = 0x3001;
const CONTENT: u16 = 0x3701;
/// Kinds of values: text in the old charset, in Unicode, an object, bytes.
const TEXT: u16 = 0x1e;
const WIDE_TEXT: u16 = 0x1f;
const OBJECT: u16 = 0x0d;
const BINARY: u16 = 0x102;
/// Bytes of an interface's number, which stands before an object; it is followed by a TNEF of its own where the object
/// is a message, and else by a compound file.
const INTERFACE_BYTES: usize = 16;

/// An attachment as far as it was read.
#[derive(Default)]
struct Attachment {
    names: Vec<String>,
    content: Vec<u8>,
    object: Vec<u8>,
}

impl Attachment {
    fn is_something(&self) -> bool {
        !self.names.is_empty() || !self.content.is_empty() || !self.object.is_empty()
    }

    fn add_to(self, found: &mut Found) {
        let has_both = !self.object.is_empty() && !self.content.is_empty();
        if has_both {
            found.add(Member::with_names(self.names.clone(), self.object), None);
            found.add(Member::with_names(self.names, self.content), None);
        } else {
            let bytes = if self.object.is_empty() { self.content } else { self.object };
            found.add(Member::with_names(self.names, bytes), None);
        }
    }
}

/// Opens a TNEF stream. Checksums are not looked at: Outlook does not mind them.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    if u32_le(bytes, 0) != Some(SIGNATURE) {
        return Err(Closed::NotAnalysed("not TNEF".into()));
    }
    let mut at = 6;
    let mut now = Attachment::default();
    let mut ended = None;
    while let (Some(level), Some(attribute), Some(length)) =
        (bytes.get(at).copied(), u32_le(bytes, at + 1), u32_le(bytes, at + 5).map(|length| length as usize))
    {
        if !matches!(level, MESSAGE | ATTACHMENT) {
            ended = Some("damaged TNEF: an attribute of an unknown level");
            // The next attribute that can be one of an attachment, if there is any.
            let Some(next) = next_attachment(bytes, at + 1) else { break };
            at = next;
            continue;
        }
        let content = piece_so_far(bytes, at + 9, length);
        if content.len() < length {
            ended = Some("TNEF that is cut off");
        }
        at = at.saturating_add(9).saturating_add(length).saturating_add(2);
        if level == MESSAGE && attribute == MESSAGE_PROPERTIES {
            bodies(content, allowance, found);
        }
        if level == ATTACHMENT {
            if attribute == ATTACH_RENDERING {
                allowance.entry()?;
                finish(&mut now, found);
            } else {
                attribute_of(attribute, content, &mut now, allowance, found);
            }
        }
    }
    finish(&mut now, found);
    found.note_all(ended.map(|why| Closed::NotAnalysed(why.into())));
    Ok(())
}

fn finish(now: &mut Attachment, found: &mut Found) {
    let done = std::mem::take(now);
    if done.is_something() {
        done.add_to(found);
    }
}

/// Where the next attribute of an attachment begins, by its level and its number.
fn next_attachment(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let known = [ATTACH_RENDERING, ATTACH_TITLE, ATTACH_DATA, ATTACH_PROPERTIES, ATTACH_TRANSPORT_NAME];
    memchr::memchr_iter(ATTACHMENT, rest)
        .find(|at| u32_le(rest, at + 1).is_some_and(|number| known.contains(&number)))
        .map(|at| from + at)
}

fn attribute_of(
    attribute: u32,
    content: &[u8],
    now: &mut Attachment,
    allowance: &mut Allowance<'_>,
    found: &mut Found,
) {
    match attribute {
        ATTACH_TITLE | ATTACH_TRANSPORT_NAME => {
            now.names.push(String::from_utf8_lossy(until_nul(content)).into_owned());
        }
        ATTACH_DATA => {
            let (content, closed) = allowance.copy(content);
            now.content = content;
            found.note_all(closed);
        }
        ATTACH_PROPERTIES => properties(content, now, allowance, found),
        _ => {}
    }
}

/// The bodies in RTF that a message has; there is mostly one.
fn bodies(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) {
    each_property(bytes, |number, kind, value| {
        let unpacked = (number == RTF_BODY && kind == BINARY).then(|| compressed_rtf::reader(value)).flatten();
        if let Some(unpacked) = unpacked {
            let (body, closed) = allowance.read_so_far(value.len() as u64, unpacked);
            found.add(Member::new("body.rtf".into(), body), closed);
        }
    });
}

/// Properties of an attachment.
fn properties(bytes: &[u8], now: &mut Attachment, allowance: &mut Allowance<'_>, found: &mut Found) {
    each_property(bytes, |number, kind, value| match (number, kind) {
        (LONG_NAME, _) => now.names.splice(0..0, text(value, kind)).for_each(drop),
        (SHORT_NAME | SHOWN_NAME, _) => now.names.extend(text(value, kind)),
        (CONTENT, OBJECT) => {
            let (object, closed) = allowance.copy(value.get(INTERFACE_BYTES..).unwrap_or_default());
            now.object = object;
            found.note_all(closed);
        }
        (CONTENT, BINARY) if now.content.is_empty() => {
            let (content, closed) = allowance.copy(value);
            now.content = content;
            found.note_all(closed);
        }
        _ => {}
    });
}

/// Properties (MS-OXTNEF 2.1.3.4): a number, then for each its kind, its own number, and a value.
fn each_property(bytes: &[u8], mut take: impl FnMut(u16, u16, &[u8])) {
    let mut at = 4;
    for _ in 0..u32_le(bytes, 0).unwrap_or(0) {
        let (Some(kind), Some(number)) = (u16_le(bytes, at), u16_le(bytes, at + 2)) else { return };
        at += 4;
        if number >= 0x8000 {
            // A named property: the set that it is from, then a number or a text.
            let Some(is_text) = u32_le(bytes, at + 16) else { return };
            let length = u32_le(bytes, at + 20).unwrap_or(0) as usize;
            at = if is_text == 1 { (at + 24).saturating_add(filled(length)) } else { at + 24 };
        }
        let Some((value, next)) = value(bytes, at, kind) else { return };
        at = next;
        take(number, kind, value);
    }
}

fn text(value: &[u8], kind: u16) -> Option<String> {
    let text = match kind {
        WIDE_TEXT => utf16::le(value),
        TEXT => String::from_utf8_lossy(value).into_owned(),
        _ => return None,
    };
    let text = text.trim_end_matches('\0');
    (!text.is_empty()).then(|| text.to_owned())
}

fn filled(length: usize) -> usize {
    length.checked_next_multiple_of(4).unwrap_or(usize::MAX)
}

/// The first value of a property, and where the next property begins. Values of four bytes or eight stand there as they
/// are; others have a number of values, and each a length.
fn value(bytes: &[u8], at: usize, kind: u16) -> Option<(&[u8], usize)> {
    const MANY: u16 = 0x1000;
    let width = match kind & !MANY {
        2 | 3 | 4 | 0x0a | 0x0b => Some(4),
        5 | 6 | 7 | 0x14 | 0x40 => Some(8),
        0x48 => Some(16),
        _ => None,
    };
    let is_counted = width.is_none() || kind & MANY != 0;
    let count = if is_counted { u32_le(bytes, at)? as usize } else { 1 };
    let mut at = if is_counted { at + 4 } else { at };
    if let Some(width) = width {
        let value = piece(bytes, at, width).unwrap_or_default();
        return Some((value, at.checked_add(width.checked_mul(count)?)?));
    }
    let mut first = None;
    for _ in 0..count {
        let length = u32_le(bytes, at)? as usize;
        let value = piece_so_far(bytes, at + 4, length);
        first.get_or_insert(value);
        at = (at + 4).checked_add(filled(length))?;
        if value.len() < length {
            break;
        }
    }
    Some((first.unwrap_or_default(), at))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::opened_as;
    use super::*;

    fn attribute(level: u8, id: u32, content: &[u8]) -> Vec<u8> {
        [&[level][..], &id.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content, &[0, 0]].concat()
    }

    fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
        [&SIGNATURE.to_le_bytes()[..], &[1, 0], &attributes.concat()].concat()
    }

    /// A stream of one attachment with an embedded object.
    pub(in super::super) fn sample() -> Vec<u8> {
        let mut properties = vec![2, 0, 0, 0];
        properties.extend([0x1f, 0, 0x07, 0x37, 1, 0, 0, 0, 10, 0, 0, 0]);
        properties.extend("a.js\0".encode_utf16().flat_map(u16::to_le_bytes).chain([0, 0]));
        properties.extend([0x0d, 0, 0x01, 0x37, 1, 0, 0, 0, 21, 0, 0, 0]);
        properties.extend([7; 16]);
        properties.extend(b"hello\0\0\0");
        stream(&[
            attribute(2, ATTACH_RENDERING, &[0; 14]),
            attribute(2, ATTACH_TITLE, b"A~1.TXT\0"),
            attribute(2, ATTACH_PROPERTIES, &properties),
        ])
    }

    #[test]
    fn the_body_is_a_document() {
        let body = compressed_rtf::packed(b"{\\rtf1 hello}");
        let mut properties = vec![1, 0, 0, 0, 2, 1, 0x09, 0x10, 1, 0, 0, 0];
        properties.extend((body.len() as u32).to_le_bytes());
        properties.extend(&body);
        properties.resize(properties.len().next_multiple_of(4), 0);
        let bytes = stream(&[attribute(1, MESSAGE_PROPERTIES, &properties)]);
        let (members, closed) = opened_as("application/ms-tnef", &bytes, "winmail.dat");
        assert_eq!((members[0].name.as_str(), members[0].bytes.as_slice()), ("body.rtf", &b"{\\rtf1 hello}"[..]));
        assert_eq!((members.len(), closed.len()), (1, 0));
    }

    #[test]
    fn what_is_embedded_is_taken_out() {
        let bytes = sample();
        let (members, closed) = opened_as("application/ms-tnef", &bytes, "winmail.dat");
        assert_eq!((members[0].name.as_str(), members[0].other_names.join(" ")), ("a.js", "A~1.TXT".into()));
        assert_eq!((members[0].bytes.as_slice(), closed), (&b"hello"[..], vec![]));
    }

    #[test]
    fn a_damaged_attribute_hides_no_other() {
        let first = [
            attribute(2, ATTACH_RENDERING, &[0; 14]),
            attribute(2, ATTACH_TITLE, b"a.txt\0"),
            attribute(2, ATTACH_DATA, b"text"),
        ]
        .concat();
        let second = [
            attribute(2, ATTACH_RENDERING, &[0; 14]),
            attribute(2, ATTACH_TITLE, b"b.js\0"),
            attribute(2, ATTACH_DATA, b"1234"),
        ]
        .concat();
        let bytes = stream(&[first, vec![9; 30], second]);
        for cut in [0, 5] {
            let (members, closed) = opened_as("application/ms-tnef", &bytes[..bytes.len() - cut], "winmail.dat");
            assert_eq!((members.len(), members[1].name.as_str()), (2, "b.js"));
            assert!(matches!(closed.as_slice(), [Closed::NotAnalysed(_)]), "{closed:?}");
        }
    }
}
