//! The first page: whether mail flows, what was held, what goes wrong, and what needs a person.

use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde_json::Value;

use super::chart;
use super::fault::PageResult;
use super::page::{answer, chip, explorer, list, moment, page, reason, text};
use crate::console::Console;
use crate::console::access::{Operator, Permission};
use crate::console::api;
use crate::console::api::explore::SummaryQuery;

/// Milliseconds for which the last day is added up: half a million messages, about.
const PATIENCE: u64 = 800;
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
    let (mut incidents, mut alerts, mut sentinel) = (Value::Null, Value::Null, Value::Null);
    if sees_all {
        incidents = answer(api::incident::list(State(console.clone()), Extension(operator.clone())).await)?;
        let query = Query(api::alert::AlertQuery::default());
        alerts = answer(api::alert::list(State(console.clone()), Extension(operator.clone()), query).await)?;
        sentinel = answer(api::sentinel::status(State(console.clone()), Extension(operator.clone())).await)?;
    }
    let requests = answer(api::quarantine::request::list(State(console.clone()), Extension(operator.clone())).await)?;
    let requests: Vec<&Value> = requests.as_array().into_iter().flatten().collect();
    let open: Vec<&Value> =
        incidents.as_array().into_iter().flatten().filter(|one| text(one, "stage") != "resolved").collect();
    let body = html! {
        h1 { "Overview" }
        (needs_a_person(&operator, &alerts, &open, &requests))
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
        @if sees_all { (memory(&sentinel)) }
    };
    Ok(page(&operator, "/", "Overview", body))
}

fn of_state(flow: &Value, state: &str) -> u64 {
    let states = list(flow, "by").find(|pivot| text(pivot, "field") == "state");
    let sum = states.and_then(|pivot| list(pivot, "values").find(|sum| text(sum, "value") == state));
    sum.and_then(|sum| sum["units"].as_u64()).unwrap_or(0)
}

fn card(name: &str, number: u64, href: &str, class: &str) -> Markup {
    html! { a.card.(if number == 0 && class == "bad" { "good" } else { class }) href=(href) { span.number { (number) } span { (name) } } }
}

/// What waits for somebody: open incidents, calls, and what recipients ask for.
fn needs_a_person(operator: &Operator, alerts: &Value, open: &[&Value], requests: &[&Value]) -> Markup {
    let alerts: Vec<&Value> = alerts.as_array().into_iter().flatten().collect();
    html! {
        section.needs aria-label="What needs a person" {
            @if alerts.is_empty() && open.is_empty() && requests.is_empty() { p.calm { "Nothing needs a person." } }
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
            @for alert in alerts {
                article.notice.warn {
                    p { strong { (text(alert, "subject")) } " " (chip(text(alert, "kind"))) " " (moment(text(alert, "at"))) }
                    p { (text(alert, "text")) }
                    @if operator.role.may(Permission::Rules) {
                        form.inline method="post" action="/alerts/act" {
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
