//! What people ask of the record: a small query language, `field:value` with AND, OR, NOT, parentheses, wildcards and
//! ranges.
//!
//! ```text
//! query  = and *("OR" and)
//! and    = not *(["AND"] not)                        side by side means AND
//! not    = ["NOT" / "-"] ( "(" query ")" / term )
//! term   = field ":" value / field ":" "(" value *("OR" value) ")" / value
//! value  = word / "quoted" / ">=" bound / ">" bound / "<=" bound / "<" bound / bound ".." bound
//! ```
//!
//! A word may have wildcards: `*` any text, `?` one character; in quotes they are themselves. A moment is a date, a
//! moment in RFC 3339, or relative: `-2h`, `-7d`. A value without a field is looked for in subject, sender and
//! recipient.
//!
//! | module | what it has |
//! |---|---|
//! | [`field`] | what can be asked for, and the words of each |
//! | [`parse`] | text into a [`Query`], or an error that points at the place |
//! | [`complete`] | what could come next at the cursor |

pub mod complete;
pub mod field;
pub mod parse;

pub use field::Field;
pub use parse::QueryError;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// All of them; none at all asks for everything.
    All(Vec<Query>),
    /// Any of them.
    Any(Vec<Query>),
    /// What it does not fit.
    Not(Box<Query>),
    /// One field.
    Term(Field, Test),
    /// Text in subject, sender or recipient.
    Text(Pattern),
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Text that fits, whatever the case of its letters.
    Is(Pattern),
    /// A number, or microseconds since the epoch: from the first on, before the second.
    Within(Option<i64>, Option<i64>),
}

/// Text with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<Piece>);

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text.
    Text(String),
    /// Any text, or none.
    Many,
    /// Any one character.
    One,
}

impl Pattern {
    /// The text itself.
    pub fn of(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// Its text, if it has no wildcards.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text),
            [] => Some(""),
            _ => None,
        }
    }

    /// Whether a text fits, whatever the case of its letters. It takes time for each piece and each character, and no
    /// more.
    pub fn fits(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        // Where in the text the pieces so far can have ended.
        let mut ends = vec![false; chars.len() + 1];
        ends[0] = true;
        for piece in &self.0 {
            let mut next = vec![false; chars.len() + 1];
            for from in (0..ends.len()).filter(|from| ends[*from]) {
                match piece {
                    Piece::Many => next[from..].fill(true),
                    Piece::One if from < chars.len() => next[from + 1] = true,
                    Piece::One => {}
                    Piece::Text(wanted) => {
                        let length = wanted.chars().count();
                        let is_here = |(c, wanted): (&char, char)| c.eq_ignore_ascii_case(&wanted);
                        let rest = &chars[from..];
                        if length <= rest.len() && rest.iter().zip(wanted.chars()).all(is_here) {
                            next[from + length] = true;
                        }
                    }
                }
            }
            ends = next;
        }
        ends[chars.len()]
    }

    /// As it is written in a query.
    pub fn as_written(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Many => "*".to_owned(),
            Piece::One => "?".to_owned(),
        };
        self.0.iter().map(piece).collect()
    }

    /// Whether it stands for any text at all.
    pub fn is_any(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|piece| *piece == Piece::Many)
    }
}

impl Query {
    /// Everything.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }
}

/// A value as a query takes it: in quotes unless it is a plain word.
pub fn quoted(value: &str) -> String {
    let is_plain = !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'-' | b'_' | b':'));
    if is_plain { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_unless_they_are_plain_words() {
        assert_eq!(["a@x.example", "a b", "a\"b", ""].map(quoted), ["a@x.example", "\"a b\"", "\"a\\\"b\"", "\"\""]);
    }
}
