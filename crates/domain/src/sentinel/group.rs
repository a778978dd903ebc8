//! What is suspected as one, beside each detection: what changed together, and an engine as a whole. Many small
//! mistakes of one change are one mistake: each detection for itself hits too little to be convicted.

use crate::detection::{DetectionCode, DetectionVersion};

/// A number of detections that are one suspect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// What is new or changed in a version of our own ruleset.
    ChangedInRuleset,
    /// What an engine outside has only said since its data changed.
    ChangedIn(String),
    /// All that an engine outside says, whatever its data.
    Engine(String),
}

impl Group {
    /// The code under which it is in the journal.
    pub fn code(&self) -> DetectionCode {
        let text = match self {
            Self::ChangedInRuleset => "changed:ruleset".to_owned(),
            Self::ChangedIn(engine) => format!("changed:{engine}"),
            Self::Engine(engine) => format!("engine:{engine}"),
        };
        DetectionCode::parse(&text).expect("names of engines are letters")
    }

    /// The group of a code in the journal; none for a detection.
    pub fn parse(code: &DetectionCode) -> Option<Self> {
        match code.as_str().split_once(':')? {
            ("changed", "ruleset") => Some(Self::ChangedInRuleset),
            ("changed", engine) => Some(Self::ChangedIn(engine.to_owned())),
            ("engine", engine) => Some(Self::Engine(engine.to_owned())),
            _ => None,
        }
    }

    /// The version of an engine as a whole: it has none.
    pub fn any_version() -> DetectionVersion {
        DetectionVersion::external("any")
    }
}

/// The share of a group's hits that one of its members alone may have, or those that are convicted by themselves: above
/// it they are the mistake, and not the group.
pub const EXPLAINED: f64 = 0.9;

/// Whether others explain what a group is accused of: by its hits, and of each member its hits and whether it is
/// convicted by itself.
pub fn is_explained(group: u64, members: &[(u64, bool)]) -> bool {
    let is_most = |hits: u64| hits > 0 && hits as f64 >= EXPLAINED * group as f64;
    let convicted = members.iter().filter(|(_, is_convicted)| *is_convicted).map(|(hits, _)| hits).sum();
    is_most(convicted) || members.iter().any(|(hits, _)| is_most(*hits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_code_of_its_own() {
        for group in [Group::ChangedInRuleset, Group::ChangedIn("clamd".into()), Group::Engine("rspamd".into())] {
            assert_eq!(Group::parse(&group.code()), Some(group));
        }
        for code in ["IMG-0007", "clamd:Win.Test", "changed_thing"] {
            assert_eq!(Group::parse(&DetectionCode::parse(code).expect("a code")), None);
        }
    }

    #[test]
    fn who_does_it_all_is_the_mistake() {
        assert!(is_explained(20, &[(19, false), (1, false)]), "one that does it all");
        assert!(is_explained(20, &[(10, true), (9, true), (1, false)]), "two that are convicted by themselves");
        assert!(!is_explained(20, &[(10, true), (5, false), (5, false)]));
        assert!(!is_explained(20, &[(1, false); 20]));
        assert!(!is_explained(0, &[(0, false)]));
    }
}
