//! What looks at mail right now: the ruleset in force, and beside it the candidate of a roll-out.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::detection::{DetectionCode, Mode};
use domain::rollout;
use domain::token::TokenKey;
use domain::{Digest, header};

use crate::examine::EnvelopeFacts;
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
    /// What makes the buckets.
    pub key: TokenKey,
}

impl InForce {
    /// A ruleset alone.
    pub fn only(live: Ruleset) -> Self {
        Self { live: Arc::new(live), candidate: None, modes: BTreeMap::new() }
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

    /// The bucket of a message: that of its conversation, so that all mails of a thread and all retries of a client fare alike.
    pub(crate) fn bucket(&self, raw: &[u8], envelope: &EnvelopeFacts) -> u16 {
        rollout::bucket(&self.key, &conversation(raw, envelope))
    }
}

/// What names a conversation: the first id of References, else In-Reply-To, else Message-ID, else sender, date and subject.
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
