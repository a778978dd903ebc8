//! The header block of a message as bytes: where each field begins and ends. Nothing is decoded here.
//!
//! The gateway removes forged fields by these ranges, the release token is found with them, and the
//! ambiguity findings count fields with them; so all three see the same fields.

use std::ops::Range;

use crate::address::Address;

/// One header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'m> {
    /// The name, as written, without the colon.
    pub name: &'m str,
    /// The body with its folds, without the last line end.
    pub value: &'m [u8],
    /// Where the field begins in the message.
    pub start: usize,
    /// Where the next field begins.
    pub end: usize,
}

impl Field<'_> {
    /// Whether this is the field `name`, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The body on one line, folds and edges trimmed; bytes that are no UTF-8 become U+FFFD.
    pub fn unfolded(&self) -> String {
        let text = String::from_utf8_lossy(self.value);
        text.split(['\r', '\n']).filter(|line| !line.is_empty()).collect::<Vec<_>>().concat().trim().to_owned()
    }

    /// The bytes of the whole field in the message.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// The fields of the header block, top first. Lines that are no fields are skipped.
pub fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < message.len() {
            let start = at;
            let first_end = line_end(message, at);
            if is_blank(&message[start..first_end]) {
                at = message.len();
                return None;
            }
            let mut end = first_end;
            while matches!(message.get(end), Some(b' ' | b'\t')) && !is_blank(&message[end..line_end(message, end)]) {
                end = line_end(message, end);
            }
            at = end;
            if let Some(field) = field(message, start, end) {
                return Some(field);
            }
        }
        None
    })
}

/// Where the body begins: behind the empty line, or at the end of a message that has none.
pub fn body_start(message: &[u8]) -> usize {
    let mut at = 0;
    while at < message.len() {
        let end = line_end(message, at);
        if matches!(&message[at..end], b"\r\n" | b"\n") {
            return end;
        }
        at = end;
    }
    message.len()
}

fn field(message: &[u8], start: usize, end: usize) -> Option<Field<'_>> {
    let bytes = &message[start..end];
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    // Obsolete syntax allows white space before the colon (RFC 5322 section 4.5), and forgers know it.
    let name = std::str::from_utf8(&bytes[..colon]).ok()?.trim_end_matches([' ', '\t']);
    let named = !name.is_empty() && name.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    let value = &bytes[colon + 1..];
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    named.then_some(Field { name, value, start, end })
}

fn line_end(message: &[u8], at: usize) -> usize {
    message[at..].iter().position(|byte| *byte == b'\n').map_or(message.len(), |lf| at + lf + 1)
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

/// Ids that a mail is read to answer, at most.
const ANSWERED_MAX: usize = 8;
/// Octets of an id that is looked at: no line is longer (RFC 5322 section 2.1.1).
const ID_BYTES_MAX: usize = 998;

/// The mails that this one answers, by their ids with the angle brackets: In-Reply-To, then References from its end
/// (RFC 5322 section 3.6.4), the first eight of them.
pub fn answered(message: &[u8]) -> Vec<String> {
    let of = |name: &'static str| fields(message).filter(move |field| field.is(name));
    let ids = |value: String| {
        let ids = value.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(id, _)| format!("<{id}>"));
        ids.filter(|id| id.len() <= ID_BYTES_MAX && !id.contains(char::is_whitespace)).collect::<Vec<_>>()
    };
    let first = of("In-Reply-To").take(1).flat_map(|field| ids(field.unfolded()));
    let thread = of("References").take(1).flat_map(|field| ids(field.unfolded()).into_iter().rev());
    let mut answered: Vec<String> = Vec::new();
    for id in first.chain(thread) {
        if answered.len() == ANSWERED_MAX {
            break;
        }
        if !answered.contains(&id) {
            answered.push(id);
        }
    }
    answered
}

/// The mailboxes of an address list, found by their shape: what stands in angle brackets or alone.
pub fn addresses(value: &str) -> Vec<Address> {
    value
        .split(',')
        .filter_map(|one| {
            let inner = one.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(one, |(inner, _)| inner);
            Address::parse(inner.trim()).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_fields_and_the_body() {
        let message =
            b"From: a@b\r\nSubject: one\r\n two\r\n\tthree\r\nX-Odd : v\r\nno field here\r\nTo:\r\n\r\nBody: \
            not a field\r\n";
        let seen: Vec<(String, String)> = fields(message).map(|f| (f.name.to_owned(), f.unfolded())).collect();
        let expected = [("From", "a@b"), ("Subject", "one two\tthree"), ("X-Odd", "v"), ("To", "")];
        assert_eq!(seen, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(&message[body_start(message)..], b"Body: not a field\r\n");
        let subject = fields(message).find(|f| f.is("SUBJECT")).expect("subject");
        assert_eq!(&message[subject.range()], b"Subject: one\r\n two\r\n\tthree\r\n");
    }

    #[test]
    fn what_a_mail_answers() {
        let of = |fields: &str| answered(format!("{fields}Subject: x\r\n\r\nIn-Reply-To: <body@x>\r\n").as_bytes());
        assert_eq!(of(""), Vec::<String>::new());
        assert_eq!(of("In-Reply-To: <1@x>\r\n"), ["<1@x>"]);
        let both = "References: <1@x>\r\n <2@x> <3@x>\r\nIn-Reply-To: Your mail of Monday <3@x>\r\n";
        assert_eq!(of(both), ["<3@x>", "<2@x>", "<1@x>"]);
        let many: String = (0..500).map(|n| format!(" <{n}@x>")).collect();
        assert_eq!(of(&format!("References:{many}\r\n")).len(), ANSWERED_MAX);
        assert_eq!(of("References: <no end, <a b@x> <>\r\n").len(), 1, "what is no id is left out");
        assert_eq!(of(&format!("In-Reply-To: <{}@x>\r\n", "a".repeat(2000))).len(), 0);
    }

    #[test]
    fn messages_without_body_or_header() {
        assert_eq!(fields(b"").count(), 0);
        assert_eq!(body_start(b"From: a@b\r\n"), 11);
        assert_eq!(fields(b"\r\nFrom: a@b\r\n").count(), 0);
        assert_eq!(fields(b"From: a@b").count(), 1);
    }
}
