//! What people say of verdicts: all of it; and one report, with what others say, what the message is judged today, and what came of it.

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use maud::{Markup, html};
use serde_json::Value;

use super::fault::PageResult;
use super::page::{answer, chip, explorer, facts, list, moment, page, quoted, text};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api::error::ApiError;
use crate::api::explain;
use crate::api::submission::{self, SubmissionQuery};
use platform::percent::encoded;

/// Reports of one page.
const ROWS: usize = 200;

/// `GET /submissions`: what people say of verdicts.
///
/// # Errors
/// What the API says.
pub async fn list_all(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    query: Query<SubmissionQuery>,
) -> PageResult {
    let said = answer(submission::list(State(console), Extension(operator.clone()), query).await)?;
    let rows: Vec<&Value> = said.as_array().into_iter().flatten().collect();
    let older = rows.last().and_then(|one| one["number"].as_i64()).filter(|last| *last > 1 && rows.len() >= ROWS);
    let body = html! {
        h1 { "Reports" }
        p.dim { "Three people within a day who say that a detection is wrong have it tried on known-good mail, and call an operator. They convict nothing." }
        @if rows.is_empty() { p.calm { "Nobody has said anything." } } @else { (table(&rows)) }
        @if let Some(last) = older { p.pages { a href={ "/submissions?before=" (last) } { "Older" } } }
    };
    Ok(page(&operator, "/submissions", "Reports", body))
}

fn table(rows: &[&Value]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "No." } th { "When (UTC)" } th { "What" } th { "By" } th { "Detections" } th { "Message" } th { "Incident" } th { "Comment" } } }
            tbody { @for one in rows { tr {
                td { a href={ "/submissions/" (one["number"]) } { (one["number"]) } } td.when { (moment(text(one, "at"))) } td { (kind(one)) } td.address { (text(one, "reporter")) }
                td { @for about in list(one, "about") { (detection(about)) " " } }
                td { a href={ "/messages/" (text(one, "mail_id")) } { "message" } }
                td { (incident(one)) }
                td { (text(one, "comment")) }
            } } }
        } }
    }
}

fn kind(said: &Value) -> String {
    text(said, "kind").replace('_', " ")
}

fn detection(about: &Value) -> Markup {
    html! { a href={ "/detections/" (encoded(text(about, "detection"))) } { (text(about, "detection")) } }
}

fn incident(said: &Value) -> Markup {
    html! { @if let Some(incident) = said["incident"].as_str() { a href={ "/incidents/" (incident) } { (incident) } } }
}

/// `GET /submissions/{number}`: one report.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> PageResult {
    let (state, who) = (|| State(console.clone()), || Extension(operator.clone()));
    let said = answer(submission::show(state(), who(), Path(number)).await)?;
    // Records end before reports do.
    let message = match answer(explain::show(state(), who(), Path(text(&said, "mail_id").to_owned())).await) {
        Err(ApiError::NotFound(_)) => None,
        other => Some(other?),
    };
    let title = format!("Report {number}: {}", kind(&said));
    let body = html! {
        p { a href="/submissions" { "All reports" } }
        h1 { (title) }
        (in_brief(&said))
        (judged(&said, message.as_ref()))
        (voices(&said))
        @if list(&said, "others").next().is_some() {
            section { h2 { "Others on the same message" } (table(&list(&said, "others").collect::<Vec<_>>())) }
        }
        @if message.is_some() && operator.role.may(Permission::Read) { (evidence(number)) }
    };
    Ok(page(&operator, "/submissions", &title, body))
}

fn in_brief(said: &Value) -> Markup {
    let reporter = text(said, "reporter");
    let told = |key: &str| html! { @match said[key].as_str() { Some(at) => (moment(at)), None => "not yet" } };
    facts(&[
        ("When", moment(text(said, "at"))),
        (
            "By",
            html! { @if reporter.contains('@') { a href=(explorer(&format!("recipient:{}", quoted(reporter)))) { (reporter) } } @else { (reporter) } },
        ),
        (
            "Comment",
            html! { @if text(said, "comment").is_empty() { span.dim { "none" } } @else { (text(said, "comment")) } },
        ),
        ("Told that it arrived", told("acknowledged")),
        ("Incident", html! { @if said["incident"].is_null() { span.dim { "none" } } @else { (incident(said)) } }),
        ("Told how it ended", told("ended")),
    ])
}

/// How the message was judged, and how it would be today: whether they are right by now.
fn judged(said: &Value, message: Option<&Value>) -> Markup {
    let id = text(said, "mail_id");
    html! {
        section {
            h2 { "The message" }
            @match message {
                None => p { "Its record has been removed: it is older than what is kept." },
                Some(shown) => {
                    @let subject = if text(shown, "subject").is_empty() { "(no subject)" } else { text(shown, "subject") };
                    p { a href={ "/messages/" (id) } { (subject) } " " span.dim { "from " (text(shown, "sender")) } }
                    ul.plain { @for unit in list(shown, "units") { li { (text(unit, "recipient")) " " (chip(text(unit, "account"))) } } }
                    p { "It was judged " (chip(text(shown, "category"))) ". Today's ruleset would say " (chip(text(&shown["today"], "category"))) " " (chip(text(&shown["today"], "disposition"))) ": " (text(&shown["today"], "rests_on")) "." }
                },
            }
        }
    }
}

fn voices(said: &Value) -> Markup {
    html! {
        section {
            h2 { "What it is about" }
            @if list(said, "voices").next().is_none() { p { "No detection acted on this message." } }
            @else { div.scroll { table {
                thead { tr { th { "Detection" } th { "Version" } th.right { "People in 24 h" } th.right { "Messages in 30 days" } } }
                tbody { @for one in list(said, "voices") { tr {
                    td { (detection(one)) }
                    td { a href=(explorer(&format!("version:{}", quoted(text(one, "detection_version"))))) { code { (text(one, "detection_version")) } } }
                    td.right { (one["people"]) span.dim { " of " (one["people_min"]) } }
                    td.right { (one["messages"]) }
                } } }
            } } p.dim { "So many people within a day have a version tried on known-good mail, and call an operator. Messages are those that were called good or released, of all versions." } }
        }
    }
}

fn evidence(number: i64) -> Markup {
    html! {
        section {
            h2 { "For the maker of the detection" }
            p { "What hit, and how well the past vouches for it; without an address, a name or a word of the mail. Taking it is recorded." }
            p { a.button href={ "/submissions/" (number) "/bundle" } { "Download the evidence" } }
        }
    }
}

/// `GET /submissions/{number}/bundle`: the evidence as a file.
///
/// # Errors
/// What the API says.
pub async fn bundle(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> PageResult {
    let bundle = answer(submission::export(State(console), Extension(operator), Path(number)).await)?;
    let file = serde_json::to_string_pretty(&bundle).map_err(|error| ApiError::Internal(error.to_string()))?;
    let fields = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"submission-{number}.json\"")),
    ];
    Ok((fields, file).into_response())
}
