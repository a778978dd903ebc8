//! The tokens of a content stream (7.8.2), which are those of a CMap as well: numbers, names, strings, brackets and
//! operators.

use super::syntax;

/// Bytes of a name that are read.
const NAME_BYTES_MAX: usize = 100;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'c> {
    /// A number; what is none is zero.
    Number(f64),
    /// A name, its letters as they stand there.
    Name(&'c [u8]),
    /// The bytes of a string.
    Text(Vec<u8>),
    /// An array begins.
    Open,
    /// An array ends.
    Close,
    /// An operator.
    Operator(&'c [u8]),
}

/// The tokens of a stream, one after the other.
#[derive(Debug)]
pub(super) struct Tokens<'c> {
    bytes: &'c [u8],
    at: usize,
}

impl<'c> Tokens<'c> {
    pub(super) fn of(bytes: &'c [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn rest(&self) -> &'c [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips the data of a picture within the stream (8.9.7): up to the `EI` that stands alone.
    pub(super) fn skip_picture(&mut self) {
        let rest = self.rest();
        let is_end = |at: &usize| {
            let before = at.checked_sub(1).and_then(|before| rest.get(before));
            let behind = rest.get(at + 2);
            before.is_none_or(u8::is_ascii_whitespace) && behind.is_none_or(|byte| syntax::is_delimiter(*byte))
        };
        let end = memchr::memmem::find_iter(rest, b"EI").find(is_end);
        self.at = self.at.saturating_add(end.map_or(rest.len(), |end| end + 2));
    }
}

impl<'c> Iterator for Tokens<'c> {
    type Item = Token<'c>;

    fn next(&mut self) -> Option<Token<'c>> {
        loop {
            let rest = self.rest();
            let (token, length) = match rest {
                [] => return None,
                [b'(', ..] => {
                    let (text, length) = syntax::literal(rest);
                    (Some(Token::Text(text)), length)
                }
                // A dictionary is an operand of marks, which show nothing.
                [b'<', b'<', ..] => (None, syntax::value(rest).len()),
                [b'<', digits @ ..] => {
                    let end = memchr::memchr(b'>', digits).unwrap_or(digits.len());
                    (Some(Token::Text(syntax::hexadecimal(&digits[..end]))), end + 2)
                }
                [b'[', ..] => (Some(Token::Open), 1),
                [b']', ..] => (Some(Token::Close), 1),
                [b'/', name @ ..] => {
                    let length = word(name);
                    (Some(Token::Name(&name[..length.min(NAME_BYTES_MAX)])), length + 1)
                }
                [b'%', ..] => (None, memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len())),
                [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => {
                    let length = word(rest);
                    (Some(Token::Number(number(&rest[..length]))), length)
                }
                _ => match word(rest) {
                    0 => (None, 1),
                    length => (Some(Token::Operator(&rest[..length])), length),
                },
            };
            self.at = self.at.saturating_add(length.max(1));
            if token.is_some() {
                return token;
            }
        }
    }
}

/// How many bytes there are before a delimiter.
fn word(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| syntax::is_delimiter(*byte)).unwrap_or(bytes.len())
}

/// A number (7.3.3).
pub(super) fn number(bytes: &[u8]) -> f64 {
    let value = std::str::from_utf8(bytes).ok().and_then(|text| text.trim().parse::<f64>().ok());
    value.filter(|value| value.is_finite()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_of_all_kinds() {
        let source = b"/F1 12.5 Tf [(a\\)) -250<4142 4>]TJ %c\n/S<</A (x)>>BDC --5 T* BI /W 1 ID \0(EI\x01 EI Q";
        let mut tokens = Tokens::of(source);
        let mut seen = Vec::new();
        while let Some(token) = tokens.next() {
            if token == Token::Operator(b"ID") {
                tokens.skip_picture();
            }
            seen.push(token);
        }
        use Token::{Close, Name, Number, Open, Operator, Text};
        assert_eq!(
            seen,
            [
                Name(b"F1"),
                Number(12.5),
                Operator(b"Tf"),
                Open,
                Text(b"a)".to_vec()),
                Number(-250.0),
                Text(b"AB@".to_vec()),
                Close,
                Operator(b"TJ"),
                Name(b"S"),
                Operator(b"BDC"),
                Number(0.0),
                Operator(b"T*"),
                Operator(b"BI"),
                Name(b"W"),
                Number(1.0),
                Operator(b"ID"),
                Operator(b"Q"),
            ]
        );
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_the_tokens_end(
            text in "(<<|>>|<|>|\\[|\\]|\\(|\\)|/A|%|1|-|\\.|\\\\|ID|EI| |\n|\u{0}){0,60}") {
            let mut tokens = Tokens::of(text.as_bytes());
            let mut count = 0;
            while let Some(token) = tokens.next() {
                count += 1;
                if token == Token::Operator(b"ID") {
                    tokens.skip_picture();
                }
            }
            prop_assert!(count <= text.len());
        }
    }
}
