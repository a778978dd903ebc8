//! The named features of a mail, and the file of a scorecard.

use std::sync::LazyLock;
use std::time::Duration;

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::ruleset::load::from_stored;
use detect::scorecard::card::Card;
use detect::scorecard::feature::FEATURES;
use detect::scorecard::words::{TEXT_BYTES_MAX, Words};

static IN_FORCE: LazyLock<InForce> = LazyLock::new(|| InForce::only(from_stored(Vec::new()).0));

/// The same mail has the same features, each of them one that is known; a card that is read is the card that is
/// written; words are in one form.
pub fn scorecard(bytes: &[u8]) {
    let envelope = EnvelopeFacts { recipients: vec!["bert@example.com".into()], ..EnvelopeFacts::default() };
    let features = || {
        let budget = Budget::starting_now(Duration::from_secs(30));
        Examiner::new(&IN_FORCE, Limits::default()).named_features(bytes, &envelope, budget)
    };
    let first = features();
    assert_eq!(first, features());
    assert!(first.iter().all(|feature| FEATURES.of_name(FEATURES.name(feature)) == Some(feature)));
    let text = String::from_utf8_lossy(bytes);
    if let Ok(card) = Card::parse(&text) {
        assert_eq!(Card::parse(&card.to_text()), Ok(card.clone()));
        let score = card.score(&first);
        assert!(score.terms.len() <= first.iter().count());
    }
    // Some letters are many in their plain form, and a text is read to a limit.
    let words = Words::of(&text);
    assert!(words.text.len() > TEXT_BYTES_MAX || Words::of(&words.text).text == words.text);
}
