//! What a model of form 1 sees of a mail: words of subject and text, pairs of words, kinds of links, and what other
//! detections saw. No such model is trained any more; those that were are read as ever.

use std::collections::BTreeSet;

use domain::authentication::Authentication;
use domain::finding::Finding;
use domain::message::{Family, Message};

use crate::mime::Parsed;
use crate::page::html;

use super::BITS;

/// Bytes of text that are read.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Features of one mail.
const FEATURES_MAX: usize = 3000;
/// Characters of a word.
const WORD_CHARS: std::ops::RangeInclusive<usize> = 2..=24;

/// One feature: what it says, and where its weight is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Feature {
    /// What was seen, such as `w:invoice`.
    pub text: String,
    /// The number of its weight.
    pub hash: u32,
}

impl Feature {
    /// A feature of form 1 from what it says.
    pub fn new(text: String) -> Self {
        let hash = hash(text.as_bytes(), BITS);
        Self { text, hash }
    }

    /// A feature of form 2 from what it says: so many numbers that no two words of a model share one.
    pub fn neutral(text: String) -> Self {
        let hash = hash(text.as_bytes(), u32::BITS);
        Self { text, hash }
    }

    /// Whether it is a mark of the scorecards, and no word.
    pub fn is_mark(&self) -> bool {
        self.text.starts_with("u:")
    }
}

/// FNV-1a, folded: quick, the same everywhere, and no secret.
fn hash(bytes: &[u8], bits: u32) -> u32 {
    let full = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    u32::try_from((full ^ (full >> 32)) & ((1 << bits) - 1)).unwrap_or(0)
}

/// The features of form 1 of a mail, each once, in a fixed order.
pub(crate) fn features(
    parsed: &Parsed<'_>,
    findings: &[Finding],
    authentication: Option<&Authentication>,
) -> Vec<Feature> {
    let mut seen = BTreeSet::new();
    let text = text(parsed);
    words("s:", &parsed.message.subject, &mut seen);
    words("w:", &text, &mut seen);
    pairs(&text, &mut seen);
    shape(&parsed.message, &text, &mut seen);
    seen.extend(findings.iter().filter(|one| !one.effect.acts()).map(|one| format!("f:{}", one.detection)));
    if let Some(said) = authentication {
        seen.insert(format!("a:dmarc={}", said.dmarc.as_str()));
        seen.insert(format!("a:spf={}", said.spf.as_str()));
        seen.insert(format!("a:vouched={}", said.aligned.is_some()));
    }
    seen.into_iter().take(FEATURES_MAX).map(Feature::new).collect()
}

/// What somebody would read of a mail: its plain texts, else what its pages show.
fn text(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    let bodies = || parsed.parts.iter().filter(|part| part.is_text && !part.is_attachment);
    for part in bodies().filter(|part| part.family == Family::Text) {
        text.push_str(&String::from_utf8_lossy(&part.bytes));
        text.push('\n');
    }
    if text.trim().is_empty() {
        text.clear();
        for part in bodies().filter(|part| part.family == Family::Html) {
            text.push_str(&html::read(&part.bytes, false).text);
            text.push('\n');
        }
    }
    let end = text.floor_char_boundary(text.len().min(TEXT_BYTES_MAX));
    text.truncate(end);
    text
}

/// Words in one form: lower case, digits all alike. Quoted lines are somebody else's.
fn each_word(text: &str) -> impl Iterator<Item = String> + '_ {
    let own = text.lines().filter(|line| !line.trim_start().starts_with('>'));
    let words = own.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && !"$%!\u{20ac}\u{a3}".contains(c)));
    words
        .filter(|word| WORD_CHARS.contains(&word.chars().count()))
        .map(|word| word.chars().flat_map(char::to_lowercase).map(|c| if c.is_numeric() { '0' } else { c }).collect())
}

fn words(prefix: &str, text: &str, seen: &mut BTreeSet<String>) {
    seen.extend(each_word(text).map(|word| format!("{prefix}{word}")));
}

fn pairs(text: &str, seen: &mut BTreeSet<String>) {
    let words: Vec<String> = each_word(text).collect();
    seen.extend(words.windows(2).map(|pair| format!("p:{} {}", pair[0], pair[1])));
}

/// What a mail is like, apart from its words.
fn shape(message: &Message, text: &str, seen: &mut BTreeSet<String>) {
    let sized = |name: &str, count: usize| format!("n:{name}={}", count.checked_ilog2().map_or(0, |log| log + 1));
    seen.insert(sized("links", message.urls.len()));
    seen.insert(sized("domains", message.url_domains.len()));
    seen.insert(sized("text", text.len()));
    let ends = message.url_domains.iter().filter_map(|domain| domain.rsplit_once('.'));
    seen.extend(ends.map(|(_, end)| format!("u:.{}", end.to_lowercase())));
    let has = |family| message.parts.iter().any(|part| part.family == family && part.parent.is_none());
    if has(Family::Html) && !has(Family::Text) {
        seen.insert("n:html-only".into());
    }
    let letters = message.subject.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = message.subject.chars().filter(|c| c.is_uppercase()).count();
    if letters >= 8 && capitals * 2 > letters {
        seen.insert("n:subject-in-capitals".into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::mime;

    #[test]
    fn words_pairs_and_shape() {
        let raw = b"From: a@b.example\r\nSubject: FREE MONEY NOW 99\r\nContent-Type: text/plain\r\n\r\nClaim $500 \
            today!\r\n> quoted words\r\n";
        let read = mime::read(raw);
        let parsed = mime::parse(raw, read.as_ref(), &Limits::default());
        let seen: Vec<String> = features(&parsed, &[], None).into_iter().map(|one| one.text).collect();
        for word in ["s:free", "s:00", "w:claim", "w:$000", "p:claim $000", "n:subject-in-capitals", "n:links=0"] {
            assert!(seen.iter().any(|one| one == word), "{word} not in {seen:?}");
        }
        assert!(!seen.iter().any(|one| one.contains("quoted")));
        assert!(seen.is_sorted());
    }

    #[test]
    fn hashes_stay_what_they_are() {
        // A model's file names features by these numbers.
        let first = |text: &str| Feature::new(text.to_owned()).hash;
        assert_eq!([first(""), first("w:free"), first("s:meeting")], [49089, 185148, 100730]);
        assert_eq!(Feature::neutral("w:free".into()).hash & ((1 << BITS) - 1), 185148);
    }
}
