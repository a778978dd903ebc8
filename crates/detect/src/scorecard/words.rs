//! A text in the one form in which phrases are looked for: words in lower case without their accents, a blank between
//! two of them. What only a machine sees in it, characters without width and look-alike letters, is taken out and
//! counted.

use unicode_normalization::UnicodeNormalization;

/// Bytes of one text that are read.
pub const TEXT_BYTES_MAX: usize = 64 << 10;

/// Words of one text that are read, to the end of the line in which they are reached. Phrases are looked for in far
/// fewer, and a text of more is a very long one whatever follows.
pub const WORDS_MAX: usize = 2500;

/// A text as words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The words, with a blank before the first and behind each.
    pub text: String,
    /// How many there are.
    pub count: usize,
    /// Characters without width that stood within a word.
    pub zero_width: usize,
    /// Words with letters of two alphabets that look alike.
    pub mixed: usize,
}

impl Words {
    /// The words of a text. Quoted lines (`> `) are somebody else's.
    pub fn of(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
        let mut words = Self { text: String::with_capacity(text.len() + 2), ..Self::default() };
        words.text.push(' ');
        let mut plain = Vec::new();
        for line in text.lines().filter(|line| !line.trim_start().starts_with('>')) {
            if words.count >= WORDS_MAX {
                break;
            }
            if line.is_ascii() {
                words.ascii(line.as_bytes(), &mut plain);
            } else {
                words.any(line, &mut plain);
            }
        }
        words
    }

    /// Plain letters: byte by byte, for this is most mail. `plain` is room for them.
    fn ascii(&mut self, text: &[u8], plain: &mut Vec<u8>) {
        plain.clear();
        let mut is_between = true;
        for byte in text.iter().chain(b" ") {
            let letter = PLAIN[usize::from(*byte)];
            if letter != b' ' || !is_between {
                plain.push(letter);
                self.count += usize::from(letter == b' ');
            }
            is_between = letter == b' ';
        }
        self.text.push_str(std::str::from_utf8(plain).unwrap_or_default());
    }

    /// A line of any letters: what has plain ones alone between two signs is read byte by byte.
    fn any(&mut self, line: &str, plain: &mut Vec<u8>) {
        let is_between = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
        for row in line.as_bytes().split(is_between).filter(|row| !row.is_empty()) {
            if row.is_ascii() {
                self.ascii(row, plain);
            } else {
                self.row(std::str::from_utf8(row).unwrap_or_default());
            }
        }
    }

    /// Letters without a plain sign between them.
    fn row(&mut self, row: &str) {
        let mut word = String::new();
        // What stands behind a word, as in the blank space of a preview line, stands in none.
        let mut unseen = 0;
        // Plain letters are decomposed already, and what is composed of them begins behind them.
        for run in row.as_bytes().chunk_by(|one, other| one.is_ascii() == other.is_ascii()) {
            let run = std::str::from_utf8(run).unwrap_or_default();
            if run.is_ascii() {
                run.chars().for_each(|c| self.letter(c, &mut word, &mut unseen));
            } else {
                run.nfkd().for_each(|c| self.letter(c, &mut word, &mut unseen));
            }
        }
        self.word(&word);
    }

    /// A letter of a line, decomposed: `word` is what stands before it, `unseen` what nobody sees behind that.
    fn letter(&mut self, c: char, word: &mut String, unseen: &mut usize) {
        if c.is_ascii_alphanumeric() {
            self.zero_width += std::mem::take(unseen);
            word.push(c.to_ascii_lowercase());
        } else if is_without_width(c) {
            *unseen += usize::from(!word.is_empty());
        } else if is_accent(c) {
            // It belongs to the letter before it.
        } else if c.is_alphanumeric() {
            self.zero_width += std::mem::take(unseen);
            word.extend(c.to_lowercase());
        } else {
            self.word(word);
            word.clear();
            *unseen = 0;
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_ascii() {
            self.text.push_str(word);
            return self.end_word();
        }
        let is_latin = |c: char| c.is_ascii_lowercase() || plain(c).is_some();
        let is_mixed = word.chars().any(is_latin) && word.chars().any(|c| twin(c).is_some());
        self.mixed += usize::from(is_mixed);
        for c in word.chars() {
            match plain(c) {
                Some(letters) => self.text.push_str(letters),
                None => self.text.push(twin(c).filter(|_| is_mixed).unwrap_or(c)),
            }
        }
        self.end_word();
    }

    fn end_word(&mut self) {
        if !self.text.ends_with(' ') {
            self.text.push(' ');
            self.count += 1;
        }
    }
}

/// Each byte as it stands in a word: letters in lower case, digits; a blank for all others.
static PLAIN: [u8; 256] = {
    let mut plain = [b' '; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            plain[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    plain
};

/// Latin letters that are no letter with an accent, in plain ones.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{df}' => "ss",
        '\u{142}' => "l",
        '\u{f8}' => "o",
        '\u{e6}' => "ae",
        '\u{153}' => "oe",
        '\u{131}' => "i",
        '\u{111}' | '\u{f0}' => "d",
        _ => return None,
    })
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{3099}' | '\u{309a}')
}

/// Characters that nobody sees: without width, soft hyphens, and those that only choose a form of the one before.
fn is_without_width(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// The Latin letter that a Cyrillic or Greek one looks like.
fn twin(c: char) -> Option<char> {
    const TWINS: [(char, char); 29] = [
        ('\u{430}', 'a'),
        ('\u{435}', 'e'),
        ('\u{43e}', 'o'),
        ('\u{440}', 'p'),
        ('\u{441}', 'c'),
        ('\u{443}', 'y'),
        ('\u{445}', 'x'),
        ('\u{456}', 'i'),
        ('\u{458}', 'j'),
        ('\u{455}', 's'),
        ('\u{501}', 'd'),
        ('\u{51b}', 'q'),
        ('\u{51d}', 'w'),
        ('\u{4bb}', 'h'),
        ('\u{43a}', 'k'),
        ('\u{43c}', 'm'),
        ('\u{442}', 't'),
        ('\u{432}', 'b'),
        ('\u{43d}', 'h'),
        ('\u{3b1}', 'a'),
        ('\u{3bf}', 'o'),
        ('\u{3c1}', 'p'),
        ('\u{3bd}', 'v'),
        ('\u{3b9}', 'i'),
        ('\u{3ba}', 'k'),
        ('\u{3c5}', 'u'),
        ('\u{3c7}', 'x'),
        ('\u{3b7}', 'n'),
        ('\u{261}', 'g'),
    ];
    (!c.is_ascii()).then(|| TWINS.into_iter().find(|(other, _)| *other == c).map(|(_, latin)| latin)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &str, zero_width: usize, mixed: usize) {
        let words = Words::of(text);
        assert_eq!((words.text.as_str(), words.zero_width, words.mixed), (expected, zero_width, mixed), "{text}");
    }

    #[test]
    fn one_form_for_every_way_to_write_it() {
        check("", " ", 0, 0);
        check("Don't  PANIC!\r\n> quoted\nnow", " don t panic now ", 0, 0);
        check("Stra\u{df}e, M\u{fc}ller; r\u{e9}\u{301}el", " strasse muller reel ", 0, 0);
        check("ver\u{200b}ify\u{ad} your p\u{430}ypal", " verify your paypal ", 1, 1);
        check("\u{1d400}ccount \u{ff21}", " account a ", 0, 0);
        check("\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}", " \u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} ", 0, 0);
        check("v\u{fe0f}e\u{fe0f}r", " ver ", 2, 0);
    }

    proptest! {
        #[test]
        fn words_are_counted_and_bounded(text in "\\PC{0,300}") {
            let words = Words::of(&text);
            prop_assert_eq!(words.text.split(' ').filter(|word| !word.is_empty()).count(), words.count);
            prop_assert!(words.text.starts_with(' ') && words.text.ends_with(' '));
            prop_assert_eq!(Words::of(&words.text).text, words.text);
        }
    }
}
