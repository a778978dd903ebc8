//! A text with its values, ready for a page. What strangers wrote is escaped; what a page has made itself is not.

use std::fmt;
use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentValue};
use maud::{Markup, PreEscaped, Render};

use crate::language::{ENGLISH, Language};
use crate::reader;

/// What stands for a piece of a page while a text is put together: a noncharacter of Unicode, and its number. What
/// strangers wrote loses it.
const MARK: char = '\u{fdd0}';
/// What it becomes in what strangers wrote.
const REPLACEMENT: &str = "\u{fffd}";
/// The letter of the first piece of a page.
const FIRST: u32 = 'a' as u32;

/// English, for what another language does not say.
static FALLBACK: LazyLock<Language> =
    LazyLock::new(|| Language::read(ENGLISH).expect("the shipped language is read: a test does so"));

/// A value of a text.
#[derive(Debug)]
pub enum Value {
    /// A number, by which a text chooses its form.
    Number(f64),
    /// Words, whoever wrote them.
    Words(String),
    /// A piece of a page.
    Piece(Markup),
}

macro_rules! numbers {
    ($($number:ty),*) => { $(impl From<$number> for Value {
        fn from(number: $number) -> Self {
            // A number of a page is far below 2^53.
            Self::Number(number as f64)
        }
    })* };
}
numbers!(u8, u16, u32, u64, usize, i32, i64, f64);

impl From<&str> for Value {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<&String> for Value {
    fn from(words: &String) -> Self {
        Self::Words(words.clone())
    }
}

impl From<String> for Value {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<Markup> for Value {
    fn from(piece: Markup) -> Self {
        Self::Piece(piece)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Piece(text.render())
    }
}

/// A text in the language of the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// With marks for the pieces.
    words: String,
    pieces: Vec<String>,
}

impl Text {
    /// The message of a name with its values; [`crate::say!`] is how pages ask for it.
    pub fn of(id: &'static str, values: Vec<(&'static str, Value)>) -> Self {
        let mut pieces = Vec::new();
        let mut given = FluentArgs::new();
        for (name, value) in values {
            given.set(name, fluent(value, &mut pieces));
        }
        let spoken = reader::ask(|language| language.say(id, &given)).flatten();
        let words = spoken.or_else(|| FALLBACK.say(id, &given)).unwrap_or_else(|| id.to_owned());
        Self { words, pieces }
    }

    fn parts(&self) -> impl Iterator<Item = (&str, Option<&String>)> {
        let mut rest = self.words.split(MARK);
        let first = rest.next().unwrap_or_default();
        let marked = rest.map(|part| {
            let letter = part.chars().next();
            let number = letter.and_then(|letter| (letter as u32).checked_sub(FIRST));
            let piece = number.and_then(|number| self.pieces.get(number as usize));
            (part.get(letter.map_or(0, char::len_utf8)..).unwrap_or_default(), piece)
        });
        std::iter::once((first, None)).chain(marked)
    }
}

/// A value as Fluent takes it. A piece of a page is kept, and a mark goes in its place.
fn fluent(value: Value, pieces: &mut Vec<String>) -> FluentValue<'static> {
    match value {
        Value::Number(number) => FluentValue::from(number),
        Value::Words(words) => FluentValue::from(words.replace(MARK, REPLACEMENT)),
        Value::Piece(PreEscaped(piece)) => {
            pieces.push(piece);
            let letter = char::from_u32(FIRST + pieces.len() as u32 - 1).unwrap_or('z');
            FluentValue::from(format!("{MARK}{letter}"))
        }
    }
}

impl Render for Text {
    fn render_to(&self, page: &mut String) {
        for (words, piece) in self.parts() {
            page.push_str(piece.map_or("", String::as_str));
            words.render_to(page);
        }
    }
}

impl fmt::Display for Text {
    /// The words alone.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().try_for_each(|(words, _)| out.write_str(words))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.to_string()
    }
}

/// A word of the service, such as a state or a category, as people read it: the message `word-` with its name, or the
/// word itself without underscores.
pub fn word(word: &str) -> String {
    let id = format!("word-{}", word.replace(['_', ' '], "-"));
    let none = FluentArgs::new();
    let spoken = reader::ask(|language| language.say(&id, &none)).flatten();
    spoken.or_else(|| FALLBACK.say(&id, &none)).unwrap_or_else(|| word.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;
    use crate::languages::Languages;
    use crate::say;

    #[test]
    fn what_strangers_wrote_is_escaped_and_pieces_are_not() {
        let text = say!(since_by, since = html! { time { "<now>" } }, by = "<b>\u{fdd0}a");
        assert_eq!(text.render().into_string(), "since <time>&lt;now&gt;</time> by &lt;b&gt;\u{fffd}a");
        assert_eq!(text.to_string(), "since  by <b>\u{fffd}a");
    }

    #[test]
    fn a_text_is_in_the_language_of_the_reader() {
        let german = Languages::<Language>::shipped().tagged("de").expect("it is shipped").clone();
        assert_eq!(say!(language_name).to_string(), "English");
        assert_eq!(reader::read_in(german.clone(), || say!(language_name).to_string()), "Deutsch");
        assert_eq!(reader::read_in(german, || word("held")), "zurückgehalten");
        assert_eq!((word("held"), word("no_such_word")), ("held".to_owned(), "no such word".to_owned()));
    }
}
