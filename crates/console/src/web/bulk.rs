//! Acting on everything that a query fits: what it would be, the job, and what became of each.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::explorer::back_to;
use super::fault::PageResult;
use super::form::Form;
use super::page::{answer, asked, chip, enter_does_nothing, explorer, facts, list, moment, page, reason, text};
use crate::Console;
use crate::access::Operator;
use crate::api;
use crate::api::bulk::ItemsQuery;
use platform::percent::encoded;

/// `GET /bulk`: all jobs.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(console): State<Console>, Extension(operator): Extension<Operator>) -> PageResult {
    let jobs = answer(api::bulk::list(State(console), Extension(operator.clone())).await)?;
    let body = html! {
        h1 { "Jobs" }
        p.dim { "What was done to everything that a query fitted. They begin in the explorer." }
        @if jobs.as_array().is_some_and(Vec::is_empty) { p.calm { "There was none." } }
        @else { div.scroll { table {
            thead { tr { th { "No." } th { "Begun (UTC)" } th { "What" } th { "To what" } th { "By" } th { "Stage" } th.right { "Units" } } }
            tbody { @for one in jobs.as_array().into_iter().flatten() { tr {
                td { a href={ "/bulk/" (one["number"]) } { (one["number"]) } } td.when { (moment(text(one, "made"))) } td { (text(one, "verb")) }
                td.address { code { (text(one, "q")) } } td { (text(one, "actor")) } td { (chip(text(one, "stage"))) } td.right { (one["units"]) }
            } } }
        } } }
    };
    Ok(page(&operator, "/explorer", "Jobs", body))
}

/// What a job would be about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    verb: String,
}

/// `GET /bulk/new`: what it would be; nothing is done yet.
///
/// # Errors
/// What the API says.
pub async fn new(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(wanted): Query<Wanted>,
) -> PageResult {
    let ask = asked(json!({ "q": wanted.q, "verb": wanted.verb, "reason": "", "what_if": true }))?;
    let would = answer(api::bulk::begin(State(console), Extension(operator.clone()), Json(ask)).await)?;
    let is_harmful = wanted.verb == "release" && would["harmful"].as_u64().unwrap_or(0) > 0;
    let more = if would["so_far"] == true { " or more" } else { "" };
    let body = html! {
        h1 { (verb(&would)) " " (would["units"]) (more) " units?" }
        p { "Everything that fits " code { (wanted.q) } " now. Mail that comes later is not meant. What cannot be done to a unit is said for that unit." }
        @if is_harmful { p.notice.bad { strong { (would["harmful"]) } " of them were held because they carry malware, or are phishing for certain. What was delivered cannot be taken back." } }
        form.inline method="post" action="/bulk" { (enter_does_nothing())
            input type="hidden" name="q" value=(wanted.q);
            input type="hidden" name="verb" value=(wanted.verb);
            (reason(true))
            button.danger[is_harmful] { (verb(&would)) " all of them" }
            a.button href=(explorer(&wanted.q)) { "Rather not" }
        }
        @if let Some(why) = would["second_person"].as_str() { p.notice.warn { "Somebody else has to agree before it begins: " (why) "." } }
        section { h2 { "Some of them" } div.scroll { table {
            thead { tr { th { "Received (UTC)" } th { "Sender" } th { "Recipient" } th { "Subject" } th { "Category" } th { "State" } } }
            tbody { @for row in list(&would, "sample") { tr {
                td.when { (moment(text(row, "received"))) } td.address { (text(row, "sender")) } td.address { (text(row, "recipient")) }
                td.subject { a href={ "/messages/" (text(row, "mail_id")) } { (text(row, "subject")) } } td { (chip(text(row, "category"))) } td { (chip(text(row, "state"))) }
            } } }
        } } }
    };
    Ok(page(&operator, "/explorer", "All that fit", body))
}

fn verb(job: &Value) -> &'static str {
    match text(job, "verb") {
        "release" => "Release",
        "deny" => "Deny",
        _ => "Delete",
    }
}

/// `POST /bulk`: begins it.
///
/// # Errors
/// What the API says.
pub async fn begin(State(console): State<Console>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let ask = asked(json!({ "q": form.one("q"), "verb": form.one("verb"), "reason": form.one("reason") }))?;
    let begun = answer(api::bulk::begin(State(console), Extension(operator), Json(ask)).await)?;
    Ok(back_to(&format!("/bulk/{}", begun["number"])))
}

/// `GET /bulk/{number}`: how far it is, and what became of each.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Query(wanted): Query<ItemsQuery>,
) -> PageResult {
    let (state, who) = (|| State(console.clone()), || Extension(operator.clone()));
    let job = answer(api::bulk::show(state(), who(), Path(number)).await)?;
    let outcome = wanted.outcome.clone();
    let items = answer(api::bulk::items(state(), who(), Path(number), Query(wanted)).await)?;
    let is_running = text(&job, "stage") == "running";
    let body = html! {
        h1 { "Job " (number) ": " (verb(&job)) }
        p data-refresh=[is_running.then_some("2")] { (chip(text(&job, "stage"))) " " (job["units"]) " units" @if is_running { " so far" } }
        div.numbers { @for one in list(&job, "outcomes") { a href={ "/bulk/" (number) "?outcome=" (text(one, "outcome")) } { span.number { (one["units"]) } span { (text(one, "outcome")) } } } }
        (facts(&[
            ("To what", html! { a href=(explorer(text(&job, "q"))) { code { (text(&job, "q")) } } }),
            ("By", html! { (text(&job, "actor")) }),
            ("Why", html! { (text(&job, "reason")) }),
            ("Begun", moment(text(&job, "made"))),
        ]))
        @if text(&job, "stage") == "waiting" {
            p.notice.warn { "Somebody else than " (text(&job, "actor")) " has to agree before it begins." }
            form.inline method="post" action={ "/bulk/" (number) "/approve" } { (enter_does_nothing()) (reason(false)) button { "I agree" } button.quiet formaction={ "/bulk/" (number) "/cancel" } { "Stop it" } }
        }
        @if is_running { form.inline method="post" action={ "/bulk/" (number) "/cancel" } { (enter_does_nothing()) (reason(false)) button.quiet { "Stop it" } } }
        (results(number, outcome.as_deref(), &items))
    };
    Ok(page(&operator, "/explorer", "Job", body))
}

fn results(number: i64, outcome: Option<&str>, items: &Value) -> Markup {
    let rows: Vec<&Value> = items.as_array().into_iter().flatten().collect();
    let last = rows.last().map(|one| text(one, "mail_id"));
    html! {
        section {
            h2 { "What became of each" @if let Some(outcome) = outcome { ": " (outcome) } }
            div.scroll { table {
                thead { tr { th { "Message" } th { "Recipient" } th { "Outcome" } td {} } }
                tbody { @for one in &rows { tr { td { a href={ "/messages/" (text(one, "mail_id")) } { code { (text(one, "mail_id")) } } } td.address { (text(one, "recipient")) } td { (text(one, "outcome")) } td { (text(one, "reply")) } } } }
            } }
            p.pages {
                @if outcome.is_some() { a href={ "/bulk/" (number) } { "All" } " " }
                @if let Some(last) = last.filter(|_| rows.len() >= 500) { a href={ "/bulk/" (number) "?after=" (last) @if let Some(outcome) = outcome { "&outcome=" (encoded(outcome)) } } { "More" } }
            }
        }
    }
}

/// `POST /bulk/{number}/cancel`.
///
/// # Errors
/// What the API says.
pub async fn cancel(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    form: Form,
) -> PageResult {
    let ask = asked(json!({ "reason": form.one("reason") }))?;
    answer(api::bulk::cancel(State(console), Extension(operator), Path(number), Json(ask)).await)?;
    Ok(back_to(&format!("/bulk/{number}")))
}

/// `POST /bulk/{number}/approve`: somebody else agrees.
///
/// # Errors
/// What the API says.
pub async fn approve(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    form: Form,
) -> PageResult {
    let ask = asked(json!({ "reason": form.one("reason") }))?;
    answer(api::bulk::approve(State(console), Extension(operator), Path(number), Json(ask)).await)?;
    Ok(back_to(&format!("/bulk/{number}")))
}
