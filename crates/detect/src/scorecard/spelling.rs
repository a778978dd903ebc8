//! How words look to a hurried reader: lower case, diacritics off, letters and digits that look alike as one (UTS #39,
//! "Confusable Detection", and the digits that stand for letters in `micr0soft` and `n3tflix`).

use std::ops::Range;
use std::sync::LazyLock;

use unicode_security::confusable_detection::skeleton;

/// Letters that a word has at least for a digit in front of one of them to stand for a letter.
const LETTERS_MIN: usize = 3;

/// Letters that stand alone one behind the other at least, to be read as a word.
const LETTERS_ALONE_MIN: usize = 3;

/// A word as it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'l> {
    /// With diacritics off and look-alikes as one.
    pub(super) plain: &'l str,
    /// The same, with `i` and `l` as one: what `PayPai` and `paypal` have in common.
    pub(super) merged: &'l str,
}

/// Words as they look. All of them stand in one string, for a mail has hundreds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    plain: Row,
    /// As long as the plain ones, word by word.
    merged: String,
}

impl Looks {
    /// The looks of words that are read in lower case.
    pub(super) fn read<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let mut plain = Row::default();
        words.for_each(|word| plain.push(|letters| read_word(word, letters)));
        Self::new(plain)
    }

    fn new(plain: Row) -> Self {
        let merged = plain.letters.replace('i', "l");
        Self { plain, merged }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.plain.ends.len()
    }

    /// One of them.
    pub(super) fn get(&self, at: usize) -> Option<Word<'_>> {
        self.run(at, 1)
    }

    /// So many of them from one on, written together.
    pub(super) fn run(&self, at: usize, count: usize) -> Option<Word<'_>> {
        let range = self.plain.range(at, count)?;
        Some(Word { plain: self.plain.letters.get(range.clone())?, merged: self.merged.get(range)? })
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Word<'_>> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// All of them written together, if one is of a script without blanks between its words.
    pub(super) fn unspaced(&self) -> Option<&str> {
        let whole = self.plain.letters.as_str();
        (!whole.is_ascii() && whole.chars().any(is_unspaced)).then_some(whole)
    }
}

/// Words one behind the other in one string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    letters: String,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Row {
    /// One more word, which `write` appends; an empty one is a word as well.
    fn push(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.letters);
        self.ends.push(self.letters.len());
    }

    /// The letters behind the last word are one, if there are any.
    fn end_word(&mut self) {
        if !self.open_word().is_empty() {
            self.ends.push(self.letters.len());
        }
    }

    /// The letters behind the last word.
    fn open_word(&self) -> &str {
        &self.letters[self.ends.last().copied().unwrap_or_default()..]
    }

    fn range(&self, at: usize, count: usize) -> Option<Range<usize>> {
        let begin = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        let end = (at + count).checked_sub(1).map_or(Some(0), |last| self.ends.get(last).copied())?;
        Some(begin..end)
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|at| self.letters.get(self.range(at, 1)?))
    }
}

/// A word as it looks when it is read in lower case, with its diacritics off and look-alikes as one.
pub(super) fn plain(word: &str) -> String {
    let mut plain = String::new();
    read_word(word, &mut plain);
    plain
}

/// The same, with `i` and `l` as one.
pub(super) fn merged(word: &str) -> String {
    plain(word).replace('i', "l")
}

fn read_word(word: &str, letters: &mut String) {
    let begin = letters.len();
    if word.is_ascii() {
        look_of_plain(word, true, letters);
    } else {
        letters.push_str(&look(&word.to_lowercase()));
    }
    digits_as_letters(letters, begin);
}

/// The words of a text as they look. Capital letters of other scripts, and the capital `I`, look different from their
/// small ones: where the text has some, there is a second list for what it looks like as it stands.
pub(super) fn words(text: &str) -> Vec<Looks> {
    let split = split(text);
    let read = Looks::read(split.iter());
    if !text.chars().any(|c| c == 'I' || (c.is_uppercase() && !c.is_ascii())) {
        return vec![read];
    }
    // A plain word without that letter looks as it is read.
    let may_differ = |word: &str| !word.is_ascii() || word.contains('I');
    let mut seen = Row::default();
    for (word, read) in split.iter().zip(read.iter()) {
        seen.push(|letters| {
            let begin = letters.len();
            if may_differ(word) {
                letters.push_str(&look(&look(word)));
                digits_as_letters(letters, begin);
            } else {
                letters.push_str(read.plain);
            }
        });
    }
    let seen = Looks::new(seen);
    if seen == read { vec![read] } else { vec![read, seen] }
}

/// Characters that nobody sees: soft hyphens, joiners, marks of direction, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}')
}

/// Marks that stand on the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{3099}' | '\u{309a}')
}

/// The words of a text. `&` and `+` are of a word (`AT&T`, `Disney+`); an apostrophe joins (`Lowe's`), unless one
/// letter stands before it (`d'Orange`).
fn split(text: &str) -> Row {
    let mut row = Row { letters: String::with_capacity(text.len()), ends: Vec::with_capacity(text.len() / 6) };
    for c in text.chars().filter(|c| c.is_ascii() || !is_invisible(*c)) {
        if c.is_alphanumeric() || is_mark(c) || matches!(c, '&' | '+') {
            row.letters.push(c);
        } else if !matches!(c, '\'' | '\u{2019}' | '\u{2bc}' | '\u{60}' | '\u{b4}')
            || row.open_word().chars().take(2).count() == 1
        {
            row.end_word();
        }
    }
    row.end_word();
    joined(row)
}

/// Letters that stand alone one behind the other, as the word that they are: `D P D`, `D.H.L.`
fn joined(mut row: Row) -> Row {
    let is_one = |word: &str| word.chars().filter(|c| !is_mark(*c)).take(2).count() == 1 && !word.contains(is_unspaced);
    let alone: Vec<bool> = row.iter().map(is_one).collect();
    let mut at = 0;
    for run in alone.chunk_by(|one, other| one == other) {
        if run.len() >= LETTERS_ALONE_MIN && run.iter().all(|is_alone| *is_alone) {
            // Only the last one ends a word.
            row.ends[at..at + run.len() - 1].fill(usize::MAX);
        }
        at += run.len();
    }
    row.ends.retain(|end| *end != usize::MAX);
    row
}

/// What each of the plain letters and signs looks like. None of them changes what stands beside it.
static PLAIN_LOOKS: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..128).map(|byte| look_of_any(char::from(byte).encode_utf8(&mut [0; 4]))).collect());

/// What letters look like, marks off.
fn look(text: &str) -> String {
    if !text.is_ascii() {
        return look_of_any(text);
    }
    let mut seen = String::with_capacity(text.len() + 4);
    look_of_plain(text, false, &mut seen);
    seen
}

/// What plain letters look like, as they stand or in lower case.
fn look_of_plain(text: &str, in_lower_case: bool, seen: &mut String) {
    for byte in text.bytes() {
        let byte = if in_lower_case { byte.to_ascii_lowercase() } else { byte };
        seen.push_str(PLAIN_LOOKS.get(usize::from(byte)).map_or("", String::as_str));
    }
}

fn look_of_any(text: &str) -> String {
    let seen: String = skeleton(text).filter(|c| !is_mark(*c)).collect();
    seen.to_lowercase().replace('0', "o").replace('1', "l")
}

/// The letters and digits of a text in lower case and without diacritics, and nothing else changed.
pub(super) fn letters(text: &str) -> String {
    let mut letters = String::new();
    for c in text.to_lowercase().chars().filter(|c| c.is_alphanumeric()) {
        match c {
            _ if c.is_ascii() => letters.push(c),
            _ => letters.push_str(&look(c.encode_utf8(&mut [0; 4]))),
        }
    }
    letters
}

/// Digits with a letter behind them, as the letters that they stand for: `n3tflix`, but not `office365` and not `n26`.
/// The word begins at this byte of the letters.
fn digits_as_letters(letters: &mut String, begin: usize) {
    let word = &letters[begin..];
    if !word.bytes().any(|byte| byte.is_ascii_digit())
        || word.chars().filter(|c| c.is_alphabetic()).count() < LETTERS_MIN
    {
        return;
    }
    let last = word.rfind(char::is_alphabetic).unwrap_or_default();
    let letter = |(at, c): (usize, char)| match c {
        _ if at > last => c,
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        c => c,
    };
    let word: String = word.char_indices().map(letter).collect();
    letters.truncate(begin);
    letters.push_str(&word);
}

/// Whether a character is of a script that is written without blanks between its words, or with endings on them.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Vec<String> {
        words(text).remove(0).iter().map(|word| word.plain.to_owned()).collect()
    }

    fn alike(one: &str, other: &str) -> bool {
        let of = |text: &str| {
            let all = words(text);
            all.iter().map(|all| all.iter().map(|word| word.merged.to_owned()).collect()).collect::<Vec<Vec<String>>>()
        };
        of(one).iter().any(|one| of(other).contains(one))
    }

    #[test]
    fn words_that_look_alike() {
        for (one, other) in [
            ("Microsoft", "rnicr0s\u{43e}ft"),
            ("PayPal", "PayPaI"),
            ("PAYPAL", "p\u{e0}yp\u{e1}l"),
            ("Netflix", "N3tf1ix"),
            ("Amazon", "\u{410}\u{41c}\u{410}Z\u{41e}N"),
            ("Itaú", "ita\u{fa}"),
            ("Société Générale", "SOCIETE GENERALE"),
            ("сбербанк", "СБЕРБАНК"),
            ("PayPal", "Pay\u{200b}Pal"),
            ("Ørsted", "orsted"),
        ] {
            assert!(alike(one, other), "{one} {other} {:?} {:?}", words(one), words(other));
        }
        for (one, other) in [("Zeile", "Zeit"), ("office365", "officeees"), ("n26", "nab"), ("163", "l63a")] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn plain_words_without_the_capital_i_look_as_they_are_read(word in "[0-9A-HJ-Za-z&+]{0,20}") {
            proptest::prop_assert_eq!(look(&look(&word)), look(&word.to_lowercase()));
        }

        /// Letter by letter is as good as the whole.
        #[test]
        fn plain_letters_look_alike_one_by_one(text in "[ -~]{0,40}") {
            proptest::prop_assert_eq!(look(&text), look_of_any(&text));
        }
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(plain("AT&T & Disney+, d'Orange Lowe's (UPS)").len(), 7);
        assert_eq!(plain("a-b_c.d@e"), ["abcde"]);
        assert_eq!(plain("ab-cd_e.f@gh"), ["ab", "cd", "e", "f", "gh"]);
        assert_eq!(plain(" \u{200b} "), Vec::<String>::new());
        assert!(words("三井 住友")[0].unspaced().is_some());
        assert!(words("Itaú")[0].unspaced().is_none());
    }
}
