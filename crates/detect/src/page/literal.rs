//! The literals of a script: its strings, those that are put together of several, and its lists of numbers.

/// Numbers of a list that may be bytes at least.
const NUMBERS_MIN: usize = 32;
/// Letters of a string that counts by itself.
const ALONE_MIN: usize = 4;
/// Bytes of all literals of one script.
const LITERALS_BYTES_MAX: usize = 8 << 20;

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// Its characters, escapes undone; of a list of numbers a character each.
    pub(super) text: String,
    /// Whether it is a list of numbers.
    pub(super) is_numbers: bool,
    /// Where it was in the script without literals; of one that is put together, where its last piece was.
    pub(super) at: usize,
}

impl Literal {
    /// Its characters as bytes, if each is one.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        self.text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
    }
}

/// The literals of a script, and the script without them. Strings with `+`, or with commas, between them are one.
/// A quote that is none (in a comment, in a regular expression) ends with its line.
pub(super) fn taken_out(script: &str) -> (Vec<Literal>, String) {
    let mut reader = Reader { rest: script, literals: Vec::new(), bare: String::new(), open: None, bytes: 0 };
    while reader.step() {}
    reader.close();
    (reader.literals, reader.bare)
}

struct Reader<'s> {
    rest: &'s str,
    literals: Vec<Literal>,
    bare: String,
    /// A string that another may follow.
    open: Option<String>,
    bytes: usize,
}

impl Reader<'_> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        match first {
            '\'' | '"' | '`' => self.string(first),
            '[' => self.list(),
            _ => {
                // What may stand between the strings of one.
                if !first.is_whitespace() && !matches!(first, '+' | ',') {
                    self.close();
                }
                self.bare.push(first);
                self.rest = &self.rest[first.len_utf8()..];
            }
        }
        true
    }

    fn string(&mut self, quote: char) {
        let Some((text, length)) = string(&self.rest[1..], quote) else {
            self.close();
            self.bare.push(quote);
            self.rest = &self.rest[1..];
            return;
        };
        self.rest = &self.rest[1 + length..];
        self.bytes += text.len();
        if self.bytes <= LITERALS_BYTES_MAX {
            // Each of several counts by itself as well: a list may be of file names. What is shorter is part of
            // something at most.
            if text.len() >= ALONE_MIN {
                self.literals.push(Literal { text: text.clone(), is_numbers: false, at: self.bare.len() });
            }
            self.open.get_or_insert_default().push_str(&text);
        }
    }

    /// A list of numbers, each a byte; anything else that begins with a bracket is read on.
    fn list(&mut self) {
        self.close();
        let end = self.rest[1..]
            .find(|c: char| !c.is_ascii_hexdigit() && !matches!(c, 'x' | 'X' | ',' | '-') && !c.is_whitespace());
        let inner = end.map_or("", |end| &self.rest[1..1 + end]);
        let numbers: Option<String> = inner.split(',').map(|number| byte(number.trim()).map(char::from)).collect();
        match numbers.filter(|numbers| numbers.chars().count() >= NUMBERS_MIN) {
            Some(text) => {
                self.bytes += text.len();
                self.literals.push(Literal { text, is_numbers: true, at: self.bare.len() });
                self.rest = &self.rest[1 + inner.len()..];
            }
            None => {
                self.bare.push('[');
                self.rest = &self.rest[1..];
            }
        }
    }

    fn close(&mut self) {
        if let Some(text) = self.open.take()
            && text.len() >= ALONE_MIN
            && self.literals.last().is_none_or(|last| last.text != text)
        {
            self.literals.push(Literal { text, is_numbers: false, at: self.bare.len() });
        }
    }
}

/// A byte as scripts write it: signed or not, in decimal or hexadecimal.
fn byte(number: &str) -> Option<u8> {
    if let Some(digits) = number.strip_prefix("0x").or_else(|| number.strip_prefix("0X")) {
        return u8::from_str_radix(digits, 16).ok();
    }
    number.parse::<u8>().ok().or_else(|| number.parse::<i8>().ok().map(i8::cast_unsigned))
}

/// A string up to its closing quote, and how long it is with it; none if it has no end.
fn string(text: &str, quote: char) -> Option<(String, usize)> {
    let mut read = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((read, at + c.len_utf8())),
            '\n' | '\r' if quote != '`' => return None,
            '\\' => {
                let (_, escaped) = chars.next()?;
                match escaped {
                    'x' => read.push(hex(&mut chars, 2)?),
                    'u' => read.push(hex(&mut chars, 4)?),
                    'n' => read.push('\n'),
                    'r' => read.push('\r'),
                    't' => read.push('\t'),
                    '0' => read.push('\0'),
                    // A line that goes on.
                    '\n' => {}
                    other => read.push(other),
                }
            }
            _ => read.push(c),
        }
    }
    None
}

fn hex(chars: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let text: String = chars.take(digits).map(|(_, c)| c).collect();
    let number = u32::from_str_radix(&text, 16).ok()?;
    Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(script: &str) -> Vec<String> {
        taken_out(script).0.into_iter().map(|literal| literal.text).collect()
    }

    #[test]
    fn strings_and_what_is_put_together_of_them() {
        assert_eq!(texts("f('above', \"below\") + `beside`"), ["above", "below", "abovebelow", "beside"]);
        assert_eq!(texts("var x = 'three' +\n 'four';"), ["three", "four", "threefour"]);
        assert_eq!(texts("['TV','qQ'].join('')"), ["TVqQ"]);
        assert_eq!(texts("'\\x41\\u00e9\\'\\n'"), ["A\u{e9}'\n"]);
        assert_eq!(texts("// don't\nvar a = 'b.js';"), ["b.js"]);
    }

    #[test]
    fn lists_of_numbers_are_bytes() {
        let list = (0..40).map(|n| if n % 2 == 0 { n.to_string() } else { format!("0x{n:x}") }).collect::<Vec<_>>();
        let (literals, bare) = taken_out(&format!("var d=[{}];", list.join(", ")));
        assert_eq!(literals.len(), 1);
        assert_eq!(literals[0].bytes(), Some((0..40).collect()));
        assert_eq!(bare, "var d=];");
        assert!(taken_out("[1,2,3]").0.is_empty() && taken_out("[300,1]").0.is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_panics(script in "([a-z'\"`+,\\[\\]0-9x \\\\\n\u{e9}]){0,200}") {
            let (literals, bare) = taken_out(&script);
            prop_assert!(bare.len() <= script.len());
            prop_assert!(literals.iter().map(|literal| literal.text.len()).sum::<usize>() <= 2 * script.len() + 8);
        }
    }
}
