//! Forms in which mail carries text and bytes: base 64, quoted-printable (RFC 2045), encoded words (RFC 2047).

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Characters of one line of base 64 at most (RFC 2045 section 6.8).
const LINE: usize = 76;

/// Base 64 without line ends.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * digit) & 63).unwrap_or_default();
            let letter = DIGITS.get(index).copied().unwrap_or(b'A');
            text.push(if digit > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

/// Base 64 in lines.
pub(super) fn base64_lines(bytes: &[u8]) -> String {
    let text = base64(bytes);
    let mut lines = String::new();
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            lines.push_str("\r\n");
        }
        lines.push(letter);
    }
    lines.push_str("\r\n");
    lines
}

/// Quoted-printable; lines of `text` end with a line feed.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut width = 0;
        let bytes = line.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let is_last_blank = at + 1 == bytes.len() && matches!(byte, b' ' | b'\t');
            let plain = matches!(byte, b' '..=b'~' | b'\t') && *byte != b'=' && !is_last_blank;
            let needs = if plain { 1 } else { 3 };
            if width + needs > LINE - 1 {
                out.push_str("=\r\n");
                width = 0;
            }
            if plain {
                out.push(char::from(*byte));
            } else {
                out.push_str(&format!("={byte:02X}"));
            }
            width += needs;
        }
        out.push_str("\r\n");
    }
    out
}

/// A value of a header field: an encoded word where it has more than ASCII, in words of at most 75 characters.
pub(super) fn word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut piece = String::new();
    for letter in text.chars() {
        if piece.len() + letter.len_utf8() > 42 {
            words.push(std::mem::take(&mut piece));
        }
        piece.push(letter);
    }
    words.push(piece);
    let encoded: Vec<String> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", base64(word.as_bytes()))).collect();
    encoded.join("\r\n ")
}

/// A mailbox with a display name.
pub(super) fn mailbox(name: &str, address: &str) -> String {
    let needs_quotes = name.chars().any(|letter| !letter.is_alphanumeric() && letter != ' ');
    match name {
        "" => address.to_owned(),
        name if !name.is_ascii() => format!("{} <{address}>", word(name)),
        name if needs_quotes => format!("\"{name}\" <{address}>"),
        name => format!("{name} <{address}>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_that_of_the_standard() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in pairs {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn lines_of_quoted_printable_are_short_and_end_without_a_blank() {
        assert_eq!(quoted("a=b\nGr\u{fc}\u{df}e \n"), "a=3Db\r\nGr=C3=BC=C3=9Fe=20\r\n");
        let long = quoted(&"\u{e9}".repeat(100));
        assert!(long.lines().all(|line| line.len() <= 76), "{long}");
    }

    #[test]
    fn names_with_other_than_ascii_are_encoded_words() {
        assert_eq!(mailbox("Zo\u{eb}", "z@a.nl"), "=?UTF-8?B?Wm/Dqw==?= <z@a.nl>");
        assert_eq!(mailbox("A. B", "a@b.de"), "\"A. B\" <a@b.de>");
    }
}
