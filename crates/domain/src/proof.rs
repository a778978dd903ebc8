//! Proofs over the audit log's tree: that an entry is in it, and that a later log begins with an earlier one (RFC 6962
//! sections 2.1.1 and 2.1.2). What is here needs no store: a bundle is checked anywhere.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::audit::{Frontier, node_hash};
use crate::digest::Digest;

/// What is known of a tree: the roots of complete subtrees of what was pruned, and every leaf behind it.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Roots of subtrees by the leaves that they cover.
    pruned: BTreeMap<(u64, u64), Digest>,
    begin: u64,
    leaves: Vec<Digest>,
}

/// The tree does not know enough: the entry was pruned, or there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {0} is not in the log any more, or not yet")]
pub struct NotThere(pub u64);

/// A proof that an entry is in a log of this size with this root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// The place of the entry, from 0.
    pub seq: u64,
    /// Entries of the log.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// The path, from the leaf up.
    pub path: Vec<Digest>,
}

/// A proof that a log begins with an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    /// Entries of the earlier log.
    pub first: u64,
    /// Entries of the later one.
    pub size: u64,
    /// The path.
    pub path: Vec<Digest>,
}

impl Tree {
    /// A tree over what was pruned and the leaves behind it.
    pub fn new(pruned: &Frontier, leaves: Vec<Digest>) -> Self {
        let mut roots = BTreeMap::new();
        let mut begin = 0;
        for (root, size) in pruned.subtrees() {
            roots.insert((begin, begin + size), root);
            begin += size;
        }
        Self { pruned: roots, begin, leaves }
    }

    /// Entries.
    pub fn size(&self) -> u64 {
        self.begin + self.leaves.len() as u64
    }

    /// The root.
    ///
    /// # Errors
    /// Never for a tree that was made of a whole log.
    pub fn root(&self) -> Result<Digest, NotThere> {
        self.hash(0..self.size())
    }

    /// MTH of RFC 6962 section 2.1 over a range of leaves.
    fn hash(&self, range: Range<u64>) -> Result<Digest, NotThere> {
        if let Some(known) = self.pruned.get(&(range.start, range.end)) {
            return Ok(*known);
        }
        match range.end - range.start {
            0 => Ok(Digest::of(b"")),
            1 => {
                let at = range.start.checked_sub(self.begin).and_then(|at| usize::try_from(at).ok());
                at.and_then(|at| self.leaves.get(at)).copied().ok_or(NotThere(range.start))
            }
            count => {
                let split = range.start + split(count);
                Ok(node_hash(&self.hash(range.start..split)?, &self.hash(split..range.end)?))
            }
        }
    }

    /// That an entry is in it: PATH of section 2.1.1.
    ///
    /// # Errors
    /// When the entry was pruned, or there is none.
    pub fn inclusion(&self, seq: u64) -> Result<Inclusion, NotThere> {
        if !(self.begin..self.size()).contains(&seq) {
            return Err(NotThere(seq));
        }
        let mut path = Vec::new();
        let mut range = 0..self.size();
        while range.end - range.start > 1 {
            let middle = range.start + split(range.end - range.start);
            let (own, other) = if seq < middle {
                (range.start..middle, middle..range.end)
            } else {
                (middle..range.end, range.start..middle)
            };
            path.push(self.hash(other)?);
            range = own;
        }
        path.reverse();
        Ok(Inclusion { seq, size: self.size(), root: self.root()?, path })
    }

    /// That it begins with the log of `first` entries: PROOF of section 2.1.2.
    ///
    /// # Errors
    /// When it is not that long, or what is needed was pruned.
    pub fn consistency(&self, first: u64) -> Result<Consistency, NotThere> {
        if first == 0 || first > self.size() {
            return Err(NotThere(first));
        }
        let mut path = Vec::new();
        self.subproof(first, 0..self.size(), true, &mut path)?;
        Ok(Consistency { first, size: self.size(), path })
    }

    fn subproof(&self, first: u64, range: Range<u64>, is_whole: bool, path: &mut Vec<Digest>) -> Result<(), NotThere> {
        if first == range.end - range.start {
            if !is_whole {
                path.push(self.hash(range)?);
            }
            return Ok(());
        }
        let half = split(range.end - range.start);
        let middle = range.start + half;
        if first <= half {
            self.subproof(first, range.start..middle, is_whole, path)?;
            path.push(self.hash(middle..range.end)?);
        } else {
            self.subproof(first - half, middle..range.end, false, path)?;
            path.push(self.hash(range.start..middle)?);
        }
        Ok(())
    }
}

/// The largest power of two below `count`.
fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

impl Inclusion {
    /// Whether it proves that a leaf with this hash is where it says (RFC 9162 section 2.1.3.2).
    pub fn holds(&self, leaf: Digest) -> bool {
        if self.seq >= self.size {
            return false;
        }
        let (mut at, mut last, mut hash) = (self.seq, self.size - 1, leaf);
        for sibling in &self.path {
            if last == 0 {
                return false;
            }
            if at & 1 == 1 || at == last {
                hash = node_hash(sibling, &hash);
                while at & 1 == 0 && at != 0 {
                    (at, last) = (at >> 1, last >> 1);
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        last == 0 && hash == self.root
    }
}

impl Consistency {
    /// Whether it proves that the log with root `later` begins with the log with root `earlier` (RFC 9162 section
    /// 2.1.4.2).
    pub fn holds(&self, earlier: Digest, later: Digest) -> bool {
        if self.first == self.size {
            return self.path.is_empty() && earlier == later;
        }
        if self.first == 0 || self.first > self.size {
            return false;
        }
        let mut path = self.path.iter().copied();
        let begin = if self.first.is_power_of_two() { Some(earlier) } else { path.next() };
        let Some(begin) = begin else { return false };
        let (mut at, mut last) = (self.first - 1, self.size - 1);
        while at & 1 == 1 {
            (at, last) = (at >> 1, last >> 1);
        }
        let (mut of_first, mut of_second) = (begin, begin);
        for sibling in path {
            if last == 0 {
                return false;
            }
            if at & 1 == 1 || at == last {
                of_first = node_hash(&sibling, &of_first);
                of_second = node_hash(&sibling, &of_second);
                while at & 1 == 0 && at != 0 {
                    (at, last) = (at >> 1, last >> 1);
                }
            } else {
                of_second = node_hash(&of_second, &sibling);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        last == 0 && of_first == earlier && of_second == later
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::leaf_hash;
    use proptest::prelude::*;

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    fn frontier(leaves: &[Digest]) -> Frontier {
        let mut frontier = Frontier::default();
        leaves.iter().for_each(|leaf| frontier.append(*leaf));
        frontier
    }

    proptest! {
        /// Whatever the sizes and however much was pruned: a proof holds for what it is about, and for nothing else.
        #[test]
        fn proofs_hold_and_only_for_what_they_are_about(size in 1_u64..130, seed in any::<u64>()) {
            let all = leaves(size);
            let pruned = seed % (size + 1);
            let tree = Tree::new(&frontier(&all[..pruned as usize]), all[pruned as usize..].to_vec());
            let root = frontier(&all).root();
            prop_assert_eq!(tree.root(), Ok(root));
            for seq in 0..size {
                let Ok(proof) = tree.inclusion(seq) else {
                    prop_assert!(seq < pruned);
                    continue;
                };
                prop_assert!(proof.holds(all[seq as usize]));
                prop_assert!(!proof.holds(leaf_hash(b"another")));
                if !proof.path.is_empty() {
                    let mut bent = proof.clone();
                    bent.path[0] = leaf_hash(b"bent");
                    prop_assert!(!bent.holds(all[seq as usize]));
                }
            }
            for first in 1..=size {
                let Ok(proof) = tree.consistency(first) else { continue };
                let earlier = frontier(&all[..first as usize]).root();
                prop_assert!(proof.holds(earlier, root));
                prop_assert!(!proof.holds(leaf_hash(b"x"), root));
                prop_assert!(!proof.holds(earlier, leaf_hash(b"x")));
            }
            prop_assert_eq!(tree.consistency(size + 1), Err(NotThere(size + 1)));
        }
    }
}
