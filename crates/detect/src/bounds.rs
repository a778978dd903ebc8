//! How far a mail is parsed at all. The parser of mail builds a tree of everything that a mail nests, and takes stack
//! and memory for that; so it is looked first, in one pass and without a tree, whether that would be more than
//! anybody's mail needs. What is over is `Unscannable`, in every build.
//!
//! Nothing is parsed here: what could be a header, a delimiter or a mail in a mail is counted as one, wherever it
//! stands. So whatever the parser makes of these bytes, it is not more. Only a mail in a mail that is encoded is
//! decoded, because what it nests is seen by nobody otherwise.

use std::collections::HashSet;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use crate::limits::Limits;

/// Delimiters for each part that a mail may have: it begins, a multipart around it ends, and text may look like one.
const DELIMITERS_A_PART: usize = 4;
/// Bytes of one field that says what a part is.
const FIELD_BYTES_MAX: usize = 1 << 20;
/// Bytes of all fields that say what a part is.
const KINDS_BYTES_MAX: usize = 16 << 20;
/// Bytes that are compared with delimiters where two hyphens stand.
const LOOKS_MAX: usize = 2 << 30;
/// Bytes of a boundary; RFC 2046 allows 70.
const BOUNDARY_BYTES_MAX: usize = 1000;
/// Encoded mails in encoded mails, as deep as the parser goes.
const ENCODED_DEPTH: usize = 3;

/// Whether a mail may be parsed.
///
/// # Errors
/// What is over which limit, for people.
pub(crate) fn check(raw: &[u8], limits: &Limits) -> Result<(), String> {
    Counted::within(limits).count(raw, 0)
}

/// What one mail has, with all that it holds.
#[derive(Debug)]
struct Counted<'l> {
    limits: &'l Limits,
    delimiters_max: usize,
    mails: usize,
    delimiters: usize,
    header_bytes: usize,
    header_lines: usize,
    looks: usize,
    decoded_bytes: usize,
    kind_bytes: usize,
    encoded: usize,
}

/// What a paragraph says, if it is a header.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    /// A mail follows, or a digest of mails.
    may_be_mail: bool,
    /// What follows is something, whatever.
    says_kind: bool,
    /// It is encoded.
    is_encoded: bool,
}

impl<'l> Counted<'l> {
    fn within(limits: &'l Limits) -> Self {
        Self {
            limits,
            delimiters_max: limits.parts_max.saturating_mul(DELIMITERS_A_PART),
            mails: 0,
            delimiters: 0,
            header_bytes: 0,
            header_lines: 0,
            looks: 0,
            decoded_bytes: 0,
            kind_bytes: 0,
            encoded: 0,
        }
    }

    fn count(&mut self, raw: &[u8], depth: usize) -> Result<(), String> {
        let mut boundaries = HashSet::new();
        let mut encoded = Vec::new();
        let mut is_digest = false;
        let mut block = Block::default();
        let mut of_header = true;
        let mut at = 0;
        while at < raw.len() {
            let end = memchr::memchr(b'\n', &raw[at..]).map_or(raw.len(), |lf| at + lf + 1);
            let line = &raw[at..end];
            if line.iter().all(u8::is_ascii_whitespace) {
                // The parser may take a line of blanks for the end of a header, or for a fold.
                let may_be_mail = block.may_be_mail || !block.says_kind || is_digest;
                if may_be_mail && block.is_encoded {
                    encoded.push(end);
                }
                if matches!(line, b"\n" | b"\r\n") {
                    // What follows the header of a mail in a mail is a header.
                    of_header = block.may_be_mail || is_digest;
                    block = Block::default();
                }
            } else {
                let start = line.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b':').unwrap_or(0);
                let name = &line[start..];
                if begins(name, b"content-type") {
                    block.says_kind = true;
                    let kind = self.kind(&raw[at + start..], &mut boundaries)?;
                    block.may_be_mail |= kind != Kind::Other;
                    is_digest |= kind == Kind::Digest;
                } else if begins(name, b"content-transfer-encoding") {
                    block.is_encoded = true;
                }
            }
            if of_header {
                self.header(end - at)?;
            }
            at = end;
        }
        self.delimited(raw, &boundaries)?;
        if depth >= ENCODED_DEPTH {
            return Ok(());
        }
        for begin in encoded {
            self.encoded += 1;
            if self.encoded > self.limits.encoded_mails_max {
                return Err(format!("more than {} encoded mails in a mail", self.limits.encoded_mails_max));
            }
            for decoded in decodings(&raw[begin..]) {
                self.decoded_bytes += raw.len() - begin;
                let most = self.limits.encoded_bytes_max;
                if self.decoded_bytes > most {
                    return Err(format!("more than {} MiB of encoded mails in mails", most >> 20));
                }
                self.count(&decoded, depth + 1)?;
            }
        }
        Ok(())
    }

    fn header(&mut self, bytes: usize) -> Result<(), String> {
        self.header_bytes += bytes;
        self.header_lines += 1;
        let Limits { headers_bytes_max, header_lines_max, .. } = *self.limits;
        if self.header_bytes > headers_bytes_max {
            return Err(format!("headers of more than {} MiB", headers_bytes_max >> 20));
        }
        if self.header_lines > header_lines_max {
            return Err(format!("headers of more than {header_lines_max} lines"));
        }
        Ok(())
    }

    /// What a Content-Type field says, as the parser reads it.
    fn kind<'r>(&mut self, field: &'r [u8], boundaries: &mut HashSet<Vec<u8>>) -> Result<Kind, String> {
        let Some(colon) = memchr::memchr(b':', &field[..field.len().min(FIELD_BYTES_MAX)]) else {
            return Ok(Kind::Other);
        };
        let value: &'r [u8] = &field[colon + 1..];
        let value = &value[..value.len().min(FIELD_BYTES_MAX)];
        let mut stream = MessageStream::new(value);
        let read = stream.parse_content_type();
        self.kind_bytes += stream.offset();
        if self.kind_bytes > KINDS_BYTES_MAX {
            return Err(format!("more than {} MiB of content types", KINDS_BYTES_MAX >> 20));
        }
        let HeaderValue::ContentType(kind) = read else { return Ok(Kind::Other) };
        if let Some(boundary) = kind.attribute("boundary") {
            if boundary.len() > BOUNDARY_BYTES_MAX {
                return Err(format!("a boundary of more than {BOUNDARY_BYTES_MAX} bytes"));
            }
            boundaries.insert(boundary.as_bytes().to_vec());
        }
        let subtype = kind.subtype().unwrap_or_default();
        let kind = match kind.ctype() {
            "message" if matches!(subtype, "rfc822" | "global") => Kind::Mail,
            "multipart" if subtype == "digest" => Kind::Digest,
            _ => return Ok(Kind::Other),
        };
        self.mails += 1;
        if self.mails > self.limits.nested_mails_max {
            return Err(format!("more than {} mails in a mail", self.limits.nested_mails_max));
        }
        Ok(kind)
    }

    /// Delimiters, and the headers behind them.
    fn delimited(&mut self, raw: &[u8], boundaries: &HashSet<Vec<u8>>) -> Result<(), String> {
        let mut lengths: Vec<usize> = boundaries.iter().map(Vec::len).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let bytes_compared: usize = lengths.iter().sum();
        let mut is_first = [false; 256];
        boundaries.iter().filter_map(|boundary| boundary.first()).for_each(|byte| is_first[usize::from(*byte)] = true);
        for at in memchr::memmem::find_iter(raw, b"--").flat_map(|at| [at + 2, at + 3]) {
            let Some(rest) = raw.get(at..).filter(|_| raw.get(at - 2..at) == Some(b"--")) else { continue };
            if !rest.first().is_some_and(|byte| is_first[usize::from(*byte)]) {
                continue;
            }
            // What is compared is hashed, so what counts is its bytes.
            self.looks += bytes_compared;
            if self.looks > LOOKS_MAX {
                return Err("delimiters that cannot be told from text".into());
            }
            let found =
                lengths.iter().filter(|length| rest.get(..**length).is_some_and(|text| boundaries.contains(text)));
            for length in found {
                self.delimiters += 1;
                if self.delimiters > self.delimiters_max {
                    return Err(format!("more than {} delimiters of parts", self.delimiters_max));
                }
                self.header_behind(&rest[*length..])?;
            }
        }
        Ok(())
    }

    fn header_behind(&mut self, rest: &[u8]) -> Result<(), String> {
        let mut at = memchr::memchr(b'\n', rest).map_or(rest.len(), |lf| lf + 1);
        while at < rest.len() {
            let end = memchr::memchr(b'\n', &rest[at..]).map_or(rest.len(), |lf| at + lf + 1);
            if matches!(&rest[at..end], b"\n" | b"\r\n") {
                return Ok(());
            }
            self.header(end - at)?;
            at = end;
        }
        Ok(())
    }
}

/// What a part is, as far as it nests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mail,
    Digest,
    Other,
}

fn begins(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// What these bytes are when they are encoded: by base64 up to the first byte that is of no such text, and by
/// quoted-printable.
fn decodings(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let text = bytes.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+/= \t\r\n".contains(byte));
    // Two hyphens end base64, and begin a delimiter.
    let base64 = mail_parser::decoders::base64::base64_decode(&bytes[..text.unwrap_or(bytes.len())]);
    base64.into_iter().chain([unquoted(bytes)]).filter(|decoded| !decoded.is_empty())
}

/// Quoted-printable decoded; what is none stays as it is.
fn unquoted(bytes: &[u8]) -> Vec<u8> {
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'=', [b'\n', after @ ..] | [b'\r', b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high * 16 + low);
                    rest = after;
                }
                _ => out.push(b'='),
            },
            (first, _) => out.push(*first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(raw: &str) -> Option<String> {
        check(raw.replace('\n', "\r\n").as_bytes(), &Limits::default()).err()
    }

    #[test]
    fn mail_as_people_send_it_is_parsed() {
        let parts = "--b\nContent-Type: text/plain\n\ntext -- with --hyphens\n-- \nme\n".repeat(1999);
        assert_eq!(over(&format!("Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")), None);
        let mails = "--b\nContent-Type: message/rfc822\n\nSubject: a\n\nb\n".repeat(400);
        assert_eq!(over(&format!("Content-Type: multipart/mixed; boundary=b\n\n{mails}--b--\n")), None);
        assert_eq!(over(&format!("To: {}\n\nx\n", "a@x.example,\n ".repeat(50_000))), None);
        assert_eq!(over(&format!("Subject: a\n\n{}", "-- comment: of a dump\n".repeat(200_000))), None);
        assert_eq!(over(&format!("Subject: a\n\n{}", "a: b\n".repeat(300_000))), None, "a body is no header");
    }

    #[test]
    fn limits_that_are_set_are_those_that_hold() {
        let with = |raw: &str, limits: Limits| check(raw.replace('\n', "\r\n").as_bytes(), &limits).err();
        let usual = Limits::default;
        let nested = "Content-Type: message/rfc822\n\n".repeat(5);
        assert_eq!(with(&nested, Limits { nested_mails_max: 5, ..usual() }), None);
        let few = Limits { nested_mails_max: 4, ..usual() };
        assert_eq!(with(&nested, few).as_deref(), Some("more than 4 mails in a mail"));
        let head = format!("{}\nx\n", "a: b\n".repeat(300));
        assert!(with(&head, Limits { header_lines_max: 299, ..usual() }).is_some());
        assert!(with(&head, Limits { headers_bytes_max: 1000, ..usual() }).is_some());
        let encoded =
            format!("Content-Transfer-Encoding: base64\nContent-Type: message/rfc822\n\n{}\n", "QUFB".repeat(100));
        assert_eq!(with(&encoded, usual()), None);
        assert!(with(&encoded, Limits { encoded_mails_max: 0, ..usual() }).is_some());
        assert!(with(&encoded, Limits { encoded_bytes_max: 300, ..usual() }).is_some());
    }

    #[test]
    fn what_nests_without_end_is_not() {
        let nested = "Content-Type: message/rfc822\n\n".repeat(501);
        assert_eq!(over(&nested).as_deref(), Some("more than 500 mails in a mail"));
        let sly = "x:y\n :CONTENT-type : message / (comment) rfc822\n\n".repeat(501);
        assert!(over(&sly).is_some());
        let parts = "--b\n\n".repeat(8001);
        assert!(over(&format!("Content-Type: multipart/mixed; boundary=b\n\n{parts}")).is_some());
        assert!(over(&format!("{}\n", "a: b\n".repeat(200_001))).is_some());
        assert!(
            over(&format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n{}", "a: b\n".repeat(200_001))).is_some()
        );
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(nested.replace('\n', "\r\n"));
        assert!(
            over(&format!("Content-Transfer-Encoding: base64\nContent-Type: message/rfc822\n\n{encoded}\n")).is_some()
        );
        let quoted = nested.replace('C', "=43");
        let head = "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n";
        assert!(over(&format!("{head}\n{quoted}\n")).is_some());
        assert!(over(&format!("{head}odd\n \n{quoted}\n")).is_some(), "a line of blanks may end a header");
    }
}
