//! A mail that a model must hit, and one that it must miss: nobody's mail.

use detect::classifier::{Asked, ForModels, Model};
use detect::examine::Examiner;
use detect::limits::Budget;
use detect::lookalike::{self, Form};
use detect::mime::wire_form;
use detect::ruleset::lint::fixture_envelope;

use super::mails::MAIL_TIME;
use crate::CliError;

/// Words that are put below it, fewest first.
const WORD_COUNTS: [usize; 4] = [0, 15, 40, 120];

/// A mail that the model hits: one that the shipped scorecard hits, with words of the model's own where it needs them.
///
/// # Errors
/// When there is none, or it hits an ordinary mail as well.
pub(super) fn hit(
    examiner: &mut Examiner<'_>,
    model: &Model,
    heaviest: &[(String, f64)],
    shipped: &str,
) -> Result<Vec<u8>, CliError> {
    let mut acts = |mail: &[u8]| {
        let seen = read(examiner, mail);
        model.acts(&model.score(&seen), &seen.named)
    };
    if acts(INNOCENT.as_bytes()) {
        return Err(CliError::Usage("the model hits an ordinary message: give more good mail".into()));
    }
    for count in WORD_COUNTS {
        let lines: Vec<String> = words(heaviest, count).chunks(6).map(|line| line.join(" ")).collect();
        let mail = format!("{}\n{}\n", shipped.trim_end(), lines.join("\n"));
        if acts(mail.as_bytes()) {
            return Ok(mail.into_bytes());
        }
    }
    Err(CliError::Usage(
        "the model is too weak: some of the good mail scores as high as bad mail; find it with a larger --allowed and \
         `reprieve classifier evaluate`"
            .into(),
    ))
}

/// The innocent mails of the pack of look-alikes, which the gates will try the model on.
pub(super) fn innocent(examiner: &mut Examiner<'_>) -> Vec<ForModels> {
    let mails = lookalike::pack().into_iter().filter(|one| one.form == Form::Mail && one.harm.is_none());
    mails.map(|one| read(examiner, &one.bytes)).collect()
}

/// The heaviest pairs and words, so many in all.
fn words(heaviest: &[(String, f64)], most: usize) -> Vec<String> {
    let is_written = |words: &&str| words.is_ascii() && !words.contains(['<', '0']);
    let of_text = |text: &'_ String| text.strip_prefix("p:").or_else(|| text.strip_prefix("w:")).map(str::to_owned);
    heaviest.iter().filter_map(|(text, _)| of_text(text)).filter(|word| is_written(&word.as_str())).take(most).collect()
}

fn read(examiner: &mut Examiner<'_>, mail: &[u8]) -> ForModels {
    let mail = wire_form(mail);
    let asked = Asked { first: false, second: true };
    examiner.read_for_models(&mail, &fixture_envelope(&mail), asked, Budget::starting_now(MAIL_TIME))
}

/// What every model must miss.
pub(super) const INNOCENT: &str = "From: Anna <anna@partner.example>\nTo: Bert <bert@example.com>\nSubject: Re: \
    meeting on Tuesday\n\
    Date: Mon, 23 Nov 2026 09:30:00 +0000\nMessage-ID: <miss@partner.example>\nMIME-Version: 1.0\nContent-Type: \
    text/plain; charset=utf-8\n\n\
    Hi Bert,\n\nthanks, Tuesday at ten works for me. I have read your notes and would change the second table;\n\
    the figures of last year are missing. Shall I ask Carla to join?\n\nBest regards\nAnna\n";
