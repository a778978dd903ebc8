//! The features of a mail that scorecards weigh: its marks, the concepts in subject and text, and pairs of concepts
//! that stand near one another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use domain::authentication::AuthResult;

use super::brand::brand_of_domain;
use super::mark::Mark;
use super::marks::Marks;
use super::phrase::{Concept, LEXICON, Places};
use super::reading::Reading;
use super::{alternative, body, decoration, file, host, link, pitch, sender};
use crate::examine::EnvelopeFacts;
use crate::mime::Parsed;
use crate::seen::Seen;
use crate::structure::Signal;

/// Words below which a mail without a link has nothing to be judged by.
const WORDS_MIN: usize = 8;
/// Pairs of concepts that say more together: `one other | sentence`.
static PAIRS: &str = include_str!("pairs.txt");

/// Concepts of good mail, which may speak for a mail and never against it.
const GOOD_CONCEPTS: [&str; 28] = [
    "agenda",
    "attached_please_find",
    "best_regards",
    "booking",
    "bug_words",
    "code_words",
    "comment_notification",
    "commit_words",
    "confirm_email_signup",
    "delivery_report",
    "digest",
    "invitation",
    "itinerary",
    "mailing_list_footer",
    "meeting",
    "minutes",
    "newsletter_words",
    "order_shipped",
    "out_of_office",
    "password_reset_requested",
    "patch_words",
    "receipt",
    "release_notes",
    "signature_phone",
    "support_ticket",
    "thanks",
    "welcome_signup",
    "wrote_line",
];
/// Concepts that every newsletter has, good or bad: they count in pairs alone.
const EVERYDAY_CONCEPTS: [&str; 4] =
    ["advertisement_label", "mailing_address_footer", "unsubscribe", "view_in_browser"];
/// Points of a concept that speaks for a mail, and of one that speaks against it, at most.
const GOOD_BOUND: i32 = -80;
const BAD_BOUND: i32 = 150;

fn bound_of(concept: &str) -> i32 {
    if GOOD_CONCEPTS.contains(&concept) {
        GOOD_BOUND
    } else if EVERYDAY_CONCEPTS.contains(&concept) {
        0
    } else {
        BAD_BOUND
    }
}

/// A feature, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feature(u16);

impl Feature {
    /// The feature that is a mark: they are the first ones, in the order in which they are declared.
    fn of_mark(mark: Mark) -> Self {
        Self(mark as u16)
    }

    /// The number.
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// All features that this program knows.
pub struct AllFeatures {
    names: Vec<String>,
    sentences: Vec<String>,
    bounds: Vec<i32>,
    by_name: BTreeMap<String, Feature>,
    pairs: Vec<(Concept, Concept, Feature)>,
}

/// The features of this program.
pub static FEATURES: LazyLock<AllFeatures> = LazyLock::new(AllFeatures::known);

impl AllFeatures {
    fn known() -> Self {
        let (names, sentences, bounds, pairs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut all = Self { names, sentences, bounds, by_name: BTreeMap::new(), pairs };
        for mark in Mark::ALL {
            all.add(mark.name().to_owned(), mark.sentence().to_owned(), mark.bound());
        }
        for (place, said) in [("subject", " in its subject"), ("text", ""), ("file", " in an attached document")] {
            for concept in LEXICON.concepts() {
                let sentence = format!("{}{said}", LEXICON.sentence(concept));
                let name = LEXICON.name(concept);
                all.add(format!("{place}:{name}"), sentence, bound_of(name));
            }
        }
        for line in PAIRS.lines().filter(|line| !line.starts_with('#')) {
            let Some((names, sentence)) = line.split_once('|') else { continue };
            let mut names = names.split_whitespace().filter_map(|name| LEXICON.concept(name));
            let (Some(one), Some(other)) = (names.next(), names.next()) else { continue };
            let name = format!("near:{}+{}", LEXICON.name(one), LEXICON.name(other));
            let Some(feature) = all.add(name, sentence.trim().to_owned(), BAD_BOUND) else { continue };
            all.pairs.push((one, other, feature));
        }
        all
    }

    fn add(&mut self, name: String, sentence: String, bound: i32) -> Option<Feature> {
        let feature = Feature(u16::try_from(self.names.len()).ok()?);
        self.by_name.insert(name.clone(), feature);
        self.names.push(name);
        self.sentences.push(sentence);
        self.bounds.push(bound);
        Some(feature)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Each of them.
    pub fn all(&self) -> impl Iterator<Item = Feature> {
        (0_u16..).take(self.names.len()).map(Feature)
    }

    /// The feature of this name.
    pub fn of_name(&self, name: &str) -> Option<Feature> {
        self.by_name.get(name).copied()
    }

    /// The name of a feature.
    pub fn name(&self, feature: Feature) -> &str {
        self.names.get(feature.number()).map_or("", String::as_str)
    }

    /// What it means, completing "The mail ...".
    pub fn sentence(&self, feature: Feature) -> &str {
        self.sentences.get(feature.number()).map_or("", String::as_str)
    }

    /// The points that it may count at most, as [`Mark::bound`].
    pub fn bound(&self, feature: Feature) -> i32 {
        self.bounds.get(feature.number()).copied().unwrap_or_default()
    }

    fn concept_at(&self, place: usize, concept: Concept) -> Option<Feature> {
        let concepts = LEXICON.concepts().count();
        u16::try_from(Mark::ALL.len() + place * concepts + concept.number()).ok().map(Feature)
    }
}

/// The features of one mail, and what is to be known besides to act on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    seen: BTreeSet<Feature>,
    has_hard: bool,
    is_vouched: bool,
    abstains: bool,
}

impl Features {
    /// Those of a mail that was taken apart.
    pub(crate) fn of(
        raw: &[u8],
        parsed: &Parsed<'_>,
        seen: &Seen,
        signals: &[Signal],
        envelope: &EnvelopeFacts,
    ) -> Self {
        let mail = Reading::of(raw, parsed, seen, signals, envelope);
        let mut marks = Marks::default();
        sender::look(&mail, &mut marks);
        link::look(&mail, &mut marks);
        body::look(&mail, &mut marks);
        file::look(&mail, &mut marks);
        decoration::look(&mail, &mut marks);
        alternative::look(&mail, &mut marks);
        let text = Places::of(&mail.text);
        pitch::look(&mail.text, &text, &mut marks);
        let mut found = BTreeSet::new();
        found.extend(marks.iter().map(Feature::of_mark));
        let document = Places::of(&mail.document);
        for (place, places) in [Places::of(&mail.subject), text.clone(), document.clone()].into_iter().enumerate() {
            found.extend(places.concepts().filter_map(|concept| FEATURES.concept_at(place, concept)));
        }
        let pairs = FEATURES.pairs.iter().filter(|(one, other, _)| near(&text, &document, *one, *other));
        found.extend(pairs.map(|(.., feature)| *feature));
        Self {
            has_hard: marks.iter().any(Mark::is_hard),
            is_vouched: is_vouched(&mail, &marks),
            abstains: abstains(&mail, &marks),
            seen: found,
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Feature> + '_ {
        self.seen.iter().copied()
    }

    /// Whether one of them is a hard fact.
    pub fn is_hard(&self) -> bool {
        self.has_hard
    }

    /// Whether something vouches for the sender.
    pub fn is_vouched(&self) -> bool {
        self.is_vouched
    }

    /// Whether there is too little to be judged by.
    pub fn abstains(&self) -> bool {
        self.abstains
    }
}

fn near(text: &Places, document: &Places, one: Concept, other: Concept) -> bool {
    text.near(one, other) || document.near(one, other)
}

/// Marks with which nothing vouches for a sender: it passes for somebody else, its answers go elsewhere, or its links
/// are passed on.
const VOID: [Mark; 13] = [
    Mark::FromBrandInDomain,
    Mark::FromLookalike,
    Mark::NameBrandElsewhere,
    Mark::NameAddressElsewhere,
    Mark::NameOurs,
    Mark::NameOddLetters,
    Mark::SubjectBrandNowhere,
    Mark::CopyrightElsewhere,
    Mark::ReplyElsewhere,
    Mark::ReplyFreeMail,
    Mark::LinkRedirector,
    Mark::LinkForm,
    Mark::LinkShortener,
];

/// Whether something vouches for the sender: its domain does (DMARC), and the mail leads to nobody else. Who lends a
/// mailbox, a page or a service to anybody vouches for nobody. That a mail says it came over a list counts nothing:
/// anybody writes that field.
fn is_vouched(mail: &Reading<'_>, marks: &Marks) -> bool {
    let Some(said) = &mail.envelope.authentication else { return false };
    let is_lent = host::is_free_mail(&mail.from)
        || host::free_host(&mail.message().from_domain).is_some()
        || host::is_sending_service(&mail.from);
    let is_own =
        |domain: &str| domain == mail.from || brand_of_domain(&mail.from).is_some_and(|brand| brand.owns(domain));
    let leads_home = mail.links.iter().all(|link| is_own(&link.domain));
    said.dmarc == AuthResult::Pass && !is_lent && leads_home && !VOID.into_iter().any(|mark| marks.has(mark))
}

/// Whether there is too little to be judged by, or it is no letter at all: a delivery report, an invitation of a
/// meeting service.
fn abstains(mail: &Reading<'_>, marks: &Marks) -> bool {
    let words = mail.text.count + mail.document.count + mail.subject.count;
    let has_nothing = words < WORDS_MIN && mail.links.is_empty() && mail.seen.linked_pictures == 0;
    has_nothing || marks.has(Mark::Report) || (marks.has(Mark::Calendar) && !marks.has(Mark::CalendarStranger))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::upstream;
    use crate::examine::Examiner;
    use crate::in_force::InForce;
    use crate::limits::{Budget, Limits};
    use crate::mime::wire_form;
    use crate::ruleset::load::from_stored;
    use crate::scorecard::card::{Card, Head};

    /// Words enough for a mail to be judged by.
    const TEXT: &str = "Dear Bert, here is what you have asked us for last week, with our best regards.";

    fn features(fields: &str, text: &str, dmarc: &str) -> Features {
        let mail = format!("Authentication-Results: mx.example; dmarc={dmarc}\n{fields}\n\n{text}\n");
        let raw = wire_form(mail.as_bytes());
        let authentication = upstream::of_message(&raw, &["mx.example".to_owned()]);
        assert!(authentication.is_some(), "the results are believed");
        let envelope = EnvelopeFacts { authentication, ..EnvelopeFacts::default() };
        let in_force = InForce::only(from_stored(Vec::new()).0);
        let budget = Budget::starting_now(Duration::from_secs(30));
        Examiner::new(&in_force, Limits::default()).named_features(&raw, &envelope, budget)
    }

    #[test]
    fn a_mark_is_the_feature_of_its_name() {
        for mark in Mark::ALL {
            assert_eq!(FEATURES.of_name(mark.name()), Some(Feature::of_mark(*mark)));
        }
        for (one, other, feature) in &FEATURES.pairs {
            let name = format!("near:{}+{}", LEXICON.name(*one), LEXICON.name(*other));
            assert_eq!(FEATURES.name(*feature), name);
        }
    }

    #[test]
    fn a_domain_vouches_for_its_own_links_alone() {
        let from = "From: Anna <anna@partner.example>\nTo: bert@ours.example\nSubject: your question";
        let own = format!("{TEXT} https://www.partner.example/a");
        assert!(features(from, &own, "pass").is_vouched());
        assert!(!features(from, &own, "fail").is_vouched(), "the domain disowns it");
        let elsewhere = format!("{TEXT} https://www.elsewhere.example/a");
        assert!(!features(from, &elsewhere, "pass").is_vouched(), "it leads elsewhere");
        let list = format!("{from}\nList-Id: <news.partner.example>\nList-Post: <mailto:news@partner.example>");
        assert!(!features(&list, &elsewhere, "pass").is_vouched(), "anybody says that he is a list");
        let answers = format!("{from}\nReply-To: anna@elsewhere.example");
        assert!(!features(&answers, &own, "pass").is_vouched(), "answers go elsewhere");
        let free = "From: Anna <anna@gmail.com>\nTo: bert@ours.example\nSubject: your question";
        assert!(!features(free, TEXT, "pass").is_vouched(), "anybody has a mailbox there");
        let other = "From: PayPal <service@partner.example>\nTo: bert@ours.example\nSubject: your question";
        assert!(!features(other, &own, "pass").is_vouched(), "it passes for somebody else");
    }

    #[test]
    fn what_cannot_be_judged_is_not() {
        let from = "From: Anna <anna@partner.example>\nTo: bert@ours.example\nSubject: hello";
        assert!(features(from, "See you.", "none").abstains());
        assert!(!features(from, TEXT, "none").abstains());
        assert!(!features(from, "https://elsewhere.example/a", "none").abstains(), "a link is something");
        let report = format!("{from}\nContent-Type: multipart/report; boundary=b");
        assert!(features(&report, &format!("--b\n\n{TEXT}\n--b--"), "none").abstains());
    }

    #[test]
    fn a_card_that_holds_asks_for_a_hard_fact_and_for_no_voucher() {
        let from = "From: Anna <anna@partner.example>\nTo: bert@ours.example\nSubject: your question";
        let card = |conjunction, threshold| {
            let head = Head { form: 1, bias: 100, threshold, conjunction, good: 0, bad: 0 };
            Card::new(head, &BTreeMap::new())
        };
        let acts = |card: &Card, features: &Features| card.acts(&card.score(features), features);
        let words = features(from, TEXT, "none");
        let hard = features(from, &format!("{TEXT} https://bit.ly/a"), "none");
        let vouched = features(from, &format!("{TEXT} https://partner.example/a"), "pass");
        assert!(hard.is_hard() && !words.is_hard() && vouched.is_vouched());
        assert!(acts(&card(false, 100), &words) && !acts(&card(true, 100), &words));
        assert!(acts(&card(true, 100), &hard) && !acts(&card(true, 101), &hard));
        assert!(!acts(&card(false, 100), &vouched) && acts(&card(false, -50), &vouched), "it needs 150 points more");
        assert!(!acts(&card(false, 100), &features(from, "See you.", "none")), "there is nothing to judge by");
    }
}
