//! Training: a model of form 2 from gathered mail, and thresholds from mail that it has not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::example::{Example, FOLDS, Gathered, Mails};
use super::feature::Feature;
use super::fit::fit;
use super::vocabulary::kept;
use super::{ForModels, Head, Model, NEUTRAL_WEIGHTS_MAX, POINTS, bounded, points, word_value};
use crate::scorecard::card::{Card, VOUCHER_POINTS};
use crate::scorecard::feature::FEATURES;

/// Weights that are too small to matter are not kept.
const WEIGHT_MIN: f64 = 0.01;
/// Above the highest score that may not be acted on there is room of this much.
const ROOM: f64 = 0.25;
/// A score that holds lies above every unseen good mail with a hard fact, and above the score that tags, by this much.
const HOLD_ROOM: f64 = 1.0;
/// Mails of each kind that are needed at least.
pub const MAILS_MIN: usize = 50;
/// Senders of each kind that are needed.
pub const SENDER_GROUPS_MIN: usize = 10;

/// What the thresholds must fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demands<'d> {
    /// The share of each source's good mail that may be tagged, among mail whose sender and thread the model has not
    /// seen. With 0 the threshold lies above all good mail.
    pub allowed: f64,
    /// A card that holds: no threshold to hold is below its own.
    pub holding: Option<&'d Card>,
    /// Innocent mails that were not learned from, none of which may be acted on.
    pub innocent: &'d [ForModels],
}

/// Of the mails of one source that a model had not seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The source: a folder, or a sender's domain.
    pub source: String,
    /// All of them.
    pub mails: usize,
    /// Those that the model would tag.
    pub tagged: usize,
    /// Those that it would hold, in a detection of its own that asks for a hard fact.
    pub held: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The model, over all mails.
    pub model: Model,
    /// The score from which on one may hold, beside a hard fact.
    pub hold_threshold: f64,
    /// Bad mails that a model had not seen, by source.
    pub caught: Vec<Count>,
    /// Good mails that a model had not seen, by source.
    pub wrong: Vec<Count>,
    /// The features that weigh most against a mail.
    pub heaviest: Vec<(String, f64)>,
}

impl Trained {
    /// The model that holds beside a hard fact.
    pub fn holding(&self) -> Model {
        let mut model = self.model.clone();
        model.head.threshold = self.hold_threshold;
        model.head.conjunction = true;
        model
    }
}

/// All counts in one.
pub fn sum(counts: &[Count]) -> Count {
    let add = |sum: Count, one: &Count| Count {
        mails: sum.mails + one.mails,
        tagged: sum.tagged + one.tagged,
        held: sum.held + one.held,
        ..sum
    };
    counts.iter().fold(Count { source: "all".into(), ..Count::default() }, add)
}

/// Not enough to learn from.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooFew {
    /// Mails.
    #[error("{good} good and {bad} bad mails: at least {MAILS_MIN} of each are needed")]
    Mails {
        /// Good ones.
        good: usize,
        /// Bad ones.
        bad: usize,
    },
    /// Senders.
    #[error(
        "the good mails are from {good} senders and the bad ones from {bad}: at least {SENDER_GROUPS_MIN} of each are \
         needed, or it would learn who writes, not what"
    )]
    Senders {
        /// Of good mail.
        good: usize,
        /// Of bad mail.
        bad: usize,
    },
    /// Good mails, for the share that was asked for.
    #[error(
        "{good} good mails cannot show a share of {allowed}: at least {needed} are needed (or ask for a larger share, \
         or for 0)"
    )]
    Share {
        /// Good ones.
        good: usize,
        /// The share that was asked for, as text.
        allowed: String,
        /// How many it takes until one of them is that share.
        needed: usize,
    },
}

/// Trains a model: what words add to the scorecard with which the mail was gathered. Its thresholds follow from what is
/// demanded of them, and are never below the card's.
///
/// # Errors
/// When there is too little to learn from, or to set such a threshold by.
pub fn train(gathered: Gathered, demands: Demands<'_>) -> Result<Trained, TooFew> {
    let mails = gathered.finish();
    is_enough(&mails, demands.allowed)?;
    let unseen = unseen(&mails);
    let (mut model, heaviest) = learned(&mails);
    let tags = tag_threshold(&mails, &unseen, demands.allowed).max(above(&model, demands.innocent, false) + ROOM);
    model.head.threshold = rounded(tags);
    let least = demands.holding.map_or(tags, |card| log_odds(card.head.threshold));
    let holds = hold_threshold(&mails, &unseen, tags).max(above(&model, demands.innocent, true) + HOLD_ROOM);
    let hold_threshold = rounded(holds.max(least));
    let counts = |is_bad: bool| counts(&mails, &unseen, model.head.threshold, hold_threshold, is_bad);
    let (caught, wrong) = (counts(true), counts(false));
    Ok(Trained { model, hold_threshold, caught, wrong, heaviest })
}

/// The model over all mails, still without a threshold, and the words that weigh most against a mail.
fn learned(mails: &Mails) -> (Model, Vec<(String, f64)>) {
    let examples: Vec<&Example> = mails.examples.iter().collect();
    let bad = examples.iter().filter(|example| example.is_bad).count();
    let words = heaviest(mails, &fit(&examples, &kept(mails, &examples)));
    let against = words.iter().filter(|(_, weight)| *weight > 0.0);
    let against = against.map(|(at, weight)| (mails.candidates[*at].1.clone(), *weight)).collect();
    let words = words.iter().map(|(at, weight)| (mails.candidates[*at].0, *weight as f32));
    let bias = log_odds(mails.card.head.bias);
    let head = Head { form: 2, bias, threshold: 0.0, conjunction: false, good: examples.len() - bad, bad };
    (Model::neutral(head, words.chain(marks(&mails.card))), against)
}

/// The highest score of innocent mails; of those alone that could be held, where that is asked.
fn above(model: &Model, innocent: &[ForModels], to_hold: bool) -> f64 {
    let could_be_held = |mail: &ForModels| mail.named.is_hard() && !mail.named.is_vouched();
    let judged = innocent.iter().filter(|mail| !mail.named.abstains() && (!to_hold || could_be_held(mail)));
    let scores = judged.map(|mail| {
        let vouched = if mail.named.is_vouched() { log_odds(VOUCHER_POINTS) } else { 0.0 };
        model.score(mail).log_odds - vouched
    });
    scores.fold(f64::NEG_INFINITY, f64::max)
}

/// The marks with what they count in a card.
fn marks(card: &Card) -> impl Iterator<Item = (u32, f32)> + '_ {
    let counting = FEATURES.all().filter(|feature| card.points_of(*feature) != 0);
    counting.map(|feature| {
        let weight = log_odds(card.points_of(feature)) as f32;
        (Feature::neutral(format!("u:{}", FEATURES.name(feature))).hash, weight)
    })
}

/// Points as the logarithm of the odds.
fn log_odds(points: i32) -> f64 {
    f64::from(points) / POINTS
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn is_enough(mails: &Mails, allowed: f64) -> Result<(), TooFew> {
    let of = |is_bad: bool| mails.examples.iter().filter(move |example| example.is_bad == is_bad);
    let (good, bad) = (of(false).count(), of(true).count());
    if good < MAILS_MIN || bad < MAILS_MIN {
        return Err(TooFew::Mails { good, bad });
    }
    let senders = |is_bad: bool| of(is_bad).map(|example| example.sender).collect::<BTreeSet<_>>().len();
    if senders(false).min(senders(true)) < SENDER_GROUPS_MIN {
        return Err(TooFew::Senders { good: senders(false), bad: senders(true) });
    }
    let needed = if allowed > 0.0 { (1.0 / allowed).ceil() as usize } else { 0 };
    if good < needed {
        return Err(TooFew::Share { good, allowed: allowed.to_string(), needed });
    }
    Ok(())
}

/// The score of each mail by a model that has seen neither its sender nor its thread.
fn unseen(mails: &Mails) -> Vec<f64> {
    let mut scores = vec![0.0; mails.examples.len()];
    for fold in 0..FOLDS {
        let tested = || mails.examples.iter().enumerate().filter(|(_, example)| example.part == fold);
        let threads: BTreeSet<u32> = tested().map(|(_, example)| example.group).collect();
        let is_learned = |example: &&Example| example.part != fold && !threads.contains(&example.group);
        let learned: Vec<&Example> = mails.examples.iter().filter(is_learned).collect();
        let weights = fit(&learned, &kept(mails, &learned));
        tested().for_each(|(at, example)| scores[at] = score(&weights, example));
    }
    scores
}

/// What a mail scores, as the model will say.
fn score(weights: &[f64], example: &Example) -> f64 {
    let sum: f64 = example.words.iter().map(|place| weights[*place as usize]).sum();
    example.card + bounded(sum * word_value(example.word_count))
}

/// The score that counts: a mail for whose sender something vouches needs more.
fn counted(example: &Example, score: f64) -> f64 {
    if example.is_vouched { score - log_odds(VOUCHER_POINTS) } else { score }
}

/// Good mails by source, those sources together that are too small to show such a share by themselves.
fn by_source(mails: &Mails, allowed: f64) -> Vec<Vec<(usize, &Example)>> {
    let mut sources: BTreeMap<u32, Vec<(usize, &Example)>> = BTreeMap::new();
    for (at, example) in mails.examples.iter().enumerate().filter(|(_, example)| !example.is_bad) {
        sources.entry(example.source).or_default().push((at, example));
    }
    let (large, small): (Vec<_>, Vec<_>) = sources.into_values().partition(|mails| mails.len() as f64 * allowed >= 1.0);
    let small: Vec<(usize, &Example)> = small.into_iter().flatten().collect();
    large.into_iter().chain([small]).filter(|mails| !mails.is_empty()).collect()
}

/// The largest threshold that a source of good mail asks for; and never below the card's.
fn tag_threshold(mails: &Mails, unseen: &[f64], allowed: f64) -> f64 {
    let asked = by_source(mails, allowed).into_iter().filter_map(|source| {
        let spared = (source.len() as f64 * allowed).floor() as usize;
        let judged = source.iter().filter(|(_, example)| !example.abstains);
        let mut scores: Vec<f64> = judged.map(|(at, example)| counted(example, unseen[*at])).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.get(spared).map(|highest| highest + ROOM)
    });
    asked.fold(log_odds(mails.card.head.threshold), f64::max)
}

/// Above every good mail that could be held.
fn hold_threshold(mails: &Mails, unseen: &[f64], tag_threshold: f64) -> f64 {
    let could_be_held =
        |example: &Example| !example.is_bad && !example.abstains && example.is_hard && !example.is_vouched;
    let scores = mails.examples.iter().zip(unseen).filter(|(example, _)| could_be_held(example));
    scores.map(|(_, score)| *score).fold(tag_threshold, f64::max) + HOLD_ROOM
}

fn counts(mails: &Mails, unseen: &[f64], tags: f64, holds: f64, is_bad: bool) -> Vec<Count> {
    let mut counts: BTreeMap<u32, Count> = BTreeMap::new();
    for (example, score) in mails.examples.iter().zip(unseen).filter(|(example, _)| example.is_bad == is_bad) {
        let source = || {
            let text = mails.sources.text(example.source);
            Count { source: text.split_once(' ').map_or(text, |(_, source)| source).to_owned(), ..Count::default() }
        };
        let count = counts.entry(example.source).or_insert_with(source);
        let is_over = |threshold: f64| !example.abstains && points(counted(example, *score)) >= points(threshold);
        count.mails += 1;
        count.tagged += usize::from(is_over(tags));
        count.held += usize::from(is_over(holds) && example.is_hard && !example.is_vouched);
    }
    let mut counts: Vec<Count> = counts.into_values().collect();
    counts.sort_by(|a, b| a.source.cmp(&b.source));
    counts
}

/// The places of the words that are kept, with their weights, rounded, the heaviest first.
fn heaviest(mails: &Mails, learned: &[f64]) -> Vec<(usize, f64)> {
    let rounded = learned.iter().map(|weight| rounded(*weight)).enumerate();
    let mut weights: Vec<(usize, f64)> = rounded.filter(|(_, weight)| weight.abs() >= WEIGHT_MIN).collect();
    let text = |at: usize| &mails.candidates[at].1;
    weights.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| text(a.0).cmp(text(b.0))));
    weights.truncate(NEUTRAL_WEIGHTS_MAX - FEATURES.len());
    weights
}

#[cfg(test)]
mod tests {
    use super::super::example::Origin;
    use super::*;
    use crate::scorecard::card;

    /// A mail of these words.
    fn mail(words: &[String]) -> ForModels {
        let mut words = words.to_vec();
        words.sort();
        ForModels { second: words.into_iter().map(Feature::neutral).collect(), ..ForModels::default() }
    }

    fn demands(allowed: f64) -> Demands<'static> {
        Demands { allowed, ..Demands::default() }
    }

    /// A card that says nothing of a mail by its words.
    fn card() -> Card {
        let head = card::Head { form: 1, bias: -100, threshold: 50, conjunction: false, good: 0, bad: 0 };
        Card::new(head, &BTreeMap::from([(FEATURES.of_name("link-shortener").expect("a mark"), 85)]))
    }

    /// Mails of two kinds, with words that both have; `more` says what is special about one.
    fn gathered(count: usize, more: impl Fn(usize, &mut Vec<String>, &mut Origin)) -> Gathered {
        let mut gathered = Gathered::new(&card());
        for at in 0..count {
            let is_bad = at.is_multiple_of(2);
            let own = if is_bad { ["w:claim", "w:prize", "w:urgent"] } else { ["w:meeting", "w:patch", "w:regards"] };
            let mut words: Vec<String> = own.into_iter().take(1 + at % 3).map(str::to_owned).collect();
            words.extend((0..5).map(|n| format!("w:common{}", (at * 7 + n * 3) % 11)));
            let (sender, group) = (format!("s{}", at / 2 % 40), format!("g{at}"));
            let mut origin = Origin { is_bad, source: "one".into(), sender, group, key: at as u64 };
            more(at, &mut words, &mut origin);
            gathered.add(&mail(&words), &origin).expect("few");
        }
        gathered
    }

    fn plain(count: usize) -> Gathered {
        gathered(count, |_, _, _| ())
    }

    fn weighs(trained: &Trained, text: &str) -> bool {
        trained.model.weights.contains_key(&Feature::neutral(text.to_owned()).hash)
    }

    #[test]
    fn it_learns_and_the_same_mail_makes_the_same_model() {
        let trained = train(plain(400), demands(0.0)).expect("enough");
        assert_eq!((sum(&trained.wrong).mails, sum(&trained.wrong).tagged), (200, 0));
        assert!(sum(&trained.caught).tagged >= 190, "{:?}", trained.caught);
        assert_eq!(train(plain(400), demands(0.0)), Ok(trained.clone()));
        let of = |words: &[&str]| {
            let mail = mail(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
            trained.model.acts(&trained.model.score(&mail), &mail.named)
        };
        assert!(of(&["w:claim", "w:prize", "w:common1"]));
        assert!(!of(&["w:meeting", "w:common1"]) && !of(&["w:common1", "w:common2"]) && !of(&[]));
        assert_eq!(Model::parse(&trained.model.to_text()), Ok(trained.model.clone()));
        assert!(trained.holding().head.conjunction && trained.hold_threshold >= trained.model.head.threshold + 1.0);
        assert_eq!((trained.model.head.threshold, trained.model.head.bias), (0.5, -1.0), "those of the card");
        let mark = Feature::neutral("u:link-shortener".into());
        assert_eq!(trained.model.weights.get(&mark.hash), Some(&0.85), "marks count what they count in the card");
    }

    #[test]
    fn what_few_senders_or_one_campaign_write_is_not_learned() {
        let trained = train(
            gathered(400, |at, words, origin| {
                if at % 4 == 0 {
                    words.push(if origin.sender.ends_with('4') { "w:of-four-senders" } else { "w:of-many" }.into());
                }
                if at % 4 == 2 {
                    words.push("w:of-one-campaign".into());
                    origin.group = "campaign".into();
                }
            }),
            demands(0.0),
        )
        .expect("enough");
        assert!(weighs(&trained, "w:of-many"));
        assert!(!weighs(&trained, "w:of-four-senders") && !weighs(&trained, "w:of-one-campaign"));
    }

    #[test]
    fn what_tells_one_folder_is_not_learned_and_what_the_other_kind_has_as_well_is() {
        let trained = train(
            gathered(800, |at, words, origin| {
                let is_first = at % 4 < 2;
                origin.source = if is_first { "first" } else { "second" }.into();
                if is_first && !origin.is_bad {
                    words.extend(["w:collector".to_owned(), "w:account".to_owned()]);
                } else if origin.is_bad && at % 3 == 0 {
                    words.push("w:account".into());
                }
            }),
            demands(0.0),
        )
        .expect("enough");
        assert!(!weighs(&trained, "w:collector") && weighs(&trained, "w:account"));
    }

    #[test]
    fn one_mail_of_a_domain_is_no_source_that_a_word_could_tell() {
        let trained = train(
            gathered(1600, |at, words, origin| {
                if origin.is_bad {
                    (origin.source, origin.sender) = (format!("d{at}"), format!("d{at}"));
                }
                if at % 100 == 0 {
                    words.push("w:seldom".into());
                }
            }),
            demands(0.0),
        )
        .expect("enough");
        assert!(weighs(&trained, "w:seldom"), "1 % of mails have it, of as many domains");
    }

    #[test]
    fn what_the_owners_of_mailboxes_are_called_is_not_learned() {
        let mut gathered = plain(400);
        for at in 0..60 {
            let mut one = mail(&["w:claim".into(), "w:pot".into(), "p:dear pot".into()]);
            one.recipients.extend((at % 2 == 0).then(|| "pot".to_owned()));
            let (sender, group) = (format!("x{at}"), format!("x{at}"));
            let origin = Origin { is_bad: true, source: "one".into(), sender, group, key: at };
            gathered.add(&one, &origin).expect("few");
        }
        let trained = train(gathered, demands(0.0)).expect("enough");
        assert!(weighs(&trained, "w:claim") && !weighs(&trained, "w:pot") && !weighs(&trained, "p:dear pot"));
    }

    #[test]
    fn no_source_of_good_mail_has_more_than_is_allowed() {
        // The second source writes like bad mail in one of ten mails, which are few of all.
        let odd = |at: usize, words: &mut Vec<String>, origin: &mut Origin| {
            if !origin.is_bad && at % 8 == 1 {
                origin.source = "second".into();
                if at % 80 == 1 {
                    *words = vec!["w:claim".into(), "w:prize".into(), "w:urgent".into()];
                }
            }
        };
        let trained = train(gathered(2400, odd), demands(0.02)).expect("enough");
        for count in &trained.wrong {
            assert!(count.tagged as f64 <= count.mails as f64 * 0.02, "{count:?}");
        }
        assert_eq!(trained.wrong.len(), 2);
    }

    #[test]
    fn no_innocent_mail_that_is_shown_is_acted_on() {
        let innocent = [mail(&["w:claim".into(), "w:prize".into(), "w:urgent".into()])];
        let trained = train(plain(400), Demands { innocent: &innocent, ..Demands::default() }).expect("enough");
        assert!(trained.model.head.threshold > 0.5, "{}", trained.model.head.threshold);
        assert!(!trained.model.acts(&trained.model.score(&innocent[0]), &innocent[0].named));
    }

    #[test]
    fn too_few_is_told() {
        assert_eq!(train(plain(60), demands(0.0)), Err(TooFew::Mails { good: 30, bad: 30 }));
        let one_sender = gathered(200, |_, _, origin| origin.sender = "one".into());
        assert_eq!(train(one_sender, demands(0.0)), Err(TooFew::Senders { good: 1, bad: 1 }));
        let share = train(plain(400), demands(0.001)).expect_err("200 mails cannot show 0.1 %");
        assert_eq!(share, TooFew::Share { good: 200, allowed: "0.001".into(), needed: 1000 });
    }
}
