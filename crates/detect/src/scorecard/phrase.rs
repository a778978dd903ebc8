//! The lexicon: words and phrases of one meaning in many languages are a concept. A text is looked through for all of
//! them at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use include_dir::{Dir, include_dir};

use super::words::Words;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/scorecard/lexicon");
/// Places of one concept in one text that are kept.
const PLACES_MAX: usize = 100;
/// Bytes of a text that are looked through for concepts: about five hundred words.
const TEXT_BYTES_MAX: usize = 3500;
/// Bytes of a text within which two concepts are near one another: about twelve words.
const NEAR_BYTES: usize = 90;

/// A concept, by its number in the lexicon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Concept(u16);

impl Concept {
    /// The number.
    pub(super) fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// All concepts.
pub struct Lexicon {
    names: Vec<&'static str>,
    sentences: Vec<String>,
}

/// The lexicon that the program carries.
pub static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::shipped);

/// The phrases of all concepts. They are made ready apart from the names, which a process needs that reads scorecards
/// and no mail: a tenth of a second and 30 MB.
static PHRASES: LazyLock<Phrases> = LazyLock::new(Phrases::shipped);

/// What is looked for, all at once.
struct Phrases {
    automaton: AhoCorasick,
    /// The concepts of each phrase.
    meanings: Vec<Vec<Concept>>,
}

/// The concepts' files by name, in the order of their numbers.
fn files() -> BTreeMap<&'static str, &'static str> {
    let files = FILES.files().filter_map(|file| {
        let name = file.path().file_name()?.to_str()?.strip_suffix(".txt")?;
        Some((name, file.contents_utf8()?))
    });
    files.collect()
}

impl Phrases {
    fn shipped() -> Self {
        let mut patterns: BTreeMap<String, Vec<Concept>> = BTreeMap::new();
        for (number, text) in (0_u16..).zip(files().values()) {
            for pattern in phrases(text).flat_map(spellings).filter_map(|phrase| pattern(&phrase)) {
                let meanings = patterns.entry(pattern).or_default();
                if meanings.last() != Some(&Concept(number)) {
                    meanings.push(Concept(number));
                }
            }
        }
        let automaton = AhoCorasick::new(patterns.keys()).expect("the lexicon is far below the limits of an automaton");
        Self { automaton, meanings: patterns.into_values().collect() }
    }
}

impl Lexicon {
    fn shipped() -> Self {
        let files = files();
        let sentences = files.values().map(|text| {
            let sentence = text.lines().next().unwrap_or_default().trim_start_matches('#').trim();
            sentence.trim_end_matches('.').to_owned()
        });
        Self { sentences: sentences.collect(), names: files.into_keys().collect() }
    }

    /// The name of a concept, by which weights speak of it.
    pub fn name(&self, concept: Concept) -> &'static str {
        self.names.get(usize::from(concept.0)).copied().unwrap_or_default()
    }

    /// All concepts.
    pub fn concepts(&self) -> impl Iterator<Item = Concept> {
        (0_u16..).take(self.names.len()).map(Concept)
    }

    /// The concept of this name.
    pub fn concept(&self, name: &str) -> Option<Concept> {
        let at = self.names.binary_search(&name).ok()?;
        u16::try_from(at).ok().map(Concept)
    }

    /// What it means that a concept was seen; completes "The mail ...".
    pub fn sentence(&self, concept: Concept) -> &str {
        self.sentences.get(usize::from(concept.0)).map_or("", String::as_str)
    }
}

/// The phrases of a concept's file: `code: phrase, phrase`.
fn phrases(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(':')).flat_map(|(_, phrases)| phrases.split([',', '\u{3001}']))
}

/// A phrase as it is written, and without the letters that not every keyboard has: `best\u{e4}tigen`, `bestaetigen`.
fn spellings(phrase: &str) -> Vec<String> {
    let plain = phrase.to_lowercase().replace('\u{e4}', "ae").replace('\u{f6}', "oe").replace('\u{fc}', "ue");
    let is_other = plain != phrase.to_lowercase();
    std::iter::once(phrase.to_owned()).chain(is_other.then_some(plain)).collect()
}

/// A phrase as it stands in words. `*` at its end: its last word may go on. Languages without blanks between words have
/// theirs anywhere.
fn pattern(phrase: &str) -> Option<String> {
    let phrase = phrase.trim();
    let goes_on = phrase.ends_with('*');
    let words = Words::of(phrase.trim_end_matches('*'));
    if words.count == 0 {
        return None;
    }
    let is_anywhere = words.text.chars().any(|c| {
        matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}')
    });
    Some(match (is_anywhere, goes_on) {
        (true, _) => words.text.trim().to_owned(),
        (false, true) => words.text.trim_end().to_owned(),
        (false, false) => words.text,
    })
}

/// Where concepts stand in one text, as bytes from its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<Concept, Vec<usize>>);

impl Places {
    /// Where which concepts stand in the beginning of a text. A long text has a word of everything.
    pub fn of(words: &Words) -> Self {
        let mut places = Self::default();
        let beginning = &words.text[..words.text.floor_char_boundary(TEXT_BYTES_MAX)];
        for found in PHRASES.automaton.find_overlapping_iter(beginning) {
            for concept in PHRASES.meanings.get(found.pattern().as_usize()).into_iter().flatten() {
                let seen: &mut Vec<usize> = places.0.entry(*concept).or_default();
                if seen.len() < PLACES_MAX {
                    seen.push(found.start());
                }
            }
        }
        places
    }

    /// The concepts that were seen.
    pub fn concepts(&self) -> impl Iterator<Item = Concept> + '_ {
        self.0.keys().copied()
    }

    /// Whether a concept was seen.
    pub fn has(&self, concept: Concept) -> bool {
        self.0.contains_key(&concept)
    }

    /// Whether two concepts stand within about twelve words of one another.
    pub fn near(&self, one: Concept, other: Concept) -> bool {
        let (Some(ones), Some(others)) = (self.0.get(&one), self.0.get(&other)) else { return false };
        // Places come in the order of the ends of phrases: nearly sorted, and few.
        ones.iter().any(|at| others.iter().any(|other| at.abs_diff(*other) <= NEAR_BYTES && at != other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concepts(text: &str) -> Vec<&'static str> {
        let found = Places::of(&Words::of(text));
        found.concepts().map(|concept| LEXICON.name(concept)).collect()
    }

    #[test]
    fn concepts_are_found_in_every_language() {
        for text in ["Your account has been suspended.", "Ihr Konto wurde gesperrt", "Votre compte est suspendu"] {
            let found = concepts(text);
            assert!(found.contains(&"account") && found.contains(&"suspended"), "{text}: {found:?}");
        }
        assert_eq!(concepts(""), Vec::<&str>::new());
    }

    #[test]
    fn near_is_within_a_dozen_words() {
        let found = |text: &str| {
            let places = Places::of(&Words::of(text));
            let concept = |name| LEXICON.concept(name).expect("in the lexicon");
            places.near(concept("account"), concept("suspended"))
        };
        assert!(found("your account will be suspended"));
        assert!(!found(&format!("your account {} suspended", "and so on ".repeat(20))));
    }

    #[test]
    fn every_file_has_a_sentence_and_phrases() {
        for concept in LEXICON.concepts() {
            let name = LEXICON.name(concept);
            assert!(LEXICON.sentence(concept).len() > 10, "{name}: its first line says what it means");
            assert_eq!(LEXICON.concept(name), Some(concept));
        }
        for file in FILES.files().filter(|file| file.path().extension().is_some_and(|end| end == "txt")) {
            let text = file.contents_utf8().expect("UTF-8");
            let found = phrases(text).filter_map(pattern).count();
            assert!(found >= 10, "{}: {found} phrases", file.path().display());
        }
    }
}
