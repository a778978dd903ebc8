//! Detections: what is in force, how often each hits, what people say of it, and what they do about it.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use domain::detection::DetectionCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::chart;
use super::explorer::back_to;
use super::fault::PageResult;
use super::form::Form;
use super::page::{
    answer, asked, chip, enter_does_nothing, explorer, facts, list, moment, page, quoted, reason, text, view,
};
use super::{incident, sentinel};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api;
use crate::api::error::ApiError;
use crate::api::explore::{SummaryQuery, SummaryView};
use crate::api::hits::HitsQuery;
use platform::percent::encoded;

/// Seconds of a column of the chart of a detection, and columns: 7 days.
const COLUMN_SECONDS: u64 = 7200;
/// See [`COLUMN_SECONDS`].
const COLUMNS: usize = 84;
/// Milliseconds that the sums of a page may take.
const SUMMED_UP_MS: u64 = 1000;

async fn hits(console: &Console, operator: &Operator) -> Result<Value, ApiError> {
    let ask = json!({ "days": 7 });
    let ask: HitsQuery = asked(ask)?;
    answer(api::hits::hits(State(console.clone()), Extension(operator.clone()), Query(ask)).await)
}

/// `GET /detections`.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(console): State<Console>, Extension(operator): Extension<Operator>) -> PageResult {
    let all = answer(api::detection::list(State(console.clone()), Extension(operator.clone())).await)?;
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut said = BTreeMap::new();
    if operator.must_see_all().is_ok() {
        let hits = hits(&console, &operator).await?;
        for hour in list(&hits, "hours") {
            let sum = sums.entry(text(hour, "detection").to_owned()).or_default();
            sum.0 += hour["hits"].as_u64().unwrap_or(0);
            sum.1 += hour["acted"].as_u64().unwrap_or(0);
        }
        said = list(&hits, "contradictions")
            .map(|one| (text(one, "detection").to_owned(), one["messages"].as_u64().unwrap_or(0)))
            .collect();
    }
    let known: Vec<&str> = all.as_array().into_iter().flatten().map(|one| text(one, "code")).collect();
    let outside: Vec<(&String, &(u64, u64))> =
        sums.iter().filter(|(code, _)| !known.contains(&code.as_str())).collect();
    let body = html! {
        h1 { "Detections" }
        p.dim { (known.len()) " in force. Hits are messages of the last 7 days that it found something in. It could act on those on which it was enforced with an effect that holds or blocks: what was held is policy's to say, and what is held now is " code { "detection:CODE state:held" } " in the explorer. Said to be wrong are those that somebody called a false positive, or that an incident cleared." }
        div.scroll { table {
            thead { tr { th { "Detection" } td {} th { "Category" } th { "Effect" } th { "Mode" } th.right { "Hits" } th.right { "Could act on" } th.right { "Said to be wrong" } } }
            tbody {
                @for one in all.as_array().into_iter().flatten() { @let code = text(one, "code"); @let (hits, acted) = sums.get(code).copied().unwrap_or_default(); tr {
                    td { a href={ "/detections/" (encoded(code)) } { (code) } }
                    td { (text(one, "title")) }
                    td { (text(one, "category")) } td { (chip(text(one, "effect"))) }
                    td { (mode(one)) }
                    td.right { @if hits > 0 { a href=(explorer(&format!("detection:{} received:>=-7d", quoted(code)))) { (hits) } } @else { span.dim { "0" } } }
                    td.right { (acted) } td.right { (said.get(code).copied().unwrap_or(0)) }
                } }
                @for (code, (hits, acted)) in outside { tr {
                    td { a href={ "/detections/" (encoded(code)) } { (code) } } td.dim { "of an engine outside, or not in force any more" } td {} td {} td {}
                    td.right { a href=(explorer(&format!("detection:{} received:>=-7d", quoted(code)))) { (hits) } } td.right { (acted) } td.right { (said.get(code).copied().unwrap_or(0)) }
                } }
            }
        } }
    };
    Ok(page(&operator, "/detections", "Detections", body))
}

fn mode(one: &Value) -> Markup {
    html! {
        @match one["set"]["mode"].as_str() {
            Some(set) => { (chip(set)) " until " (moment(text(&one["set"], "until"))) }
            None => { (text(one, "mode")) }
        }
    }
}

/// `GET /detections/{code}`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
) -> PageResult {
    let (state, who) = (|| State(console.clone()), || Extension(operator.clone()));
    operator.may(Permission::Look)?;
    DetectionCode::parse(&code).map_err(|_| ApiError::NotFound(format!("there is no detection {code}")))?;
    let code = api::word::detection(console.store()?, &code).await?.to_string();
    // One of an engine outside is known by what it hits alone.
    let shown = match answer(api::detection::show(state(), who(), Path(code.clone())).await) {
        Err(ApiError::NotFound(_)) => Value::Null,
        other => other?,
    };
    let may = operator.role.may(Permission::Rules);
    let sees_all = operator.must_see_all().is_ok();
    let mut heard = Value::Null;
    if sees_all {
        heard = answer(api::sentinel::explain(state(), who(), Path(code.clone())).await)?;
    }
    let (units_of_it, units) = units_of(&console, &operator, &code).await?;
    let body = html! {
        h1 { (code) @if !shown.is_null() { ": " (text(&shown, "title")) } }
        @if shown.is_null() { p.dim { "It is not in the ruleset in force: one of an engine outside, or one that was taken back." } }
        @if !shown.is_null() {
            (facts(&[
                ("Version", html! { code { (text(&shown, "version")) } }),
                ("Reads", html! { (text(&shown, "target")) ", judges " (text(&shown, "scope")) }),
                ("Category", html! { (text(&shown, "category")) }),
                ("Effect", chip(text(&shown, "effect"))),
                ("Mode", mode(&shown)),
                ("Owner", html! { (text(&shown, "owner")) }),
                ("Messages", html! { a href=(explorer(&format!("detection:{}", quoted(&code)))) { "in the explorer" } }),
            ]))
        }
        (track_record(&shown))
        (what_became_of_it(&console, &units_of_it, &units))
        @if may && sees_all {
            section.actions { h2 { "Act" }
                (modes(&code))
                (sentinel::acting(&code, "contain", "Contain it"))
                (incident::opening(&code, "", ""))
            }
        }
        (evidence(&heard))
        @if !text(&shown, "page").is_empty() { section { h2 { "Documentation" } pre.page { (text(&shown, "page")) } } }
        @if !text(&shown, "source").is_empty() { details { summary { "Source" } pre.mail { (text(&shown, "source")) } } }
        (fixtures(&shown["fixtures"]))
        (history(&shown))
    };
    Ok(page(&operator, "/detections", &code, body))
}

/// The units of the last 7 days that it found something in, as the explorer finds and counts them: the query, and its sums.
async fn units_of(console: &Console, operator: &Operator, code: &str) -> Result<(String, SummaryView), ApiError> {
    let q = format!("detection:{} received:>=-7d", quoted(code));
    let ask = SummaryQuery {
        q: q.clone(),
        interval: Some(COLUMN_SECONDS),
        patience: Some(SUMMED_UP_MS),
        ..SummaryQuery::default()
    };
    let sums = api::explore::summary(State(console.clone()), Extension(operator.clone()), Query(ask)).await;
    Ok((q, view(sums)?))
}

/// What has become of the units that it found something in. One definition and one query for what is called held, here and in the explorer.
fn what_became_of_it(console: &Console, q: &str, sums: &SummaryView) -> Markup {
    let states = sums.by.iter().find(|pivot| pivot.field == "state").into_iter().flat_map(|pivot| &pivot.values);
    let held: u64 = states.filter(|sum| sum.value == "held").map(|sum| sum.units).sum();
    html! {
        section {
            h2 { "What became of its hits, last 7 days" @if sums.next.is_some() { " (the newest part: there is too much to add up at once)" } }
            p {
                a href=(explorer(q)) { (sums.units) " units" } ", " a href=(explorer(&format!("{q} state:held"))) { (held) " held" } ". "
                span.dim { "A unit is one message for one recipient. Held is what is in the quarantine now and waits for a decision, as " code { "state:held" } " finds it; what was released, denied or deleted since is not." }
            }
            (chart::over_time(sums, console.clock.now(), COLUMNS, q))
        }
    }
}

/// How right it has been, and what it costs.
fn track_record(shown: &Value) -> Markup {
    let record = &shown["record"];
    let share = |value: &Value| value.as_f64().map(|share| format!("{:.2} %", share * 100.0));
    html! {
        @if record.is_object() {
            (facts(&[
                ("Precision seen", html! { @match (share(&record["precision"]), share(&record["precision_least"])) {
                    (Some(seen), Some(least)) => { (seen) span.dim { ", at least " (least) ": " (record["contradicted"]) " of " (record["acted"]) " messages that it could act on in " (record["days"]) " days were called a false positive, or cleared by an incident; a release alone says nothing of it" } }
                    _ => span.dim { "there was nothing that it could act on in " (record["days"]) " days" }
                } }),
                ("Good content that it hits", html! { @match share(&record["false_positives_most"]) {
                    Some(most) => { "at most " (most) span.dim { ": " (record["probe_hits"]) " of " (record["probe_seen"]) " when it was last tried" } }
                    None => span.dim { "not tried on known-good content yet" }
                } }),
                ("Cost", html! { @match shown["cost_ms"].as_f64() {
                    Some(ms) => { (format!("{ms:.2}")) " ms for 1 MiB" }
                    None => span.dim { "none of its own: one pass over a mail serves all checks" }
                } }),
            ]))
        }
    }
}

/// What it was tried on when it was built.
fn fixtures(both: &Value) -> Markup {
    html! {
        @if both.is_object() {
            section {
                h2 { "Fixtures" }
                p.dim { "The ruleset was not built before the detection hit the first and missed the second." }
                details { summary { "A mail that it must hit" } pre.mail { (text(both, "hit")) } }
                details { summary { "A mail that it must miss" } pre.mail { (text(both, "miss")) } }
            }
        }
    }
}

/// Its versions, and what changed in each.
fn history(shown: &Value) -> Markup {
    html! {
        @if list(shown, "versions").next().is_some() {
            section {
                h2 { "History" }
                ol.timeline reversed { @for one in list(shown, "versions") { li {
                    a href=(explorer(&format!("version:{}", quoted(text(one, "version"))))) { code { (text(one, "version")) } } " since " (moment(text(one, "first_seen")))
                    @if !text(one, "changes").is_empty() { details { summary { "What changed" } pre.mail { (text(one, "changes")) } } }
                } } }
            }
        }
    }
}

fn modes(code: &str) -> Markup {
    html! {
        form.inline method="post" action={ "/detections/" (encoded(code)) "/act" } { (enter_does_nothing())
            (reason(true))
            label { "Hours" input type="number" name="hours" value="24" min="1" max="8760"; }
            button.quiet name="mode" value="shadow" { "Only watch" }
            button.quiet name="mode" value="off" { "Switch off" }
            button.quiet name="mode" value="enforce" { "Enforce" }
        }
    }
}

fn evidence(heard: &Value) -> Markup {
    let lines: Vec<&Value> = list(heard, "journal").take(50).collect();
    html! {
        @if !lines.is_empty() {
            section {
                h2 { "What the sentinel has heard" }
                @for one in list(heard, "versions") { p { code { (text(one, "detection_version")) } " " (chip(text(one, "state"))) " evidence " (format!("{:.2e}", one["evidence"].as_f64().unwrap_or(0.0))) ": hits " (one["hits"]) ", witnesses " (one["witnesses"]) ", probe " (one["probe_hits"]) " of " (one["probe_seen"]) } }
                ol.timeline { @for line in lines { li { (moment(text(line, "at"))) " " strong { (text(line, "event")) } " " (text(line, "text")) } } }
            }
        }
    }
}

/// `POST /detections/{code}/act`: sets its mode for a time.
///
/// # Errors
/// What the API says.
pub async fn act(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
    form: Form,
) -> PageResult {
    let hours: u64 = form.one("hours").parse().map_err(|_| ApiError::Bad("hours is a number".into()))?;
    let ask = json!({ "mode": form.one("mode"), "reason": form.one("reason"), "hours": hours });
    let ask = asked(ask)?;
    answer(api::detection::mode(State(console), Extension(operator), Path(code.clone()), Json(ask)).await)?;
    Ok(back_to(&format!("/detections/{}", encoded(&code))))
}
