//! Signed data (RFC 5652), the `smime.p7m` of a mail that is signed as a whole, and any file that was signed so: mail
//! programs show what is inside. Encrypted data is opened by its recipient alone.

use super::{Allowance, Closed, Member};

/// Nesting of values that is followed.
const DEPTH_MAX: usize = 16;
/// Values of one message that are looked at.
const VALUES_MAX: usize = 10_000;
/// What the content types of CMS begin with: 1.2.840.113549.1.7, and 1.2.840.113549.1.9.16.1 for compressed data.
const PKCS7: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
const COMPRESSED: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x09];
const SIGNED: u8 = 2;
const ENVELOPED: u8 = 3;
const ENCRYPTED: u8 = 6;

/// Whether bytes are a message of CMS: a sequence that begins with one of its content types.
pub(crate) fn is_cms(bytes: &[u8]) -> bool {
    kind(bytes).is_some()
}

/// What kind of content a message has.
fn kind(bytes: &[u8]) -> Option<u8> {
    let outer = Value::read(bytes).filter(|value| value.tag == 0x30)?;
    let inner = Value::read(outer.content).filter(|value| value.tag == 0x06)?;
    match inner.content {
        [begin @ .., kind] if begin == PKCS7 => Some(*kind),
        content if content == COMPRESSED => Some(0),
        _ => None,
    }
}

/// Takes out what is signed.
pub(super) fn open(
    bytes: &[u8],
    name: &str,
    allowance: &mut Allowance<'_>,
    members: &mut Vec<Member>,
) -> Result<(), Closed> {
    match kind(bytes) {
        Some(SIGNED | 0) => {}
        Some(ENVELOPED | ENCRYPTED) => return Err(Closed::NotAnalysed("S/MIME that is encrypted".into())),
        _ => return Err(Closed::NotAnalysed("a message of CMS of another kind".into())),
    }
    let Some(content) = content(bytes) else { return Ok(()) };
    allowance.entry()?;
    let content = if kind(bytes) == Some(0) {
        let packed = content.len() as u64;
        allowance.read(packed, flate2::read::ZlibDecoder::new(content.as_slice()))?
    } else {
        allowance.read(content.len() as u64, content.as_slice())?
    };
    members.push(Member::new(inner_name(name, &content), content));
    Ok(())
}

/// What is inside is named as the whole without its ending; what `smime.p7m` holds is a mail.
fn inner_name(name: &str, content: &[u8]) -> String {
    let stem = name.len().checked_sub(4).filter(|at| name.is_char_boundary(*at)).map(|at| name.split_at(at));
    let stem = stem.filter(|(_, end)| end.eq_ignore_ascii_case(".p7m")).map(|(stem, _)| stem).unwrap_or_default();
    let is_mail = content.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case(b"content-"))
        || content.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case(b"mime-"));
    if is_mail || !stem.contains('.') { "smime.eml".to_owned() } else { stem.to_owned() }
}

/// The content that is signed: of the values that belong to it, the first string of octets behind the content type of
/// the inner content, put together where it comes in pieces.
fn content(bytes: &[u8]) -> Option<Vec<u8>> {
    let outer = Value::read(bytes)?;
    let signed = outer.children().find(|value| value.tag == 0xa0)?;
    let data = signed.children().next().filter(|value| value.tag == 0x30)?;
    let inner = data
        .children()
        .find(|value| value.tag == 0x30 && Value::read(value.content).is_some_and(|first| first.tag == 0x06))?;
    let wrapped = inner.children().find(|value| value.tag == 0xa0)?;
    let mut out = Vec::new();
    octets(wrapped, &mut out);
    Some(out)
}

/// The strings of octets in a value, joined (X.690 section 8.7.3).
fn octets(value: Value<'_>, out: &mut Vec<u8>) {
    let mut waiting = vec![(value, 0)];
    let mut left = VALUES_MAX;
    while let Some((value, depth)) = waiting.pop() {
        if value.tag == 0x04 {
            out.extend_from_slice(value.content);
            continue;
        }
        if depth >= DEPTH_MAX {
            continue;
        }
        let children: Vec<Value<'_>> = value.children().take(left).collect();
        left -= children.len();
        waiting.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
    }
}

/// A value of BER (X.690): a tag of one byte, a length, a content.
#[derive(Clone, Copy, Debug)]
struct Value<'b> {
    tag: u8,
    content: &'b [u8],
    /// Bytes that it takes in all.
    length: usize,
}

impl<'b> Value<'b> {
    /// The value at the beginning. One without a length of its own takes what is left; its end is found by its reader.
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let (tag, first) = (*bytes.first()?, *bytes.get(1)?);
        let (head, size) = match first {
            0x80 => (2, end_of_indefinite(&bytes[2..])?),
            0..=0x7f => (2, usize::from(first)),
            _ => {
                let count = usize::from(first & 0x7f);
                let digits = bytes.get(2..2 + count).filter(|_| count <= 8)?;
                (
                    2 + count,
                    digits
                        .iter()
                        .try_fold(0_usize, |size, byte| size.checked_mul(256)?.checked_add(usize::from(*byte)))?,
                )
            }
        };
        // What is cut off is read as far as it goes.
        let end = head.saturating_add(size).min(bytes.len());
        let marker = if first == 0x80 { 2 } else { 0 };
        Some(Self { tag, content: &bytes[head.min(end)..end], length: (end + marker).min(bytes.len()) })
    }

    fn children(self) -> impl Iterator<Item = Value<'b>> {
        let mut rest = self.content;
        std::iter::from_fn(move || {
            let value = Value::read(rest)?;
            rest = &rest[value.length.max(1)..];
            Some(value)
        })
    }
}

/// Where the content of a value ends whose length is not given: at two zeros on its own level.
fn end_of_indefinite(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut open) = (0_usize, 1_usize);
    for _ in 0..VALUES_MAX {
        let rest = bytes.get(at..)?;
        if rest.is_empty() {
            return Some(bytes.len());
        }
        if rest.starts_with(&[0, 0]) {
            open -= 1;
            if open == 0 {
                return Some(at);
            }
            at += 2;
            continue;
        }
        match rest.get(1)? {
            0x80 => {
                open += 1;
                at += 2;
            }
            length @ 0..=0x7f => at += 2 + usize::from(*length),
            length => {
                let count = usize::from(length & 0x7f);
                let digits = rest.get(2..2 + count).filter(|_| count <= 8)?;
                let size = digits.iter().fold(0_usize, |size, byte| size.wrapping_mul(256) + usize::from(*byte));
                at = at.checked_add(2 + count)?.checked_add(size)?;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::{Budget, Limits};
    use proptest::prelude::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x84][..], &length, content].concat()
    }

    fn open_ended(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, 0x80][..], content, &[0, 0]].concat()
    }

    fn oid(kind: u8) -> Vec<u8> {
        [&[0x06, 9][..], &PKCS7, &[kind]].concat()
    }

    fn signed(wrap: fn(u8, &[u8]) -> Vec<u8>, octets: &[u8]) -> Vec<u8> {
        let inner = wrap(0x30, &[oid(1), wrap(0xa0, octets)].concat());
        let data = wrap(0x30, &[vec![2, 1, 1], value(0x31, &[]), inner, value(0x31, &[])].concat());
        wrap(0x30, &[oid(SIGNED), wrap(0xa0, &data)].concat())
    }

    type Files = Vec<(String, Vec<u8>)>;

    fn opened(bytes: &[u8], name: &str) -> (Files, Result<(), Closed>) {
        let limits = Limits::default();
        let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10)));
        let mut members = Vec::new();
        let result = open(bytes, name, &mut allowance, &mut members);
        (members.into_iter().map(|member| (member.name, member.bytes)).collect(), result)
    }

    #[test]
    fn what_is_signed_is_taken_out() {
        let mail = b"Content-Type: text/plain\r\n\r\nhello";
        let expected = vec![("smime.eml".to_owned(), mail.to_vec())];
        assert_eq!(opened(&signed(value, &value(4, mail)), "smime.p7m"), (expected.clone(), Ok(())));
        let pieces = open_ended(0x24, &[value(4, &mail[..9]), value(4, &mail[9..])].concat());
        assert_eq!(opened(&signed(open_ended, &pieces), "smime.p7m"), (expected, Ok(())));
        let (members, _) = opened(&signed(value, &value(4, b"<x/>")), "invoice.xml.P7M");
        assert_eq!(members, [("invoice.xml".to_owned(), b"<x/>".to_vec())]);
        assert!(is_cms(&signed(value, &value(4, mail))) && !is_cms(b"0\x03\x06\x01\x01") && !is_cms(b""));
    }

    #[test]
    fn a_signature_alone_and_what_is_encrypted_hold_nothing() {
        let alone = value(0x30, &[oid(SIGNED), value(0xa0, &value(0x30, &[2, 1, 1]))].concat());
        assert_eq!(opened(&alone, "smime.p7s"), (vec![], Ok(())));
        let encrypted = value(0x30, &[oid(ENVELOPED), value(0xa0, &[])].concat());
        assert!(matches!(opened(&encrypted, "smime.p7m").1, Err(Closed::NotAnalysed(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..200, byte in any::<u8>()) {
            let _ = opened(&bytes, "a");
            let pieces = open_ended(0x24, &value(4, b"x"));
            for mut damaged in [signed(value, &value(4, b"x")), signed(open_ended, &pieces)] {
                let at = at % damaged.len();
                damaged[at] = byte;
                let _ = opened(&damaged, "smime.p7m");
                let _ = opened(&damaged[..at], "smime.p7m");
            }
        }
    }
}
