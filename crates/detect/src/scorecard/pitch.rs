//! Marks of a sales letter: not one of its turns, but how many of them come together.

use std::sync::LazyLock;

use super::mark::Mark as M;
use super::marks::Marks;
use super::phrase::{Concept, LEXICON, Places};
use super::table::lines;
use super::words::Words;

static PITCH: LazyLock<Vec<Concept>> =
    LazyLock::new(|| lines(include_str!("tables/pitch.txt")).filter_map(|name| LEXICON.concept(name)).collect());
/// Turns of sales letters from which on there are some, several and many.
const SOME: usize = 3;
const SEVERAL: usize = 5;
const MANY: usize = 8;
/// Words of a text below which its address to the reader is not counted.
const WORDS_MIN: usize = 40;
/// Of a hundred words, how many address the reader in a sales letter at least.
const ADDRESS_PERCENT: usize = 6;
/// Bytes of a text in which words that address the reader are counted.
const TEXT_BYTES_MAX: usize = 8000;
/// Words that address the reader, in languages in which they are words of their own and of nothing else.
const ADDRESS: [&str; 27] = [
    "you",
    "your",
    "yours",
    "yourself",
    "ihnen",
    "ihre",
    "ihren",
    "ihrer",
    "vous",
    "votre",
    "vos",
    "usted",
    "ustedes",
    "tuyo",
    "voc\u{ea}",
    "voce",
    "seu",
    "sua",
    "voi",
    "vostro",
    "vostra",
    "uw",
    "jouw",
    "sizin",
    "size",
    "\u{432}\u{44b}",
    "\u{432}\u{430}\u{448}",
];

/// The bytes that words of [`ADDRESS`] begin with: most words of a text do not.
static BEGINNINGS: [bool; 256] = {
    let mut beginnings = [false; 256];
    let mut at = 0;
    while at < ADDRESS.len() {
        beginnings[ADDRESS[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    beginnings
};

fn addresses(word: &[u8]) -> bool {
    let may_address = word.first().is_some_and(|byte| BEGINNINGS[usize::from(*byte)]);
    may_address && ADDRESS.iter().any(|one| one.as_bytes() == word)
}

/// What the concepts of the text, and its words, say of being a sales letter.
pub(super) fn look(text: &Words, places: &Places, marks: &mut Marks) {
    let turns = PITCH.iter().filter(|concept| places.has(**concept)).count();
    marks.add_if(turns >= SOME, M::PitchSome);
    marks.add_if(turns >= SEVERAL, M::PitchSeveral);
    marks.add_if(turns >= MANY, M::PitchMany);
    let beginning = &text.text[..text.text.floor_char_boundary(TEXT_BYTES_MAX)];
    let (mut words, mut address) = (0, 0);
    for word in beginning.as_bytes().split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        words += 1;
        address += usize::from(addresses(word));
    }
    marks.add_if(words >= WORDS_MIN && address * 100 >= words * ADDRESS_PERCENT, M::AddressOften);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str) -> Marks {
        let words = Words::of(text);
        let mut marks = Marks::default();
        look(&words, &Places::of(&words), &mut marks);
        marks
    }

    #[test]
    fn every_concept_of_the_table_is_in_the_lexicon() {
        assert_eq!(PITCH.len(), lines(include_str!("tables/pitch.txt")).count());
    }

    #[test]
    fn several_turns_are_a_sales_letter() {
        let one = marks("The workshop is free of charge; there is no obligation to bring a dish.");
        assert!(!one.has(M::PitchSome));
        let few = marks("Act now! Limited time offer, money back guarantee, no risk, lowest prices.");
        assert!(few.has(M::PitchSome) && few.has(M::PitchSeveral) && !few.has(M::PitchMany));
    }

    #[test]
    fn a_sales_letter_speaks_to_its_reader_all_the_time() {
        let letter = "You want your business to grow, and you know that your time is yours. ".repeat(4);
        assert!(marks(&letter).has(M::AddressOften));
        let minutes =
            "The board met on Monday and agreed on the budget; you find it on the server as before. ".repeat(4);
        assert!(!marks(&minutes).has(M::AddressOften));
        assert!(!marks("Thank you for your mail").has(M::AddressOften), "too short to say");
    }
}
