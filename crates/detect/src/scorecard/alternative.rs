//! Whether a mail says in its plain text what it says in its page. Both are shown, by different programs, and are to be
//! the same (RFC 2046, section 5.1.4); advertisers put words there that nobody is to read but a filter.

use std::collections::HashSet;

use super::mark::Mark as M;
use super::marks::Marks;
use super::reading::Reading;

/// Words of the plain text, and of the page, from which on they are compared, and how many are.
const WORDS_MIN: usize = 15;
const WORDS_MAX: usize = 400;
/// Letters of a word that is compared.
const LETTERS_MIN: usize = 4;
/// Of a hundred words of the plain text, how many the page has at least.
const SAME_PERCENT_MIN: usize = 25;

pub(super) fn look(mail: &Reading<'_>, marks: &mut Marks) {
    marks.add_if(!mail.head.has_list && differs(&mail.seen.plain, &mail.seen.page), M::PlainDiffers);
}

/// Words of letters as numbers, in lower case; what links are made of is no word.
fn words(text: &str) -> impl Iterator<Item = u64> + '_ {
    let spoken = text.split_whitespace().filter(|word| !word.contains("://"));
    let pieces = spoken.flat_map(|word| word.split(|c: char| !c.is_alphabetic()));
    pieces.filter(|word| word.chars().nth(LETTERS_MIN - 1).is_some()).map(number)
}

/// FNV-1a of the letters in lower case: the same word is the same number.
fn number(word: &str) -> u64 {
    let mixed = |number: u64, c: char| (number ^ u64::from(u32::from(c))).wrapping_mul(0x0100_0000_01b3);
    word.chars().flat_map(char::to_lowercase).fold(0xcbf2_9ce4_8422_2325, mixed)
}

fn differs(plain: &str, page: &str) -> bool {
    if page.is_empty() {
        return false;
    }
    let said: HashSet<u64> = words(plain).take(WORDS_MAX).collect();
    if said.len() < WORDS_MIN {
        return false;
    }
    let (mut missing, mut shown) = (said.clone(), HashSet::new());
    for word in words(page) {
        if shown.len() < WORDS_MIN {
            shown.insert(word);
        }
        // Most pages say the same with their first words.
        if missing.remove(&word) && (said.len() - missing.len()) * 100 >= said.len() * SAME_PERCENT_MIN {
            return false;
        }
    }
    shown.len() >= WORDS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "The museum opens again after the works in the great hall; members see the paintings of the \
                          northern school first, and children have a tour every Sunday morning.";

    #[test]
    fn a_plain_text_is_that_of_the_page() {
        assert!(!differs(LETTER, LETTER));
        assert!(!differs(
            &format!("{LETTER} https://museum.example/hall"),
            &format!("View in browser {LETTER} Imprint")
        ));
        assert!(!differs("This mail needs a program that shows pages.", LETTER), "too short to compare");
        assert!(!differs(LETTER, "Museum"), "a page of a picture");
    }

    #[test]
    fn other_words_are_told() {
        let other = "Yes, Thursday still works for everyone, and bringing sandwiches sounds lovely; please remember \
                     your umbrella because forecasts promise showers throughout lunchtime.";
        assert!(differs(other, LETTER));
    }
}
