//! `reprieve classifier drift`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use detect::classifier::drift::{Reading, of_feature, of_scores};
use detect::classifier::{Asked, Model, readable};
use detect::examine::Examiner;
use detect::in_force::InForce;
use detect::limits::Limits;
use domain::detection::DetectionCode;
use serde::Serialize;
use serde_json::json;

use super::evaluate::ruleset;
use super::mails;
use crate::{CliError, terminal};

/// Features that are compared.
const FEATURES: usize = 50;
/// Features that are shown to people, those that changed most; JSON has all.
const FEATURES_SHOWN: usize = 10;

/// What to compare.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// The folder written by `train`.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// Earlier mail, such as the training mail.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    before: Vec<PathBuf>,
    /// Later mail of the same kind.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    after: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
///
/// # Errors
/// When a folder cannot be read, or has no model.
pub(super) fn run(args: &DriftArgs) -> Result<(), CliError> {
    let in_force = InForce::only(ruleset(&args.model)?);
    let models: Vec<(&DetectionCode, &Model)> =
        in_force.live.models().filter(|(_, model)| !model.head.conjunction).collect();
    let asked = Asked::by(models.iter().map(|(_, model)| *model));
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mut sides: Vec<[Side; 2]> = models.iter().map(|(_, model)| [Side::of(model), Side::of(model)]).collect();
    for (at, paths) in [&args.before, &args.after].into_iter().enumerate() {
        mails::each(&mut examiner, paths, asked, false, |read| {
            for ((_, model), sides) in models.iter().zip(&mut sides) {
                sides[at].add(model, &read.mail);
            }
            Ok(())
        })?;
    }
    let compared: Vec<Compared<'_>> =
        models.iter().zip(&sides).map(|((code, _), [before, after])| Compared::of(code, before, after)).collect();
    for one in &compared {
        terminal::line(&if args.json { json!(one).to_string() } else { one.text() });
    }
    Ok(())
}

/// The mail of one side, as one model sees it.
struct Side {
    scores: Vec<f64>,
    /// Mails that have each of the heaviest features, with its text as soon as one has it.
    features: BTreeMap<u32, (usize, String)>,
}

impl Side {
    fn of(model: &Model) -> Self {
        let features = model.heaviest(FEATURES).into_iter().map(|(hash, _)| (hash, (0, String::new()))).collect();
        Self { scores: Vec::new(), features }
    }

    fn add(&mut self, model: &Model, mail: &detect::classifier::ForModels) {
        self.scores.push(model.score(mail).log_odds);
        for feature in model.features(mail) {
            if let Some((count, text)) = self.features.get_mut(&feature.hash) {
                *count += 1;
                if text.is_empty() {
                    text.clone_from(&feature.text);
                }
            }
        }
    }

    fn share(&self, count: usize) -> f64 {
        count as f64 / self.scores.len().max(1) as f64
    }
}

/// One index.
#[derive(Serialize)]
struct Index {
    index: f64,
    reading: Reading,
}

impl Index {
    fn of(index: f64) -> Self {
        Self { index, reading: Reading::of(index) }
    }
}

#[derive(Serialize)]
struct OfFeature {
    feature: String,
    before: f64,
    after: f64,
    #[serde(flatten)]
    index: Index,
}

/// Both sides of one model.
#[derive(Serialize)]
struct Compared<'a> {
    model: &'a DetectionCode,
    before: usize,
    after: usize,
    score: Index,
    /// Those that changed most come first.
    features: Vec<OfFeature>,
}

impl<'a> Compared<'a> {
    fn of(model: &'a DetectionCode, before: &Side, after: &Side) -> Self {
        let feature = |(hash, (count, text)): (&u32, &(usize, String))| {
            let (count_after, text_after) = after.features.get(hash)?;
            let text = if text.is_empty() { text_after } else { text };
            let (share, share_after) = (before.share(*count), after.share(*count_after));
            // One that no mail has cannot be named.
            (!text.is_empty()).then(|| OfFeature {
                feature: readable(text),
                before: share,
                after: share_after,
                index: Index::of(of_feature(share, share_after)),
            })
        };
        let mut features: Vec<OfFeature> = before.features.iter().filter_map(feature).collect();
        features.sort_by(|a, b| b.index.index.total_cmp(&a.index.index).then_with(|| a.feature.cmp(&b.feature)));
        let score = Index::of(of_scores(&before.scores, &after.scores));
        Self { model, before: before.scores.len(), after: after.scores.len(), score, features }
    }

    fn text(&self) -> String {
        let of = |index: &Index| format!("{:.2} ({})", index.index, index.reading.as_str());
        let (before, after) = (self.before, self.after);
        let mut lines =
            vec![format!("{}: {before} messages before, {after} after: score {}", self.model, of(&self.score))];
        lines.extend(self.features.iter().take(FEATURES_SHOWN).map(|one| {
            let (share, share_after) = (100.0 * one.before, 100.0 * one.after);
            format!("  {}: {share:.1} % before, {share_after:.1} % after: {}", one.feature, of(&one.index))
        }));
        lines.join("\n")
    }
}
