//! Acting on everything that a query fits: what it would be, the job, and what became of each.

use api_types::bulk::{BulkAsk, BulkView, CancelAsk, ItemView, ItemsQuery};
use api_types::explore::FoundView;
use axum::Extension;
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use platform::percent::encoded;
use serde::Deserialize;
use service::Service;
use service::access::Operator;
use texts::{Text, say};
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::explorer::{back_to, named};
use crate::page::{chip, explorer, facts, page, reason};

/// `GET /bulk`: all jobs.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let jobs = service::bulk::list(&service, &operator).await?;
    let body = html! {
        h1 { (say!(explorer_jobs)) }
        p.dim { (say!(bulk_about)) }
        @if jobs.is_empty() { p.calm { (say!(bulk_none)) } }
        @else { div.scroll { table {
            thead { tr {
                th { (say!(bulk_number)) } th { (say!(bulk_started)) } th { (say!(bulk_action)) }
                th { (say!(explorer_query)) } th { (say!(bulk_by)) } th { (say!(state)) }
                th.right { (say!(bulk_units)) }
            } }
            tbody { @for one in &jobs { (row(one)) } }
        } } }
    };
    Ok(page(&operator, "/explorer", say!(explorer_jobs), body))
}

fn row(job: &BulkView) -> Markup {
    let number = number(job);
    html! {
        tr {
            td { a href={ "/bulk/" (number) } { (number) } }
            td.when { (moment(&job.made)) }
            td { (named(&job.verb)) }
            td.address { code { (job.q) } }
            td { (job.actor) }
            td { (chip(&job.stage)) }
            td.right { (job.units) }
        }
    }
}

/// The number of a job; what would be one has none, and is never listed.
fn number(job: &BulkView) -> i64 {
    job.number.unwrap_or_default()
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
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(wanted): Query<Wanted>,
) -> PageResult {
    let (q, verb) = (wanted.q.clone(), wanted.verb.clone());
    let ask = BulkAsk { q, verb, what_if: true, ..BulkAsk::default() };
    let would = service::bulk::begin(&service, &operator, ask).await?;
    let is_harmful = wanted.verb == "release" && would.harmful > 0;
    let how_many = how_many(&would);
    let body = html! {
        h1 { (say!(bulk_question, verb = &would.verb, deliveries = how_many)) }
        p { (say!(bulk_scope, query = html! { code { (wanted.q) } })) }
        @if is_harmful {
            p.notice.bad {
                (say!(bulk_harmful, count = would.harmful, number = html! { strong { (would.harmful) } })) " "
                (say!(confirm_no_recall))
            }
        }
        form.inline method="post" action="/bulk" { (enter_does_nothing())
            input type="hidden" name="q" value=(wanted.q);
            input type="hidden" name="verb" value=(wanted.verb);
            (reason(true))
            button.danger[is_harmful] { (say!(bulk_start, verb = &would.verb)) }
            a.button href=(explorer(&wanted.q)) { (say!(explorer_cancel)) }
        }
        @if let Some(why) = &would.second_person { p.notice.warn { (say!(bulk_second_approval, why = why)) } }
        (sample(&would.sample))
    };
    Ok(page(&operator, "/explorer", say!(explorer_all_matching), body))
}

/// How many deliveries a job is about, as far as it is known.
fn how_many(job: &BulkView) -> Text {
    match job.stage.as_str() {
        "would_be" if job.so_far => say!(bulk_deliveries_or_more, count = job.units),
        "running" => say!(bulk_deliveries_so_far, count = job.units),
        _ => say!(deliveries, count = job.units),
    }
}

/// The newest of what would be acted on.
fn sample(rows: &[FoundView]) -> Markup {
    html! {
        section { h2 { (say!(bulk_sample)) } div.scroll { table {
            thead { tr {
                th { (say!(explorer_received)) } th { (say!(explorer_sender)) } th { (say!(explorer_recipient)) }
                th { (say!(explorer_subject)) } th { (say!(explorer_category)) } th { (say!(state)) }
            } }
            tbody { @for row in rows { tr {
                td.when { (moment(&row.received)) } td.address { (row.sender) } td.address { (row.recipient) }
                td.subject { a href={ "/messages/" (row.mail_id) } { (row.subject) } }
                td { (chip(&row.category)) } td { (chip(&row.state)) }
            } } }
        } } }
    }
}

/// `POST /bulk`: begins it.
///
/// # Errors
/// What the API says.
pub async fn begin(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let [q, verb, reason] = ["q", "verb", "reason"].map(|name| form.one(name).to_owned());
    let ask = BulkAsk { q, verb, reason, ..BulkAsk::default() };
    let begun = service::bulk::begin(&service, &operator, ask).await?;
    Ok(back_to(&format!("/bulk/{}", number(&begun))))
}

/// `GET /bulk/{number}`: how far it is, and what became of each.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Query(wanted): Query<ItemsQuery>,
) -> PageResult {
    let job = service::bulk::show(&service, &operator, number).await?;
    let outcome = wanted.outcome.clone();
    let items = service::bulk::items(&service, &operator, number, wanted).await?;
    let is_running = job.stage == "running";
    let body = html! {
        h1 { (say!(bulk_job, number = number, action = named(&job.verb))) }
        p data-refresh=[is_running.then_some("2")] { (chip(&job.stage)) " " (how_many(&job)) }
        div.numbers {
            @for one in &job.outcomes {
                a href={ "/bulk/" (number) "?outcome=" (one.outcome) } {
                    span.number { (one.units) } span { (outcome_of(&one.outcome)) }
                }
            }
        }
        (facts(&[
            (say!(explorer_query), html! { a href=(explorer(&job.q)) { code { (job.q) } } }),
            (say!(bulk_by), html! { (job.actor) }),
            (say!(bulk_reason), html! { (job.reason) }),
            (say!(bulk_started), moment(&job.made)),
        ]))
        @if job.stage == "waiting" {
            p.notice.warn { (say!(bulk_waiting, actor = &job.actor)) }
            form.inline method="post" action={ "/bulk/" (number) "/approve" } {
                (enter_does_nothing()) (reason(false))
                button { (say!(bulk_approve)) }
                button.quiet formaction={ "/bulk/" (number) "/cancel" } { (say!(bulk_cancel)) }
            }
        }
        @if is_running {
            form.inline method="post" action={ "/bulk/" (number) "/cancel" } {
                (enter_does_nothing()) (reason(false)) button.quiet { (say!(bulk_cancel)) }
            }
        }
        (results(number, outcome.as_deref(), &items))
    };
    Ok(page(&operator, "/explorer", say!(bulk_job, number = number, action = named(&job.verb)), body))
}

/// What became of a delivery, as people read it.
fn outcome_of(outcome: &str) -> String {
    match outcome {
        "pending" => say!(bulk_outcome_pending).into(),
        "done" => say!(bulk_outcome_done).into(),
        "already" => say!(bulk_outcome_already).into(),
        "refused" => say!(bulk_outcome_refused).into(),
        other => other.to_owned(),
    }
}

fn results(number: i64, outcome: Option<&str>, items: &[ItemView]) -> Markup {
    let last = items.last().map(|one| one.mail_id.as_str()).filter(|_| items.len() >= 500);
    html! {
        section {
            h2 {
                @if let Some(outcome) = outcome { (say!(bulk_results_of, outcome = outcome_of(outcome))) }
                @else { (say!(bulk_results)) }
            }
            div.scroll { table {
                thead { tr {
                    th { (say!(explorer_message)) } th { (say!(explorer_recipient)) } th { (say!(bulk_outcome)) } td {}
                } }
                tbody { @for one in items { tr {
                    td { a href={ "/messages/" (one.mail_id) } { code { (one.mail_id) } } }
                    td.address { (one.recipient) } td { (outcome_of(&one.outcome)) } td { (one.reply) }
                } } }
            } }
            p.pages {
                @if outcome.is_some() { a href={ "/bulk/" (number) } { (say!(bulk_results_all)) } " " }
                @if let Some(last) = last {
                    a href={
                        "/bulk/" (number) "?after=" (last)
                        @if let Some(outcome) = outcome { "&outcome=" (encoded(outcome)) }
                    } { (say!(bulk_results_more)) }
                }
            }
        }
    }
}

/// `POST /bulk/{number}/cancel`.
///
/// # Errors
/// What the API says.
pub async fn cancel(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    form: Form,
) -> PageResult {
    let ask = CancelAsk { reason: form.one("reason").to_owned(), ..CancelAsk::default() };
    service::bulk::cancel(&service, &operator, number, ask).await?;
    Ok(back_to(&format!("/bulk/{number}")))
}

/// `POST /bulk/{number}/approve`: somebody else agrees.
///
/// # Errors
/// What the API says.
pub async fn approve(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    form: Form,
) -> PageResult {
    let ask = CancelAsk { reason: form.one("reason").to_owned(), ..CancelAsk::default() };
    service::bulk::approve(&service, &operator, number, ask).await?;
    Ok(back_to(&format!("/bulk/{number}")))
}
