//! A detection: one named, coded, versioned rule, and what it may lead to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::message::Family;

/// The code of a detection, such as `IMG-0007`: its name for ever, whatever its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DetectionCode(String);

/// The text is not a detection code.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a detection code like IMG-0007 (letters, digits, '-', '_', '.' and ':', at most 128)")]
pub struct BadCode(String);

impl DetectionCode {
    /// Parses a code. Ours look like `EXE-0001`; engines that bring their own names (`clamd:Win.Test`,
    /// a rule of a plain YARA folder) keep them.
    ///
    /// # Errors
    /// When it is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, BadCode> {
        let fits = !text.is_empty()
            && text.len() <= 128
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c));
        if fits { Ok(Self(text.to_owned())) } else { Err(BadCode(text.chars().take(80).collect())) }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DetectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DetectionCode {
    type Err = BadCode;
    fn from_str(text: &str) -> Result<Self, BadCode> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DetectionCode {
    type Error = BadCode;
    fn try_from(text: String) -> Result<Self, BadCode> {
        Self::parse(&text)
    }
}

impl From<DetectionCode> for String {
    fn from(code: DetectionCode) -> Self {
        code.0
    }
}

/// The version of one detection: the first 12 hexadecimal digits of the SHA-256 of its own canonical
/// form. Changing another detection leaves it as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DetectionVersion(String);

impl DetectionVersion {
    /// The version of a detection with these pieces: source, target, thresholds, included files.
    pub fn of(pieces: &[&[u8]]) -> Self {
        Self(Digest::of_pieces(pieces).hex()[..12].to_owned())
    }

    /// The version of something that an outside engine brings, where its own version names it.
    pub fn external(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DetectionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ruleset version: a digest over the sorted list of (code, detection version).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RulesetId(String);

impl RulesetId {
    /// The id of the ruleset with exactly these detections, in whatever order they are given.
    pub fn of<'a>(detections: impl IntoIterator<Item = (&'a DetectionCode, &'a DetectionVersion)>) -> Self {
        let mut lines: Vec<String> =
            detections.into_iter().map(|(code, version)| format!("{code} {version}\n")).collect();
        lines.sort();
        Self(Digest::of(lines.concat().as_bytes()).hex()[..16].to_owned())
    }

    /// An id as read from our own store.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RulesetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a message is, by the worst of what was found; in the order of precedence (Exchange), mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Category {
    /// Nothing that acts was found.
    Clean,
    /// Wanted by some, sent to many.
    Bulk,
    /// A deterministic limit kept a part from being examined.
    Unscannable,
    /// Unsolicited.
    Spam,
    /// The sender is not who it says.
    Spoof,
    /// A rule of the organisation's own policy.
    PolicyRule,
    /// A file type that the organisation does not take.
    FileTypeBlock,
    /// Asks for credentials or money under false colours.
    Phish,
    /// Phishing beyond reasonable doubt.
    HighConfidencePhish,
    /// Carries harmful code.
    Malware,
}

impl Category {
    /// All categories, mildest first.
    pub const ALL: [Self; 10] = [
        Self::Clean,
        Self::Bulk,
        Self::Unscannable,
        Self::Spam,
        Self::Spoof,
        Self::PolicyRule,
        Self::FileTypeBlock,
        Self::Phish,
        Self::HighConfidencePhish,
        Self::Malware,
    ];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "Clean",
            Self::Bulk => "Bulk",
            Self::Unscannable => "Unscannable",
            Self::Spam => "Spam",
            Self::Spoof => "Spoof",
            Self::PolicyRule => "PolicyRule",
            Self::FileTypeBlock => "FileTypeBlock",
            Self::Phish => "Phish",
            Self::HighConfidencePhish => "HighConfidencePhish",
            Self::Malware => "Malware",
        }
    }

    /// Reads a name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str().eq_ignore_ascii_case(text))
    }
}

/// What a finding may do (methods: rules of treatment).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Recorded and searchable; scores nothing.
    Fact,
    /// Counts only together with another, independent signal.
    Weak,
    /// Leads to the detection's category.
    Hold,
    /// Leads to the detection's category; no doubt is left.
    Block,
}

impl Effect {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fact => "Fact",
            Self::Weak => "Weak",
            Self::Hold => "Hold",
            Self::Block => "Block",
        }
    }

    /// Whether one finding with this effect is enough to act.
    pub fn acts(self) -> bool {
        matches!(self, Self::Hold | Self::Block)
    }
}

/// Whether a detection acts, only records, or does not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// Acts.
    #[default]
    Enforce,
    /// Runs and is recorded with `enforced = false`.
    Shadow,
    /// Does not run.
    Off,
}

/// What a detection speaks about: the content, which recurs in other mails, or this one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// A part or text, wherever it appears.
    #[default]
    Content,
    /// This message with its envelope.
    Message,
}

/// What a detection reads; it runs there and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// The message as received.
    Raw,
    /// The header block of the message.
    Header,
    /// The text of the message, decoded; HTML with its tags.
    Text,
    /// Decoded parts: of one family, or any.
    Part(Option<Family>),
}

/// The text names no target.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no target; use raw, header, text, part:any or part:<family> ({list})", list = family_list())]
pub struct BadTarget(String);

fn family_list() -> String {
    Family::ALL.map(Family::as_str).join(", ")
}

impl Target {
    /// Whether a part of `family` is read.
    pub fn reads(self, family: Family) -> bool {
        matches!(self, Self::Part(wanted) if wanted.is_none_or(|wanted| wanted == family))
    }
}

impl FromStr for Target {
    type Err = BadTarget;
    fn from_str(text: &str) -> Result<Self, BadTarget> {
        match text {
            "raw" => Ok(Self::Raw),
            "header" => Ok(Self::Header),
            "text" => Ok(Self::Text),
            "part:any" => Ok(Self::Part(None)),
            _ => {
                let name = text.strip_prefix("part:").ok_or_else(|| BadTarget(text.to_owned()))?;
                let family = Family::ALL.into_iter().find(|f| f.as_str() == name);
                family.map(|f| Self::Part(Some(f))).ok_or_else(|| BadTarget(text.to_owned()))
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw => f.write_str("raw"),
            Self::Header => f.write_str("header"),
            Self::Text => f.write_str("text"),
            Self::Part(None) => f.write_str("part:any"),
            Self::Part(Some(family)) => write!(f, "part:{}", family.as_str()),
        }
    }
}

impl TryFrom<String> for Target {
    type Error = BadTarget;
    fn try_from(text: String) -> Result<Self, BadTarget> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

/// One detection of a ruleset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Its code.
    pub code: DetectionCode,
    /// Its version.
    pub version: DetectionVersion,
    /// The engine that runs it: `yara` or `structure`.
    pub engine: String,
    /// One line for people.
    pub title: String,
    /// What a finding makes of the message.
    pub category: Category,
    /// What a finding may do.
    pub effect: Effect,
    /// What it reads.
    pub target: Target,
    /// What it speaks about.
    pub scope: Scope,
    /// Whether it acts.
    pub mode: Mode,
    /// Who answers for it.
    pub owner: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ruleset_id_does_not_depend_on_order() {
        let code = |text| DetectionCode::parse(text).expect("code");
        let (a, b) = (code("AAA-0001"), code("BBB-0001"));
        let (v, w) = (DetectionVersion::of(&[b"x"]), DetectionVersion::of(&[b"y"]));
        assert_eq!(RulesetId::of([(&a, &v), (&b, &w)]), RulesetId::of([(&b, &w), (&a, &v)]));
        assert_ne!(RulesetId::of([(&a, &v), (&b, &w)]), RulesetId::of([(&a, &w), (&b, &v)]));
        assert_eq!(v.as_str().len(), 12);
    }

    #[test]
    fn targets_read_back_as_written() {
        for text in ["raw", "header", "text", "part:any", "part:image", "part:executable"] {
            assert_eq!(text.parse::<Target>().expect(text).to_string(), text);
        }
        assert!("part:sound".parse::<Target>().is_err());
        assert!(Target::Part(None).reads(Family::Pdf));
        assert!(!Target::Part(Some(Family::Image)).reads(Family::Pdf));
        assert!(!Target::Raw.reads(Family::Pdf));
    }

    #[test]
    fn malware_outranks_everything() {
        assert!(Category::ALL.is_sorted());
        assert_eq!(Category::ALL.into_iter().max(), Some(Category::Malware));
    }
}
