//! Logistic regression by gradient steps in a fixed order, so that the same mail makes the same model.

use super::example::Example;
use super::{MARK_VALUE, word_value};

/// Passes over all mails.
const EPOCHS: u32 = 30;
/// How far the first step goes; later ones go less far.
const RATE: f64 = 2.0;
/// Passes after which a step goes half as far.
const HALVED_AFTER: f64 = 4.0;
/// How little weights are drawn back to nothing: the C of others, for all mails together.
const FREEDOM: f64 = 20.0;
/// Of 20 steps, how many leave out the words, and how many the marks: no weight is to rest on the other kind.
const WITHOUT_WORDS: u64 = 2;
const WITHOUT_MARKS: u64 = 2;

/// What was learned: a weight for each candidate that was kept.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) bias: f64,
    pub(super) weights: Vec<f64>,
}

/// A mail in the form in which it is learned.
struct Row<'e> {
    example: &'e Example,
    words: Vec<u32>,
    marks: Vec<u32>,
    word: f64,
}

/// Learns from these mails what is kept; both kinds weigh the same, whatever their numbers.
pub(super) fn fit(examples: &[&Example], kept: &[bool]) -> Fit {
    let is_kept = |place: &&u32| kept.get(**place as usize).copied().unwrap_or(false);
    let rows: Vec<Row<'_>> = examples
        .iter()
        .map(|example| Row {
            words: example.words.iter().filter(is_kept).copied().collect(),
            marks: example.marks.iter().filter(is_kept).copied().collect(),
            word: word_value(example.word_count),
            example,
        })
        .collect();
    let bad = examples.iter().filter(|example| example.is_bad).count().max(1);
    let good = (examples.len() - bad.min(examples.len())).max(1);
    let half = examples.len() as f64 / 2.0;
    let share = |is_bad: bool| half / if is_bad { bad as f64 } else { good as f64 };
    let pull = 1.0 / (FREEDOM * examples.len().max(1) as f64);
    let mut learner = Learner { bias: 0.0, weights: vec![0.0; kept.len()], scale: 1.0 };
    for epoch in 0..EPOCHS {
        let rate = RATE / (1.0 + f64::from(epoch) / HALVED_AFTER);
        for (key, at) in order(rows.len(), epoch) {
            let Some(row) = rows.get(at) else { continue };
            let [words, marks] = match key % 20 {
                one if one < WITHOUT_WORDS => [false, true],
                one if one < WITHOUT_WORDS + WITHOUT_MARKS => [true, false],
                _ => [true, true],
            };
            learner.step(row, [words, marks], rate * share(row.example.is_bad).min(SHARE_MAX), rate * pull);
        }
    }
    let weights = learner.weights.iter().map(|weight| weight * learner.scale).collect();
    Fit { bias: learner.bias, weights }
}

/// A mail of the rarer kind counts so many times one of the other at most.
const SHARE_MAX: f64 = 3.0;

/// Weights under way: each is `scale` times what stands there, so that all are drawn back at once.
struct Learner {
    bias: f64,
    weights: Vec<f64>,
    scale: f64,
}

/// Below it the scale is worked into the weights.
const SCALE_MIN: f64 = 1e-3;

impl Learner {
    fn step(&mut self, row: &Row<'_>, [words, marks]: [bool; 2], rate: f64, pull: f64) {
        let kinds = [(&row.words, row.word, words), (&row.marks, MARK_VALUE, marks)];
        let mut score = self.bias;
        for (features, value, _) in kinds.iter().filter(|(_, _, is_seen)| *is_seen) {
            let sum: f64 = features.iter().map(|place| self.weights[*place as usize]).sum();
            score += sum * self.scale * value;
        }
        let wanted = f64::from(u8::from(row.example.is_bad));
        let step = rate * (wanted - 1.0 / (1.0 + (-score).exp()));
        self.scale *= 1.0 - pull;
        self.bias += step * BIAS_RATE;
        for (features, value, _) in kinds.iter().filter(|(_, _, is_seen)| *is_seen) {
            let by = step * value / self.scale;
            features.iter().for_each(|place| self.weights[*place as usize] += by);
        }
        if self.scale < SCALE_MIN {
            self.weights.iter_mut().for_each(|weight| *weight *= self.scale);
            self.scale = 1.0;
        }
    }
}

/// The bias moves less than a weight: it is in every mail.
const BIAS_RATE: f64 = 0.1;

/// Another order in each pass, and the same in each run: keys and places.
fn order(count: usize, epoch: u32) -> Vec<(u64, usize)> {
    let mut keyed: Vec<(u64, usize)> = (0..count)
        .map(|at| {
            let mut state = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ u64::from(epoch + 1).wrapping_mul(0xd1b5_4a32_d192_ed03);
            state ^= state >> 29;
            state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (state ^ (state >> 32), at)
        })
        .collect();
    keyed.sort_unstable();
    keyed
}
