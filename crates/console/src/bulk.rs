//! Acting on everything that a query fits: what it would be, the job, and what became of each.

use api_types::bulk::{BulkAsk, BulkView, CancelAsk, ItemView, ItemsQuery};
use axum::Extension;
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use platform::percent::encoded;
use serde::Deserialize;
use service::Service;
use service::access::Operator;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::explorer::back_to;
use crate::page::{chip, explorer, facts, page, reason};

/// `GET /bulk`: all jobs.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let jobs = service::bulk::list(&service, &operator).await?;
    let body = html! {
        h1 { "Jobs" }
        p.dim { "What was done to everything that a query fitted. They begin in the explorer." }
        @if jobs.is_empty() { p.calm { "There was none." } }
        @else { div.scroll { table {
            thead { tr {
                th { "No." } th { "Begun (UTC)" } th { "What" } th { "To what" } th { "By" } th { "Stage" }
                th.right { "Units" }
            } }
            tbody { @for one in &jobs { (row(one)) } }
        } } }
    };
    Ok(page(&operator, "/explorer", "Jobs", body))
}

fn row(job: &BulkView) -> Markup {
    let number = number(job);
    html! {
        tr {
            td { a href={ "/bulk/" (number) } { (number) } }
            td.when { (moment(&job.made)) }
            td { (job.verb) }
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
    let more = if would.so_far { " or more" } else { "" };
    let body = html! {
        h1 { (act(&would)) " " (would.units) (more) " units?" }
        p {
            "Everything that fits " code { (wanted.q) } " now. Mail that comes later is not meant. What cannot be done "
            "to a unit is said for that unit."
        }
        @if is_harmful {
            p.notice.bad {
                strong { (would.harmful) }
                " of them were held because they carry malware, or are phishing for certain. What was delivered cannot "
                "be taken back."
            }
        }
        form.inline method="post" action="/bulk" { (enter_does_nothing())
            input type="hidden" name="q" value=(wanted.q);
            input type="hidden" name="verb" value=(wanted.verb);
            (reason(true))
            button.danger[is_harmful] { (act(&would)) " all of them" }
            a.button href=(explorer(&wanted.q)) { "Rather not" }
        }
        @if let Some(why) = &would.second_person {
            p.notice.warn { "Somebody else has to agree before it begins: " (why) "." }
        }
        section { h2 { "Some of them" } div.scroll { table {
            thead { tr {
                th { "Received (UTC)" } th { "Sender" } th { "Recipient" } th { "Subject" } th { "Category" }
                th { "State" }
            } }
            tbody { @for row in &would.sample { tr {
                td.when { (moment(&row.received)) } td.address { (row.sender) } td.address { (row.recipient) }
                td.subject { a href={ "/messages/" (row.mail_id) } { (row.subject) } }
                td { (chip(&row.category)) } td { (chip(&row.state)) }
            } } }
        } } }
    };
    Ok(page(&operator, "/explorer", "All that fit", body))
}

/// What it does, as the word of a button.
fn act(job: &BulkView) -> &'static str {
    match job.verb.as_str() {
        "release" => "Release",
        "deny" => "Deny",
        _ => "Delete",
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
        h1 { "Job " (number) ": " (act(&job)) }
        p data-refresh=[is_running.then_some("2")] {
            (chip(&job.stage)) " " (job.units) " units" @if is_running { " so far" }
        }
        div.numbers {
            @for one in &job.outcomes {
                a href={ "/bulk/" (number) "?outcome=" (one.outcome) } {
                    span.number { (one.units) } span { (one.outcome) }
                }
            }
        }
        (facts(&[
            ("To what", html! { a href=(explorer(&job.q)) { code { (job.q) } } }),
            ("By", html! { (job.actor) }),
            ("Why", html! { (job.reason) }),
            ("Begun", moment(&job.made)),
        ]))
        @if job.stage == "waiting" {
            p.notice.warn { "Somebody else than " (job.actor) " has to agree before it begins." }
            form.inline method="post" action={ "/bulk/" (number) "/approve" } {
                (enter_does_nothing()) (reason(false))
                button { "I agree" }
                button.quiet formaction={ "/bulk/" (number) "/cancel" } { "Stop it" }
            }
        }
        @if is_running {
            form.inline method="post" action={ "/bulk/" (number) "/cancel" } {
                (enter_does_nothing()) (reason(false)) button.quiet { "Stop it" }
            }
        }
        (results(number, outcome.as_deref(), &items))
    };
    Ok(page(&operator, "/explorer", "Job", body))
}

fn results(number: i64, outcome: Option<&str>, items: &[ItemView]) -> Markup {
    let last = items.last().map(|one| one.mail_id.as_str()).filter(|_| items.len() >= 500);
    html! {
        section {
            h2 { "What became of each" @if let Some(outcome) = outcome { ": " (outcome) } }
            div.scroll { table {
                thead { tr { th { "Message" } th { "Recipient" } th { "Outcome" } td {} } }
                tbody { @for one in items { tr {
                    td { a href={ "/messages/" (one.mail_id) } { code { (one.mail_id) } } }
                    td.address { (one.recipient) } td { (one.outcome) } td { (one.reply) }
                } } }
            } }
            p.pages {
                @if outcome.is_some() { a href={ "/bulk/" (number) } { "All" } " " }
                @if let Some(last) = last {
                    a href={
                        "/bulk/" (number) "?after=" (last)
                        @if let Some(outcome) = outcome { "&outcome=" (encoded(outcome)) }
                    } { "More" }
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
