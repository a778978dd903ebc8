//! The policy in force: it is a file of the operator's, and read here.

use api_types::policy::{FailureView, PolicyView, RuleView};
use domain::policy::{Disposition, PolicyRule, QuarantinePolicy};

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::ServiceResult;

fn rule_view(rule: &PolicyRule) -> RuleView {
    let access = rule.quarantine.unwrap_or_else(|| QuarantinePolicy::usual(rule.category));
    RuleView {
        name: rule.name.clone(),
        category: rule.category.as_str().to_owned(),
        families: rule.families.iter().map(|family| family.as_str().to_owned()).collect(),
        directions: rule.directions.iter().map(|direction| direction.as_str().to_owned()).collect(),
        whom: rule.domains.iter().map(ToString::to_string).chain(rule.recipients.clone()).collect(),
        disposition: rule.disposition.as_str().to_owned(),
        quarantine: (rule.disposition == Disposition::Hold).then(|| access.as_str().to_owned()),
    }
}

/// The rules in force.
///
/// # Errors
/// When the operator may not.
pub async fn show(service: &Service, operator: &Operator) -> ServiceResult<PolicyView> {
    operator.may(Permission::Look)?;
    let policy = &service.config.policy;
    let engines = ["yara", "structure", "auth", "clamd", "rspamd", "dnsbl"];
    let failure = |engine: &str| FailureView {
        engine: engine.to_owned(),
        on_failure: format!("{:?}", policy.on_failure(engine)).to_lowercase(),
    };
    Ok(PolicyView {
        id: policy.id().as_str().to_owned(),
        rules: policy.rules.iter().map(rule_view).collect(),
        on_failure: engines.map(failure).into(),
    })
}
