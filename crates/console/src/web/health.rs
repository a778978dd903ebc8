//! How it goes: the books, what runs in the background, room, engines; and the settings in force.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use domain::Timestamp;
use maud::{Markup, html};
use serde_json::Value;

use super::fault::PageResult;
use super::page::{answer, chip, explorer, list, moment, page, size, text};
use crate::Console;
use crate::access::Operator;
use crate::api::{detection, health, ledger};

/// Figures that are younger are as good as new.
const A_MOMENT: Duration = Duration::from_secs(10);

/// What is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct How {
    /// The books are checked now, which takes its time over millions of units.
    check: Option<String>,
}

/// `GET /health`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(how): Query<How>,
) -> PageResult {
    let (state, who) = (|| State(console.clone()), || Extension(operator.clone()));
    let engines = answer(detection::engines(state(), who()).await)?;
    let (mut books, mut goes) = (Value::Null, Value::Null);
    let sees_all = operator.must_see_all().is_ok();
    if sees_all {
        goes = answer(health::show(state(), who()).await)?;
        books = match &goes["books"] {
            checked if checked.is_object() && how.check.is_none() => checked.clone(),
            _ => answer(ledger::check(state(), who(), Query(ledger::LedgerQuery::default())).await)?,
        };
    }
    let body = html! {
        h1 { "Health" }
        @if sees_all {
            p { a href="/settings" { "The settings in force" } }
            (the_books(&books, console.clock.now()))
            (background(&goes))
            (room(&goes["volume"]))
            (what_is_kept(&goes))
        }
        (engines_now(&goes))
        section {
            h2 { "Versions that engines have said they are" }
            div.scroll { table {
                thead { tr { th { "Engine" } th { "Version" } th { "Data" } th { "First seen (UTC)" } } }
                tbody { @for one in engines.as_array().into_iter().flatten() { tr { td { (text(one, "engine")) } td { (text(one, "version")) } td { (text(one, "data_version")) } td.when { (moment(text(one, "first_seen"))) } } } }
            } }
        }
        section { h2 { "For machines" } ul {
            li { a href="/metrics" { "Prometheus metrics" } } li { a href="/api/v1/openapi.json" { "The document of the API" } } li { a href="/readyz" { "Readiness" } }
        } }
    };
    Ok(page(&operator, "/health", "Health", body))
}

/// When something was counted, and how long ago: what is older than a moment is not taken for what is now.
fn counted(at: &str, now: Timestamp) -> Markup {
    let ago = Timestamp::parse(at).map(|at| now.since(at)).unwrap_or_default();
    html! { (moment(at)) " UTC" @if ago >= A_MOMENT { ", " strong { (platform::report::span(ago)) " ago" } } }
}

fn the_books(books: &Value, now: Timestamp) -> Markup {
    html! {
        section {
            h2 { "The books" }
            p { "Counted " @match books["at"].as_str() {
                Some(at) => { (counted(at, now)) ", in " (format!("{:.0}", books["took_ms"].as_f64().unwrap_or(0.0))) " ms. What came since is not in it." }
                None => { "just now, at " (moment(&now.to_string())) " UTC." }
            } " " a href="/health?check=now" { "Count now" } }
            @if books["balanced"] == true { p.calm { @if books["at"].is_string() { "They balanced: " } @else { "They balance: " }  (books["accepted"]) " units were accepted, and each is in exactly one account." } }
            @else { div.wrong role="alert" { p { strong { "They do not balance" } } ul { @for fault in list(books, "faults") { li { (fault.as_str().unwrap_or_default()) } } } } }
            div.numbers { @for (account, units) in books["accounts"].as_object().into_iter().flatten() {
                a href=(explorer(&format!("state:{account}"))) { span.number { (units) } span { (account.replace('_', " ")) } }
            } }
            p.dim { (books["unconfirmed"]) " units are unconfirmed: passed on without a recorded answer, or refused." }
        }
    }
}

fn background(goes: &Value) -> Markup {
    html! {
        section {
            h2 { "In the background" }
            p.dim { "Each loop may be killed at any moment and goes on where it was. One that failed is tried again with its next round." }
            div.scroll { table {
                thead { tr { th { "Loop" } th { "State" } th { "Last round (UTC)" } th.right { "Took" } th.right { "At least every" } th { "Last fault" } th.right { "Items that fail" } } }
                tbody { @for one in list(goes, "reconcilers") { tr {
                    td { (text(one, "name")) } td { (chip(text(one, "state"))) }
                    td.when { @match one["last"].as_str() { Some(at) => (moment(at)), None => "not ended yet" } }
                    td.right { @if let Some(ms) = one["took_ms"].as_f64() { (format!("{ms:.1} ms")) } }
                    td.right { (one["period_s"]) " s" }
                    td { @if let Some(at) = one["failed"].as_str() { (moment(at)) ": " (text(one, "fault")) } }
                    td.right { (one["failing"]) }
                } } }
            } }
            @for one in list(goes, "reconcilers") { @if one["failing"] != 0 {
                h3 { "What fails of " (text(one, "name")) }
                p.dim { "Each is tried again after a rest of up to ten minutes; nothing else waits for it." }
                div.scroll { table {
                    thead { tr { th { "Item" } th.right { "Failures" } th { "Again at (UTC)" } th { "Why" } } }
                    tbody { @for item in list(one, "failing_items") { tr {
                        td { (text(item, "item")) } td.right { (item["failures"]) } td.when { (moment(text(item, "next"))) } td { (text(item, "fault")) }
                    } } }
                } }
            } }
        }
    }
}

/// How the engines fared with the mails that came last.
fn engines_now(goes: &Value) -> Markup {
    html! {
        @if list(goes, "engines").next().is_some() {
            section {
                h2 { "Engines, with the last mails" }
                div.scroll { table {
                    thead { tr { th { "Engine" } th { "State" } th.right { "Asked" } th.right { "Failed" } th.right { "Median" } th { "Last fault" } } }
                    tbody { @for one in list(goes, "engines") { tr {
                        td { (text(one, "engine")) } td { (chip(if one["failed"] == 0 { "ok" } else { "failing" })) }
                        td.right { (one["asked"]) } td.right { (one["failed"]) } td.right { (format!("{:.1} ms", one["median_ms"].as_f64().unwrap_or(0.0))) } td { (text(one, "fault")) }
                    } } }
                } }
            }
        }
    }
}

fn room(volume: &Value) -> Markup {
    let bytes = |key: &str| size(volume[key].as_i64().unwrap_or(0));
    let is_low = volume["free_bytes"].as_u64().is_some_and(|free| free < volume["floor_bytes"].as_u64().unwrap_or(0));
    html! {
        section {
            h2 { "Room" }
            @if is_low { div.wrong role="alert" { p { strong { "Nothing more is taken (452): the volume is full" } } } }
            p { "Now " (bytes("free_bytes")) " free on the store's volume; below " (bytes("floor_bytes")) " nothing more is taken. The database has " (bytes("database_bytes")) "." }
        }
    }
}

/// Whether what is over goes, and whether what is kept is whole.
fn what_is_kept(goes: &Value) -> Markup {
    let (clock, scrub) = (&goes["clock"], &goes["scrub"]);
    html! {
        section {
            h2 { "What is kept" }
            @if clock["state"] == "doubted" { div.wrong role="alert" { p { strong { "The clock is not believed" } " It says " (moment(text(clock, "now"))) ", but " (text(clock, "why")) "." } } }
            @if goes["damaged"].as_u64().unwrap_or(0) > 0 { div.wrong role="alert" {
                p { strong { (goes["damaged"]) " stored blobs are damaged" } }
                ul { @for one in list(goes, "damage") { li { "Message " a href=(format!("/messages/{}", text(one, "mail"))) { (text(one, "mail")) } ": " (text(one, "why")) } } }
            } }
            @if scrub.is_object() { p {
                @match scrub["last_ended"].as_str() { Some(at) => { "All stored bytes were last read and checked by " (moment(at)) ": " (scrub["last_blobs"]) " blobs, " (size(scrub["last_bytes"].as_i64().unwrap_or(0))) ". " }, None => "All stored bytes are being read and checked for the first time. " }
                @if scrub["state"] != "done" { "The pass that began " (moment(text(scrub, "began"))) " has read " (scrub["blobs"]) " blobs, " (size(scrub["bytes"].as_i64().unwrap_or(0))) @if scrub["state"] == "late" { "; it takes longer than it may: raise scrub_kib_per_second" } "." }
            } }
        }
    }
}

/// `GET /settings`: the configuration in force.
///
/// # Errors
/// What the API says.
pub async fn settings(State(console): State<Console>, Extension(operator): Extension<Operator>) -> PageResult {
    let all = answer(health::settings(State(console), Extension(operator.clone())).await)?;
    let body = html! {
        h1 { "Settings in force" }
        p.dim { "As the program read its file, defaults included. They are changed there, and hold after a restart; `reprieve config check` tells what is wrong with a file. Policy, rulesets, entries, people and tokens have pages of their own." }
        div.settings { @for one in all.as_array().into_iter().flatten() {
            section {
                h2 { @if text(one, "section").is_empty() { "General" } @else { code { "[" (text(one, "section")) "]" } } }
                table { tbody { @for setting in list(one, "settings") { tr { th scope="row" { (text(setting, "key")) } td { (text(setting, "value")) } } } } }
            }
        } }
    };
    Ok(page(&operator, "/health", "Settings", body))
}
