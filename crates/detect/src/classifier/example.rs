//! Mails to learn from, as numbers. Of the texts of features only those are kept that enough mails have: what one
//! sender writes is never learned, and so need not be remembered.

use std::collections::{BTreeMap, HashMap};

use domain::Digest;

use super::feature::Feature;
use super::{ForModels, POINTS};
use crate::scorecard::card::Card;

/// Mails that a feature must be seen in, from so many distinct senders and in so many distinct campaigns or threads:
/// below it a weight would tell of persons.
pub const SENDERS_MIN: usize = 5;
/// Features of all mails together, each counted in each mail: 400 MB.
const ENTRIES_MAX: usize = 100_000_000;
/// Parts that senders are dealt into, to see how a model does on mail that it has not seen.
pub(super) const FOLDS: u32 = 5;
/// Places of the table that counts mails by the number of a feature; two features may share one.
const PLACES: usize = 1 << 24;

/// Where a mail comes from, and what it belongs together with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Whether it is bad.
    pub is_bad: bool,
    /// A folder, or the sender's domain.
    pub source: String,
    /// Its sender: the organisation, or the mailbox where anybody gets one.
    pub sender: String,
    /// Its thread or campaign.
    pub group: String,
    /// The beginning of its digest: mails are learned from in this order, whatever their files are called.
    pub key: u64,
}

/// A mail to learn from.
#[derive(Clone, Debug)]
pub(super) struct Example {
    key: u64,
    pub(super) is_bad: bool,
    /// The part that its sender is dealt to.
    pub(super) part: u32,
    pub(super) source: u32,
    pub(super) sender: u32,
    pub(super) group: u32,
    /// Words that it has in all: what each of them counts depends on it.
    pub(super) word_count: usize,
    /// Features of the candidates, by their places among them.
    pub(super) words: Vec<u32>,
    /// What the scorecard says of it, as the logarithm of the odds.
    pub(super) card: f64,
    pub(super) recipients: Vec<u32>,
    pub(super) is_hard: bool,
    pub(super) is_vouched: bool,
    pub(super) abstains: bool,
}

/// Texts by their numbers, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    pub(super) texts: Vec<String>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }

    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }
}

/// Mails as they are gathered.
#[derive(Debug)]
pub struct Gathered {
    /// What the marks count.
    card: Card,
    examples: Vec<Example>,
    entries: usize,
    /// Mails by the number of a feature, up to [`SENDERS_MIN`].
    counts: Vec<u8>,
    /// The texts of features that may be learned.
    texts: BTreeMap<u32, String>,
    sources: Names,
    senders: Names,
    groups: Names,
    recipients: Names,
}

/// More than is learned from.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mails have more than {ENTRIES_MAX} words in all; a part of them is enough")]
pub struct TooMuch;

impl Gathered {
    /// None yet. The marks of a mail count what they count in this card.
    pub fn new(card: &Card) -> Self {
        Self {
            card: card.clone(),
            examples: Vec::new(),
            entries: 0,
            counts: vec![0; PLACES],
            texts: BTreeMap::new(),
            sources: Names::default(),
            senders: Names::default(),
            groups: Names::default(),
            recipients: Names::default(),
        }
    }

    /// One mail more.
    ///
    /// # Errors
    /// When it is too much in all.
    pub fn add(&mut self, mail: &ForModels, origin: &Origin) -> Result<(), TooMuch> {
        let words: Vec<&Feature> = mail.second.iter().filter(|feature| !feature.is_mark()).collect();
        self.entries += words.len();
        if self.entries > ENTRIES_MAX {
            return Err(TooMuch);
        }
        words.iter().for_each(|feature| self.count(feature));
        let side = if origin.is_bad { "bad" } else { "good" };
        self.examples.push(Example {
            key: origin.key,
            is_bad: origin.is_bad,
            part: part(&origin.sender),
            source: self.sources.number(&format!("{side} {}", origin.source)),
            sender: self.senders.number(&origin.sender),
            group: self.groups.number(&origin.group),
            word_count: words.len(),
            words: words.iter().map(|feature| feature.hash).collect(),
            card: f64::from(self.card.score(&mail.named).points) / POINTS,
            recipients: mail.recipients.iter().map(|name| self.recipients.number(name)).collect(),
            is_hard: mail.named.is_hard(),
            is_vouched: mail.named.is_vouched(),
            abstains: mail.named.abstains(),
        });
        Ok(())
    }

    fn count(&mut self, feature: &Feature) {
        let Some(count) = self.counts.get_mut(feature.hash as usize % PLACES) else { return };
        *count = count.saturating_add(1);
        if usize::from(*count) >= SENDERS_MIN {
            self.texts.entry(feature.hash).or_insert_with(|| feature.text.clone());
        }
    }

    /// All of them, with the features that may be learned by their places.
    pub(super) fn finish(self) -> Mails {
        let places: HashMap<u32, u32> = self.texts.keys().copied().zip(0..).collect();
        let mut examples = self.examples;
        examples.sort_by_key(|example| example.key);
        for example in &mut examples {
            example.words = example.words.iter().filter_map(|hash| places.get(hash).copied()).collect();
        }
        let candidates = self.texts.into_iter().collect();
        Mails { card: self.card, examples, candidates, sources: self.sources, recipients: self.recipients }
    }
}

/// The part that a sender is dealt to.
fn part(sender: &str) -> u32 {
    u32::from(Digest::of(sender.as_bytes()).as_bytes()[0]) % FOLDS
}

/// Mails that were gathered.
#[derive(Debug)]
pub(super) struct Mails {
    pub(super) card: Card,
    pub(super) examples: Vec<Example>,
    /// Features that may be learned: number and text.
    pub(super) candidates: Vec<(u32, String)>,
    pub(super) sources: Names,
    pub(super) recipients: Names,
}
