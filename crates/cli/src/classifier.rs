//! `reprieve classifier`: trains a model on a site's own mail, as a detection to publish.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use detect::classifier::Model;
use detect::classifier::train::{Example, Trained, train};
use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::mime::wire_form;
use detect::ruleset::lint::fixture_envelope;
use detect::ruleset::load::WEIGHTS;
use domain::detection::{Category, DetectionCode};
use domain::header;
use serde::Serialize;
use serde_json::json;

use super::{CliError, mailbox, terminal};
use detect::ruleset::load::from_folder_or_shipped;

/// Time for one mail.
const MAIL_TIME: Duration = Duration::from_secs(10);
/// Mails of each kind that are read.
const MAILS_MAX: usize = 50_000;
/// Words of the mail that shows what a model hits.
const SHOWN_WORDS: usize = 120;
/// Words that weigh most, of which is told.
const HEAVIEST_SHOWN: usize = 20;

/// Verbs about classifiers of text.
#[derive(Debug, Subcommand)]
pub enum ClassifierVerb {
    /// Train a model from folders of good and bad mail. Nothing of the mail leaves this machine; the model has weights
    /// of hashed words.
    Train(TrainArgs),
}

/// What to learn from, and what to make.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Good mail: mbox, Maildir, .eml, or folders of them.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    good: Vec<PathBuf>,
    /// Bad mail of one kind.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    bad: Vec<PathBuf>,
    /// The kind: spam or phish.
    #[arg(long, default_value = "spam")]
    category: String,
    /// The code of the detection.
    #[arg(long, default_value = "TXT-0001")]
    code: DetectionCode,
    /// The folder to make; the detection is a folder of that code in it.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The share of good mail, not seen in training, that the model may act on: 0 to 0.05.
    #[arg(long, default_value_t = 0.0)]
    allowed: f64,
    /// The ruleset whose findings it weighs: a folder. Default: the shipped one.
    #[arg(long, value_name = "FOLDER")]
    ruleset: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
///
/// # Errors
/// When there is too little to learn from, or the folder cannot be written.
pub fn run(verb: ClassifierVerb) -> Result<(), CliError> {
    let ClassifierVerb::Train(args) = verb;
    let category = match args.category.as_str() {
        "spam" => Category::Spam,
        "phish" => Category::Phish,
        other => return Err(CliError::Usage(format!("--category '{other}' is neither spam nor phish"))),
    };
    if !(0.0..=0.05).contains(&args.allowed) {
        return Err(CliError::Usage(format!("--allowed {} is not between 0 and 0.05", args.allowed)));
    }
    let in_force = InForce::only(from_folder_or_shipped(args.ruleset.as_deref()).map_err(CliError::unreachable)?);
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mut examples = read(&mut examiner, &args.good, false)?;
    examples.extend(read(&mut examiner, &args.bad, true)?);
    let trained = train(&examples, args.allowed).map_err(|error| CliError::Usage(error.to_string()))?;
    let heaviest = heaviest(&examples, &trained.model);
    let hit = shown_hit(&mut examiner, &trained.model, &heaviest)?;
    let detection = Detection { code: &args.code, category, trained: &trained };
    detection.write(&args.out, &hit).map_err(CliError::unreachable)?;
    let learned = Learned {
        code: &args.code,
        folder: &args.out,
        good: trained.wrong.1,
        bad: trained.caught.1,
        threshold: trained.model.head.threshold,
        caught: trained.caught.0,
        wrong: trained.wrong.0,
        heaviest: heaviest.iter().take(HEAVIEST_SHOWN).collect(),
    };
    terminal::line(&if args.json { json!(learned).to_string() } else { learned.text() });
    Ok(())
}

/// Mails with what is seen of them; a mail that comes twice is learned from once.
fn read(examiner: &mut Examiner<'_>, paths: &[PathBuf], is_bad: bool) -> Result<Vec<Example>, CliError> {
    let mut examples = BTreeMap::new();
    for path in mailbox::files(paths).map_err(CliError::unreachable)? {
        let bytes = mailbox::read(&path).map_err(CliError::unreachable)?;
        if !mailbox::is_mail(&bytes) {
            continue;
        }
        for mail in mailbox::mails(&path, &bytes) {
            if examples.len() >= MAILS_MAX {
                return Err(CliError::Usage(format!("more than {MAILS_MAX} mails; a part of them is enough")));
            }
            let features = examiner.features(&mail, &EnvelopeFacts::default(), Budget::starting_now(MAIL_TIME));
            examples.insert(domain::Digest::of(&mail), Example { is_bad, features, group: thread(&mail) });
        }
    }
    Ok(examples.into_values().collect())
}

/// What the mails of one thread or campaign have in common: their subject, without what is put before it and without
/// numbers.
fn thread(mail: &[u8]) -> String {
    let subject = header::fields(mail).find(|field| field.is("Subject")).map(|field| field.unfolded().to_lowercase());
    let subject = subject.unwrap_or_default();
    let mut rest = subject.trim();
    while let Some((_, behind)) = rest.split_once(':').filter(|(before, _)| before.chars().count() <= 4) {
        rest = behind.trim_start();
    }
    let plain: String = rest.chars().filter(|c| c.is_alphabetic()).collect();
    if plain.is_empty() { domain::Digest::of(mail).hex() } else { plain }
}

/// The features with the heaviest terms against a mail, for people.
fn heaviest(examples: &[Example], model: &Model) -> Vec<(String, f64)> {
    let mut known = BTreeMap::new();
    for feature in examples.iter().filter(|example| example.is_bad).flat_map(|example| &example.features) {
        known.entry(feature.text.clone()).or_insert_with(|| model.weight(feature));
    }
    let mut heaviest: Vec<(String, f64)> = known.into_iter().filter(|(_, weight)| *weight > 0.0).collect();
    heaviest.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    heaviest
}

/// A mail of the model's own words, which it must hit: nobody's mail.
fn shown_hit(examiner: &mut Examiner<'_>, model: &Model, heaviest: &[(String, f64)]) -> Result<Vec<u8>, CliError> {
    let words = |prefix: &str, most: usize| {
        let of_kind = heaviest.iter().filter_map(|(text, _)| text.strip_prefix(prefix));
        of_kind.filter(|word| word.is_ascii()).take(most).map(str::to_owned).collect::<Vec<_>>()
    };
    for count in [10, 20, 40, SHOWN_WORDS] {
        let body: Vec<String> = words("w:", count).chunks(8).map(|line| line.join(" ")).collect();
        let mail = fixture(&words("s:", count / 5).join(" "), &body.join("\n"));
        let features = features_of(examiner, &mail);
        if model.acts(&model.score(&features)) {
            let must_miss = features_of(examiner, INNOCENT.as_bytes());
            return if model.acts(&model.score(&must_miss)) {
                Err(CliError::Usage("the model hits an ordinary mail: give it more good mail".into()))
            } else {
                Ok(mail)
            };
        }
    }
    Err(CliError::Usage(
        "the model is too weak to hit even its own words: give it more mail, or mail of one kind".into(),
    ))
}

fn features_of(examiner: &mut Examiner<'_>, mail: &[u8]) -> Vec<detect::classifier::feature::Feature> {
    let mail = wire_form(mail);
    examiner.features(&mail, &fixture_envelope(&mail), Budget::starting_now(MAIL_TIME))
}

fn fixture(subject: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Anna <anna@partner.example>\nTo: Bert <bert@example.com>\nSubject: {subject}\nDate: Mon, 23 Nov 2026 \
            09:30:00 +0000\n\
         Message-ID: <model@partner.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
    )
    .into_bytes()
}

/// What every model must miss.
const INNOCENT: &str = "From: Anna <anna@partner.example>\nTo: Bert <bert@example.com>\nSubject: Re: meeting on \
    Tuesday\n\
    Date: Mon, 23 Nov 2026 09:30:00 +0000\nMessage-ID: <miss@partner.example>\nMIME-Version: 1.0\nContent-Type: \
    text/plain; charset=utf-8\n\n\
    Hi Bert,\n\nthanks, Tuesday at ten works for me. I have read your notes and would change the second table;\n\
    the figures of last year are missing. Shall I ask Carla to join?\n\nBest regards\nAnna\n";

struct Detection<'a> {
    code: &'a DetectionCode,
    category: Category,
    trained: &'a Trained,
}

impl Detection<'_> {
    fn write(&self, out: &Path, hit: &[u8]) -> std::io::Result<()> {
        let folder = out.join(self.code.as_str());
        std::fs::create_dir_all(&folder)?;
        for (name, text) in [
            ("detection.toml", self.settings().into_bytes()),
            (WEIGHTS, self.trained.model.to_text().into_bytes()),
            ("page.md", self.page().into_bytes()),
            ("hit.eml", hit.to_vec()),
            ("miss.eml", INNOCENT.as_bytes().to_vec()),
        ] {
            std::fs::write(folder.join(name), text)?;
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("Text like that of {}", if self.category == Category::Phish { "phishing" } else { "spam" })
    }

    fn settings(&self) -> String {
        let (code, title, category) = (self.code, self.title(), self.category.as_str());
        format!(
            "code = \"{code}\"\ntitle = \"{title}\"\nengine = \"text\"\ncategory = \"{category}\"\neffect \
                = \"Hold\"\ntarget = \"text\"\n\
             scope = \"message\"\nmode = \"Enforce\"\nowner = \"this site\"\nsince = \"{}\"\n",
            env!("CARGO_PKG_VERSION")
        )
    }

    fn page(&self) -> String {
        let Trained { caught, wrong, model } = self.trained;
        format!(
            "# {}: {}\n\nA model trained on {} good and {} bad mails of this site. Of mail that a model had not seen \
                in training (a fifth at a time, \
             threads and campaigns kept together) it caught {} of {} bad ones, and would have acted on {} of {} good \
             ones. It acts from a score \
             (logarithm of the odds) of {:.2} on; the evidence names the heaviest terms.\n\n## Looks like it, but is \
             not\n\n\
             Good mail of a kind that it has not been trained on. Train it again with such mail among the good.\n",
            self.code,
            self.title(),
            wrong.1,
            caught.1,
            caught.0,
            caught.1,
            wrong.0,
            wrong.1,
            model.head.threshold
        )
    }
}

/// What came of a training.
#[derive(Serialize)]
struct Learned<'a> {
    code: &'a DetectionCode,
    folder: &'a Path,
    /// Good and bad mails that it was tried on before it had learned from them.
    good: usize,
    bad: usize,
    threshold: f64,
    /// Bad ones among them that it caught, and good ones that it would have acted on.
    caught: usize,
    wrong: usize,
    /// The words that weigh most, with their weights.
    heaviest: Vec<&'a (String, f64)>,
}

impl Learned<'_> {
    fn text(&self) -> String {
        let share = |of: usize, all: usize| format!("{of} of {all} ({:.1} %)", 100.0 * of as f64 / all.max(1) as f64);
        let words: Vec<&str> = self.heaviest.iter().map(|(word, _)| word.as_str()).collect();
        format!(
            "{}: of mail not seen in training, caught {}, wrong {}\nheaviest: {}\nwritten to {}; `reprieve ruleset \
                publish {} --add` offers it to the gates",
            self.code,
            share(self.caught, self.bad),
            share(self.wrong, self.good),
            words.join("  "),
            self.folder.join(self.code.as_str()).display(),
            self.folder.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::thread;

    #[test]
    fn a_thread_is_its_subject() {
        let of = |subject: &str| thread(format!("From: a@b.c\r\nSubject: {subject}\r\n\r\nx\r\n").as_bytes());
        assert_eq!(of("Re: AW: Invoice 4711 of March"), of("invoice 99 of march"));
        assert_ne!(of("Invoice"), of("Offer"));
        assert_ne!(of(""), thread(b"Subject:\r\n\r\nother\r\n"), "without a subject each is alone");
    }
}
