//! The syntax of a PDF (ISO 32000-1, 7.2 and 7.3): names, strings, dictionaries and references, read wherever they
//! stand, without a table of objects.

use crate::utf16;

/// Bytes of one string that are read.
const STRING_MAX: usize = 20_000;
/// Bytes of one value that are walked.
const VALUE_MAX: usize = 64 << 10;
/// Entries of one dictionary that are read.
const ENTRIES_MAX: usize = 2000;

/// Whether a byte ends a name or a number (7.2.2).
pub(super) fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0 || b"()<>[]{}/%".contains(&byte)
}

/// Names may hide letters as #41 (7.3.5).
pub(super) fn plain_names(text: &str) -> String {
    if !text.contains('#') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while at < bytes.len() {
        let hidden = (bytes[at] == b'#').then(|| bytes.get(at + 1..at + 3)).flatten();
        let value =
            hidden.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        match value.filter(u8::is_ascii_graphic) {
            Some(value) => {
                out.push(char::from(value));
                at += 3;
            }
            None => {
                out.push(char::from(bytes[at]));
                at += 1;
            }
        }
    }
    out
}

/// The name at the beginning of `bytes`, which follow a slash, and its length.
pub(super) fn name(bytes: &[u8]) -> (String, usize) {
    let length = bytes.iter().take(100).take_while(|byte| !is_delimiter(**byte)).count();
    (plain_names(&String::from_utf8_lossy(&bytes[..length])), length)
}

/// The bytes of a value at the beginning of `bytes`: a dictionary, an array, a string, a name, a reference, a number.
pub(super) fn value(bytes: &[u8]) -> &[u8] {
    let bytes = &bytes[..bytes.len().min(VALUE_MAX)];
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
    let rest = &bytes[start..];
    let length = match rest {
        [b'<', b'<', ..] | [b'[', ..] => balanced(rest),
        [b'(', ..] => literal(rest).1,
        [b'<', ..] => rest.iter().position(|byte| *byte == b'>').map_or(rest.len(), |end| end + 1),
        [b'/', ..] => 1 + name(&rest[1..]).1,
        _ => match reference(rest) {
            Some((_, length)) => length,
            None => rest.iter().take_while(|byte| !is_delimiter(**byte)).count(),
        },
    };
    &rest[..length]
}

/// How long a dictionary or an array is, with everything in it. No recursion: a document decides how deep it is.
fn balanced(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'<', b'<', ..] | [b'>', b'>', ..] | [b'[', ..] | [b']', ..] => {
                let opens = matches!(bytes[at], b'<' | b'[');
                at += if matches!(bytes[at], b'<' | b'>') { 2 } else { 1 };
                if opens {
                    depth += 1;
                } else {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at;
                    }
                }
            }
            [b'(', ..] => at += literal(&bytes[at..]).1.max(1),
            [b'%', ..] => at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\r' | b'\n')).count().max(1),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The entries of a dictionary, those of dictionaries in it left where they are: each name, and the bytes of its value.
pub(super) fn entries(dictionary: &[u8]) -> Vec<(String, &[u8])> {
    let mut rest = dictionary.strip_prefix(b"<<").unwrap_or(dictionary);
    let mut found = Vec::new();
    while found.len() < ENTRIES_MAX {
        let Some(slash) = rest.iter().position(|byte| !(byte.is_ascii_whitespace() || *byte == 0)) else { break };
        rest = &rest[slash..];
        let Some(after) = rest.strip_prefix(b"/") else {
            // A comment, or something that is out of place.
            let skipped = value(rest).len().max(1);
            rest = &rest[skipped.min(rest.len())..];
            continue;
        };
        let (key, length) = name(after);
        let from = &after[length..];
        let held = value(from);
        let blanks = from.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        found.push((key, held));
        rest = &from[(blanks + held.len()).min(from.len())..];
    }
    found
}

/// The items of an array.
pub(super) fn items(array: &[u8]) -> Vec<&[u8]> {
    let mut rest = array.strip_prefix(b"[").unwrap_or(array);
    let mut found = Vec::new();
    while found.len() < ENTRIES_MAX {
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0).count();
        rest = &rest[blanks..];
        if rest.is_empty() || rest.starts_with(b"]") {
            break;
        }
        let item = value(rest);
        // What is out of place is a byte that is skipped.
        let length = item.len().max(1);
        found.push(item);
        rest = &rest[length.min(rest.len())..];
    }
    found
}

/// A reference to an object (`7 0 R`) at the beginning of `bytes`: its number, and how long it is.
pub(super) fn reference(bytes: &[u8]) -> Option<(u32, usize)> {
    let digits =
        |from: usize| bytes[from.min(bytes.len())..].iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let blanks = |from: usize| {
        bytes[from.min(bytes.len())..].iter().take(10).take_while(|byte| byte.is_ascii_whitespace()).count()
    };
    let number = digits(0);
    let first = blanks(number);
    let generation = digits(number + first);
    let second = blanks(number + first + generation);
    let end = number + first + generation + second;
    let is_one = number > 0 && first > 0 && generation > 0 && second > 0 && bytes.get(end) == Some(&b'R');
    let value = std::str::from_utf8(bytes.get(..number)?).ok()?.parse().ok()?;
    is_one.then_some((value, end + 1))
}

/// All references in a value.
pub(super) fn references(bytes: &[u8]) -> Vec<u32> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() && found.len() < ENTRIES_MAX {
        let is_start = at == 0 || is_delimiter(bytes[at - 1]);
        match reference(&bytes[at..]).filter(|_| is_start) {
            Some((number, length)) => {
                found.push(number);
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// A string in parentheses or in hexadecimal right behind a name (7.3.4).
pub(super) fn string(rest: &[u8]) -> Option<String> {
    let start = rest.iter().take(STRING_MAX).position(|byte| !byte.is_ascii_whitespace())?;
    match rest.get(start..)? {
        [b'(', ..] => Some(text(&literal(&rest[start..]).0)),
        [b'<', b'<', ..] => None,
        [b'<', digits @ ..] => {
            let end = digits.iter().take(STRING_MAX).take_while(|byte| **byte != b'>').count();
            Some(text(&hexadecimal(&digits[..end])))
        }
        _ => None,
    }
}

/// The bytes of a string in hexadecimal, the brackets left out. A last digit alone has a zero behind it.
pub(super) fn hexadecimal(digits: &[u8]) -> Vec<u8> {
    let digits = digits.iter().take(STRING_MAX).filter_map(|byte| char::from(*byte).to_digit(16));
    let digits: Vec<u32> = digits.collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair.get(1).unwrap_or(&0)) as u8).collect()
}

/// The bytes of a string in parentheses, and how long it is with them.
pub(super) fn literal(rest: &[u8]) -> (Vec<u8>, usize) {
    let (mut out, mut depth, mut at) = (Vec::new(), 1, 1);
    while let Some(byte) = rest.get(at).filter(|_| out.len() < STRING_MAX) {
        at += 1;
        match byte {
            b'\\' => {
                let Some(escaped) = rest.get(at) else { break };
                at += 1;
                match escaped {
                    b'n' => out.push(b'\n'),
                    b'r' => out.push(b'\r'),
                    b't' => out.push(b'\t'),
                    // A line end that is none.
                    b'\r' | b'\n' => {}
                    b'0'..=b'7' => {
                        let digits = rest[at - 1..].iter().take(3).take_while(|d| (b'0'..=b'7').contains(d));
                        let digits: Vec<u8> = digits.copied().collect();
                        at += digits.len() - 1;
                        let value = digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
                        out.push(value as u8);
                    }
                    other => out.push(*other),
                }
            }
            b'(' => {
                depth += 1;
                out.push(b'(');
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
                out.push(b')');
            }
            other => out.push(*other),
        }
    }
    (out, at)
}

/// A text string (7.9.2.2): UTF-16 or UTF-8 by its mark, else bytes.
fn text(bytes: &[u8]) -> String {
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    utf16::marked(bytes).unwrap_or_else(|| String::from_utf8_lossy(plain).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_and_entries() {
        let dictionary = b"<< /A (x\\)>>) /B<</C [1 2 (])]>> /D 7 0 R/E<4142>/F#6fo /G -1.5 >>";
        let seen: Vec<(String, String)> = entries(dictionary)
            .into_iter()
            .map(|(name, value)| (name, String::from_utf8_lossy(value).into_owned()))
            .collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            seen,
            [
                pair("A", "(x\\)>>)"),
                pair("B", "<</C [1 2 (])]>>"),
                pair("D", "7 0 R"),
                pair("E", "<4142>"),
                pair("Foo", "/G"),
            ],
            "a name is a value as well"
        );
        assert_eq!(references(b"[7 0 R 12 0 R]/K 3 0 R 45 1"), [7, 12, 3]);
        assert_eq!(string(b" (a\\(b\\051\\\n)").as_deref(), Some("a(b)"));
        assert_eq!(string(b"<FEFF0061002E006A0073>").as_deref(), Some("a.js"));
        assert_eq!(string(b"<</A 1>>"), None);
        for broken in [&b"<<"[..], b"<</", b"<</A", b"[", b"(", b"<", b"/", b"", b"<</A[<<[<<("] {
            drop((entries(broken), value(broken), references(broken), string(broken)));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_part_of_what_is_there(text in "(<<|>>|<|>|\\[|\\]|\\(|\\)|\
                /A|/|%|1 0 R|2|\\\\|#41| |\n|a){0,60}") {
            let bytes = text.as_bytes();
            prop_assert!(value(bytes).len() <= bytes.len());
            prop_assert!(entries(bytes).iter().map(|(_, value)| value.len()).sum::<usize>() <= bytes.len());
            prop_assert!(items(bytes).iter().map(|item| item.len()).sum::<usize>() <= bytes.len());
            drop((references(bytes), string(bytes)));
        }
    }
}
