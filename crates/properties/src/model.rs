//! What trained models see of a mail, and the file of a model.

use std::sync::LazyLock;
use std::time::Duration;

use detect::classifier::{Asked, Model};
use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::ruleset::load::from_stored;

static IN_FORCE: LazyLock<InForce> = LazyLock::new(|| InForce::only(from_stored(Vec::new()).0));
const BOTH: Asked = Asked { first: true, second: true };

/// The same mail has the same features, in order; a model that is read is the model that is written, and scores any
/// mail by a number.
pub fn model(bytes: &[u8]) {
    let envelope = EnvelopeFacts { recipients: vec!["bert@example.com".into()], ..EnvelopeFacts::default() };
    let read = || {
        let budget = Budget::starting_now(Duration::from_secs(30));
        Examiner::new(&IN_FORCE, Limits::default()).read_for_models(bytes, &envelope, BOTH, budget)
    };
    let mail = read();
    assert_eq!(mail, read());
    for features in [&mail.first, &mail.second] {
        assert!(features.windows(2).all(|two| two[0].text < two[1].text), "each once, in order");
    }
    // A word of digits has lost them, and may be a name by that.
    let is_name = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_named = |word: &str| is_name(word) && mail.recipients.contains(word);
    let words = mail.second.iter().filter(|feature| !feature.is_mark()).filter_map(|one| one.text.split_once(':'));
    assert!(!words.clone().any(|(_, words)| words.split(' ').any(is_named)), "no recipient's name is a word");
    if let Ok(model) = Model::parse(&String::from_utf8_lossy(bytes)) {
        // Weights are written rounded; what was written once stays.
        let text = model.to_text();
        assert_eq!(Model::parse(&text).map(|again| again.to_text()), Ok(text));
        let score = model.score(&mail);
        assert!(!score.log_odds.is_nan() && !score.evidence().is_empty());
        let _ = model.acts(&score, &mail.named);
    }
}
