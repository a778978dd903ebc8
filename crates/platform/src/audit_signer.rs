//! Checkpoints of the audit log, signed so that anybody can check them: the signed notes of C2SP with Ed25519
//! (c2sp.org/signed-note, c2sp.org/tlog-checkpoint). And the bundle that proves an entry, checked with nothing but the
//! public key.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Digest;
use domain::audit::{Entry, leaf_hash};
use domain::proof::{Consistency, Inclusion};
use domain::token::{TokenKey, seal};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::audit::is_committed;
use store::audit::verify::Evidence;

/// What the key of an installation is derived for.
const PURPOSE: &str = "audit-checkpoint-ed25519";
/// The signature type of Ed25519 (c2sp.org/signed-note).
const ED25519_TYPE: u8 = 1;

/// Signs checkpoints in the name of this installation.
#[derive(Clone, Debug)]
pub struct AuditSigner {
    origin: String,
    pair: std::sync::Arc<Ed25519KeyPair>,
}

/// Why a note or a bundle does not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Doubt {
    /// It has not the form of one.
    #[error("{0} cannot be read")]
    Form(&'static str),
    /// It is signed by nobody whom the key names.
    #[error("the checkpoint is not signed by {0}")]
    Signature(String),
    /// What is said and what is proved differ.
    #[error("{0}")]
    Proof(String),
}

impl AuditSigner {
    /// The signer of an installation: its name, and a key that follows from the installation's own.
    pub fn new(key: &TokenKey, host: &str) -> Self {
        let seed = seal(key, PURPOSE, "");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_bytes()).expect("a seed of 32 bytes");
        Self { origin: format!("{host}/reprieve"), pair: std::sync::Arc::new(pair) }
    }

    /// The public key, as people write it down: name, hash and key.
    pub fn public_key(&self) -> String {
        let key = self.pair.public_key().as_ref();
        format!(
            "{}+{}+{}",
            self.origin,
            hex(&key_hash(&self.origin, key)),
            STANDARD.encode([&[ED25519_TYPE], key].concat())
        )
    }

    /// A signed checkpoint.
    pub fn sign(&self, size: u64, root: &Digest) -> String {
        let text = format!("{}\n{size}\n{}\n", self.origin, STANDARD.encode(root.as_bytes()));
        let signature = self.pair.sign(text.as_bytes());
        let hash = key_hash(&self.origin, self.pair.public_key().as_ref());
        let line = STANDARD.encode([&hash[..], signature.as_ref()].concat());
        format!("{text}\n\u{2014} {} {line}\n", self.origin)
    }
}

fn key_hash(name: &str, key: &[u8]) -> [u8; 4] {
    let digest = Sha256::new().chain_update(name).chain_update([b'\n', ED25519_TYPE]).chain_update(key).finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a checkpoint, and checks that the key has signed it: the size and the root.
///
/// # Errors
/// When it is no checkpoint, or not signed by the key.
pub fn open(note: &str, public_key: &str) -> Result<(u64, Digest), Doubt> {
    let form = Doubt::Form;
    let mut pieces = public_key.splitn(3, '+');
    let (Some(name), Some(_), Some(key)) = (pieces.next(), pieces.next(), pieces.next()) else {
        return Err(form("the public key"));
    };
    let key = STANDARD.decode(key).map_err(|_| form("the public key"))?;
    let (Some(&ED25519_TYPE), Some(key)) = (key.first(), key.get(1..)) else { return Err(form("the public key")) };
    let (text, signatures) = note.split_once("\n\n").ok_or(form("the checkpoint"))?;
    let text = format!("{text}\n");
    let signed = signatures.lines().filter_map(|line| line.strip_prefix("\u{2014} ")?.split_once(' '));
    let holds = signed.filter(|(by, _)| *by == name).any(|(_, line)| {
        let Ok(bytes) = STANDARD.decode(line) else { return false };
        let Some((hash, signature)) = bytes.split_first_chunk::<4>() else { return false };
        *hash == key_hash(name, key) && UnparsedPublicKey::new(&ED25519, key).verify(text.as_bytes(), signature).is_ok()
    });
    if !holds {
        return Err(Doubt::Signature(name.to_owned()));
    }
    let mut lines = text.lines().skip(1);
    let size = lines.next().and_then(|line| line.parse().ok()).ok_or(form("the size"))?;
    let root = lines.next().and_then(|line| STANDARD.decode(line).ok()).and_then(|root| root.try_into().ok());
    Ok((size, Digest::from_bytes(root.ok_or(form("the root"))?)))
}

/// Everything that proves an entry, in one file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The entry, as it is hashed.
    pub entry: String,
    /// Where it is.
    pub inclusion: Inclusion,
    /// That the log begins with an earlier one.
    #[serde(default)]
    pub consistency: Option<Consistency>,
    /// For the journal: the digests of the lines of this group commit.
    #[serde(default)]
    pub lines: Vec<Digest>,
    /// The lines that are proved: the place of each, and its fields.
    #[serde(default)]
    pub own: Vec<(usize, Vec<String>)>,
    /// What of the entry may be about people, with the salt of the commitment to it.
    #[serde(default)]
    pub private: Option<(String, String)>,
    /// The signed checkpoint of the log.
    pub checkpoint: String,
    /// The key that has signed it; who checks compares it with the one that they know.
    pub public_key: String,
}

impl Bundle {
    /// A bundle of evidence.
    pub fn new(evidence: Evidence, signer: &AuditSigner) -> Self {
        let Evidence { entry, inclusion, consistency, lines, own, private } = evidence;
        let checkpoint = signer.sign(inclusion.size, &inclusion.root);
        Self { entry, inclusion, consistency, lines, own, private, checkpoint, public_key: signer.public_key() }
    }

    /// Checks it offline: the signature, the path of the entry, and that the lines are those that the entry commits to.
    /// `earlier` is a checkpoint that somebody has kept. Returns what is proved, one line each.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self, public_key: Option<&str>, earlier: Option<&str>) -> Result<Vec<String>, Doubt> {
        let key = public_key.unwrap_or(&self.public_key);
        let (size, root) = open(&self.checkpoint, key)?;
        if (size, root) != (self.inclusion.size, self.inclusion.root) {
            return Err(Doubt::Proof("the checkpoint is of another log than the path".into()));
        }
        if !self.inclusion.holds(leaf_hash(self.entry.as_bytes())) {
            return Err(Doubt::Proof("the entry is not in the log at that place".into()));
        }
        let entry: Entry = serde_json::from_str(&self.entry).map_err(|_| Doubt::Form("the entry"))?;
        let mut proved =
            vec![format!("entry {} of {size}: {} by {} at {}", entry.seq, entry.action, entry.actor, entry.at)];
        if let Some((salt, private)) = &self.private {
            if !is_committed(&entry, salt, private) {
                return Err(Doubt::Proof("what is told of the entry is not what it commits to".into()));
            }
            proved.push(format!("with {private}"));
        }
        for (at, fields) in &self.own {
            let pieces: Vec<&[u8]> = fields.iter().map(|field| field.as_bytes()).collect();
            if self.lines.get(*at) != Some(&Digest::of_pieces(&pieces)) {
                return Err(Doubt::Proof(format!("line {at} is not the one that was written")));
            }
            proved.push(format!("line {at}: {}", fields.join(" | ")));
        }
        if !self.lines.is_empty() {
            let pieces: Vec<&[u8]> = self.lines.iter().map(|digest| &digest.as_bytes()[..]).collect();
            if !entry.detail.contains(&Digest::of_pieces(&pieces).hex()) {
                return Err(Doubt::Proof("the lines are not those that the entry commits to".into()));
            }
        }
        if let Some(note) = earlier {
            let (first, earlier) = open(note, key)?;
            let proof = self.consistency.as_ref().filter(|proof| proof.first == first && proof.size == size);
            if !proof.is_some_and(|proof| proof.holds(earlier, root)) {
                return Err(Doubt::Proof(format!(
                    "nothing proves that this log begins with the one of {first} entries"
                )));
            }
            proved.push(format!("the log begins with the one of {first} entries, unchanged"));
        }
        Ok(proved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_signed_and_opened() {
        let signer = AuditSigner::new(&TokenKey::new([7; 32]), "gw.example");
        let root = Digest::of(b"root");
        let note = signer.sign(42, &root);
        assert_eq!(open(&note, &signer.public_key()), Ok((42, root)));
        let other = AuditSigner::new(&TokenKey::new([8; 32]), "gw.example");
        assert_eq!(open(&note, &other.public_key()), Err(Doubt::Signature("gw.example/reprieve".into())));
        let forged = note.replacen("42", "43", 1);
        assert_eq!(open(&forged, &signer.public_key()), Err(Doubt::Signature("gw.example/reprieve".into())));
        assert!(matches!(open("nonsense", &signer.public_key()), Err(Doubt::Form(_))));
    }
}
