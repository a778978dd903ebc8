//! Policy as versioned data: which category leads to which disposition, for whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::detection::Category;
use crate::digest::Digest;
use crate::domain_name::DomainName;
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
    /// Passed to another mailbox. No policy may choose it: what is delivered elsewhere cannot be taken back.
    Redirect,
    /// Answered 4xx; the sender keeps it.
    Defer,
    /// Kept in the quarantine.
    Hold,
    /// Answered 5xx. No policy may choose it: what is rejected cannot be replayed.
    Reject,
}

impl Disposition {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Deliver, Self::Tag, Self::Junk, Self::Redirect, Self::Defer, Self::Hold, Self::Reject];

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
    /// Only for units of these accepted domains.
    #[serde(default)]
    pub domains: Vec<DomainName>,
    /// Only for these recipients, as [`crate::Address::normal`] writes them.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// What is done.
    pub disposition: Disposition,
    /// What recipients may do with what this rule holds; without, what is usual for the category.
    #[serde(default)]
    pub quarantine: Option<QuarantinePolicy>,
}

impl PolicyRule {
    /// Whether a unit is meant.
    fn covers(&self, unit: &Recipient) -> bool {
        (self.directions.is_empty() || self.directions.contains(&unit.direction))
            && (self.domains.is_empty() || self.domains.contains(&unit.domain))
            && (self.recipients.is_empty() || self.recipients.contains(&unit.address.normal()))
    }
}

/// What recipients may do with their held mail; the names are Exchange's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuarantinePolicy {
    /// Nothing: it is for administrators.
    AdminOnlyAccess,
    /// See it, and ask for its release.
    LimitedAccess,
    /// See it, and release it.
    FullAccess,
}

impl QuarantinePolicy {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AdminOnlyAccess => "AdminOnlyAccess",
            Self::LimitedAccess => "LimitedAccess",
            Self::FullAccess => "FullAccess",
        }
    }

    /// What is usual for a category. What harms at once is for administrators.
    pub fn usual(category: Category) -> Self {
        match category {
            Category::Malware | Category::HighConfidencePhish | Category::PolicyRule => Self::AdminOnlyAccess,
            Category::FileTypeBlock | Category::Unscannable | Category::Phish => Self::LimitedAccess,
            Category::Spoof | Category::Spam | Category::Bulk | Category::Clean => Self::FullAccess,
        }
    }
}

/// A set of rules that is shipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// What harms is held; what annoys goes to the junk folder.
    #[default]
    Standard,
    /// What annoys is held as well.
    Strict,
    /// No rules: what no other rule fits is delivered.
    None,
}

/// Engines that weigh a mail and hold nothing back for certain.
const WEIGHING: [&str; 3] = ["auth", "dnsbl", "rspamd"];

/// What is done when an engine failed or ran out of time; never a verdict.
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
    /// Per engine; an engine not named here defers, but for `auth`, `dnsbl` and `rspamd`, which are done without.
    pub on_failure: BTreeMap<String, OnFailure>,
}

/// A policy that would break a promise.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// Promise 7.
    #[error("rule '{0}' rejects: what is rejected cannot be taken back; use hold")]
    Rejects(String),
    /// Promise 7 as well: what is redirected is gone (decision 0011).
    #[error("rule '{0}' redirects: what is delivered elsewhere cannot be taken back; use hold")]
    Redirects(String),
    /// What harms is not for its recipients to release.
    #[error("rule '{0}' lets recipients release malware or certain phishing; use LimitedAccess or AdminOnlyAccess")]
    Opens(String),
}

impl Policy {
    /// The shipped policy.
    pub fn standard() -> Self {
        Self { rules: Self::preset(Preset::Standard), on_failure: BTreeMap::new() }
    }

    /// The rules of a preset, for everybody.
    pub fn preset(preset: Preset) -> Vec<PolicyRule> {
        use Category as C;
        use Disposition as D;
        use Family as F;
        let row = |name: &str, category, families: &[Family], disposition| PolicyRule {
            name: name.to_owned(),
            category,
            families: families.to_vec(),
            directions: Vec::new(),
            domains: Vec::new(),
            recipients: Vec::new(),
            disposition,
            quarantine: None,
        };
        let is_strict = preset == Preset::Strict;
        let annoying = if is_strict { D::Hold } else { D::Junk };
        match preset {
            Preset::None => Vec::new(),
            Preset::Standard | Preset::Strict => vec![
                row("malware", C::Malware, &[], D::Hold),
                row("high-confidence-phish", C::HighConfidencePhish, &[], D::Hold),
                row("phish", C::Phish, &[], D::Hold),
                row("file-type", C::FileTypeBlock, &[], D::Hold),
                row("policy-rule", C::PolicyRule, &[], D::Hold),
                row("unscannable-image-or-pdf", C::Unscannable, &[F::Image, F::Pdf], D::Tag),
                row("unscannable", C::Unscannable, &[], D::Hold),
                row("spoof", C::Spoof, &[], annoying),
                row("spam", C::Spam, &[], annoying),
                row("bulk", C::Bulk, &[], if is_strict { D::Junk } else { D::Tag }),
            ],
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
            _ if rule.quarantine == Some(QuarantinePolicy::FullAccess)
                && rule.category >= Category::HighConfidencePhish =>
            {
                Err(BadPolicy::Opens(rule.name.clone()))
            }
            _ => Ok(()),
        })
    }

    /// The first rule that fits.
    pub fn rule(&self, category: Category, family: Family, unit: &Recipient) -> Option<&PolicyRule> {
        self.rules.iter().find(|rule| {
            let of_family = rule.families.is_empty() || rule.families.contains(&family);
            rule.category == category && of_family && rule.covers(unit)
        })
    }

    /// What the recipient of a held unit may do with it: what the first rule says that holds this category for it.
    pub fn quarantine(&self, category: Category, unit: &Recipient) -> QuarantinePolicy {
        let holds = |rule: &&PolicyRule| {
            rule.category == category && rule.disposition == Disposition::Hold && rule.covers(unit)
        };
        let said = self.rules.iter().find(holds).and_then(|rule| rule.quarantine);
        said.unwrap_or_else(|| QuarantinePolicy::usual(category))
    }

    /// What to do when this engine failed. Without a word about it, an engine that only weighs who sent a mail is done
    /// without: DNS and scores fail more often than mail is bad.
    pub fn on_failure(&self, engine: &str) -> OnFailure {
        let usual = if WEIGHING.contains(&engine) { OnFailure::Continue } else { OnFailure::default() };
        self.on_failure.get(engine).copied().unwrap_or(usual)
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
