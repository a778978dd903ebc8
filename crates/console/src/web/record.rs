//! What is on record: entries, calls, the audit log.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::explorer::back_to;
use super::fault::PageResult;
use super::form::Form;
use super::page::{answer, asked, chip, enter_does_nothing, list, moment, page, reason, text};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api;
use crate::api::audit::{AuditQuery, VerifyQuery};
use crate::api::error::ApiError;

/// Entries of the audit log on one page.
const PAGE: usize = 100;

/// `GET /entries`: what is allowed and blocked.
///
/// # Errors
/// What the API says.
pub async fn entries(State(console): State<Console>, Extension(operator): Extension<Operator>) -> PageResult {
    let entries = answer(api::entry::list(State(console), Extension(operator.clone())).await)?;
    let may = operator.role.may(Permission::Rules);
    let body = html! {
        h1 { "Allow and block" }
        @if may { (entry_form(&operator)) }
        @if entries.as_array().is_some_and(Vec::is_empty) { p.calm { "There is no entry." } }
        @else { div.scroll { table {
            thead { tr { td {} th { "What" } th { "For" } th { "Reason" } th { "Owner" } th { "Until (UTC)" } th { "Last used" } td {} } }
            tbody { @for one in entries.as_array().into_iter().flatten() { tr {
                td { (chip(text(one, "action"))) @if one["clears_malware"] == true { " malware as well" } }
                td.address { (text(one, "kind")) " " code { (text(one, "value")) } }
                td { (text(one, "reach")) " " (text(one, "whom")) }
                td { (text(one, "reason")) @if let Some(mail) = one["caused_by"].as_str() { " " a href={ "/messages/" (mail) } { "because of a message" } } }
                td { (text(one, "owner")) } td.when { (moment(text(one, "expires"))) }
                td.when { @if let Some(used) = one["last_used"].as_str() { (moment(used)) } @else { span.dim { "never" } } }
                td { @if may { form.inline method="post" action="/entries/act" { (enter_does_nothing()) input type="hidden" name="remove" value=(one["id"]); button.quiet { "End" } } } }
            } } }
        } } }
    };
    Ok(page(&operator, "/entries", "Allow and block", body))
}

fn entry_form(operator: &Operator) -> Markup {
    html! {
        section.actions {
            h2 { "New entry" }
            form.row method="post" action="/entries/act" { (enter_does_nothing())
                label { "Do" select name="action" { option value="block" { "Block" } option value="allow" { "Allow" } } }
                label { "What" select name="kind" { @for kind in ["sender", "domain", "url", "file", "ip"] { option value=(kind) { (kind) } } } }
                label { "Value" input type="text" name="value" required maxlength="1000" placeholder="spam@x.example" autocomplete="off"; }
                @if operator.must_see_all().is_err() { label { "For our domain" input type="text" name="domain" required; } }
                @else { label { "Only for our domain" input type="text" name="domain" placeholder="everyone"; } }
                label { "Hours" input type="number" name="hours" value="24" min="1" max="8760"; }
                (reason(true))
                button { "Make it" }
            }
        }
    }
}

/// `POST /entries/act`: makes an entry, or ends one.
///
/// # Errors
/// What the API says.
pub async fn entries_act(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    form: Form,
) -> PageResult {
    if let Ok(number) = form.one("remove").parse::<u64>() {
        let ask = asked(json!({ "reason": form.one("reason") }))?;
        answer(api::entry::remove(State(console), Extension(operator), Path(number), Json(ask)).await)?;
    } else {
        let domain = (!form.one("domain").trim().is_empty()).then(|| form.one("domain").trim());
        let ask = json!({
            "action": form.one("action"), "kind": form.one("kind"), "value": form.one("value"), "reason": form.one("reason"), "domain": domain,
            "hours": form.one("hours").parse::<u64>().ok(),
        });
        answer(api::entry::add(State(console), Extension(operator), Json(asked(ask)?)).await)?;
    }
    Ok(back_to("/entries"))
}

/// `POST /alerts/act`: somebody has seen a call.
///
/// # Errors
/// What the API says.
pub async fn alert_act(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    form: Form,
) -> PageResult {
    let number = form.one("number").parse().map_err(|_| ApiError::Bad("which alert?".into()))?;
    let ask = asked(json!({ "reason": form.one("reason") }))?;
    answer(api::alert::seen(State(console), Extension(operator), Path(number), Json(ask)).await)?;
    Ok(back_to("/"))
}

/// Before which entry a page begins, and whether the log is to be checked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    before: Option<u64>,
    verify: bool,
}

/// `GET /audit`: who did what, newest first.
///
/// # Errors
/// What the API says.
pub async fn audit(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<LogQuery>,
) -> PageResult {
    let (state, who) = (|| State(console.clone()), || Extension(operator.clone()));
    let ask: AuditQuery = asked(json!({ "before": query.before.unwrap_or(u64::MAX) }))?;
    let log = answer(api::audit::list(state(), who(), Query(ask)).await)?;
    let mut rows: Vec<&Value> = log.as_array().into_iter().flatten().collect();
    rows.truncate(PAGE);
    let verified = match query.verify {
        true => Some(answer(api::audit::verify(state(), who(), Query(VerifyQuery::default())).await)?),
        false => None,
    };
    let last = rows.last().and_then(|one| one["seq"].as_u64());
    let body = html! {
        h1 { "Audit log" }
        p { a href="/audit?verify=true" { "Check that it is intact" } " · " a href="/status/checkpoint" { "signed checkpoint" } }
        @if let Some(found) = &verified {
            @if found["intact"] == true { p.calm { "Intact: " (found["size"]) " entries, " (found["batches"]) " group commits and " (found["verdicts"]) " verdicts are as they were written. Root " code { (text(found, "root")) } } }
            @else { div.wrong role="alert" { p { strong { "Not intact" } } ul { @for fault in list(found, "faults") { li { (fault.as_str().unwrap_or_default()) } } } } }
        }
        div.scroll { table {
            thead { tr { th { "No." } th { "When (UTC)" } th { "Who" } th { "What" } th { "To which" } th { "Why" } } }
            tbody { @for one in &rows { tr {
                td { (one["seq"]) } td.when { (moment(text(one, "at"))) } td { (text(one, "actor")) } td { code { (text(one, "action")) } } td.address { (text(one, "object")) }
                td { (text(one, "reason")) @if !text(one, "detail").is_empty() { " " span.dim { (text(one, "detail")) } } }
            } } }
        } }
        p.pages { @if query.before.is_some() { a href="/audit" { "Newest" } " " } @if let Some(last) = last.filter(|_| rows.len() == PAGE) { a href={ "/audit?before=" (last) } { "Older" } } }
    };
    Ok(page(&operator, "/audit", "Audit log", body))
}
