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
use texts::{say, word};
use web::fault::PageResult;
use web::page::moment;

use crate::message::today;
use crate::page::{chip, explorer, facts, page, sender_of, subject_of};

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
        h1 { (say!(nav_reports)) }
        p.dim { (say!(submission_text)) }
        @if rows.is_empty() { p.calm { (say!(submission_none)) } } @else { (table(&rows)) }
        @if let Some(last) = older {
            p.pages { a href={ "/submissions?before=" (last) } { (say!(submission_older)) } }
        }
    };
    Ok(page(&operator, "/submissions", say!(nav_reports), body))
}

fn table(rows: &[SubmissionView]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { (say!(submission_number)) } th { (say!(submission_time)) } th { (say!(submission_kind)) }
                th { (say!(submission_reporter)) } th { (say!(nav_detections)) } th { (say!(submission_message)) }
                th { (say!(submission_incident)) } th { (say!(submission_comment)) }
            } }
            tbody { @for one in rows { tr {
                td { a href={ "/submissions/" (one.number) } { (one.number) } }
                td.when { (moment(&one.at)) }
                td { (kind(&one.kind)) }
                td.address { (one.reporter) }
                td { @for about in &one.about { (detection(&about.detection)) " " } }
                td { a href={ "/messages/" (one.mail_id) } { (say!(submission_open)) } }
                td { @if let Some(id) = &one.incident { (incident(id)) } }
                td { (one.comment) }
            } } }
        } }
    }
}

/// A kind of report as people read it.
pub(crate) fn kind(kind: &str) -> String {
    match kind {
        "false_positive" => say!(submission_false_positive).into(),
        "false_negative" => say!(submission_false_negative).into(),
        other => word(other),
    }
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
    let title = say!(submission_title, number = number, kind = kind(&said.kind));
    let body = html! {
        p { a href="/submissions" { (say!(submission_all)) } }
        h1 { (title) }
        (in_brief(said))
        (judged(&said.mail_id, message.as_ref()))
        (voices(&shown))
        @if !shown.others.is_empty() {
            section { h2 { (say!(submission_others)) } (table(&shown.others)) }
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
    let nothing = || html! { span.dim { (say!(submission_nothing)) } };
    let comment = html! { @if said.comment.is_empty() { (nothing()) } @else { (said.comment) } };
    let its_incident = html! { @match &said.incident { Some(id) => (incident(id)), None => (nothing()) } };
    let told = |at: Option<&str>| html! { @match at { Some(at) => (moment(at)), None => (say!(submission_not_yet)) } };
    facts(&[
        (say!(submission_at), moment(&said.at)),
        (say!(submission_reporter), by),
        (say!(submission_comment), comment),
        (say!(submission_acknowledged), told(said.acknowledged.as_deref())),
        (say!(submission_incident), its_incident),
        (say!(submission_ended), told(said.ended.as_deref())),
    ])
}

/// How the message was judged, and how it would be today: whether they are right by now.
fn judged(id: &str, message: Option<&ExplainedView>) -> Markup {
    html! {
        section {
            h2 { (say!(submission_message)) }
            @match message {
                None => p { (say!(submission_message_gone)) },
                Some(shown) => {
                    p {
                        a href={ "/messages/" (id) } { (subject_of(&shown.subject)) } " "
                        span.dim { (say!(submission_sender, sender = sender_of(&shown.sender))) }
                    }
                    ul.plain { @for unit in &shown.units { li { (unit.recipient) " " (chip(&unit.account)) } } }
                    p {
                        (say!(submission_verdict, category = chip(&shown.category))) " "
                        (today(&shown.today))
                    }
                },
            }
        }
    }
}

fn voices(shown: &SubmissionDetailView) -> Markup {
    html! {
        section {
            h2 { (say!(submission_detections)) }
            @if shown.voices.is_empty() { p { (say!(submission_no_detection)) } }
            @else { div.scroll { table {
                thead { tr {
                    th { (say!(detection)) } th { (say!(message_version)) } th.right { (say!(submission_people)) }
                    th.right { (say!(submission_messages)) }
                } }
                tbody { @for one in &shown.voices { tr {
                    @let version = one.detection_version.as_str();
                    td { (detection(&one.detection)) }
                    td { a href=(explorer(&format!("version:{}", quoted(version)))) { code { (version) } } }
                    td.right { (say!(count_of, count = one.people, all = one.people_min)) }
                    td.right { (one.messages) }
                } } }
            } } p.dim { (say!(submission_detections_text)) } }
        }
    }
}

fn evidence(number: i64) -> Markup {
    html! {
        section {
            h2 { (say!(submission_evidence)) }
            p { (say!(submission_evidence_text)) }
            p { a.button href={ "/submissions/" (number) "/bundle" } { (say!(submission_evidence_download)) } }
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
