//! Training: logistic regression by gradient steps in a fixed order, so that the same mail makes the same model.

use std::collections::HashMap;

use domain::Digest;

use super::feature::Feature;
use super::{BITS, FORM, Head, Model, norm};

/// Passes over all mails.
const EPOCHS: u32 = 40;
/// How far the first step goes.
const RATE: f64 = 0.5;
/// How much weights are drawn back to nothing.
const PULL: f64 = 2e-4;
/// Weights that are too small to matter are not kept.
const WEIGHT_MIN: f32 = 0.01;
/// Parts that good mail is divided into, to see how a model does on mail that it has not seen.
const FOLDS: u64 = 5;
/// Above the highest score of unseen good mail there is room of this much.
const ROOM: f64 = 0.5;

/// The lowest threshold: nine to one.
const LEAST: f64 = 2.2;

/// A mail to learn from.
#[derive(Clone, Debug)]
pub struct Example {
    /// Whether it is bad.
    pub is_bad: bool,
    /// What is seen of it.
    pub features: Vec<Feature>,
    /// Mails of one group (a thread, a campaign) are never both learned from and tested on.
    pub group: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The model, over all mails.
    pub model: Model,
    /// Of mails that a model had not seen: bad ones caught, and all bad ones.
    pub caught: (usize, usize),
    /// Of mails that a model had not seen: good ones that it would act on, and all good ones.
    pub wrong: (usize, usize),
}

/// Not enough to learn from.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{good} good and {bad} bad mails: at least {MAILS_MIN} of each are needed")]
pub struct TooFew {
    good: usize,
    bad: usize,
}

/// Mails of each kind that are needed.
pub const MAILS_MIN: usize = 20;

/// Trains a model. `allowed` is the share of good mail that may be acted on, among mail that the model has not seen;
/// the threshold follows.
///
/// # Errors
/// When there is too little to learn from.
pub fn train(examples: &[Example], allowed: f64) -> Result<Trained, TooFew> {
    let bad = examples.iter().filter(|example| example.is_bad).count();
    let good = examples.len() - bad;
    if good < MAILS_MIN || bad < MAILS_MIN {
        return Err(TooFew { good, bad });
    }
    // Each fold is scored by a model that has not seen it.
    let mut unseen: Vec<(bool, f64)> = Vec::with_capacity(examples.len());
    for fold in 0..FOLDS {
        let (tested, learned): (Vec<&Example>, Vec<&Example>) =
            examples.iter().partition(|one| fold_of(&one.group) == fold);
        let model = fit(&learned);
        unseen.extend(tested.into_iter().map(|one| (one.is_bad, model.score(&one.features).log_odds)));
    }
    let threshold = threshold(&unseen, allowed);
    let over = |bad: bool| unseen.iter().filter(|(is_bad, score)| *is_bad == bad && *score >= threshold).count();
    let (caught, wrong) = ((over(true), bad), (over(false), good));
    let mut model = fit(&examples.iter().collect::<Vec<_>>());
    model.head = Head { threshold: rounded(threshold), good, bad, ..model.head };
    Ok(Trained { model, caught, wrong })
}

fn fold_of(group: &str) -> u64 {
    u64::from(Digest::of(group.as_bytes()).as_bytes()[0]) % FOLDS
}

/// Above all but the allowed share of unseen good mail, with some room; and never where bad is not much likelier than
/// good.
fn threshold(unseen: &[(bool, f64)], allowed: f64) -> f64 {
    let mut good: Vec<f64> = unseen.iter().filter(|(is_bad, _)| !is_bad).map(|(_, score)| *score).collect();
    good.sort_by(|a, b| b.total_cmp(a));
    let spared = ((good.len() as f64) * allowed).floor() as usize;
    good.get(spared).map_or(LEAST, |highest| highest + ROOM).max(LEAST)
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Gradient steps, one mail a step; both kinds weigh the same, whatever their numbers.
fn fit(examples: &[&Example]) -> Model {
    let bad = examples.iter().filter(|example| example.is_bad).count().max(1);
    let good = (examples.len() - bad).max(1);
    let half = examples.len() as f64 / 2.0;
    let share = |is_bad: bool| half / if is_bad { bad as f64 } else { good as f64 };
    let mut weights = vec![0.0_f64; 1 << BITS];
    let mut bias = 0.0_f64;
    for epoch in 0..EPOCHS {
        let rate = RATE / (1.0 + f64::from(epoch) / 10.0);
        for example in order(examples, epoch) {
            let norm = norm(example.features.len());
            let sum: f64 = example.features.iter().map(|feature| weights[feature.hash as usize]).sum();
            let score = bias + sum * norm;
            let wanted = f64::from(u8::from(example.is_bad));
            let step = rate * (wanted - 1.0 / (1.0 + (-score).exp())) * share(example.is_bad);
            bias += step;
            for feature in &example.features {
                let weight = &mut weights[feature.hash as usize];
                *weight += step * norm / 10.0 - rate * PULL * *weight;
            }
        }
    }
    let kept: HashMap<u32, f32> = weights
        .iter()
        .enumerate()
        .map(|(at, weight)| (at as u32, rounded(*weight) as f32))
        .filter(|(_, weight)| weight.abs() >= WEIGHT_MIN)
        .collect();
    Model { head: Head { form: FORM, bias: rounded(bias), threshold: 0.0, good, bad }, weights: kept }
}

/// Another order in each pass, and the same in each run.
fn order<'e>(examples: &[&'e Example], epoch: u32) -> Vec<&'e Example> {
    let mut keyed: Vec<(u64, &Example)> = examples
        .iter()
        .enumerate()
        .map(|(at, example)| {
            let mut state = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ u64::from(epoch + 1).wrapping_mul(0xd1b5_4a32_d192_ed03);
            state ^= state >> 29;
            state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (state ^ (state >> 32), *example)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, example)| example).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mails of two kinds, with words that both have.
    fn examples(count: usize) -> Vec<Example> {
        let example = |at: usize| {
            let is_bad = at.is_multiple_of(2);
            let own = if is_bad { ["w:claim", "w:prize", "w:urgent"] } else { ["w:meeting", "w:patch", "w:regards"] };
            let words = own.into_iter().take(1 + at % 3).map(str::to_owned);
            let common = (0..5).map(|n| format!("w:common{}", (at * 7 + n * 3) % 11));
            let features = words.chain(common).map(Feature::new).collect();
            Example { is_bad, features, group: format!("g{at}") }
        };
        (0..count).map(example).collect()
    }

    #[test]
    fn it_learns_and_the_same_mail_makes_the_same_model() {
        let trained = train(&examples(200), 0.0).expect("enough");
        assert_eq!(trained.wrong, (0, 100));
        assert!(trained.caught.0 >= 95, "{:?}", trained.caught);
        assert_eq!(train(&examples(200), 0.0), Ok(trained.clone()));
        let of = |words: &[&str]| {
            let features: Vec<Feature> = words.iter().map(|word| Feature::new((*word).to_owned())).collect();
            trained.model.acts(&trained.model.score(&features))
        };
        assert!(of(&["w:claim", "w:prize", "w:common1"]));
        assert!(!of(&["w:meeting", "w:common1"]) && !of(&["w:common1", "w:common2"]) && !of(&[]));
        assert_eq!(Model::parse(&trained.model.to_text()), Ok(trained.model));
    }

    #[test]
    fn too_few_is_told() {
        assert_eq!(train(&examples(30), 0.0), Err(TooFew { good: 15, bad: 15 }));
    }
}
