//! What a sender's domain vouches for: SPF, DKIM, DMARC and ARC as they stood when the mail came. DNS cannot be asked
//! again for yesterday's answers, so they are recorded, and a verdict, an explanation and a replay rest on the record.

use serde::{Deserialize, Serialize};

/// A result of one method, by the words of RFC 8601 section 2.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthResult {
    /// Nothing to check: no record, no signature.
    #[default]
    None,
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It does not, and the domain is not sure of its own record (SPF).
    SoftFail,
    /// The domain says nothing about it, or the signature cannot be read.
    Neutral,
    /// It holds, and the checker's own policy does not accept it.
    Policy,
    /// DNS did not answer.
    TempError,
    /// The domain's record makes no sense.
    PermError,
}

impl AuthResult {
    const NAMES: [(Self, &str); 8] = [
        (Self::None, "none"),
        (Self::Pass, "pass"),
        (Self::Fail, "fail"),
        (Self::SoftFail, "softfail"),
        (Self::Neutral, "neutral"),
        (Self::Policy, "policy"),
        (Self::TempError, "temperror"),
        (Self::PermError, "permerror"),
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.into_iter().find(|(result, _)| *result == self).map_or("", |(_, name)| name)
    }

    /// Reads a word, in any case; `hardfail` is what some still write for `fail`.
    pub fn parse(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("hardfail") {
            return Some(Self::Fail);
        }
        Self::NAMES.into_iter().find(|(_, name)| word.eq_ignore_ascii_case(name)).map(|(result, _)| result)
    }
}

/// What a domain asks to be done with mail that fails DMARC (RFC 9989 section 4.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DmarcPolicy {
    /// Nothing.
    #[default]
    None,
    /// To treat it with suspicion.
    Quarantine,
    /// To refuse it.
    Reject,
}

impl DmarcPolicy {
    /// The word in a record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

/// One DKIM signature (RFC 6376).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimSignature {
    /// Whether it holds.
    pub result: AuthResult,
    /// The signing domain (`d=`), lower case; empty when the signature cannot be read.
    pub domain: String,
}

/// Who found it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// We did.
    Own,
    /// A host that this site trusts, by its authserv-id (RFC 8601 section 2.5).
    Upstream(String),
}

/// How a mail authenticates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// Who found it out.
    pub source: Source,
    /// SPF of the reverse path, or of HELO for the null sender (RFC 7208).
    pub spf: AuthResult,
    /// The domain that SPF was asked for.
    pub spf_domain: String,
    /// Its DKIM signatures, in their order.
    pub dkim: Vec<DkimSignature>,
    /// DMARC of the domain of From.
    pub dmarc: AuthResult,
    /// What that domain asks for.
    pub dmarc_policy: DmarcPolicy,
    /// Its ARC chain (RFC 8617).
    pub arc: AuthResult,
    /// The domain of the last ARC seal; empty without a chain.
    pub arc_sealer: String,
    /// Whether the chain passes and this site trusts its last sealer, so that what broke on the way may have been whole
    /// before.
    pub arc_trusted: bool,
    /// The organisational domain that From names and that SPF or DKIM vouch for (relaxed alignment); none when nothing
    /// does.
    pub aligned: Option<String>,
    /// The body of our own Authentication-Results field, behind the authserv-id; empty when we have found nothing out.
    pub field: String,
}

impl Authentication {
    /// Whether the domain of From disowns this mail, and no trusted forwarder explains why it would.
    pub fn is_disowned(&self) -> bool {
        self.dmarc == AuthResult::Fail && !self.arc_trusted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for (result, name) in AuthResult::NAMES {
            assert_eq!(AuthResult::parse(&name.to_uppercase()), Some(result));
            assert_eq!(result.as_str(), name);
        }
        assert_eq!(AuthResult::parse("hardfail"), Some(AuthResult::Fail));
        assert_eq!(AuthResult::parse("maybe"), None);
    }
}
