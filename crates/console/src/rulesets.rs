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
        h1 { "Rulesets" }
        p.dim {
            "A version goes through gates, shadow and 1, 10 and 50 % of conversations before it is in force, and comes "
            "back by itself when it hits mail that the past vouches for. "
            code { "reprieve ruleset publish" } " publishes one."
        }
        @match &one {
            Some(one) => (rollout(one, may)),
            None => p.calm {
                "Nothing was published: the ruleset that the program brings, or the configuration names, is in force."
            },
        }
        section { h2 { "Roll-outs" } (rollouts_of(&rollouts)) }
        section { h2 { "Versions" } (versions_of(&versions)) }
    };
    Ok(page(&operator, "/rulesets", "Rulesets", body))
}

/// Where one stands, and what its gates said.
fn rollout(one: &RolloutView, may: bool) -> Markup {
    let is_up = !matches!(one.stage.as_str(), "rolled-back" | "superseded" | "refused");
    html! {
        section {
            h2 { "Roll-out " (one.rollout) ": " code { (one.ruleset) } " " (chip(&one.stage)) }
            p {
                "Published by " (one.started_by) " " (moment(&one.started)) ": " (one.reason)
                @if one.forced { " " (chip("forced")) }
                @if one.fast { " " (chip("fast lane")) }
            }
            @if !one.note.is_empty() { p { (one.note) } }
            @if !one.gates.is_empty() { (gates(&one.gates)) }
            @if !one.steps.is_empty() { ol.timeline { @for step in &one.steps {
                li {
                    (moment(&step.at)) " " (step.from) " → " strong { (step.to) }
                    span.dim { " by " (step.actor) ": " (step.reason) }
                }
            } } }
            @if may && is_up {
                form.inline method="post" action="/rulesets/rollback" { (enter_does_nothing())
                    (reason(true)) button.quiet { "Take it back" }
                }
            }
        }
    }
}

fn gates(gates: &[GateView]) -> Markup {
    html! { div.scroll { table {
        thead { tr { th { "Gate" } td {} th { "What it said" } } }
        tbody { @for gate in gates { tr {
            td { (gate.gate) } td { (chip(if gate.passed { "passed" } else { "failed" })) }
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
            details { summary { (others.len()) " more" } ul { @for fault in others { li { (fault) } } } }
        }
    }
}

fn rollouts_of(rollouts: &[RolloutView]) -> Markup {
    html! { div.scroll { table {
        thead { tr {
            th { "No." } th { "Ruleset" } th { "Stage" } th { "Since (UTC)" } th { "By" } th { "Why" }
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
            th { "Ruleset" } th.right { "Detections" } th { "First seen (UTC)" } th { "In force since" } td {}
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
    let all = |some: &[String]| if some.is_empty() { "all".to_owned() } else { some.join(", ") };
    let body = html! {
        h1 { "Policy" }
        p.dim {
            "Version " code { (policy.id) } ". The first rule that fits a finding's category decides; what no rule "
            "fits is delivered. It is a file of the configuration: change it there."
        }
        div.scroll { table {
            thead { tr {
                th { "Rule" } th { "Category" } th { "Content" } th { "Direction" } th { "For" } th { "What is done" }
                th { "Recipients may" }
            } }
            tbody { @for rule in &policy.rules { tr {
                td { (rule.name) } td { (chip(&rule.category)) } td { (all(&rule.families)) }
                td { (all(&rule.directions)) } td.address { (all(&rule.whom)) }
                td { (chip(&rule.disposition)) } td { (rule.quarantine.as_deref().unwrap_or_default()) }
            } } }
        } }
        section {
            h2 { "When an engine fails" }
            ul { @for one in &policy.on_failure { li { (one.engine) ": " (one.on_failure) } } }
        }
    };
    Ok(page(&operator, "/policy", "Policy", body))
}
