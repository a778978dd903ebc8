//! The policy file: presets, whom they are for, and rules of one's own.

use std::collections::BTreeMap;
use std::path::Path;

use domain::envelope::Direction;
use domain::policy::{OnFailure, Policy, PolicyRule, Preset};
use domain::{Address, DomainName};
use serde::Deserialize;

/// Rules of a policy, presets unfolded.
const RULES_MAX: usize = 2000;

/// The file, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// What decides where no rule and no scope does.
    #[serde(default)]
    preset: Preset,
    /// Presets for some; the first that fits counts.
    #[serde(default)]
    scopes: Vec<ScopeWritten>,
    /// Rules of one's own; they come before all presets.
    #[serde(default)]
    rules: Vec<PolicyRule>,
    #[serde(default)]
    on_failure: BTreeMap<String, OnFailure>,
}

/// A preset for some.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeWritten {
    name: String,
    preset: Preset,
    #[serde(default)]
    directions: Vec<Direction>,
    #[serde(default)]
    domains: Vec<DomainName>,
    #[serde(default)]
    recipients: Vec<String>,
}

/// Reads a policy file.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn load(path: &Path) -> Result<Policy, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    parse(&text).map_err(|error| failed(&error))
}

/// The policy that a file describes: one list of rules, the first that fits decides.
fn parse(text: &str) -> Result<Policy, String> {
    let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut rules = written.rules;
    for scope in written.scopes {
        if scope.directions.is_empty() && scope.domains.is_empty() && scope.recipients.is_empty() {
            return Err(format!("scope '{}' is for nobody: give directions, domains or recipients", scope.name));
        }
        if scope.preset == Preset::None {
            return Err(format!(
                "scope '{}' has no preset, which changes nothing: give standard or strict, or write rules",
                scope.name
            ));
        }
        rules.extend(Policy::preset(scope.preset).into_iter().map(|rule| PolicyRule {
            name: format!("{}: {}", scope.name, rule.name),
            directions: scope.directions.clone(),
            domains: scope.domains.clone(),
            recipients: scope.recipients.clone(),
            ..rule
        }));
    }
    rules.extend(Policy::preset(written.preset));
    for rule in &mut rules {
        for recipient in &mut rule.recipients {
            let address =
                Address::parse(recipient).map_err(|error| format!("rule '{}': {recipient}: {error}", rule.name))?;
            *recipient = address.normal();
        }
    }
    if rules.len() > RULES_MAX {
        return Err(format!("{} rules, presets unfolded; the limit is {RULES_MAX}", rules.len()));
    }
    let policy = Policy { rules, on_failure: written.on_failure };
    policy.check().map_err(|error| error.to_string())?;
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::detection::Category;
    use domain::envelope::{RcptParams, Recipient};
    use domain::message::Family;
    use domain::policy::{Disposition, QuarantinePolicy};

    fn unit(address: &str, direction: Direction) -> Recipient {
        let address = Address::parse(address).expect("address");
        let domain = address.domain();
        Recipient { address, params: RcptParams::default(), direction, domain }
    }

    #[test]
    fn rules_come_before_scopes_and_scopes_before_the_preset() {
        let policy = parse(
            "preset = \"standard\"\n[[scopes]]\nname = \"board\"\npreset = \"strict\"\nrecipients = \
                [\"Boss@ours.example\"]\n\
             [[scopes]]\nname = \"out\"\npreset = \"strict\"\ndirections = [\"Outbound\"]\n\
             [[rules]]\nname = \"press\"\ncategory = \"Spam\"\nrecipients = [\"press@ours.example\"]\ndisposition \
             = \"Tag\"\n\
             [[rules]]\nname = \"ask\"\ncategory = \"Malware\"\ndisposition = \"Hold\"\nquarantine \
             = \"LimitedAccess\"\n",
        )
        .expect("reads");
        let says = |address: &str, direction| {
            let rule = policy.rule(Category::Spam, Family::Text, &unit(address, direction)).expect("a rule");
            (rule.name.clone(), rule.disposition)
        };
        assert_eq!(says("press@ours.example", Direction::Inbound), ("press".into(), Disposition::Tag));
        assert_eq!(says("boss@OURS.example", Direction::Inbound), ("board: spam".into(), Disposition::Hold));
        assert_eq!(says("anna@ours.example", Direction::Inbound), ("spam".into(), Disposition::Junk));
        assert_eq!(says("x@elsewhere.example", Direction::Outbound), ("out: spam".into(), Disposition::Hold));
        let boss = unit("boss@ours.example", Direction::Inbound);
        assert_eq!(policy.quarantine(Category::Spam, &boss), QuarantinePolicy::FullAccess);
        assert_eq!(policy.quarantine(Category::Malware, &boss), QuarantinePolicy::LimitedAccess);
        assert_eq!(policy.quarantine(Category::PolicyRule, &boss), QuarantinePolicy::AdminOnlyAccess);
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (text, said) in [
            ("colour = 1", "unknown field"),
            ("[[scopes]]\nname = \"x\"\npreset = \"strict\"", "is for nobody"),
            ("[[scopes]]\nname = \"x\"\npreset = \"none\"\ndomains = [\"a.b\"]", "changes nothing"),
            ("[[scopes]]\nname = \"x\"\npreset = \"odd\"\ndomains = [\"a.b\"]", "unknown variant"),
            ("[[rules]]\nname = \"r\"\ncategory = \"Malware\"\ndisposition = \"Reject\"", "cannot be taken back"),
            ("[[rules]]\nname = \"r\"\ncategory = \"Spam\"\ndisposition = \"Redirect\"", "cannot be taken back"),
            ("[[rules]]\nname = \"r\"\ncategory = \"Spam\"\nrecipients = [\"x\"]\ndisposition = \"Hold\"", "rule 'r'"),
            (
                "[[rules]]\nname = \"r\"\ncategory = \"Malware\"\ndisposition = \"Hold\"\nquarantine = \"FullAccess\"",
                "lets recipients release",
            ),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
    }
}
