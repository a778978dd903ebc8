//! How words look to a hurried reader: lower case, diacritics off, letters and digits that look alike as one (UTS #39,
//! "Confusable Detection", and the digits that stand for letters in `micr0soft` and `n3tflix`).

use std::sync::LazyLock;

use unicode_security::confusable_detection::skeleton;

/// Letters that a word has at least for a digit in front of one of them to stand for a letter.
const LETTERS_MIN: usize = 3;

/// Letters that stand alone one behind the other at least, to be read as a word.
const LETTERS_ALONE_MIN: usize = 3;

/// A word as it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// With diacritics off and look-alikes as one.
    pub(super) plain: String,
    /// The same, with `i` and `l` as one: what `PayPai` and `paypal` have in common.
    pub(super) merged: String,
}

impl Word {
    fn new(plain: String) -> Self {
        let merged = plain.replace('i', "l");
        Self { plain, merged }
    }

    /// The look of a word that is read in lower case.
    pub(super) fn of(word: &str) -> Self {
        Self::new(digits_as_letters(if word.is_ascii() {
            look_of_plain(word, true)
        } else {
            look(&word.to_lowercase())
        }))
    }
}

/// The words of a text as they look. Capital letters of other scripts, and the capital `I`, look different from their
/// small ones: where the text has some, there is a second list for what it looks like as it stands.
pub(super) fn words(text: &str) -> Vec<Vec<Word>> {
    let split = split(text);
    let read = split.iter().map(|word| Word::of(word)).collect::<Vec<_>>();
    if !text.chars().any(|c| c == 'I' || (c.is_uppercase() && !c.is_ascii())) {
        return vec![read];
    }
    // A plain word without that letter looks as it is read.
    let may_differ = |word: &str| !word.is_ascii() || word.contains('I');
    let seen = |(word, read): (&String, &Word)| match may_differ(word) {
        true => Word::new(digits_as_letters(look(&look(word)))),
        false => read.clone(),
    };
    let seen = split.iter().zip(&read).map(seen).collect::<Vec<_>>();
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
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if c.is_alphanumeric() || is_mark(c) || matches!(c, '&' | '+') {
            word.push(c);
        } else if !matches!(c, '\'' | '\u{2019}' | '\u{2bc}' | '\u{60}' | '\u{b4}') || word.chars().count() == 1 {
            words.push(std::mem::take(&mut word));
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    joined(words)
}

/// Letters that stand alone one behind the other, as the word that they are: `D P D`, `D.H.L.`
fn joined(words: Vec<String>) -> Vec<String> {
    let is_one = |word: &String| word.chars().filter(|c| !is_mark(*c)).count() == 1 && !word.contains(is_unspaced);
    let mut all = Vec::new();
    for run in words.chunk_by(|one, other| is_one(one) == is_one(other)) {
        if run.len() >= LETTERS_ALONE_MIN && run.iter().all(is_one) {
            all.push(run.concat());
        } else {
            all.extend_from_slice(run);
        }
    }
    all
}

/// What each of the plain letters and signs looks like. None of them changes what stands beside it.
static PLAIN_LOOKS: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..128).map(|byte| look_of_any(char::from(byte).encode_utf8(&mut [0; 4]))).collect());

/// What letters look like, marks off.
fn look(text: &str) -> String {
    if text.is_ascii() { look_of_plain(text, false) } else { look_of_any(text) }
}

/// What plain letters look like, as they stand or in lower case.
fn look_of_plain(text: &str, in_lower_case: bool) -> String {
    let mut seen = String::with_capacity(text.len() + 4);
    for byte in text.bytes() {
        let byte = if in_lower_case { byte.to_ascii_lowercase() } else { byte };
        seen.push_str(PLAIN_LOOKS.get(usize::from(byte)).map_or("", String::as_str));
    }
    seen
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
fn digits_as_letters(word: String) -> String {
    if !word.bytes().any(|byte| byte.is_ascii_digit())
        || word.chars().filter(|c| c.is_alphabetic()).count() < LETTERS_MIN
    {
        return word;
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
    word.char_indices().map(letter).collect()
}

/// Whether a character is of a script that is written without blanks between its words, or with endings on them.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The words of a text of such a script as one; none where it has no such character.
pub(super) fn unspaced(words: &[Word]) -> Option<String> {
    let whole: String = words.iter().map(|word| word.plain.as_str()).collect();
    whole.chars().any(is_unspaced).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Vec<String> {
        words(text).remove(0).into_iter().map(|word| word.plain).collect()
    }

    fn alike(one: &str, other: &str) -> bool {
        let of = |text| words(text).into_iter().map(|all| all.into_iter().map(|w| w.merged).collect::<Vec<_>>());
        of(one).any(|one| of(other).any(|other| one == other))
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
        assert!(unspaced(&words("三井 住友")[0]).is_some());
        assert!(unspaced(&words("Itaú")[0]).is_none());
    }
}
