//! The first page: whether mail flows, what was held, what goes wrong, and what needs a person.

use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde_json::Value;

use super::chart;
use super::fault::PageResult;
use super::page::{answer, chip, enter_does_nothing, explorer, list, moment, page, reason, text};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api;
use crate::api::error::ApiError;
use crate::api::explore::SummaryQuery;

/// Milliseconds for which the last day is added up: half a million messages, about.
const PATIENCE: u64 = 800;
/// Queries that are tracked on it at most, and milliseconds for each.
const TRACKED_MAX: usize = 12;
/// See [`TRACKED_MAX`].
const TRACKED_PATIENCE: u64 = 100;
/// The last day.
const DAY: &str = "received:>=-24h";

/// `GET /`.
///
/// # Errors
/// What the API says.
pub async fn show(State(console): State<Console>, Extension(operator): Extension<Operator>) -> PageResult {
    let ask = SummaryQuery { q: DAY.into(), patience: Some(PATIENCE), ..SummaryQuery::default() };
    let flow = answer(api::explore::summary(State(console.clone()), Extension(operator.clone()), Query(ask)).await)?;
    let sees_all = operator.must_see_all().is_ok();
    let (mut incidents, mut alerts, mut wishes) = (Value::Null, Value::Null, Value::Null);
    let (mut sentinel, mut health) = (Value::Null, Value::Null);
    if sees_all {
        incidents = answer(api::incident::list(State(console.clone()), Extension(operator.clone())).await)?;
        let query = Query(api::alert::AlertQuery::default());
        alerts = answer(api::alert::list(State(console.clone()), Extension(operator.clone()), query).await)?;
        sentinel = answer(api::sentinel::status(State(console.clone()), Extension(operator.clone())).await)?;
        wishes = answer(api::agreement::list(State(console.clone()), Extension(operator.clone())).await)?;
        health = answer(api::health::show(State(console.clone()), Extension(operator.clone())).await)?;
    }
    let requests = answer(api::quarantine::request::list(State(console.clone()), Extension(operator.clone())).await)?;
    let requests: Vec<&Value> = requests.as_array().into_iter().flatten().collect();
    let jobs = answer(api::bulk::list(State(console.clone()), Extension(operator.clone())).await)?;
    let waiting = jobs.as_array().into_iter().flatten().filter(|one| text(one, "stage") == "waiting").count();
    let open: Vec<&Value> =
        incidents.as_array().into_iter().flatten().filter(|one| text(one, "stage") != "resolved").collect();
    let tracked = tracked(&console, &operator).await?;
    let body = html! {
        h1 { "Overview" }
        (needs_a_person(&operator, &alerts, &wishes, &open, &requests, waiting))
        section.cards {
            (card("Messages, 24 h", flow["units"].as_u64().unwrap_or(0), &explorer(DAY), "plain"))
            @for (name, state, class) in [("Delivered", "delivered", "good"), ("Held", "held", "bad"), ("Released", "released", "good")] {
                (card(name, of_state(&flow, state), &explorer(&format!("{DAY} state:{state}")), class))
            }
            @if sees_all {
                (card("Open incidents", open.len() as u64, "/incidents", if open.is_empty() { "good" } else { "bad" }))
                @let contained = list(&sentinel, "contained").count() as u64;
                (card("Contained detections", contained, "/sentinel", if contained == 0 { "good" } else { "warn" }))
            }
        }
        @if !tracked.is_empty() { section { h2 { "Tracked queries, 24 h" } div.numbers {
            @for (name, q, units, is_whole) in &tracked { a href=(explorer(q)) { span.number { (units) @if !is_whole { "+" } } span { (name) } } }
        } } }
        section {
            h2 { "Mail flow, last 24 hours" @if flow["next"].is_string() { " (the newest part: there is too much to add up at once)" } }
            (chart::over_time(&flow, console.clock.now(), 24, ""))
        }
        section.facets {
            @for pivot in list(&flow, "by") {
                @let field = text(pivot, "field");
                @let sums: Vec<(String, u64)> = list(pivot, "values").map(|sum| (text(sum, "value").to_owned(), sum["units"].as_u64().unwrap_or(0))).collect();
                (chart::bars(field, &sums, |value| explorer(&format!("{DAY} {field}:{value}"))))
            }
        }
        @if sees_all { (memory(&sentinel)) (all_is_well(&health)) }
    };
    Ok(page(&operator, "/", "Overview", body))
}

/// Queries that somebody wants to see here: name, query within the last day, how much fits, and whether that is all.
async fn tracked(console: &Console, operator: &Operator) -> Result<Vec<(String, String, u64, bool)>, ApiError> {
    let saved = answer(api::saved::list(State(console.clone()), Extension(operator.clone())).await)?;
    let mut tracked = Vec::new();
    for one in saved.as_array().into_iter().flatten().filter(|one| one["tracked"] == true).take(TRACKED_MAX) {
        let q = format!("({}) {DAY}", text(one, "q"));
        let ask = SummaryQuery { q: q.clone(), patience: Some(TRACKED_PATIENCE), ..SummaryQuery::default() };
        let sums =
            answer(api::explore::summary(State(console.clone()), Extension(operator.clone()), Query(ask)).await)?;
        tracked.push((text(one, "name").to_owned(), q, sums["units"].as_u64().unwrap_or(0), sums["next"].is_null()));
    }
    Ok(tracked)
}

fn of_state(flow: &Value, state: &str) -> u64 {
    let states = list(flow, "by").find(|pivot| text(pivot, "field") == "state");
    let sum = states.and_then(|pivot| list(pivot, "values").find(|sum| text(sum, "value") == state));
    sum.and_then(|sum| sum["units"].as_u64()).unwrap_or(0)
}

fn card(name: &str, number: u64, href: &str, class: &str) -> Markup {
    html! { a.card.(if number == 0 && class == "bad" { "good" } else { class }) href=(href) { span.number { (number) } span { (name) } } }
}

/// What waits for somebody: open incidents, what takes a second person, calls, and what recipients ask for.
fn needs_a_person(
    operator: &Operator,
    alerts: &Value,
    wishes: &Value,
    open: &[&Value],
    requests: &[&Value],
    waiting: usize,
) -> Markup {
    let [alerts, wishes] = [alerts, wishes].map(|all| all.as_array().into_iter().flatten().collect::<Vec<&Value>>());
    html! {
        section.needs aria-label="What needs a person" {
            @if alerts.is_empty() && wishes.is_empty() && open.is_empty() && requests.is_empty() && waiting == 0 { p.calm { "Nothing needs a person." } }
            @for incident in open {
                article.notice.bad {
                    p { a href={ "/incidents/" (text(incident, "id")) } { (text(incident, "id")) } " " (chip(text(incident, "stage"))) " " (text(incident, "title")) }
                    @let progress = &incident["progress"];
                    progress max="100" value=(progress["percent"].as_f64().unwrap_or(0.0)) aria-label="Taken back" {}
                    p.dim { (progress["over"]) " of " (progress["units"]) " units are over; " (progress["restored"]) " restored" }
                }
            }
            @if !requests.is_empty() {
                article.notice.warn { p {
                    strong { (requests.len()) @if requests.len() == 1 { " recipient asks" } @else { " recipients ask" } " for held mail" } " "
                    a href="/requests" { "Decide" }
                } }
            }
            @if waiting > 0 {
                article.notice.warn { p { strong { (waiting) @if waiting == 1 { " job waits" } @else { " jobs wait" } } " until a second person agrees " a href="/bulk" { "Jobs" } } }
            }
            @for wish in wishes {
                article.notice.warn { p {
                    strong { (text(wish, "actor")) " wants " code { (text(wish, "what")) } " of " code { (text(wish, "object")) } } ": " (text(wish, "reason"))
                    ". It is done when somebody else asks for the same before " (moment(text(wish, "until"))) "."
                } }
            }
            @for alert in alerts {
                article.notice.warn {
                    p { strong { (text(alert, "subject")) } " " (chip(text(alert, "kind"))) " " (moment(text(alert, "at"))) }
                    p { (text(alert, "text")) }
                    @if operator.role.may(Permission::Rules) {
                        form.inline method="post" action="/alerts/act" { (enter_does_nothing())
                            input type="hidden" name="number" value=(alert["number"]);
                            (reason(false))
                            button { "I have seen it" }
                        }
                    }
                }
            }
        }
    }
}

/// Books, engines, what runs in the background: in a line each, with the page that has more.
fn all_is_well(health: &Value) -> Markup {
    let books = &health["books"];
    let troubled = |key: &str, is_well: fn(&Value) -> bool| -> Vec<String> {
        let name = if key == "engines" { "engine" } else { "name" };
        list(health, key).filter(|one| !is_well(one)).map(|one| text(one, name).to_owned()).collect()
    };
    let engines = troubled("engines", |one| one["failed"] == 0);
    let loops = troubled("reconcilers", |one| matches!(text(one, "state"), "ok" | "running"));
    html! {
        section {
            h2 { "Gateway" }
            ul.plain {
                li { @match books["balanced"].as_bool() {
                    Some(true) => { (chip("ok")) " The books balance: " (books["accepted"]) " units, each in exactly one account; checked " (moment(text(books, "at"))) }
                    Some(false) => { (chip("failing")) " The books do not balance; checked " (moment(text(books, "at"))) }
                    None => { (chip("waiting")) " The books have not been checked yet" }
                } }
                li { @if engines.is_empty() { (chip("ok")) " Engines answer" } @else { (chip("failing")) " With the last mails failed: " (engines.join(", ")) } }
                li { @if loops.is_empty() { (chip("ok")) " All loops in the background run" } @else { (chip("failing")) " In trouble: " (loops.join(", ")) } }
            }
            p { a href="/health" { "Health" } }
        }
    }
}

fn memory(sentinel: &Value) -> Markup {
    let acts = sentinel["acts"] == true;
    html! {
        section {
            h2 { "Sentinel" }
            p {
                @if acts { (chip("live")) " A detection that the past convicts is contained by itself." }
                @else { (chip("recommend")) " People are called; nothing is contained by itself." }
                " " a href="/sentinel" { "What it knows" }
            }
        }
    }
}
