//! Attachments of calendars (RFC 5545 section 3.8.1.1) and address cards (RFC 6350, and vCard 2.1): values in base64.

use super::{Allowance, Closed, Member};

/// Values of one text that are taken out.
const VALUES_MAX: usize = 200;
/// What begins a calendar or a card.
const BEGINS: [&[u8]; 2] = [b"BEGIN:VCALENDAR", b"BEGIN:VCARD"];
/// Parameters that name the file (the names differ from program to program).
const NAMES: [&str; 4] = ["FILENAME", "X-FILENAME", "X-ORACLE-FILENAME", "X-APPLE-FILENAME"];

/// Takes the attachments out.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let head = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |begin: &[u8]| head.get(..begin.len()).is_some_and(|start| start.eq_ignore_ascii_case(begin));
    if !BEGINS.into_iter().any(begins) {
        return Ok(());
    }
    let mut count = 0;
    for line in lines(head) {
        let Some((names, value)) = binary(&line) else { continue };
        count += 1;
        if count > VALUES_MAX {
            return Err(Closed::Limit(format!("more than {VALUES_MAX} attachments of a calendar")));
        }
        allowance.entry()?;
        let content = crate::mime::base64(value);
        let content = allowance.read(value.len() as u64, content.as_slice())?;
        members.push(Member::new(names.unwrap_or_default(), content));
    }
    Ok(())
}

/// Lines, unfolded (RFC 5545 section 3.1). vCard 2.1 ends a value in base64 with an empty line.
fn lines(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).peekable();
    std::iter::from_fn(move || {
        let mut line = rest.next()?.to_vec();
        while let Some(next) = rest.next_if(|next| matches!(next.first(), Some(b' ' | b'\t'))) {
            line.extend_from_slice(&next[1..]);
        }
        Some(line)
    })
}

/// The name and the base64 of a value that is a file; none of other lines.
fn binary(line: &[u8]) -> Option<(Option<String>, &[u8])> {
    let colon = end_of_name(line)?;
    let property = String::from_utf8_lossy(&line[..colon]).into_owned();
    let value = &line[colon + 1..];
    let parameters = property.split(';').skip(1);
    let mut name = None;
    let mut is_binary = false;
    for parameter in parameters {
        let (key, given) = parameter.split_once('=').unwrap_or(("ENCODING", parameter));
        let given = given.trim().trim_matches('"');
        is_binary |= key.trim().eq_ignore_ascii_case("ENCODING")
            && (given.eq_ignore_ascii_case("BASE64") || given.eq_ignore_ascii_case("B"));
        if NAMES.iter().any(|one| key.trim().eq_ignore_ascii_case(one)) {
            name = Some(given.to_owned());
        }
    }
    if is_binary {
        return Some((name, value));
    }
    // A card of version 4 has its values in links of their own (RFC 2397).
    let text = value.get(..5).filter(|begin| begin.eq_ignore_ascii_case(b"data:"))?;
    let comma = memchr::memchr(b',', value)?;
    let is_coded = memchr::memmem::find(&value[text.len()..comma], b"base64").is_some();
    is_coded.then_some((name, &value[comma + 1..]))
}

/// Where the name of a property and its parameters end: at the first colon outside quotes.
fn end_of_name(line: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    line.iter().position(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b':' && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::{Budget, Limits};

    fn members(text: &str) -> Vec<(String, Vec<u8>)> {
        let limits = Limits::default();
        let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10)));
        let mut members = Vec::new();
        open(text.as_bytes(), &mut allowance, &mut members).expect("opened");
        members.into_iter().map(|member| (member.name, member.bytes)).collect()
    }

    #[test]
    fn attachments_of_calendars_and_cards() {
        let calendar = "BEGIN:VCALENDAR\r\nATTACH;FMTTYPE=application/x-msdownload;ENCODING=BASE64;VALUE=BINARY;\r\n \
            X-FILENAME=\"a:b.exe\":aGVs\r\n bG8=\r\nSUMMARY:x\r\nEND:VCALENDAR\r\n";
        assert_eq!(members(calendar), [("a:b.exe".into(), b"hello".to_vec())]);
        assert_eq!(members("BEGIN:VCARD\nKEY;BASE64:aGVs\n bG8=\n\n"), [(String::new(), b"hello".to_vec())]);
        assert_eq!(
            members("BEGIN:VCARD\nPHOTO:data:image/png;base64,aGVsbG8=\n"),
            [(String::new(), b"hello".to_vec())]
        );
        assert_eq!(members("BEGIN:VCARD\nFN:Anna\nATTACH:https://a.example/\n"), []);
        assert_eq!(members("A text\nKEY;BASE64:aGVs\n"), []);
    }
}
