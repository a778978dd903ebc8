//! The audit log's arithmetic: an append-only Merkle tree with the hashing of RFC 6962 section 2.1.
//!
//! Who did what, to which, when and why is an [`Entry`]; its JSON is a leaf. The head (size, root) is sealed
//! with the installation's key. So a changed, removed or inserted entry is found, and what the tree proves
//! stays provable as it grows.
//!
//! What of an entry may be about people (what was acted on by name, why, and anything else that was said) is beside the
//! log: the entry has a commitment to it. When its salt is destroyed, nobody can tell what it was,
//! and every proof stays valid.

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::digest::Digest;
use crate::time::Timestamp;
use crate::token::{TokenKey, seal};

/// Who did what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the log, from 0.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who: a token's name, or the local user.
    pub actor: String,
    /// What, such as `quarantine.release`.
    pub action: String,
    /// To which, such as the id of a mail; empty when it names a person and is private.
    pub object: String,
    /// Why, as the actor said; empty where it is private.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Anything else, as JSON text; empty if nothing, or where it is private.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What its private part must be; none when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Digest>,
}

/// What of an entry may be about people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// What was acted on, where it names a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// Why, as the actor said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Anything else, as JSON text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Entry {
    /// Takes what may be about people out of an entry. The rest names the act, and what it was done to unless that is
    /// an address.
    pub fn part_from_people(&mut self) -> Private {
        let object = if self.object.contains('@') { std::mem::take(&mut self.object) } else { String::new() };
        Private { object, reason: std::mem::take(&mut self.reason), detail: std::mem::take(&mut self.detail) }
    }

    /// Puts back what was taken out.
    pub fn join(&mut self, private: Private) {
        let Private { object, reason, detail } = private;
        if !object.is_empty() {
            self.object = object;
        }
        (self.reason, self.detail) = (reason, detail);
    }
}

/// The commitment to a private part, given as the JSON text that is kept: `HMAC-SHA-256(salt, text)`, the salt 32
/// random bytes of its own.
pub fn commitment(salt: &[u8; 32], private: &str) -> Digest {
    seal(&TokenKey::new(*salt), "audit-private", private)
}

/// The hash of a leaf: `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::from_bytes(sha2::Sha256::new_with_prefix([0]).chain_update(entry).finalize().into())
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hasher = sha2::Sha256::new_with_prefix([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// The right edge of the tree: the roots of its complete subtrees, largest first. All that appending needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frontier {
    /// Leaves so far.
    pub size: u64,
    subtrees: Vec<Digest>,
}

impl Frontier {
    /// The roots of the complete subtrees with the leaves that each covers, largest first.
    pub fn subtrees(&self) -> impl Iterator<Item = (Digest, u64)> {
        let sizes = (0..u64::BITS).rev().map(|bit| 1_u64 << bit).filter(|size| self.size & size != 0);
        self.subtrees.iter().copied().zip(sizes)
    }

    /// Appends a leaf by its hash.
    pub fn append(&mut self, leaf: Digest) {
        self.subtrees.push(leaf);
        let mut complete = self.size;
        while complete & 1 == 1 {
            let right = self.subtrees.pop();
            let left = self.subtrees.pop();
            if let (Some(left), Some(right)) = (left, right) {
                self.subtrees.push(node_hash(&left, &right));
            }
            complete >>= 1;
        }
        self.size += 1;
    }

    /// The root of the tree (RFC 6962: Merkle tree hash).
    pub fn root(&self) -> Digest {
        let mut subtrees = self.subtrees.iter().rev();
        let Some(last) = subtrees.next() else { return Digest::of(b"") };
        subtrees.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The leaves and roots that implementations of Certificate Transparency test themselves with.
    #[test]
    fn known_roots() {
        let leaves: [&[u8]; 8] = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
        let mut frontier = Frontier::default();
        let mut roots = Vec::new();
        for leaf in leaves {
            frontier.append(leaf_hash(leaf));
            roots.push(frontier.root().hex());
        }
        assert_eq!(roots[0], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(roots[1], "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
        assert_eq!(roots[2], "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
        assert_eq!(roots[7], "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
        assert_eq!(Frontier::default().root(), Digest::of(b""));
    }

    /// The definition of RFC 6962 section 2.1, word for word.
    fn by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::of(b""),
            [one] => *one,
            many => {
                let split = (1_usize << (usize::BITS - 1 - (many.len() - 1).leading_zeros())).min(many.len() - 1);
                node_hash(&by_definition(&many[..split]), &by_definition(&many[split..]))
            }
        }
    }

    proptest! {
        #[test]
        fn appending_is_the_definition(count in 0_usize..200) {
            let leaves: Vec<Digest> = (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect();
            let mut frontier = Frontier::default();
            leaves.iter().for_each(|leaf| frontier.append(*leaf));
            prop_assert_eq!(frontier.root(), by_definition(&leaves));
        }
    }
}
