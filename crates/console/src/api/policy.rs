//! The policy in force over HTTP: it is a file of the operator's, and read here.

use axum::extract::State;
use axum::{Extension, Json};
use domain::policy::{Disposition, PolicyRule, QuarantinePolicy};
use serde::Serialize;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiResult, Refusal};
use crate::access::{Operator, Permission};

/// The policy.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyView {
    /// Its version, which every verdict names.
    pub(crate) id: String,
    /// The rules in order, presets unfolded: the first that fits decides.
    pub(crate) rules: Vec<RuleView>,
    /// What is done without an engine that failed.
    pub(crate) on_failure: Vec<FailureView>,
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleView {
    pub(crate) name: String,
    pub(crate) category: String,
    /// Only where the detection hit one of these; all without.
    pub(crate) families: Vec<String>,
    /// Only in these directions; all without.
    pub(crate) directions: Vec<String>,
    /// Only for these domains and recipients; all without.
    pub(crate) whom: Vec<String>,
    pub(crate) disposition: String,
    /// What recipients may do with what it holds.
    pub(crate) quarantine: Option<String>,
}

/// What is done when an engine failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureView {
    pub(crate) engine: String,
    pub(crate) on_failure: String,
}

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

/// `GET /api/v1/policy`: the rules in force.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(get, operation_id = "policy.show", path = "/api/v1/policy", responses((status = 200, body = PolicyView),
    Refusal))]
pub async fn show(State(console): State<Console>, Extension(operator): Extension<Operator>) -> ApiResult<PolicyView> {
    operator.may(Permission::Look)?;
    let policy = &console.config.policy;
    let engines = ["yara", "structure", "auth", "clamd", "rspamd", "dnsbl"];
    let failure = |engine: &str| FailureView {
        engine: engine.to_owned(),
        on_failure: format!("{:?}", policy.on_failure(engine)).to_lowercase(),
    };
    Ok(Json(PolicyView {
        id: policy.id().as_str().to_owned(),
        rules: policy.rules.iter().map(rule_view).collect(),
        on_failure: engines.map(failure).into(),
    }))
}
