//! What people say of verdicts: all of it; and one report, with what others say, what the message is judged today, and
//! what came of it.

use api_types::explain::ExplainedView;
use api_types::submission::{SubmissionDetailView, SubmissionQuery, SubmissionView};
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use domain::query::quoted;
use maud::{Markup, html};
use platform::percent::encoded;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use service::{Service, explain, submission};
use web::fault::PageResult;
use web::page::moment;

use crate::page::{chip, explorer, facts, page};

/// Reports of one page.
const ROWS: usize = 200;

/// `GET /submissions`: what people say of verdicts.
///
/// # Errors
/// What the API says.
pub async fn list_all(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<SubmissionQuery>,
) -> PageResult {
    let rows = submission::list(&service, &operator, query).await?;
    let older = rows.last().map(|one| one.number).filter(|last| *last > 1 && rows.len() >= ROWS);
    let body = html! {
        h1 { "Reports" }
        p.dim {
            "Three people within a day who say that a detection is wrong have it tried on known-good mail, and call an "
            "operator. They convict nothing."
        }
        @if rows.is_empty() { p.calm { "Nobody has said anything." } } @else { (table(&rows)) }
        @if let Some(last) = older { p.pages { a href={ "/submissions?before=" (last) } { "Older" } } }
    };
    Ok(page(&operator, "/submissions", "Reports", body))
}

fn table(rows: &[SubmissionView]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { "No." } th { "When (UTC)" } th { "What" } th { "By" } th { "Detections" } th { "Message" }
                th { "Incident" } th { "Comment" }
            } }
            tbody { @for one in rows { tr {
                td { a href={ "/submissions/" (one.number) } { (one.number) } }
                td.when { (moment(&one.at)) }
                td { (kind(one)) }
                td.address { (one.reporter) }
                td { @for about in &one.about { (detection(&about.detection)) " " } }
                td { a href={ "/messages/" (one.mail_id) } { "message" } }
                td { @if let Some(id) = &one.incident { (incident(id)) } }
                td { (one.comment) }
            } } }
        } }
    }
}

fn kind(said: &SubmissionView) -> String {
    said.kind.replace('_', " ")
}

fn detection(code: &str) -> Markup {
    html! { a href={ "/detections/" (encoded(code)) } { (code) } }
}

fn incident(id: &str) -> Markup {
    html! { a href={ "/incidents/" (id) } { (id) } }
}

/// `GET /submissions/{number}`: one report.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> PageResult {
    let shown = submission::show(&service, &operator, number).await?;
    let said = &shown.said;
    // Records end before reports do.
    let message = match explain::show(&service, &operator, &said.mail_id.clone()).await {
        Err(ServiceError::NotFound(_)) => None,
        other => Some(other?),
    };
    let title = format!("Report {number}: {}", kind(said));
    let body = html! {
        p { a href="/submissions" { "All reports" } }
        h1 { (title) }
        (in_brief(said))
        (judged(&said.mail_id, message.as_ref()))
        (voices(&shown))
        @if !shown.others.is_empty() {
            section { h2 { "Others on the same message" } (table(&shown.others)) }
        }
        @if message.is_some() && operator.role.may(Permission::Read) { (evidence(number)) }
    };
    Ok(page(&operator, "/submissions", &title, body))
}

fn in_brief(said: &SubmissionView) -> Markup {
    let reporter = said.reporter.as_str();
    let by = html! {
        @if reporter.contains('@') {
            a href=(explorer(&format!("recipient:{}", quoted(reporter)))) { (reporter) }
        } @else { (reporter) }
    };
    let comment = html! { @if said.comment.is_empty() { span.dim { "none" } } @else { (said.comment) } };
    let its_incident = html! {
        @match &said.incident { Some(id) => (incident(id)), None => span.dim { "none" } }
    };
    let told = |at: Option<&str>| html! { @match at { Some(at) => (moment(at)), None => "not yet" } };
    facts(&[
        ("When", moment(&said.at)),
        ("By", by),
        ("Comment", comment),
        ("Told that it arrived", told(said.acknowledged.as_deref())),
        ("Incident", its_incident),
        ("Told how it ended", told(said.ended.as_deref())),
    ])
}

/// How the message was judged, and how it would be today: whether they are right by now.
fn judged(id: &str, message: Option<&ExplainedView>) -> Markup {
    html! {
        section {
            h2 { "The message" }
            @match message {
                None => p { "Its record has been removed: it is older than what is kept." },
                Some(shown) => {
                    @let subject = if shown.subject.is_empty() { "(no subject)" } else { &shown.subject };
                    p { a href={ "/messages/" (id) } { (subject) } " " span.dim { "from " (shown.sender) } }
                    ul.plain { @for unit in &shown.units { li { (unit.recipient) " " (chip(&unit.account)) } } }
                    p {
                        "It was judged " (chip(&shown.category)) ". Today's ruleset would say "
                        (chip(&shown.today.category)) " " (chip(&shown.today.disposition)) ": "
                        (shown.today.rests_on) "."
                    }
                },
            }
        }
    }
}

fn voices(shown: &SubmissionDetailView) -> Markup {
    html! {
        section {
            h2 { "What it is about" }
            @if shown.voices.is_empty() { p { "No detection acted on this message." } }
            @else { div.scroll { table {
                thead { tr {
                    th { "Detection" } th { "Version" } th.right { "People in 24 h" } th.right { "Messages in 30 days" }
                } }
                tbody { @for one in &shown.voices { tr {
                    @let version = one.detection_version.as_str();
                    td { (detection(&one.detection)) }
                    td { a href=(explorer(&format!("version:{}", quoted(version)))) { code { (version) } } }
                    td.right { (one.people) span.dim { " of " (one.people_min) } }
                    td.right { (one.messages) }
                } } }
            } } p.dim {
                "So many people within a day have a version tried on known-good mail, and call an operator. Messages "
                "are those that were called good or released, of all versions."
            } }
        }
    }
}

fn evidence(number: i64) -> Markup {
    html! {
        section {
            h2 { "For the maker of the detection" }
            p {
                "What hit, and how well the past vouches for it; without an address, a name or a word of the mail. "
                "Taking it is recorded."
            }
            p { a.button href={ "/submissions/" (number) "/bundle" } { "Download the evidence" } }
        }
    }
}

/// `GET /submissions/{number}/bundle`: the evidence as a file.
///
/// # Errors
/// What the API says.
pub async fn bundle(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> PageResult {
    let bundle = submission::export(&service, &operator, number).await?;
    let file = serde_json::to_string_pretty(&bundle).map_err(|error| ServiceError::Internal(error.to_string()))?;
    let fields = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"submission-{number}.json\"")),
    ];
    Ok((fields, file).into_response())
}
