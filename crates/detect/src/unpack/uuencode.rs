//! Files in a text as they were sent before MIME: uuencode and its base64 form (POSIX.1, `uuencode`), and yEnc
//! (yEnc 1.3). A text may speak of `begin 644 notes`; it is a file only where lines of one follow.

use super::{Allowance, Closed, Member};

/// Files of one text that are taken out.
const FILES_MAX: usize = 200;

/// Takes the files in uuencode out.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let mut rest = bytes;
    for _ in 0..FILES_MAX {
        let Some((header, body)) = next_header(rest) else { return Ok(()) };
        let (content, behind) = if header.is_base64 { base64_lines(body) } else { lines(body) };
        rest = behind;
        if content.is_empty() {
            continue;
        }
        allowance.entry()?;
        let content = allowance.read(content.len() as u64, content.as_slice())?;
        members.push(Member::new(header.name, content));
    }
    Err(Closed::Limit(format!("more than {FILES_MAX} files in a text")))
}

struct Header {
    name: String,
    is_base64: bool,
}

/// The next `begin` line, and what stands behind it.
fn next_header(text: &[u8]) -> Option<(Header, &[u8])> {
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&text[at..], b"begin") {
        let begin = at + found;
        at = begin + 5;
        let starts_line = begin == 0 || matches!(text[begin - 1], b'\n' | b'\r');
        let end = memchr::memchr(b'\n', &text[begin..]).map_or(text.len(), |lf| begin + lf + 1);
        if starts_line && let Some(header) = header(&text[begin..end]) {
            return Some((header, &text[end..]));
        }
    }
    None
}

/// `begin 644 name` or `begin-base64 644 name`; the mode is three or four octal digits.
fn header(line: &[u8]) -> Option<Header> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.trim().splitn(3, ' ');
    let is_base64 = match words.next()? {
        "begin" => false,
        "begin-base64" => true,
        _ => return None,
    };
    let mode = words.next()?;
    let is_mode = matches!(mode.len(), 3 | 4) && mode.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    let name = words.next()?.trim().trim_matches('"').to_owned();
    (is_mode && !name.is_empty()).then_some(Header { name, is_base64 })
}

/// Lines of uuencode up to `end`, or to the first that is none; what stands behind them.
fn lines(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |lf| at + lf + 1);
        let line = text[at..end].strip_suffix(b"\n").unwrap_or(&text[at..end]);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.trim_ascii().is_empty() && !decode_line(line, &mut out) {
            break;
        }
        at = end;
    }
    (out, &text[at..])
}

/// Decodes one line: a letter for its length, then four letters for three bytes. Blanks at its end may be lost.
fn decode_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((first, data)) = line.split_first() else { return false };
    if !(b' '..=b'`').contains(first) || data.iter().any(|byte| !(b' '..=b'`').contains(byte)) {
        return false;
    }
    let length = usize::from((first - b' ') & 63);
    let needed = length.div_ceil(3) * 4;
    // Some writers add a letter for a checksum; a line much longer than its length says is prose.
    if data.len() > needed + 2 || (data.len() + 4 < needed && length > 0 && data.is_empty()) {
        return false;
    }
    if length == 0 {
        return true;
    }
    let mut decoded = Vec::with_capacity(needed / 4 * 3);
    for group in 0..needed / 4 {
        let digit = |at: usize| data.get(group * 4 + at).map_or(0, |byte| u32::from((byte - b' ') & 63));
        let bits = digit(0) << 18 | digit(1) << 12 | digit(2) << 6 | digit(3);
        decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    decoded.truncate(length);
    out.extend_from_slice(&decoded);
    true
}

/// Lines of base64 up to `====`, or to the first that is none.
fn base64_lines(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut joined, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |lf| at + lf + 1);
        let line = text[at..end].trim_ascii();
        let is_data = line.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        if !is_data || line == b"====" {
            break;
        }
        joined.extend_from_slice(line);
        at = end;
    }
    (crate::mime::base64(&joined), &text[at..])
}

/// Takes the files in yEnc out.
pub(super) fn open_yenc(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let mut rest = bytes;
    for _ in 0..FILES_MAX {
        let Some(found) = memchr::memmem::find(rest, b"=ybegin ") else { return Ok(()) };
        let line_end = memchr::memchr(b'\n', &rest[found..]).map_or(rest.len(), |lf| found + lf + 1);
        let line = String::from_utf8_lossy(&rest[found..line_end]).into_owned();
        let mut body = &rest[line_end..];
        if body.starts_with(b"=ypart ") {
            body = memchr::memchr(b'\n', body).map_or(&[], |lf| &body[lf + 1..]);
        }
        let end = memchr::memmem::find(body, b"=yend").unwrap_or(body.len());
        let name = line.split_once("name=").map(|(_, name)| name.trim().to_owned());
        rest = &body[end..];
        let Some(name) = name else { continue };
        allowance.entry()?;
        let content = from_yenc(&body[..end]);
        let content = allowance.read(content.len() as u64, content.as_slice())?;
        members.push(Member::new(name, content));
    }
    Err(Closed::Limit(format!("more than {FILES_MAX} files in a text")))
}

/// Each byte is moved by 42; behind `=` it is moved by 64 more. Line ends are none of the data.
fn from_yenc(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut bytes = data.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {}
            b'=' => out.extend(bytes.next().map(|byte| byte.wrapping_sub(64 + 42))),
            byte => out.push(byte.wrapping_sub(42)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::{Budget, Limits};
    use proptest::prelude::*;

    fn members(text: &[u8]) -> Vec<(String, Vec<u8>)> {
        let limits = Limits::default();
        let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10)));
        let (found, closed) = super::super::in_text(text, &mut allowance);
        assert_eq!(closed, []);
        found.into_iter().map(|member| (member.name, member.bytes)).collect()
    }

    fn encoded(bytes: &[u8]) -> String {
        let letter = |value: u8| char::from(if value == 0 { b'`' } else { value + 32 });
        let mut out = String::new();
        for line in bytes.chunks(45) {
            out.push(letter(line.len() as u8));
            for group in line.chunks(3) {
                let [a, b, c] = [0, 1, 2].map(|at| group.get(at).copied().unwrap_or(0));
                let four = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
                out.extend(four.map(letter));
            }
            out.push('\n');
        }
        out
    }

    #[test]
    fn files_in_a_text_are_taken_out() {
        let text = format!("Hello,\n\nbegin 644 my file.exe\n{}`\nend\nBye\n", encoded(b"MZ and more"));
        assert_eq!(members(text.as_bytes()), [("my file.exe".into(), b"MZ and more".to_vec())]);
        assert_eq!(members(b"begin-base64 644 a.js\naGVs\nbG8=\n====\n"), [("a.js".into(), b"hello".to_vec())]);
        let mut yenc = b"=ybegin line=128 size=3 name=a.bat\r\n".to_vec();
        yenc.extend([b'a' + 42, b'=', 0_u8.wrapping_add(42 + 64), b'\r', b'\n']);
        yenc.extend(b"=yend size=2\r\n");
        assert_eq!(members(&yenc), [("a.bat".into(), b"a\0".to_vec())]);
    }

    #[test]
    fn prose_is_no_file() {
        for text in [
            "begin 644 notes\nThe lecture was about Cicero and his letters to Atticus, read aloud.\n",
            "To begin 644 is a mode\n",
            "begin 9999 x\n",
            "let begin 644\nend\n",
            "begin 644 x\n",
        ] {
            assert_eq!(members(text.as_bytes()), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
            let text = format!("begin 600 a\n{}end\n", encoded(&bytes));
            prop_assert_eq!(members(text.as_bytes()), vec![("a".to_owned(), bytes)]);
        }

        #[test]
        fn any_text_ends(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let text = [b"begin 644 a\n=ybegin name=x\nbegin-base64 644 b\n".as_slice(), &bytes].concat();
            let _ = members(&text);
        }
    }
}
