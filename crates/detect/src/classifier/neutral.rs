//! What a model of form 2 sees of a mail: the words that a person sees, and the marks of the scorecards. Nothing of the
//! header but the subject, and no name of sender, recipient or list: such features tell whose mail a model has been
//! trained on, and nothing about the next one.

use std::collections::BTreeSet;

use domain::header;

use super::feature::Feature;
use super::word::{Word, names_of, words};
use crate::examine::EnvelopeFacts;
use crate::mime::Parsed;
use crate::scorecard::feature::{FEATURES, Features};
use crate::seen::Seen;

/// Bytes of a header field that are read for names.
const FIELD_BYTES_MAX: usize = 4_000;
/// Fields of a header that name recipients.
const RECIPIENT_FIELDS: [&str; 6] = ["To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"];
/// Fields that name a list.
const LIST_FIELDS: [&str; 3] = ["List-Id", "List-Post", "Mailing-List"];
/// Characters of a name of a list in brackets before a subject.
const TAG_CHARS_MAX: usize = 40;

/// The features of a mail, each once, in a fixed order; and the words that its recipients are called by.
pub(crate) fn features(
    raw: &[u8],
    parsed: &Parsed<'_>,
    seen: &Seen,
    named: &Features,
    envelope: &EnvelopeFacts,
) -> (Vec<Feature>, BTreeSet<String>) {
    let recipients = recipients(raw, envelope);
    let mut names = recipients.clone();
    names_of(&parsed.message.from, &mut names);
    names_of(&envelope.sender, &mut names);
    for field in header::fields(raw).filter(|field| LIST_FIELDS.iter().any(|name| field.is(name))) {
        names_of(&short(&field).replace(['<', '>', '@', '.'], " "), &mut names);
    }
    let mut texts = BTreeSet::new();
    texts.extend(named.iter().map(|feature| format!("u:{}", FEATURES.name(feature))));
    add(["s:", "t:"], &words(without_tags(&parsed.message.subject), &names), &mut texts);
    let mut text = words(seen.text(), &names);
    text.push(Word::LeftOut);
    text.extend(words(&seen.document, &names));
    add(["w:", "p:"], &text, &mut texts);
    // The words of each text are bounded, and so are these.
    (texts.into_iter().map(Feature::neutral).collect(), recipients)
}

/// Words and pairs of words that stand beside one another.
fn add([single, pair]: [&str; 2], words: &[Word], texts: &mut BTreeSet<String>) {
    for word in words {
        if let Word::Seen(word) | Word::Run(word) = word {
            texts.insert(format!("{single}{word}"));
        }
    }
    for two in words.windows(2) {
        if let [Word::Seen(one), Word::Seen(other)] = two {
            texts.insert(format!("{pair}{one} {other}"));
        }
    }
}

/// The words that the recipients of a mail are called by.
fn recipients(raw: &[u8], envelope: &EnvelopeFacts) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    envelope.recipients.iter().for_each(|one| names_of(one, &mut names));
    for field in header::fields(raw) {
        if RECIPIENT_FIELDS.iter().any(|name| field.is(name)) {
            header::addresses(&short(&field)).iter().for_each(|one| names_of(&one.to_string(), &mut names));
        } else if field.is("Received")
            && let Some((_, behind)) = short(&field).split_once("for <")
            && let Some((address, _)) = behind.split_once('>')
        {
            names_of(address, &mut names);
        }
    }
    names
}

fn short(field: &header::Field<'_>) -> String {
    let mut value = field.unfolded();
    value.truncate(value.floor_char_boundary(FIELD_BYTES_MAX));
    value
}

/// A subject without the names of lists in brackets that stand before it.
fn without_tags(subject: &str) -> &str {
    let mut rest = subject.trim_start();
    while let Some((tag, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if tag.chars().count() > TAG_CHARS_MAX {
            break;
        }
        rest = behind.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::classifier::Asked;
    use crate::examine::Examiner;
    use crate::in_force::InForce;
    use crate::limits::{Budget, Limits};
    use crate::mime::wire_form;
    use crate::ruleset::load::from_stored;

    fn of(mail: &str) -> BTreeSet<String> {
        let in_force = InForce::only(from_stored(Vec::new()).0);
        let budget = Budget::starting_now(Duration::from_secs(30));
        let raw = wire_form(mail.as_bytes());
        let mut examiner = Examiner::new(&in_force, Limits::default());
        let asked = Asked { first: false, second: true };
        let seen = examiner.read_for_models(&raw, &EnvelopeFacts::default(), asked, budget);
        assert!(seen.second.is_sorted_by_key(|feature| &feature.text));
        seen.second.into_iter().map(|feature| feature.text).collect()
    }

    fn has(features: &BTreeSet<String>, text: &str) -> bool {
        features.contains(text)
    }

    #[test]
    fn words_and_marks_and_no_names() {
        let features = of("From: Anna <anna@partner.example>\nTo: phishing@pot.example\nSubject: [usrp] Verify your \
            mailbox phishing\nList-Id: USRP users <users.lists.example>\nX-Mailer: Unseen\n\nDear phishing, pot owner \
            and anna of partner: verify your password at https://bit.ly/abc in 24 hours.\n");
        for text in ["w:verify", "p:your password", "s:verify", "t:your mailbox", "w:<url>", "u:link-shortener"] {
            assert!(has(&features, text), "{text} not in {features:?}");
        }
        for name in ["phishing", "pot", "anna", "partner", "usrp", "unseen", "users", "bit"] {
            assert!(!features.iter().any(|one| one.contains(name)), "{name} in {features:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_no_word() {
        let features = of("From: a@b.example\nSubject: x\nContent-Type: text/html\n\n<p>visible words</p><p \
            style='display:none'>meeting minutes</p>\n");
        assert!(has(&features, "p:visible words") && !has(&features, "w:meeting"), "{features:?}");
    }

    #[test]
    fn a_bracket_before_a_subject_is_the_name_of_a_list() {
        assert_eq!(without_tags("[a] [b-list] c [d]"), "c [d]");
        assert_eq!(without_tags("[open c"), "[open c");
        assert_eq!(without_tags(&format!("[{}] c", "x".repeat(50))), format!("[{}] c", "x".repeat(50)));
    }
}
