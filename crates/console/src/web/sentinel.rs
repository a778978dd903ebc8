//! What the sentinel knows against detections, what it holds back, and what people tell it.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::explorer::back_to;
use super::fault::PageResult;
use super::form::Form;
use super::page::{answer, asked, chip, enter_does_nothing, facts, list, moment, page, reason, text};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api;
use platform::percent::encoded;

/// `GET /sentinel`.
///
/// # Errors
/// What the API says.
pub async fn show(State(console): State<Console>, Extension(operator): Extension<Operator>) -> PageResult {
    let shown = answer(api::sentinel::status(State(console), Extension(operator.clone())).await)?;
    let may = operator.role.may(Permission::Rules);
    let memory = &shown["memory"];
    let body = html! {
        h1 { "Sentinel" }
        p {
            @if shown["acts"] == true { "A detection that known-good mail convicts is contained by itself, its incident opened and what it held replayed." }
            @else if text(&shown, "containment") == "automatic" { "The memory is not strong enough yet: people are called, and nothing is contained by itself." }
            @else { "People are called, and nothing is contained by itself." }
        }
        (facts(&[
            ("Memory", html! { (text(memory, "strength")) }),
            ("Contents that may testify", html! { (memory["eligible"]) " of " (memory["strong_contents"]) " that make it strong" }),
            ("Senders known", html! { (memory["established"]) " established of " (memory["identities"]) ", " (memory["internal"]) " of our own" }),
        ]))
        (contained(&shown, may))
        (suspects(&shown))
        @if list(&shown, "pinned").next().is_some() {
            section { h2 { "Pinned" } p.dim { "Nothing contains these by itself; the same evidence calls people." }
                ul { @for pin in list(&shown, "pinned") { li { a href={ "/detections/" (encoded(text(pin, "detection"))) } { (text(pin, "detection")) } " since " (moment(text(pin, "since"))) " by " (text(pin, "by")) ": " (text(pin, "reason")) } } } }
        }
    };
    Ok(page(&operator, "/sentinel", "Sentinel", body))
}

fn contained(shown: &Value, may: bool) -> Markup {
    let held: Vec<&Value> = list(shown, "contained").collect();
    html! {
        section {
            h2 { "Held back" }
            @if held.is_empty() { p.calm { "Nothing is held back." } }
            @for one in held { article.notice.warn {
                p { a href={ "/detections/" (encoded(text(one, "detection"))) } { strong { (text(one, "detection")) } } " " code { (text(one, "detection_version")) } " " (chip(text(one, "level"))) " since " (moment(text(one, "since"))) " by " (text(one, "by")) }
                p { (text(one, "reason")) }
                @if may { (acting(text(one, "detection"), "release", "Give it back")) }
            } }
        }
    }
}

/// A form that contains a detection, or gives it back.
pub fn acting(detection: &str, verb: &str, name: &str) -> Markup {
    html! {
        form.inline method="post" action="/sentinel/act" { (enter_does_nothing())
            input type="hidden" name="detection" value=(detection);
            input type="hidden" name="do" value=(verb);
            (reason(true))
            button.quiet { (name) }
        }
    }
}

fn suspects(shown: &Value) -> Markup {
    let all: Vec<&Value> = list(shown, "suspects").collect();
    html! {
        section {
            h2 { "What is known against detections" }
            p.dim { "Evidence is compared with 10,000, or 1,000 in the first day of a version. Only content that known senders carried before it came testifies." }
            @if all.is_empty() { p.calm { "Nothing is held against any detection." } }
            @else { div.scroll { table {
                thead { tr { th { "Detection" } th { "State" } th.right { "Evidence" } th.right { "Live" } th { "Probe" } th.right { "Hits" } th.right { "Known senders" } th.right { "Witnesses" } } }
                tbody { @for one in all { tr {
                    td { a href={ "/detections/" (encoded(text(one, "detection"))) } { (text(one, "detection")) } br; code { (text(one, "detection_version")) } }
                    td { (chip(text(one, "state"))) }
                    td.right { (weight(&one["evidence"])) } td.right { (weight(&one["live_evidence"])) }
                    td { (one["probe_hits"]) " of " (one["probe_seen"]) }
                    td.right { (one["hits"]) } td.right { (one["senders"]) } td.right { (one["witnesses"]) }
                } } }
            } } }
        }
    }
}

fn weight(value: &Value) -> String {
    let weight = value.as_f64().unwrap_or(0.0);
    if weight < 1000.0 { format!("{weight:.2}") } else { format!("{weight:.1e}") }
}

/// `POST /sentinel/act`: contains a detection, or gives it back.
///
/// # Errors
/// What the API says.
pub async fn act(State(console): State<Console>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let ask = json!({ "detection": form.one("detection"), "reason": form.one("reason"), "release": form.one("do") == "release" });
    let ask = asked(ask)?;
    answer(api::sentinel::contain(State(console), Extension(operator), Json(ask)).await)?;
    Ok(back_to("/sentinel"))
}
