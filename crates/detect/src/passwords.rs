//! The words that may open what is encrypted: those of the mail in which it is, then those of the mails around it,
//! then those of all others that came together.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::Part;

use crate::mime::Decoded;
use crate::text;

/// Words that are tried on one archive at most.
const WORDS_MAX: usize = 40;

/// A mail among those that are in one: the outermost, or a part that is one.
type Letter = Option<u32>;

/// What each mail says, as the parts of all of them come.
#[derive(Debug, Default)]
pub(crate) struct Passwords {
    /// The mail in which each part is, by its number.
    letters: Vec<Letter>,
    /// The texts of each mail: numbers of parts.
    parts: BTreeMap<Letter, Vec<usize>>,
    /// Texts of a mail that are no parts: its subject, the body of one that Outlook saved.
    others: BTreeMap<Letter, Vec<String>>,
    /// Words that were found so far.
    found: BTreeMap<Letter, Vec<String>>,
}

impl Passwords {
    /// One more part, behind those that came before; of its parent is told whether that is a mail.
    pub(crate) fn part(&mut self, decoded: &Decoded<'_>, parent: Option<(&Part, bool)>) {
        let letter = match parent {
            Some((parent, true)) => Some(parent.number),
            Some((parent, false)) => self.letter(parent.number),
            None => None,
        };
        if decoded.is_text {
            self.parts.entry(letter).or_default().push(self.letters.len());
        }
        self.letters.push(letter);
    }

    /// A text of a mail that is no part of it.
    pub(crate) fn text(&mut self, letter: Letter, text: String) {
        if !text.is_empty() {
            self.others.entry(letter).or_default().push(text);
        }
    }

    /// Whether a part is a mail that has said something.
    pub(crate) fn has_text_of(&self, part: &Part) -> bool {
        self.others.contains_key(&Some(part.number))
    }

    fn letter(&self, number: u32) -> Letter {
        usize::try_from(number).ok().and_then(|at| self.letters.get(at).copied()).flatten()
    }

    /// The words for an archive that is the part of this number, those of its own mail first.
    pub(crate) fn of(&mut self, number: u32, decoded: &[Decoded<'_>]) -> Vec<String> {
        let mut order = Vec::new();
        let mut letter = self.letter(number);
        while let Some(inner) = letter {
            order.push(letter);
            // A mail is a part of another that came before it.
            letter = self.letter(inner).filter(|outer| *outer < inner);
        }
        order.push(None);
        let around = order.len();
        let others = self.parts.keys().chain(self.others.keys()).filter(|other| !order[..around].contains(other));
        let others: BTreeSet<Letter> = others.copied().collect();
        order.extend(others);
        let mut words: Vec<String> = Vec::new();
        for letter in order {
            if words.len() >= WORDS_MAX {
                break;
            }
            for word in self.words(letter, decoded) {
                if words.len() < WORDS_MAX && !words.contains(word) {
                    words.push(word.clone());
                }
            }
        }
        words
    }

    fn words(&mut self, letter: Letter, decoded: &[Decoded<'_>]) -> &[String] {
        let Self { parts, others, found, .. } = self;
        found.entry(letter).or_insert_with(|| {
            let parts = parts.get(&letter).into_iter().flatten().filter_map(|at| decoded.get(*at));
            let others = others.get(&letter).into_iter().flatten().map(String::as_str);
            let texts = parts.filter_map(|part| std::str::from_utf8(&part.bytes).ok());
            text::passwords(&texts.chain(others).collect::<Vec<_>>())
        })
    }
}
