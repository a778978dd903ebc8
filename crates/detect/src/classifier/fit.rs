//! Logistic regression by gradient steps in a fixed order, so that the same mail makes the same model. It learns what
//! words add to what a scorecard says: where that is right already, there is nothing to learn.

use super::example::Example;
use super::{AGAINST_MAX, FOR_MAX, bounded, word_value};

/// Passes over all mails.
const EPOCHS: u32 = 30;
/// How far the first step goes; later ones go less far.
const RATE: f64 = 2.0;
/// Passes after which a step goes half as far.
const HALVED_AFTER: f64 = 4.0;
/// How little weights are drawn back to nothing: the C of others, for all mails together.
const FREEDOM: f64 = 10.0;
/// A mail of the rarer kind counts so many times one of the other at most.
const SHARE_MAX: f64 = 3.0;
/// Below it the scale is worked into the weights.
const SCALE_MIN: f64 = 1e-3;

/// A mail in the form in which it is learned.
struct Row<'e> {
    example: &'e Example,
    /// Places of the words that are kept.
    words: Vec<u32>,
    /// What each of them counts.
    value: f64,
}

/// Learns a weight for each word that is kept; both kinds weigh the same, whatever their numbers.
pub(super) fn fit(examples: &[&Example], kept: &[bool]) -> Vec<f64> {
    let is_kept = |place: &&u32| kept.get(**place as usize).copied().unwrap_or(false);
    let mut rows = Vec::with_capacity(examples.len());
    for example in examples {
        let words = example.words.iter().filter(is_kept).copied().collect();
        rows.push(Row { example, words, value: word_value(example.word_count) });
    }
    let bad = examples.iter().filter(|example| example.is_bad).count();
    let half = examples.len() as f64 / 2.0;
    let share = |is_bad: bool| {
        let count = if is_bad { bad } else { examples.len() - bad };
        (half / count.max(1) as f64).min(SHARE_MAX)
    };
    let pull = 1.0 / (FREEDOM * examples.len().max(1) as f64);
    let mut learner = Learner { weights: vec![0.0; kept.len()], scale: 1.0 };
    for epoch in 0..EPOCHS {
        let rate = RATE / (1.0 + f64::from(epoch) / HALVED_AFTER);
        for at in order(rows.len(), epoch) {
            if let Some(row) = rows.get(at) {
                learner.step(row, rate * share(row.example.is_bad), rate * pull);
            }
        }
    }
    learner.weights.iter().map(|weight| weight * learner.scale).collect()
}

/// Weights under way: each is `scale` times what stands there, so that all are drawn back at once.
struct Learner {
    weights: Vec<f64>,
    scale: f64,
}

impl Learner {
    fn step(&mut self, row: &Row<'_>, rate: f64, pull: f64) {
        let sum: f64 = row.words.iter().map(|place| self.weights[*place as usize]).sum();
        let said = sum * self.scale * row.value;
        let wanted = f64::from(u8::from(row.example.is_bad));
        let score = row.example.card + bounded(said);
        let step = rate * (wanted - 1.0 / (1.0 + (-score).exp()));
        self.scale *= 1.0 - pull;
        // What counts no more is not learned any further.
        let is_full = (said >= AGAINST_MAX && step > 0.0) || (said <= -FOR_MAX && step < 0.0);
        if !is_full {
            let by = step * row.value / self.scale;
            row.words.iter().for_each(|place| self.weights[*place as usize] += by);
        }
        if self.scale < SCALE_MIN {
            self.weights.iter_mut().for_each(|weight| *weight *= self.scale);
            self.scale = 1.0;
        }
    }
}

/// Another order in each pass, and the same in each run.
fn order(count: usize, epoch: u32) -> Vec<usize> {
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
    keyed.into_iter().map(|(_, at)| at).collect()
}
