//! What the whole memory says against a version that a person put in force although a gate had named known-good
//! content: not a sample but everything, each content once.
//!
//! Three bounds keep an attacker out of it. Only content that was clean for days *before the version was first drafted*
//! counts. Each content gives one vote, and so does each domain, with all accounts of ours together as one: whoever
//! owns one mailbox owns one vote. And conversation, which a thread hijacker imitates, convicts nobody: it lowers the
//! number of past contents that are asked for, by no more than there are votes, and never below [`VOTES_MIN`]; and it
//! is of the past as well, with content that went to and fro for longer than malware stays unseen
//! ([`CONVERSED_AGE`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::evidence::probe_value;

/// Past contents of as many unrelated domains, without which nothing is convicted, whatever else speaks against it.
pub const VOTES_MIN: u32 = 2;
/// Hit contents that votes are counted of: the first by their hashes. More make no difference.
pub const CONTENTS_MAX: usize = 256;
/// How long before the version's first draft content must have been known, so that conversation with it counts: the age
/// of what everybody carries.
pub const CONVERSED_AGE: Duration = Duration::from_secs(14 * 24 * 3600);
/// Domains that must converse with a content, beside the first of their circle, before mail with it may leave during a
/// probation: ours and two partners, as a rule. With one of them a hijacked mailbox that answers many threads finds a
/// poisoned partner by chance.
pub const CONVERSING_MIN: u32 = 2;
/// The domain of all accounts of ours.
pub const OURS: &str = "ours";

/// What a trial on the whole memory found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Contents that were hit, each with a domain of its own.
    pub votes: u32,
    /// Contents that were looked at.
    pub seen: u32,
    /// Domains that converse with one of the contents that were hit, beside the first of each circle: the most of any
    /// content ([`conversing`]).
    #[serde(default)]
    pub domains: u32,
    /// The hashes of those that were hit, [`CONTENTS_MAX`] at most: for people, who may know better.
    pub contents: Vec<String>,
    /// Those of them with which [`CONVERSING_MIN`] domains converse at least: mail that is held for nothing else may
    /// leave during a probation.
    #[serde(default)]
    pub conversed: Vec<String>,
}

impl Past {
    /// What convicts is compared with this: so many contents of so many, as if each domain that converses were one
    /// more, up to the number of votes.
    pub fn value(&self) -> f64 {
        let counted = self.counted();
        if self.votes < VOTES_MIN { 0.0 } else { probe_value(counted, self.seen.max(counted)) }
    }

    /// Whether it convicts, where `least` contents and evidence of `trip` are asked for.
    pub fn convicts(&self, least: u32, trip: f64) -> bool {
        self.votes >= VOTES_MIN && self.counted() >= least && self.value() >= trip
    }

    fn counted(&self) -> u32 {
        self.votes.saturating_add(self.domains.min(self.votes))
    }
}

/// The votes of contents that were hit, each given as the domains that carried it: as many as there are pairs of a
/// content and a domain in which nobody occurs twice.
pub fn votes(hits: &[BTreeSet<String>]) -> u32 {
    let hits: Vec<&BTreeSet<String>> = hits.iter().take(CONTENTS_MAX).collect();
    let mut pairs = Pairs { hits: &hits, of_domain: BTreeMap::new(), of_content: vec![None; hits.len()] };
    let found = (0..hits.len()).filter(|content| pairs.add(*content)).count();
    u32::try_from(found).unwrap_or(u32::MAX)
}

/// Pairs of contents and domains, as many as are possible (augmenting paths, breadth first).
struct Pairs<'h> {
    hits: &'h [&'h BTreeSet<String>],
    of_domain: BTreeMap<&'h str, usize>,
    of_content: Vec<Option<&'h str>>,
}

impl<'h> Pairs<'h> {
    /// Finds a domain for one more content, whatever others have to change theirs.
    fn add(&mut self, content: usize) -> bool {
        let mut reached: BTreeMap<&'h str, usize> = BTreeMap::new();
        let mut queue = vec![content];
        let mut at = 0;
        while let Some(content) = queue.get(at).copied() {
            at += 1;
            for domain in self.hits.get(content).copied().into_iter().flatten() {
                if reached.contains_key(domain.as_str()) {
                    continue;
                }
                reached.insert(domain, content);
                match self.of_domain.get(domain.as_str()) {
                    Some(taken_by) => queue.push(*taken_by),
                    None => {
                        self.take(domain, &reached);
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Gives a free domain to the content that reached it, what that had to the one before, and so on.
    fn take(&mut self, free: &'h str, reached: &BTreeMap<&'h str, usize>) {
        let mut domain = free;
        while let Some(content) = reached.get(domain).copied() {
            self.of_domain.insert(domain, content);
            let Some(before) = self.of_content.get_mut(content).and_then(|one| one.replace(domain)) else { return };
            domain = before;
        }
    }
}

/// How many domains converse with the same content in their mails, beside the first of each circle: `answers` says who
/// has answered whom with it, and only where each has answered the other do they converse. One hijacked mailbox that
/// answers forty threads speaks alone; so does a worm, until people send it back.
pub fn conversing(answers: &BTreeSet<(String, String)>) -> u32 {
    let mut circles: Vec<BTreeSet<&str>> = Vec::new();
    let mut domains = 0;
    let both = answers.iter().filter(|(from, to)| from < to && answers.contains(&(to.clone(), from.clone())));
    for (one, other) in both {
        let of = |who: &str, circles: &[BTreeSet<&str>]| circles.iter().position(|circle| circle.contains(who));
        let first = of(one, &circles).unwrap_or_else(|| {
            circles.push([one.as_str()].into());
            circles.len() - 1
        });
        match of(other, &circles) {
            Some(second) if second == first => continue,
            Some(second) => {
                // The later one is taken out, so that the earlier one keeps its place.
                let (keep, gone) = (first.min(second), first.max(second));
                let joined = circles.swap_remove(gone);
                circles[keep].extend(joined);
            }
            None => drop(circles[first].insert(other)),
        }
        domains += 1;
    }
    domains
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentinel::suspicion::TRIP_AFTER_CHANGE;
    use proptest::prelude::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn pairs(names: &[(&str, &str)]) -> BTreeSet<(String, String)> {
        names.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
    }

    fn of(votes: u32, seen: u32, domains: u32) -> Past {
        Past { votes, seen, domains, ..Past::default() }
    }

    #[test]
    fn a_content_and_a_domain_vote_once() {
        assert_eq!(votes(&[]), 0);
        assert_eq!(votes(&[set(&["a"]), set(&["a"]), set(&["a"])]), 1, "three pictures of one sender");
        assert_eq!(votes(&[set(&["a", "b", "c", "d"])]), 1, "one picture of four senders");
        // Who is first must not take what only the other has.
        assert_eq!(votes(&[set(&["a", "b"]), set(&["a"])]), 2);
        assert_eq!(votes(&[set(&["a", "b"]), set(&["a", "c"]), set(&["a"]), set(&["b"])]), 3);
        assert_eq!(votes(&[set(&[OURS]), set(&[OURS]), set(&["a"])]), 2, "all of ours are one");
    }

    #[test]
    fn who_speaks_alone_does_not_converse() {
        let hijacked: BTreeSet<_> = (0..40).map(|n| (OURS.to_owned(), format!("p{n}"))).collect();
        assert_eq!(conversing(&hijacked), 0, "a mailbox of ours answers forty threads");
        assert_eq!(conversing(&pairs(&[("p1", OURS), ("p2", OURS)])), 0);
        assert_eq!(conversing(&pairs(&[("p1", OURS), (OURS, "p1")])), 1);
        assert_eq!(conversing(&pairs(&[("p1", OURS), (OURS, "p1"), ("p2", OURS), (OURS, "p2")])), 2);
        // Three who all answer one another are a circle of three: two beside the first.
        let circle = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"), ("a", "c"), ("c", "a")];
        assert_eq!(conversing(&pairs(&circle)), 2);
        // Two circles that are joined by the last pair.
        let joined = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"), ("b", "d"), ("d", "b")];
        assert_eq!(conversing(&pairs(&joined)), 3);
    }

    #[test]
    fn how_many_contents_are_asked_for() {
        let asked =
            |seen: u32, domains: u32| (0..100).find(|votes| of(*votes, seen, domains).convicts(4, TRIP_AFTER_CHANGE));
        let shown = [100, 300, 1000, 3000, 20_000].map(|seen| [0, 1, 2, 9].map(|domains| asked(seen, domains)));
        let some = |asked: [u32; 4]| asked.map(Some);
        assert_eq!(
            shown,
            [some([4, 3, 2, 2]), some([4, 3, 2, 2]), some([6, 5, 4, 3]), some([9, 8, 7, 5]), some([27, 26, 25, 18]),]
        );
    }

    proptest! {
        /// Whatever conversation there is: nothing is convicted without two contents of two domains, conversation alone
        /// convicts nobody, and more of it never helps by more than the past itself says.
        #[test]
        fn conversation_never_convicts_alone(
            votes in 0_u32..40, seen in 0_u32..40_000, domains in 0_u32..1000,
        ) {
            let convicts = of(votes, seen, domains).convicts(4, TRIP_AFTER_CHANGE);
            prop_assert!(!convicts || votes >= VOTES_MIN);
            let more = of(votes, seen, votes.saturating_add(domains));
            prop_assert_eq!(of(votes, seen, votes).value(), more.value());
            let twice = of(2 * votes, seen, 0).convicts(4, TRIP_AFTER_CHANGE);
            prop_assert!(!convicts || twice, "it weighs no more than as many contents again");
        }

        /// The number of votes is that of the best choice: more than any order of taking the first free one finds, and
        /// never more than there are contents or domains.
        #[test]
        fn votes_are_the_best_choice(
            hits in proptest::collection::vec(proptest::collection::btree_set("[a-f]", 0..4), 0..8),
        ) {
            let mut used = BTreeSet::new();
            let greedy = hits.iter().filter(|one| one.iter().any(|domain| used.insert(domain.clone()))).count();
            let domains: BTreeSet<&String> = hits.iter().flatten().collect();
            let found = votes(&hits) as usize;
            prop_assert!(found >= greedy && found <= hits.len().min(domains.len()));
        }
    }
}
