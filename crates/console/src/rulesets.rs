//! Rulesets as versions: which is in force, where a roll-out stands and what its gates said; and the policy that
//! decides.

use api_types::ruleset::{GateView, RollbackAsk, RolloutView, RulesetRow};
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};
use serde::Deserialize;
use service::access::{Operator, Permission};
use service::{Service, policy, ruleset};
use texts::{say, word as spoken};
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::page::{chip, explorer, page, reason};

/// Which roll-out is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    rollout: Option<u32>,
}

/// `GET /rulesets`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(wanted): Query<Wanted>,
) -> PageResult {
    let versions = ruleset::list(&service, &operator).await?;
    let rollouts = ruleset::rollouts(&service, &operator).await?;
    let one = match wanted.rollout.or(rollouts.first().map(|newest| newest.rollout)) {
        Some(number) => Some(ruleset::rollout(&service, &operator, number).await?),
        None => None,
    };
    let may = operator.role.may(Permission::Rules) && operator.must_see_all().is_ok();
    let body = html! {
        h1 { (say!(nav_rulesets)) }
        p.dim { (say!(rulesets_intro, command = html! { code { "reprieve ruleset publish" } })) }
        @match &one {
            Some(one) => (rollout(one, may)),
            None => p.calm { (say!(rulesets_none)) },
        }
        section { h2 { (say!(rulesets_rollouts)) } (rollouts_of(&rollouts)) }
        section { h2 { (say!(rulesets_versions)) } (versions_of(&versions)) }
    };
    Ok(page(&operator, "/rulesets", say!(nav_rulesets), body))
}

/// Where one stands, and what its gates said.
fn rollout(one: &RolloutView, may: bool) -> Markup {
    let is_up = !matches!(one.stage.as_str(), "rolled-back" | "superseded" | "refused");
    html! {
        section {
            h2 {
                (say!(rulesets_rollout, number = one.rollout, ruleset = html! { code { (one.ruleset) } })) " "
                (chip(&one.stage))
            }
            p {
                (say!(rulesets_published, by = &one.started_by, at = moment(&one.started)))
                @if !one.reason.is_empty() { ": " (one.reason) }
                @if one.forced { " " (chip("forced")) }
                @if one.fast { " " (chip("fast_lane")) }
            }
            @if !one.note.is_empty() { p { (one.note) } }
            @if !one.gates.is_empty() { (gates(&one.gates)) }
            @if !one.steps.is_empty() { ol.timeline { @for step in &one.steps {
                li {
                    (moment(&step.at)) " " (spoken(&step.from)) " → " strong { (spoken(&step.to)) }
                    span.dim { " " (say!(incident_by, actor = &step.actor)) ": " (step.reason) }
                }
            } } }
            @if may && is_up {
                form.inline method="post" action="/rulesets/rollback" { (enter_does_nothing())
                    (reason(true)) button.quiet { (say!(rulesets_take_back)) }
                }
            }
        }
    }
}

fn gates(gates: &[GateView]) -> Markup {
    html! { div.scroll { table {
        thead { tr { th { (say!(rulesets_gate)) } td {} th { (say!(rulesets_gate_result)) } } }
        tbody { @for gate in gates { tr {
            td { (spoken(&gate.gate)) } td { (chip(if gate.passed { "passed" } else { "failed" })) }
            td { (gate.summary) (faults(&gate.faults)) }
        } } }
    } } }
}

/// What a gate found wrong: the first few, and the others on demand.
fn faults(faults: &[String]) -> Markup {
    let (first, others) = faults.split_at(faults.len().min(5));
    html! {
        @if !first.is_empty() { ul { @for fault in first { li { (fault) } } } }
        @if !others.is_empty() {
            details {
                summary { (say!(rulesets_more, count = others.len())) }
                ul { @for fault in others { li { (fault) } } }
            }
        }
    }
}

fn rollouts_of(rollouts: &[RolloutView]) -> Markup {
    html! { div.scroll { table {
        thead { tr {
            th { (say!(rulesets_number)) } th { (say!(rulesets_ruleset)) } th { (say!(incident_stage)) }
            th { (say!(rulesets_since)) } th { (say!(rulesets_by)) } th { (say!(incident_reason)) }
        } }
        tbody { @for one in rollouts.iter().take(50) { tr {
            td { a href={ "/rulesets?rollout=" (one.rollout) } { (one.rollout) } } td { code { (one.ruleset) } }
            td { (chip(&one.stage)) }
            td.when { (moment(&one.since)) } td { (one.started_by) } td { (one.reason) }
        } } }
    } } }
}

fn versions_of(versions: &[RulesetRow]) -> Markup {
    html! { div.scroll { table {
        thead { tr {
            th { (say!(rulesets_ruleset)) } th.right { (say!(nav_detections)) } th { (say!(rulesets_first_seen)) }
            th { (say!(rulesets_in_force_since)) } td {}
        } }
        tbody { @for one in versions.iter().take(50) { tr {
            td { a href=(explorer(&format!("ruleset:{}", one.id))) { code { (one.id) } } }
            td.right { (one.detections) }
            td.when { (moment(&one.first_seen)) }
            td.when { @if let Some(at) = &one.in_force_since { (moment(at)) } }
            td { @if one.in_force { (chip("live")) } @else if let Some(stage) = &one.stage { (chip(stage)) } }
        } } }
    } } }
}

/// `POST /rulesets/rollback`: takes back what is rolled out, or is in force.
///
/// # Errors
/// What the API says.
pub async fn rollback(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    form: Form,
) -> PageResult {
    let ask = RollbackAsk { reason: form.one("reason").to_owned(), ..RollbackAsk::default() };
    ruleset::rollback(&service, &operator, ask).await?;
    Ok(Redirect::to("/rulesets").into_response())
}

/// `GET /policy`.
///
/// # Errors
/// What the API says.
pub async fn policy(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let policy = policy::show(&service, &operator).await?;
    let body = html! {
        h1 { (say!(nav_policy)) }
        p.dim { (say!(policy_intro, version = html! { code { (policy.id) } })) }
        div.scroll { table {
            thead { tr {
                th { (say!(policy_rule)) } th { (say!(policy_category)) } th { (say!(policy_content)) }
                th { (say!(policy_direction)) } th { (say!(policy_recipients)) } th { (say!(policy_disposition)) }
                th { (say!(policy_access)) }
            } }
            tbody { @for rule in &policy.rules { tr {
                td { (rule.name) } td { (chip(&rule.category)) } td { (all_or(&rule.families, spoken)) }
                td { (all_or(&rule.directions, spoken)) } td.address { (all_or(&rule.whom, str::to_owned)) }
                td { (chip(&rule.disposition)) } td { (rule.quarantine.as_deref().map_or_else(String::new, spoken)) }
            } } }
        } }
        section {
            h2 { (say!(policy_failure)) }
            ul { @for one in &policy.on_failure { li { (one.engine) ": " (spoken(&one.on_failure)) } } }
        }
    };
    Ok(page(&operator, "/policy", say!(nav_policy), body))
}

/// What a rule is limited to, as people read it; all where it is limited to nothing.
fn all_or(some: &[String], shown: fn(&str) -> String) -> String {
    if some.is_empty() {
        return say!(policy_all).into();
    }
    some.iter().map(|one| shown(one)).collect::<Vec<_>>().join(", ")
}
