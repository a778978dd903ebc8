//! Rulesets as versions: which is in force, where a roll-out stands and what its gates said; and the policy that decides.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use axum::{Extension, Json};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::PageResult;
use super::form::Form;
use super::page::{answer, asked, chip, enter_does_nothing, list, moment, page, reason, text};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api::{policy, ruleset};

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
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(wanted): Query<Wanted>,
) -> PageResult {
    let (state, who) = (|| State(console.clone()), || Extension(operator.clone()));
    let versions = answer(ruleset::list(state(), who()).await)?;
    let rollouts = answer(ruleset::rollouts(state(), who()).await)?;
    let newest = rollouts.as_array().and_then(|all| all.first()).and_then(|one| one["rollout"].as_u64());
    let chosen = wanted.rollout.or(newest.and_then(|number| u32::try_from(number).ok()));
    let one = match chosen {
        Some(number) => Some(answer(ruleset::rollout(state(), who(), axum::extract::Path(number)).await)?),
        None => None,
    };
    let may = operator.role.may(Permission::Rules) && operator.must_see_all().is_ok();
    let body = html! {
        h1 { "Rulesets" }
        p.dim { "A version goes through gates, shadow and 1, 10 and 50 % of conversations before it is in force, and comes back by itself when it hits mail that the past vouches for. "
            code { "reprieve ruleset publish" } " publishes one." }
        @match &one {
            Some(one) => (rollout(one, may)),
            None => p.calm { "Nothing was published: the ruleset that the program brings, or the configuration names, is in force." },
        }
        section { h2 { "Roll-outs" } (rollouts_of(&rollouts)) }
        section { h2 { "Versions" } (versions_of(&versions)) }
    };
    Ok(page(&operator, "/rulesets", "Rulesets", body))
}

/// Where one stands, and what its gates said.
fn rollout(one: &Value, may: bool) -> Markup {
    let is_up = !matches!(text(one, "stage"), "rolled-back" | "superseded" | "refused");
    html! {
        section {
            h2 { "Roll-out " (one["rollout"]) ": " code { (text(one, "ruleset")) } " " (chip(text(one, "stage"))) }
            p { "Published by " (text(one, "started_by")) " " (moment(text(one, "started"))) ": " (text(one, "reason"))
                @if one["forced"] == true { " " (chip("forced")) } @if one["fast"] == true { " " (chip("fast lane")) } }
            @if !text(one, "note").is_empty() { p { (text(one, "note")) } }
            @if list(one, "gates").next().is_some() { div.scroll { table {
                thead { tr { th { "Gate" } td {} th { "What it said" } } }
                tbody { @for gate in list(one, "gates") { tr {
                    td { (text(gate, "gate")) } td { (chip(if gate["passed"] == true { "passed" } else { "failed" })) }
                    td { (text(gate, "summary"))
                        (faults(gate)) }
                } } }
            } } }
            @if list(one, "steps").next().is_some() { ol.timeline { @for step in list(one, "steps") {
                li { (moment(text(step, "at"))) " " (text(step, "from")) " → " strong { (text(step, "to")) } span.dim { " by " (text(step, "actor")) ": " (text(step, "reason")) } }
            } } }
            @if may && is_up { form.inline method="post" action="/rulesets/rollback" { (enter_does_nothing()) (reason(true)) button.quiet { "Take it back" } } }
        }
    }
}

/// What a gate found wrong: the first few, and the others on demand.
fn faults(gate: &Value) -> Markup {
    let faults: Vec<&str> = list(gate, "faults").filter_map(Value::as_str).collect();
    let (first, others) = faults.split_at(faults.len().min(5));
    html! {
        @if !first.is_empty() { ul { @for fault in first { li { (fault) } } } }
        @if !others.is_empty() { details { summary { (others.len()) " more" } ul { @for fault in others { li { (fault) } } } } }
    }
}

fn rollouts_of(rollouts: &Value) -> Markup {
    html! { div.scroll { table {
        thead { tr { th { "No." } th { "Ruleset" } th { "Stage" } th { "Since (UTC)" } th { "By" } th { "Why" } } }
        tbody { @for one in rollouts.as_array().into_iter().flatten().take(50) { tr {
            td { a href={ "/rulesets?rollout=" (one["rollout"]) } { (one["rollout"]) } } td { code { (text(one, "ruleset")) } } td { (chip(text(one, "stage"))) }
            td.when { (moment(text(one, "since"))) } td { (text(one, "started_by")) } td { (text(one, "reason")) }
        } } }
    } } }
}

fn versions_of(versions: &Value) -> Markup {
    html! { div.scroll { table {
        thead { tr { th { "Ruleset" } th.right { "Detections" } th { "First seen (UTC)" } th { "In force since" } td {} } }
        tbody { @for one in versions.as_array().into_iter().flatten().take(50) { tr {
            td { a href=(super::page::explorer(&format!("ruleset:{}", text(one, "id")))) { code { (text(one, "id")) } } } td.right { (one["detections"]) }
            td.when { (moment(text(one, "first_seen"))) } td.when { @if let Some(at) = one["in_force_since"].as_str() { (moment(at)) } }
            td { @if one["in_force"] == true { (chip("live")) } @else if let Some(stage) = one["stage"].as_str() { (chip(stage)) } }
        } } }
    } } }
}

/// `POST /rulesets/rollback`: takes back what is rolled out, or is in force.
///
/// # Errors
/// What the API says.
pub async fn rollback(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    form: Form,
) -> PageResult {
    let ask = asked(json!({ "reason": form.one("reason") }))?;
    answer(ruleset::rollback(State(console), Extension(operator), Json(ask)).await)?;
    Ok(Redirect::to("/rulesets").into_response())
}

/// `GET /policy`.
///
/// # Errors
/// What the API says.
pub async fn policy(State(console): State<Console>, Extension(operator): Extension<Operator>) -> PageResult {
    let policy = answer(policy::show(State(console), Extension(operator.clone())).await)?;
    let all = |value: &Value, key: &str| {
        let some: Vec<&str> = list(value, key).filter_map(Value::as_str).collect();
        if some.is_empty() { "all".to_owned() } else { some.join(", ") }
    };
    let body = html! {
        h1 { "Policy" }
        p.dim { "Version " code { (text(&policy, "id")) } ". The first rule that fits a finding's category decides; what no rule fits is delivered. It is a file of the configuration: change it there." }
        div.scroll { table {
            thead { tr { th { "Rule" } th { "Category" } th { "Content" } th { "Direction" } th { "For" } th { "What is done" } th { "Recipients may" } } }
            tbody { @for rule in list(&policy, "rules") { tr {
                td { (text(rule, "name")) } td { (chip(text(rule, "category"))) } td { (all(rule, "families")) } td { (all(rule, "directions")) } td.address { (all(rule, "whom")) }
                td { (chip(text(rule, "disposition"))) } td { (rule["quarantine"].as_str().unwrap_or_default()) }
            } } }
        } }
        section { h2 { "When an engine fails" } ul { @for one in list(&policy, "on_failure") { li { (text(one, "engine")) ": " (text(one, "on_failure")) } } } }
    };
    Ok(page(&operator, "/policy", "Policy", body))
}
