//! Which features a model may know. Left out is what few senders write, what tells one folder of mail apart from
//! everything else, and what the owners of the mailboxes are called.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::example::{Example, Mails, SENDERS_MIN};

/// A feature that so many of a source's mails have may say which source it is.
const SOURCE_SHARE: f64 = 0.05;
/// Mails of a source at least, so that shares of it say something of it.
const SOURCE_MAILS_MIN: usize = 100;
/// And it does where all other mails have it so seldom, measured by that.
const ELSEWHERE_SHARE: f64 = 0.02;
/// A recipient that so many of a source's mails go to is the owner of a mailbox.
const RECIPIENT_SHARE: f64 = 0.05;

/// Whether each candidate may be learned from these mails.
pub(super) fn kept(mails: &Mails, examples: &[&Example]) -> Vec<bool> {
    let mut kept = widely_used(mails.candidates.len(), examples);
    for at in of_one_source(mails, examples) {
        kept[at] = false;
    }
    let owners = owners(mails, examples);
    for (kept, (_, text)) in kept.iter_mut().zip(&mails.candidates).filter(|_| !owners.is_empty()) {
        *kept = *kept && !is_about(text, &owners);
    }
    kept
}

/// The places of the words of a mail.
fn features(example: &Example) -> impl Iterator<Item = usize> + '_ {
    example.words.iter().map(|place| *place as usize)
}

/// Distinct numbers, the first few.
#[derive(Clone, Copy)]
struct Distinct {
    count: usize,
    seen: [u32; SENDERS_MIN],
}

impl Distinct {
    const NONE: Self = Self { count: 0, seen: [0; SENDERS_MIN] };

    fn add(&mut self, number: u32) {
        if self.count < SENDERS_MIN && !self.seen[..self.count].contains(&number) {
            self.seen[self.count] = number;
            self.count += 1;
        }
    }
}

/// What enough senders write in enough campaigns or threads.
fn widely_used(candidates: usize, examples: &[&Example]) -> Vec<bool> {
    let (mut senders, mut groups) = (vec![Distinct::NONE; candidates], vec![Distinct::NONE; candidates]);
    for example in examples {
        for place in features(example) {
            senders[place].add(example.sender);
            groups[place].add(example.group);
        }
    }
    let is_enough = |distinct: &Distinct| distinct.count >= SENDERS_MIN;
    senders.iter().zip(&groups).map(|(senders, groups)| is_enough(senders) && is_enough(groups)).collect()
}

/// What says which folder a mail is from, and nothing else: many of one source have it, and hardly a mail besides.
fn of_one_source(mails: &Mails, examples: &[&Example]) -> Vec<usize> {
    let mut by_source: BTreeMap<u32, Vec<&Example>> = BTreeMap::new();
    for example in examples {
        by_source.entry(example.source).or_default().push(example);
    }
    let kinds =
        |is_bad: bool| by_source.values().filter(move |one| one.first().is_some_and(|one| one.is_bad == is_bad));
    let has_others = [false, true].map(|is_bad| kinds(is_bad).count() > 1);
    let mut all = vec![0_u32; mails.candidates.len()];
    examples.iter().flat_map(|example| features(example)).for_each(|place| all[place] += 1);
    let mut found = Vec::new();
    for of_source in by_source.values().filter(|one| one.len() >= SOURCE_MAILS_MIN) {
        if !of_source.first().is_some_and(|one| has_others[usize::from(one.is_bad)]) {
            continue;
        }
        let mut own = vec![0_u32; mails.candidates.len()];
        of_source.iter().flat_map(|example| features(example)).for_each(|place| own[place] += 1);
        let (count, others) = (of_source.len() as f64, (examples.len() - of_source.len()).max(1) as f64);
        found.extend(own.iter().zip(&all).enumerate().filter_map(|(at, (own, all))| {
            let share = f64::from(*own) / count;
            let elsewhere = f64::from(all - own) / others;
            (share >= SOURCE_SHARE && elsewhere < share * ELSEWHERE_SHARE).then_some(at)
        }));
    }
    found
}

/// What the owners of the mailboxes are called.
fn owners<'m>(mails: &'m Mails, examples: &[&Example]) -> HashSet<&'m str> {
    let mut counts: BTreeMap<u32, (usize, BTreeMap<u32, usize>)> = BTreeMap::new();
    for example in examples {
        let (count, names) = counts.entry(example.source).or_default();
        *count += 1;
        let distinct: BTreeSet<u32> = example.recipients.iter().copied().collect();
        distinct.into_iter().for_each(|name| *names.entry(name).or_default() += 1);
    }
    let large = counts.values().filter(|(count, _)| *count >= SOURCE_MAILS_MIN);
    let often = large.flat_map(|(count, names)| {
        let least = RECIPIENT_SHARE * *count as f64;
        names.iter().filter(move |(_, mails)| **mails as f64 >= least).map(|(name, _)| *name)
    });
    often.map(|name| mails.recipients.text(name)).collect()
}

/// Whether a word or one of a pair is one of these.
fn is_about(text: &str, names: &HashSet<&str>) -> bool {
    let Some((_, words)) = text.split_once(':') else { return false };
    words.split(' ').any(|word| names.contains(word))
}
