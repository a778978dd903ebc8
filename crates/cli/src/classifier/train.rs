//! `reprieve classifier train`.

use std::path::{Path, PathBuf};

use clap::Args;
use detect::classifier::example::Gathered;
use detect::classifier::train::{Count, Demands, Trained, sum, train};
use detect::classifier::{Asked, readable};
use detect::examine::Examiner;
use detect::in_force::InForce;
use detect::limits::Limits;
use detect::ruleset::Ruleset;
use detect::ruleset::load::from_stored;
use detect::scorecard::card::Card;
use domain::detection::{Category, DetectionCode};
use domain::interval::interval;
use serde::Serialize;
use serde_json::json;

use super::written::Detection;
use super::{mails, shown};
use crate::{CliError, terminal};

/// Words that weigh most, of which is told.
const HEAVIEST_SHOWN: usize = 20;
/// Sources that are shown to people; JSON has all.
const SOURCES_SHOWN: usize = 12;

/// What to learn from, and what to make.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Good mail: mbox, Maildir, .eml, or folders of them; each path is a source, and the threshold holds for each.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    good: Vec<PathBuf>,
    /// Bad mail of one kind.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    bad: Vec<PathBuf>,
    /// The kind: spam or phish.
    #[arg(long, default_value = "spam")]
    category: String,
    /// The code of the detection; default: TXT-0001 for spam, TXT-0002 for phish.
    #[arg(long)]
    code: Option<DetectionCode>,
    /// For phish: make a second detection with this code that holds. It needs a higher score, a hard fact (such as a
    /// brand's name with a foreign domain), and an unauthenticated sender.
    #[arg(long, value_name = "CODE")]
    hold: Option<DetectionCode>,
    /// The folder to write; the detection is a folder with its code in it.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Accepted false positive rate in each source of good mail, for senders not seen in training: 0 to 0.05. With 0
    /// the model may catch much less.
    #[arg(long, default_value_t = 0.0)]
    allowed: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
///
/// # Errors
/// When there is too little to learn from, or the folder cannot be written.
pub(super) fn run(args: &TrainArgs) -> Result<(), CliError> {
    let (category, code) = match args.category.as_str() {
        "spam" => (Category::Spam, "TXT-0001"),
        "phish" => (Category::Phish, "TXT-0002"),
        other => return Err(CliError::Usage(format!("--category '{other}' is neither spam nor phish"))),
    };
    if !(0.0..=0.05).contains(&args.allowed) {
        return Err(CliError::Usage(format!("--allowed {} is not between 0 and 0.05", args.allowed)));
    }
    if args.hold.is_some() && category == Category::Spam {
        return Err(CliError::Usage("--hold is for phish: spam goes to the junk folder".into()));
    }
    let code = args.code.clone().map_or_else(|| DetectionCode::parse(code).map_err(CliError::unreachable), Ok)?;
    let shipped = Ruleset::shipped().map_err(CliError::unreachable)?;
    let tagging = Shipped::of(&shipped, if category == Category::Spam { "SPM-0001" } else { "PHI-0001" })?;
    let holding = Shipped::of(&shipped, "PHI-0100")?;
    // What a model sees needs no rules.
    let in_force = InForce::only(from_stored(Vec::new()).0);
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let gathered = gather(&mut examiner, tagging.card, args)?;
    let innocent = shown::innocent(&mut examiner);
    let demands = Demands { allowed: args.allowed, holding: Some(holding.card), innocent: &innocent };
    let trained = train(gathered, demands);
    let trained = trained.map_err(|error| CliError::Usage(error.to_string()))?;
    let hit = shown::hit(&mut examiner, &trained.model, &trained.heaviest, tagging.hit)?;
    Detection { code: &code, category, trained: &trained, model: &trained.model }
        .write(&args.out, &hit)
        .map_err(CliError::unreachable)?;
    if let Some(code) = &args.hold {
        let model = trained.holding();
        let hit = shown::hit(&mut examiner, &model, &trained.heaviest, holding.hit)?;
        Detection { code, category, trained: &trained, model: &model }
            .write(&args.out, &hit)
            .map_err(CliError::unreachable)?;
    }
    let learned = Learned::of(&code, &args.out, args.hold.is_some(), &trained);
    terminal::line(&if args.json { json!(learned).to_string() } else { learned.text() });
    Ok(())
}

/// A shipped scorecard: what the marks of a model count.
struct Shipped<'r> {
    card: &'r Card,
    /// A mail that it hits.
    hit: &'r str,
}

impl<'r> Shipped<'r> {
    fn of(ruleset: &'r Ruleset, code: &str) -> Result<Self, CliError> {
        let missing = || CliError::unreachable(format!("{code} is not shipped with this program"));
        let code = DetectionCode::parse(code).map_err(CliError::unreachable)?;
        let card = ruleset.card(&code).ok_or_else(missing)?;
        let fixtures = ruleset.fixtures.get(&code).ok_or_else(missing)?;
        Ok(Self { card, hit: &fixtures.hit })
    }
}

fn gather(examiner: &mut Examiner<'_>, card: &Card, args: &TrainArgs) -> Result<Gathered, CliError> {
    let mut gathered = Gathered::new(card);
    for (paths, is_bad) in [(&args.good, false), (&args.bad, true)] {
        mails::each(examiner, paths, Asked { first: false, second: true }, is_bad, |read| {
            gathered.add(&read.mail, &read.origin).map_err(|error| CliError::Usage(error.to_string()))
        })?;
    }
    Ok(gathered)
}

/// What came of a training.
#[derive(Serialize)]
struct Learned<'a> {
    code: &'a DetectionCode,
    folder: &'a Path,
    /// Good and bad mails that it was tried on before it had learned from their senders and threads.
    good: usize,
    bad: usize,
    threshold: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_threshold: Option<f64>,
    /// Bad ones among them that it would tag, and good ones.
    caught: usize,
    wrong: usize,
    /// The shares between which the true ones lie with 95 %.
    caught_interval: (f64, f64),
    wrong_interval: (f64, f64),
    /// The same for each source.
    sources: Vec<Source<'a>>,
    /// The features that weigh most against a mail, as people read them, with their weights.
    heaviest: Vec<(String, f64)>,
}

#[derive(Serialize)]
struct Source<'a> {
    source: &'a str,
    bad: bool,
    mails: usize,
    tagged: usize,
    held: usize,
    tagged_interval: (f64, f64),
}

impl<'a> Learned<'a> {
    fn of(code: &'a DetectionCode, folder: &'a Path, holds: bool, trained: &'a Trained) -> Self {
        let (caught, wrong) = (sum(&trained.caught), sum(&trained.wrong));
        let source = |count: &'a Count, bad: bool| Source {
            source: &count.source,
            bad,
            mails: count.mails,
            tagged: count.tagged,
            held: if holds { count.held } else { 0 },
            tagged_interval: interval(count.tagged, count.mails),
        };
        let good = trained.wrong.iter().map(|count| source(count, false));
        let heaviest = trained.heaviest.iter().take(HEAVIEST_SHOWN);
        Self {
            code,
            folder,
            good: wrong.mails,
            bad: caught.mails,
            threshold: trained.model.head.threshold,
            hold_threshold: holds.then_some(trained.hold_threshold),
            caught: caught.tagged,
            wrong: wrong.tagged,
            caught_interval: interval(caught.tagged, caught.mails),
            wrong_interval: interval(wrong.tagged, wrong.mails),
            sources: good.chain(trained.caught.iter().map(|count| source(count, true))).collect(),
            heaviest: heaviest.map(|(text, weight)| (readable(text), *weight)).collect(),
        }
    }

    fn text(&self) -> String {
        let words: Vec<&str> = self.heaviest.iter().map(|(word, _)| word.as_str()).collect();
        let mut lines = vec![format!(
            "{}: mail with senders and threads not seen in training: tagged {} of the bad and {} of the good",
            self.code,
            share(self.caught, self.bad),
            share(self.wrong, self.good)
        )];
        // The sources that say most, and all that are wrong.
        let mut sources: Vec<&Source<'_>> = self.sources.iter().collect();
        sources.sort_by_key(|source| (source.bad, std::cmp::Reverse((source.tagged, source.mails)), source.source));
        let shown = sources.iter().filter(|source| !source.bad).take(SOURCES_SHOWN);
        lines.extend(shown.map(|one| format!("  good {}: {}", one.source, share(one.tagged, one.mails))));
        let shown = sources.iter().filter(|source| source.bad).take(SOURCES_SHOWN);
        lines.extend(shown.map(|one| format!("  bad {}: {}", one.source, share(one.tagged, one.mails))));
        lines.push(format!("heaviest: {}", words.join("  ")));
        lines.push(format!(
            "written to {}; next: `reprieve classifier evaluate` on other mail, then `reprieve ruleset publish {} \
             --add`",
            self.folder.join(self.code.as_str()).display(),
            self.folder.display()
        ));
        lines.join("\n")
    }
}

/// A share with the interval in which the true one lies with 95 %.
pub(super) fn share(of: usize, all: usize) -> String {
    let (low, high) = interval(of, all);
    let percent = 100.0 * of as f64 / all.max(1) as f64;
    format!("{of} of {all} ({percent:.1} %; {:.1} to {:.1})", 100.0 * low, 100.0 * high)
}
