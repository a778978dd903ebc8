//! `reprieve classifier evaluate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use detect::classifier::{Asked, Model};
use detect::examine::Examiner;
use detect::in_force::InForce;
use detect::limits::Limits;
use detect::ruleset::Ruleset;
use detect::ruleset::load::from_folder;
use domain::detection::{Category, DetectionCode};
use domain::interval::interval;
use serde::Serialize;
use serde_json::json;

use super::mails::{self, Read};
use super::train::share;
use crate::{CliError, terminal};

/// Good mails of which it is told why they score so high.
const WORST_SHOWN: usize = 10;

/// What to try, and on what.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The folder written by `train`: a ruleset with the models.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// Good mail; each path is a source of its own.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    good: Vec<PathBuf>,
    /// Bad mail.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    bad: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
///
/// # Errors
/// When a folder cannot be read, or has no model.
pub(super) fn run(args: &EvaluateArgs) -> Result<(), CliError> {
    if args.good.is_empty() && args.bad.is_empty() {
        return Err(CliError::Usage("give --good or --bad mail to evaluate it on".into()));
    }
    let in_force = InForce::only(ruleset(&args.model)?);
    let ruleset = &in_force.live;
    let models: Vec<Tried<'_>> = ruleset.models().filter_map(|(code, model)| Tried::of(ruleset, code, model)).collect();
    let asked = Asked::by(models.iter().map(|tried| tried.model));
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mut table = Table::default();
    for (paths, is_bad) in [(&args.good, false), (&args.bad, true)] {
        mails::each(&mut examiner, paths, asked, is_bad, |read| {
            table.add(&models, &read);
            Ok(())
        })?;
    }
    let found = table.finish();
    terminal::line(&if args.json { json!(found).to_string() } else { found.text() });
    Ok(())
}

/// A ruleset with models in it.
pub(super) fn ruleset(folder: &std::path::Path) -> Result<Ruleset, CliError> {
    let ruleset = from_folder(folder).map_err(CliError::unreachable)?;
    if ruleset.models().next().is_none() {
        let why = "no trained model in it; name the folder that `reprieve classifier train --out` wrote";
        return Err(CliError::Usage(format!("{}: {why}", folder.display())));
    }
    // A model of form 1 weighs what other detections saw.
    if Asked::by(ruleset.models().map(|(_, model)| model)).first {
        return Ruleset::shipped().and_then(|shipped| shipped.with(&ruleset)).map_err(CliError::unreachable);
    }
    Ok(ruleset)
}

/// A model that is tried.
struct Tried<'r> {
    code: &'r DetectionCode,
    model: &'r Model,
    holds: bool,
}

impl<'r> Tried<'r> {
    fn of(ruleset: &Ruleset, code: &'r DetectionCode, model: &'r Model) -> Option<Self> {
        let category = ruleset.detections.get(code)?.category;
        Some(Self { code, model, holds: !matches!(category, Category::Spam | Category::Bulk) })
    }
}

/// What became of the mails of one source.
#[derive(Debug, Default, Serialize)]
struct Row {
    source: String,
    bad: bool,
    mails: usize,
    /// Those of which nothing can be said.
    abstained: usize,
    tagged: usize,
    held: usize,
    tagged_interval: (f64, f64),
    held_interval: (f64, f64),
}

/// A good mail that scores high.
#[derive(Debug, Serialize)]
struct Worst {
    file: PathBuf,
    /// Its place in the file, from 1 on.
    number: usize,
    model: DetectionCode,
    score: f64,
    /// How far over the threshold; below 0 it is not acted on.
    over: f64,
    acts: bool,
    terms: Vec<(String, f64)>,
}

#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<(bool, String), Row>,
    worst: Vec<Worst>,
}

impl Table {
    fn add(&mut self, models: &[Tried<'_>], read: &Read) {
        let key = (read.origin.is_bad, read.origin.source.clone());
        let row = self.rows.entry(key).or_default();
        row.mails += 1;
        row.abstained += usize::from(read.mail.named.abstains());
        let (mut is_tagged, mut is_held) = (false, false);
        for tried in models {
            let score = tried.model.score(&read.mail);
            let acts = tried.model.acts(&score, &read.mail.named);
            is_held |= acts && tried.holds;
            is_tagged |= acts;
            if read.origin.is_bad || tried.model.head.conjunction {
                continue;
            }
            self.worst.push(Worst {
                file: read.file.clone(),
                number: read.number,
                model: tried.code.clone(),
                score: score.log_odds,
                over: score.log_odds - tried.model.head.threshold,
                acts,
                terms: score.heaviest(),
            });
        }
        row.tagged += usize::from(is_tagged);
        row.held += usize::from(is_held);
        if self.worst.len() > 100 * WORST_SHOWN {
            self.cut();
        }
    }

    /// Keeps the worst: those that it acts on, then those that came nearest to it.
    fn cut(&mut self) {
        self.worst.sort_by(|a, b| {
            b.acts
                .cmp(&a.acts)
                .then(b.over.total_cmp(&a.over))
                .then_with(|| (&a.file, a.number).cmp(&(&b.file, b.number)))
        });
        self.worst.truncate(WORST_SHOWN);
    }

    fn finish(mut self) -> Found {
        self.cut();
        let rows = self.rows.into_iter().map(|((bad, source), row)| Row {
            source,
            bad,
            tagged_interval: interval(row.tagged, row.mails),
            held_interval: interval(row.held, row.mails),
            ..row
        });
        Found { rows: rows.collect(), worst: self.worst }
    }
}

/// What an evaluation found.
#[derive(Debug, Serialize)]
struct Found {
    rows: Vec<Row>,
    worst: Vec<Worst>,
}

impl Found {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        for bad in [false, true] {
            let rows = || self.rows.iter().filter(move |row| row.bad == bad);
            if rows().next().is_none() {
                continue;
            }
            let kind = if bad { "bad" } else { "good" };
            lines.extend(rows().map(|row| line(kind, row)));
            let all = rows().fold(Row { source: "all".into(), ..Row::default() }, |sum, row| Row {
                mails: sum.mails + row.mails,
                abstained: sum.abstained + row.abstained,
                tagged: sum.tagged + row.tagged,
                held: sum.held + row.held,
                ..sum
            });
            lines.push(line(kind, &all));
        }
        if !self.worst.is_empty() {
            lines.push("good messages with the highest scores:".into());
        }
        for worst in &self.worst {
            let terms: Vec<String> = worst.terms.iter().map(|(text, term)| format!("{text} {term:+.2}")).collect();
            let acts = if worst.acts { "hits" } else { "no hit" };
            let (file, over) = (worst.file.display(), worst.over);
            let said = terms.join("; ");
            lines.push(format!("  {file} ({}): {} {acts} ({over:+.2}): {said}", worst.number, worst.model));
        }
        lines.join("\n")
    }
}

fn line(kind: &str, row: &Row) -> String {
    let (tagged, held) = (share(row.tagged, row.mails), share(row.held, row.mails));
    format!("{kind} {}: tagged or held {tagged}, held {held}, not classifiable {}", row.source, row.abstained)
}
