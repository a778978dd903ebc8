//! A mail of a model's own words, which it must hit, and one that it must miss: nobody's mail.

use detect::classifier::{Asked, ForModels, Model};
use detect::examine::Examiner;
use detect::limits::Budget;
use detect::mime::wire_form;
use detect::ruleset::lint::fixture_envelope;

use super::mails::MAIL_TIME;
use crate::CliError;

/// Words of the body that are tried, fewest first.
const WORD_COUNTS: [usize; 4] = [15, 30, 60, 120];
/// What is put around them, the plainest first: facts that scorecards know as well.
const FACTS: [(&str, &str); 3] = [
    ("", ""),
    ("", "\nhttps://bit.ly/3xAmPle1\n"),
    ("Reply-To: service4821@gmail.com\n", "\nhttps://bit.ly/3xAmPle1?user=bert@example.com\n"),
];

/// A mail that the model hits.
///
/// # Errors
/// When there is none, or it hits an ordinary mail as well.
pub(super) fn hit(examiner: &mut Examiner<'_>, model: &Model, heaviest: &[(String, f64)]) -> Result<Vec<u8>, CliError> {
    let mut acts = |mail: &[u8]| {
        let seen = read(examiner, mail);
        model.acts(&model.score(&seen), &seen.named)
    };
    if acts(INNOCENT.as_bytes()) {
        return Err(CliError::Usage("the model hits an ordinary mail: give it more good mail".into()));
    }
    let subject = words(heaviest, ["t:", "s:"], 6).join(" ");
    for (fields, link) in FACTS {
        for count in WORD_COUNTS {
            let body = words(heaviest, ["p:", "w:"], count).chunks(6).map(|line| line.join(" ")).collect::<Vec<_>>();
            let mail = fixture(fields, &subject, &format!("{}\n{link}", body.join("\n")));
            if acts(&mail) {
                return Ok(mail);
            }
        }
    }
    Err(CliError::Usage(
        "the model is too weak to hit even its own words: give it more mail, or mail of one kind".into(),
    ))
}

/// The heaviest pairs and words, so many in all.
fn words(heaviest: &[(String, f64)], prefixes: [&str; 2], most: usize) -> Vec<String> {
    let is_written = |words: &&str| words.is_ascii() && !words.contains(['<', '0']);
    let of_kind = heaviest.iter().filter_map(|(text, _)| prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)));
    of_kind.filter(is_written).take(most).map(str::to_owned).collect()
}

fn read(examiner: &mut Examiner<'_>, mail: &[u8]) -> ForModels {
    let mail = wire_form(mail);
    let asked = Asked { first: false, second: true };
    examiner.read_for_models(&mail, &fixture_envelope(&mail), asked, Budget::starting_now(MAIL_TIME))
}

fn fixture(fields: &str, subject: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Anna <anna@partner.example>\n{fields}To: Bert <bert@example.com>\nSubject: {subject}\nDate: Mon, 23 \
         Nov 2026 09:30:00 +0000\nMessage-ID: <model@partner.example>\nMIME-Version: 1.0\nContent-Type: text/plain; \
         charset=utf-8\n\n{body}\n"
    )
    .into_bytes()
}

/// What every model must miss.
pub(super) const INNOCENT: &str = "From: Anna <anna@partner.example>\nTo: Bert <bert@example.com>\nSubject: Re: \
    meeting on Tuesday\n\
    Date: Mon, 23 Nov 2026 09:30:00 +0000\nMessage-ID: <miss@partner.example>\nMIME-Version: 1.0\nContent-Type: \
    text/plain; charset=utf-8\n\n\
    Hi Bert,\n\nthanks, Tuesday at ten works for me. I have read your notes and would change the second table;\n\
    the figures of last year are missing. Shall I ask Carla to join?\n\nBest regards\nAnna\n";
