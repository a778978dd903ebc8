//! Policy as versioned data: which category leads to which disposition, for whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::detection::Category;
use crate::digest::Digest;
use crate::envelope::{Direction, Recipient};
use crate::message::Family;

/// What is done with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Disposition {
    /// Passed on.
    Deliver,
    /// Passed on with a field that says what was seen.
    Tag,
    /// Passed on with a field that asks the mailbox server for the junk folder.
    Junk,
    /// Passed to another mailbox. Not offered by any policy yet.
    Redirect,
    /// Answered 4xx; the sender keeps it.
    Defer,
    /// Kept in the quarantine.
    Hold,
    /// Answered 5xx. No policy may choose it: what is rejected cannot be replayed (promise 7).
    Reject,
}

impl Disposition {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "Deliver",
            Self::Tag => "Tag",
            Self::Junk => "Junk",
            Self::Redirect => "Redirect",
            Self::Defer => "Defer",
            Self::Hold => "Hold",
            Self::Reject => "Reject",
        }
    }

    /// Whether the unit goes on to the next hop.
    pub fn passes(self) -> bool {
        matches!(self, Self::Deliver | Self::Tag | Self::Junk)
    }
}

/// One row of a policy: the first that fits decides. Empty lists fit everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRule {
    /// The name shown in reasons.
    pub name: String,
    /// The category it is about.
    pub category: Category,
    /// Only when the finding is in one of these families.
    #[serde(default)]
    pub families: Vec<Family>,
    /// Only for these directions.
    #[serde(default)]
    pub directions: Vec<Direction>,
    /// Only for units of these accepted domains (lower case).
    #[serde(default)]
    pub domains: Vec<String>,
    /// What is done.
    pub disposition: Disposition,
}

/// What is done when an engine failed or ran out of time; never a verdict (promise 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Go on without it; the record says `partial`.
    Continue,
    /// Answer 451; the sender keeps it.
    #[default]
    Defer,
    /// Hold it until it has been examined again.
    Hold,
}

/// A policy: rules in order, and what to do when an engine fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The rules; the first that fits decides. What none fits is delivered.
    pub rules: Vec<PolicyRule>,
    /// Per engine; engines not named here defer.
    pub on_failure: BTreeMap<String, OnFailure>,
}

/// A policy that would break a promise.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// Promise 7.
    #[error("rule '{0}' rejects: what is rejected cannot be taken back; use hold")]
    Rejects(String),
    /// Not built.
    #[error("rule '{0}' redirects: not offered yet; use hold")]
    Redirects(String),
}

impl Policy {
    /// The shipped policy.
    pub fn standard() -> Self {
        use Category as C;
        use Disposition as D;
        use Family as F;
        let row = |name: &str, category, families: &[Family], disposition| PolicyRule {
            name: name.to_owned(),
            category,
            families: families.to_vec(),
            directions: Vec::new(),
            domains: Vec::new(),
            disposition,
        };
        Self {
            rules: vec![
                row("malware", C::Malware, &[], D::Hold),
                row("high-confidence-phish", C::HighConfidencePhish, &[], D::Hold),
                row("phish", C::Phish, &[], D::Hold),
                row("file-type", C::FileTypeBlock, &[], D::Hold),
                row("policy-rule", C::PolicyRule, &[], D::Hold),
                row("unscannable-image-or-pdf", C::Unscannable, &[F::Image, F::Pdf], D::Tag),
                row("unscannable", C::Unscannable, &[], D::Hold),
                row("spoof", C::Spoof, &[], D::Junk),
                row("spam", C::Spam, &[], D::Junk),
                row("bulk", C::Bulk, &[], D::Tag),
            ],
            on_failure: BTreeMap::new(),
        }
    }

    /// The policy version: the first 16 hexadecimal digits of the SHA-256 of its canonical JSON.
    pub fn id(&self) -> PolicyId {
        let canonical = serde_json::to_vec(self).expect("a policy is plain data and always has a JSON form");
        PolicyId(Digest::of(&canonical).hex()[..16].to_owned())
    }

    /// Refuses what would break a promise.
    ///
    /// # Errors
    /// Names the first rule that does.
    pub fn check(&self) -> Result<(), BadPolicy> {
        self.rules.iter().try_for_each(|rule| match rule.disposition {
            Disposition::Reject => Err(BadPolicy::Rejects(rule.name.clone())),
            Disposition::Redirect => Err(BadPolicy::Redirects(rule.name.clone())),
            _ => Ok(()),
        })
    }

    /// The first rule that fits.
    pub fn rule(&self, category: Category, family: Family, unit: &Recipient) -> Option<&PolicyRule> {
        self.rules.iter().find(|rule| {
            rule.category == category
                && (rule.families.is_empty() || rule.families.contains(&family))
                && (rule.directions.is_empty() || rule.directions.contains(&unit.direction))
                && (rule.domains.is_empty() || rule.domains.contains(&unit.domain))
        })
    }

    /// What to do when this engine failed.
    pub fn on_failure(&self, engine: &str) -> OnFailure {
        self.on_failure.get(engine).copied().unwrap_or_default()
    }
}

/// The version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyId(String);

impl PolicyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_policy_keeps_promise_seven() {
        let mut policy = Policy::standard();
        assert_eq!(policy.check(), Ok(()));
        policy.rules[0].disposition = Disposition::Reject;
        assert_eq!(policy.check(), Err(BadPolicy::Rejects("malware".into())));
    }

    #[test]
    fn another_policy_has_another_id() {
        let mut policy = Policy::standard();
        let before = policy.id();
        policy.on_failure.insert("clamd".into(), OnFailure::Continue);
        assert_ne!(policy.id(), before);
    }
}
