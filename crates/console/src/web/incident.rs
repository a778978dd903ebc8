//! Incidents: what a wrong detection held, how far it is taken back, and what people do about it.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::{Extension, Json};
use futures_util::{StreamExt, stream};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::chart;
use super::explorer::back_to;
use super::fault::PageResult;
use super::form::Form;
use super::page::{answer, asked, chip, enter_does_nothing, explorer, facts, list, moment, page, quoted, reason, text};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api;
use crate::api::error::ApiError;
use crate::api::incident::ReportQuery;
use crate::serve::stopped;
use platform::percent::encoded;

/// How often a page that is open hears how far it is.
const EVERY: Duration = Duration::from_secs(1);
/// After how many words a stream ends; the page begins another.
const WORDS_MAX: u32 = 3600;

/// `GET /incidents`: all of them.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(console): State<Console>, Extension(operator): Extension<Operator>) -> PageResult {
    let incidents = answer(api::incident::list(State(console), Extension(operator.clone())).await)?;
    let rows: Vec<&Value> = incidents.as_array().into_iter().flatten().collect();
    let body = html! {
        h1 { "Incidents" }
        p.dim { "A detection is, or may be, wrong: what it held is kept, examined again, and what is good is delivered. The public sees " a href="/status/" { "the status page" } "." }
        @if rows.is_empty() { p.calm { "There was none." } }
        @else { div.scroll { table {
            thead { tr { th { "Incident" } th { "Stage" } th { "Detection" } th { "Opened (UTC)" } th.right { "Units" } th.right { "Restored" } th { "Over" } } }
            tbody { @for one in &rows { @let progress = &one["progress"]; tr {
                td { a href={ "/incidents/" (text(one, "id")) } { (text(one, "id")) } br; span.dim { (text(one, "title")) } }
                td { (chip(text(one, "stage"))) @if one["paused"] == true { " paused" } }
                td { a href={ "/detections/" (encoded(text(one, "detection"))) } { (text(one, "detection")) } br; code { (text(one, "detection_version")) } }
                td.when { (moment(text(one, "opened"))) }
                td.right { (progress["units"]) } td.right { (progress["restored"]) }
                td { progress max="100" value=(progress["percent"].as_f64().unwrap_or(0.0)) {} }
            } } }
        } } }
        (replays(&rows, operator.role.may(Permission::Decide)))
    };
    Ok(page(&operator, "/incidents", "Incidents", body))
}

/// What is examined again, what came of it so far, and how to hold it up or let it go on.
fn replays(incidents: &[&Value], may: bool) -> Markup {
    let is_begun = |one: &&&Value| {
        matches!(text(one, "stage"), "replaying" | "releasing")
            || one["progress"]["pending"] != one["progress"]["units"]
    };
    let begun: Vec<&&Value> = incidents.iter().filter(is_begun).collect();
    html! {
        @if !begun.is_empty() { section #replays {
            h2 { "Replays" }
            div.scroll { table {
                thead { tr { th { "Incident" } th.right { "Examined again" } th.right { "Cleared" } th.right { "Upheld" } th.right { "Inconclusive" } th.right { "Settled" } th.right { "Restored" } th.right { "Left" } td {} } }
                tbody { @for one in begun { @let (id, progress) = (text(one, "id"), &one["progress"]); @let of = |key: &str| progress[key].as_u64().unwrap_or(0); tr {
                    td { a href={ "/incidents/" (id) } { (id) } }
                    td.right { (of("units").saturating_sub(of("pending"))) " of " (of("units")) }
                    td.right { (of("cleared")) } td.right { (of("upheld")) } td.right { (of("inconclusive")) } td.right { (of("settled")) } td.right { (of("restored")) }
                    td.right { @match progress["eta_seconds"].as_u64() { Some(seconds) if of("over") < of("units") => { (seconds) " s" } _ => {} } }
                    td { @if may && text(one, "stage") == "replaying" {
                        form.inline method="post" action={ "/incidents/" (id) "/act" } { (enter_does_nothing())
                            input type="text" name="text" required maxlength="4000" placeholder="Why, for the timeline" aria-label={ "Why " (id) " is held up or goes on, for the timeline" } autocomplete="off";
                            @if one["paused"] == true { button name="do" value="resume" { "Go on" } } @else { button.quiet name="do" value="pause" { "Pause" } }
                        }
                    } }
                } } }
            } }
        } }
    }
}

/// The numbers of a page that are kept up to date: their names, as the page has them.
const LIVE: [&str; 9] =
    ["units", "pending", "cleared", "upheld", "inconclusive", "settled", "asked", "restored", "over"];

/// `GET /incidents/{id}`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> PageResult {
    let shown =
        answer(api::incident::show(State(console.clone()), Extension(operator.clone()), Path(id.clone())).await)?;
    let progress = &shown["progress"];
    let body = html! {
        h1 { (id) ": " (text(&shown, "title")) }
        p { span data-live="stage" { (chip(text(&shown, "stage"))) } @if shown["paused"] == true { " " (chip("paused")) } }
        section.live data-events={ "/incidents/" (id) "/live" } {
            progress #percent max="100" value=(progress["percent"].as_f64().unwrap_or(0.0)) data-live-value="percent" aria-label="Taken back" {}
            p.dim { span data-live="percent" { (progress["percent"]) } " % over" span data-live="eta" { (eta(progress)) } }
            div.numbers { @for name in LIVE { div { span.number data-live=(name) { (progress[name]) } span { (name) } } } }
        }
        @if operator.role.may(Permission::Decide) { (actions(&id, text(&shown, "stage"), shown["paused"] == true)) }
        section {
            h2 { "Cause" }
            p { (text(&shown, "cause")) }
            (facts(&[
                ("Detection", html! { a href={ "/detections/" (encoded(text(&shown, "detection"))) } { (text(&shown, "detection")) } " " code { (text(&shown, "detection_version")) } }),
                ("In force since", html! { @match shown["in_force_since"].as_str() { Some(at) => (moment(at)), None => span.dim { "not known" } } }),
                ("Began", html! { @match shown["began"].as_str() { Some(at) => (moment(at)), None => span.dim { "not known yet" } } }),
                ("Told the public", html! { (text(&shown, "public_text")) }),
                ("Ruleset", html! { code { (text(&shown, "ruleset")) } }),
                ("Contained", html! { @match shown["contained"].as_str() { Some(at) => (moment(at)), None => "no" } }),
                ("Owner", html! { @if text(&shown, "owner").is_empty() { span.dim { "nobody" } } @else { (text(&shown, "owner")) } }),
                ("Manifest", html! { (shown["waves"]) " waves, root " code { (text(&shown, "manifest_root")) } }),
                ("Report", html! { a href={ "/incidents/" (id) "/report?form=html" } { "page" } " " a href={ "/incidents/" (id) "/report?form=markdown" } { "Markdown" } " " a href={ "/incidents/" (id) "/report?form=json" } { "JSON" } }),
                ("Messages", html! { a href=(explorer(&format!("incident:{id}"))) { "in the explorer" } }),
            ]))
        }
        (reach(&id, &shown["blast_radius"]))
        (residual(&shown))
        (timeline(&shown))
    };
    Ok(page(&operator, "/incidents", &id, body))
}

fn eta(progress: &Value) -> String {
    let seconds = progress["eta_seconds"].as_u64();
    seconds.map_or(String::new(), |seconds| {
        format!(", about {} left", platform::report::span(Duration::from_secs(seconds)))
    })
}

fn actions(id: &str, stage: &str, is_paused: bool) -> Markup {
    html! {
        section.actions {
            h2 { "Act" }
            form method="post" action={ "/incidents/" (id) "/act" } { (enter_does_nothing())
                label { "What goes into the timeline" input type="text" name="text" required maxlength="4000" autocomplete="off"; }
                label.check { input type="checkbox" name="public" value="1"; " The public sees this line" }
                div.buttons {
                    button.quiet name="do" value="note" { "Add a note" }
                    @if matches!(stage, "investigating" | "contained") { button name="do" value="replay" { "Begin the replay" } }
                    @if stage == "replaying" { @if is_paused { button name="do" value="resume" { "Go on" } } @else { button.quiet name="do" value="pause" { "Pause" } } button.quiet name="do" value="cancel" { "Cancel the replay" } }
                    @if matches!(stage, "replaying" | "releasing") { button.quiet name="do" value="retry" { "Try again what was inconclusive" } }
                    @if stage == "resolved" { button.quiet name="do" value="reopen" { "Reopen" } } @else { button.quiet name="do" value="resolve" { "Resolve" } }
                    button.quiet name="do" value="own" { "It is mine" }
                }
            }
        }
    }
}

fn reach(id: &str, blast: &Value) -> Markup {
    let sums = |key: &str| -> Vec<(String, u64)> {
        list(blast, key).filter_map(|pair| Some((pair[0].as_str()?.to_owned(), pair[1].as_u64()?))).take(10).collect()
    };
    let within = |field: &str, value: &str| explorer(&format!("incident:{id} {field}:{}", quoted(value)));
    html! {
        section {
            h2 { "Reach" }
            div.facets {
                (chart::bars("direction", &sums("directions"), |value| within("direction", value)))
                (chart::bars("domain", &sums("domains"), |value| within("domain", value)))
                (chart::bars("senders", &sums("senders"), |value| within("sender", value)))
                (chart::bars("recipients", &sums("recipients"), |value| within("recipient", value)))
            }
        }
    }
}

fn residual(shown: &Value) -> Markup {
    let left: Vec<&Value> = list(shown, "residual").collect();
    html! {
        section {
            h2 { "What was not restored" }
            @if left.is_empty() { p.calm { "Nothing is left." } }
            @else { div.scroll { table {
                thead { tr { th { "Recipient" } th { "Sender" } th { "Subject" } th { "Outcome" } th { "State" } th { "Why" } } }
                tbody { @for one in left { tr {
                    td.address { (text(one, "recipient")) } td.address { (text(one, "sender")) }
                    td.subject { a href={ "/messages/" (text(one, "unit").split(['/', '.', '#']).next().unwrap_or_default()) } { @if text(one, "subject").is_empty() { "(no subject)" } @else { (text(one, "subject")) } } }
                    td { (chip(text(one, "outcome"))) } td { (chip(text(one, "account"))) } td { (text(one, "reason")) }
                } } }
            } } }
        }
    }
}

fn timeline(shown: &Value) -> Markup {
    html! {
        section {
            h2 { "Timeline" }
            ol.timeline { @for note in list(shown, "timeline") {
                li { (moment(text(note, "at"))) " " strong { (text(note, "what").replace('_', " ")) } " " (text(note, "text")) span.dim { " by " (text(note, "actor")) @if note["public"] == true { ", public" } } }
            } }
        }
    }
}

/// `GET /incidents/{id}/live`: how far it is, as server-sent events of JSON, each second that something has changed.
///
/// # Errors
/// What the API says.
pub async fn live(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> PageResult {
    // Once before the stream, so that a refusal is one.
    let ask = move |console: Console, operator: Operator, id: String| async move {
        let shown = answer(api::incident::progress(State(console), Extension(operator), Path(id)).await)?;
        Ok::<_, ApiError>(word(&shown))
    };
    let first = ask(console.clone(), operator.clone(), id.clone()).await?;
    let stop = console.readiness.stopping.clone();
    let words = stream::unfold((Some(first), String::new(), 0_u32), move |(first, mut last, count)| {
        let (console, operator, id) = (console.clone(), operator.clone(), id.clone());
        async move {
            if let Some(word) = first {
                let event = Event::default().data(word.clone());
                return Some((Ok::<_, Infallible>(event), (None, word, count + 1)));
            }
            for _ in count..WORDS_MAX {
                tokio::time::sleep(EVERY).await;
                let word = ask(console.clone(), operator.clone(), id.clone()).await.ok()?;
                if word != last {
                    last.clone_from(&word);
                    return Some((Ok(Event::default().data(word)), (None, last, count + 1)));
                }
            }
            None
        }
    });
    // A stream that is open keeps no stop waiting.
    let words = words.take_until(Box::pin(stopped(stop)));
    Ok(Sse::new(words).keep_alive(KeepAlive::default()).into_response())
}

fn word(shown: &Value) -> String {
    let progress = &shown["progress"];
    let mut word = json!({ "stage": text(shown, "stage"), "percent": progress["percent"], "eta": eta(progress) });
    for name in LIVE {
        word[name] = progress[name].clone();
    }
    word.to_string()
}

/// `GET /incidents/{id}/report`.
///
/// # Errors
/// What the API says.
pub async fn report(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    query: Query<ReportQuery>,
) -> PageResult {
    let response = api::incident::report(State(console), Extension(operator), Path(id), query).await?;
    // The report has its style in itself, and nothing else.
    let policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    let mut response = response;
    response.headers_mut().insert("content-security-policy", axum::http::HeaderValue::from_static(policy));
    Ok(response)
}

/// `POST /incidents/{id}/act`.
///
/// # Errors
/// What the API says.
pub async fn act(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    form: Form,
) -> PageResult {
    let (action, owner) = match form.one("do") {
        "own" => ("note", Some(operator.name.clone())),
        other => (other, None),
    };
    let ask =
        json!({ "action": action, "text": form.one("text"), "public": form.one("public") == "1", "owner": owner });
    let ask = asked(ask)?;
    answer(api::incident::change(State(console), Extension(operator), Path(id.clone()), Json(ask)).await)?;
    Ok(back_to(&format!("/incidents/{id}")))
}

/// `POST /incidents/open`: an incident about a detection.
///
/// # Errors
/// What the API says.
pub async fn open(State(console): State<Console>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let version = Some(form.one("version")).filter(|version| !version.is_empty());
    let ask = asked(json!({ "detection": form.one("detection"), "version": version, "reason": form.one("reason") }))?;
    let opened = answer(api::incident::open(State(console), Extension(operator), Json(ask)).await)?;
    Ok(back_to(&format!("/incidents/{}", text(&opened, "id"))))
}

/// A form that opens an incident about a detection, in this version, or in the one in force without. `mail` is the message on whose page it stands,
/// if it stands on one.
pub fn opening(detection: &str, version: &str, mail: &str) -> Markup {
    html! {
        form.inline method="post" action="/incidents/open" { (enter_does_nothing())
            input type="hidden" name="detection" value=(detection);
            input type="hidden" name="version" value=(version);
            input type="hidden" name="mail" value=(mail);
            (reason(true))
            button.quiet { "Open an incident" @if !version.is_empty() { " about " (detection) " " (version) } }
        }
    }
}
