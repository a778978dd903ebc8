//! What looks at mail right now: the ruleset in force, and beside it the candidate of a roll-out.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::detection::{DetectionCode, Mode};
use domain::rollout;
use domain::token::TokenKey;
use domain::{Digest, header};

use serde::{Deserialize, Serialize};

use crate::examine::EnvelopeFacts;
use crate::ruleset::packed::{Packed, failed};
use crate::ruleset::{LoadErrors, Ruleset};

/// What looks at mail right now.
#[derive(Debug)]
pub struct InForce {
    /// The ruleset in force.
    pub live: Arc<Ruleset>,
    /// The version that is being rolled out, if one is.
    pub candidate: Option<Candidate>,
    /// Modes that people have set, over those of the detections themselves.
    pub modes: BTreeMap<DetectionCode, Mode>,
}

/// A version that is being rolled out.
#[derive(Debug)]
pub struct Candidate {
    /// All of it, for the conversations in which it acts.
    pub whole: Arc<Ruleset>,
    /// What is new or changed in it, for all others: seen, recorded, not acted on.
    pub changed: Arc<Ruleset>,
    /// It acts in the buckets below this one.
    pub buckets: u16,
    /// What makes the buckets, and nothing else: it goes where mail is taken apart.
    pub key: TokenKey,
}

/// What is text of all that is in force; the compiled rules are bytes behind it.
#[derive(Debug, Serialize, Deserialize)]
struct PackedInForce {
    live: Packed,
    candidate: Option<PackedCandidate>,
    modes: BTreeMap<DetectionCode, Mode>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PackedCandidate {
    whole: Packed,
    changed: Packed,
    buckets: u16,
    key: [u8; 32],
}

impl InForce {
    /// A ruleset alone.
    pub fn only(live: Ruleset) -> Self {
        Self { live: Arc::new(live), candidate: None, modes: BTreeMap::new() }
    }

    /// All of it as bytes, for another process of this program: the length of the text as 8 bytes, the text, the
    /// compiled rules.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn pack(&self) -> Result<Vec<u8>, LoadErrors> {
        let mut compiled = Vec::new();
        let live = Packed::of(&self.live, &mut compiled)?;
        let candidate = self.candidate.as_ref().map(|candidate| candidate.pack(&mut compiled)).transpose()?;
        let packed = PackedInForce { live, candidate, modes: self.modes.clone() };
        let text = serde_json::to_vec(&packed).map_err(|error| failed(&error))?;
        Ok([&(text.len() as u64).to_be_bytes()[..], &text, &compiled].concat())
    }

    /// What [`InForce::pack`] wrote.
    ///
    /// # Errors
    /// When it was written by another program.
    pub fn unpack(mut bytes: &[u8]) -> Result<Self, LoadErrors> {
        let cut = || failed(&"it is cut off");
        let length = bytes.split_off(..8).and_then(|length| length.try_into().ok()).ok_or_else(cut)?;
        let length = usize::try_from(u64::from_be_bytes(length)).map_err(|error| failed(&error))?;
        let text = bytes.split_off(..length).ok_or_else(cut)?;
        let packed: PackedInForce = serde_json::from_slice(text).map_err(|error| failed(&error))?;
        let live = Arc::new(packed.live.unpack(&mut bytes)?);
        let candidate = packed.candidate.map(|candidate| candidate.unpack(&mut bytes)).transpose()?;
        Ok(Self { live, candidate, modes: packed.modes })
    }
}

impl PackedCandidate {
    fn unpack(self, compiled: &mut &[u8]) -> Result<Candidate, LoadErrors> {
        let Self { whole, changed, buckets, key } = self;
        let whole = Arc::new(whole.unpack(compiled)?);
        let changed = Arc::new(changed.unpack(compiled)?);
        Ok(Candidate { whole, changed, buckets, key: TokenKey::new(key) })
    }
}

impl Candidate {
    /// A candidate beside what is in force.
    ///
    /// # Errors
    /// When what is new in it does not load by itself.
    pub fn new(mut whole: Ruleset, live: &Ruleset, buckets: u16, key: TokenKey) -> Result<Self, LoadErrors> {
        let changed = whole.changed_since(live)?;
        for fault in whole.remember_previous(live.stored()) {
            tracing::warn!(fault, "the form in force of a changed detection cannot be run beside the candidate");
        }
        Ok(Self { whole: Arc::new(whole), changed: Arc::new(changed), buckets, key })
    }

    fn pack(&self, compiled: &mut Vec<u8>) -> Result<PackedCandidate, LoadErrors> {
        let whole = Packed::of(&self.whole, compiled)?;
        let changed = Packed::of(&self.changed, compiled)?;
        Ok(PackedCandidate { whole, changed, buckets: self.buckets, key: self.key.bytes() })
    }

    /// The bucket of a message: that of its conversation, so that all mails of a thread and all retries of a client
    /// fare alike.
    pub(crate) fn bucket(&self, raw: &[u8], envelope: &EnvelopeFacts) -> u16 {
        rollout::bucket(&self.key, &conversation(raw, envelope))
    }
}

/// What names a conversation: the first id of References, else In-Reply-To, else Message-ID, else sender, date and
/// subject.
fn conversation(raw: &[u8], envelope: &EnvelopeFacts) -> String {
    let field = |name: &str| header::fields(raw).find(|field| field.is(name)).map(|field| field.unfolded());
    let id = |name: &str| field(name)?.split_ascii_whitespace().next().map(str::to_owned);
    id("References").or_else(|| id("In-Reply-To")).or_else(|| id("Message-ID")).unwrap_or_else(|| {
        let [date, subject] = ["Date", "Subject"].map(|name| field(name).unwrap_or_default());
        Digest::of_pieces(&[envelope.sender.as_bytes(), date.as_bytes(), subject.as_bytes()]).hex()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_one_conversation() {
        let of = |raw: &str| conversation(raw.as_bytes(), &EnvelopeFacts::default());
        let first = of("Message-ID: <1@x>\r\nSubject: a\r\n\r\n");
        assert_eq!(first, "<1@x>");
        assert_eq!(of("Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\n"), first);
        assert_eq!(of("Message-ID: <3@x>\r\nIn-Reply-To: <2@x>\r\nReferences: <1@x>\r\n <2@x>\r\n\r\n"), first);
        assert_eq!(of("Subject: a\r\n\r\n"), of("Subject: a\r\nX-Other: 1\r\n\r\n"));
        assert_ne!(of("Subject: a\r\n\r\n"), of("Subject: b\r\n\r\n"));
    }
}
