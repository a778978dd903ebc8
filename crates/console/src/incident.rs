//! Incidents: what a wrong detection held, how far it is taken back, and what people do about it.

use std::convert::Infallible;
use std::time::Duration;

use api_types::incident::{
    BlastView, ChangeAsk, IncidentRow, IncidentView, NoteView, OpenAsk, ProgressView, ReportQuery, ResidualView,
};
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::query::quoted;
use futures_util::{StreamExt, stream};
use http_listener::stopped;
use maud::{Markup, html};
use platform::percent::encoded;
use serde_json::json;
use service::Service;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use web::download;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::chart;
use crate::explorer::back_to;
use crate::page::{chip, explorer, facts, page, reason, shown as spoken};

/// How often a page that is open hears how far it is.
const EVERY: Duration = Duration::from_secs(1);
/// After how many words a stream ends; the page begins another.
const WORDS_MAX: u32 = 3600;

/// `GET /incidents`: all of them.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let incidents = service::incident::list(&service, &operator).await?;
    let body = html! {
        h1 { "Incidents" }
        p.dim {
            "A detection is, or may be, wrong: what it held is kept, examined again, and what is good is delivered. "
            "The public sees " a href="/status/" { "the status page" } "."
        }
        @if incidents.is_empty() { p.calm { "There was none." } } @else { (table_of(&incidents)) }
        (replays(&incidents, operator.role.may(Permission::Decide)))
    };
    Ok(page(&operator, "/incidents", "Incidents", body))
}

fn table_of(incidents: &[IncidentRow]) -> Markup {
    html! { div.scroll { table {
        thead { tr {
            th { "Incident" } th { "Stage" } th { "Detection" } th { "Opened (UTC)" } th.right { "Units" }
            th.right { "Restored" } th { "Over" }
        } }
        tbody { @for one in incidents { @let progress = &one.progress; tr {
            td { a href={ "/incidents/" (one.id) } { (one.id) } br; span.dim { (one.title) } }
            td { (chip(&one.stage)) @if one.paused { " paused" } }
            td {
                a href={ "/detections/" (encoded(&one.detection)) } { (one.detection) } br;
                code { (one.detection_version) }
            }
            td.when { (moment(&one.opened)) }
            td.right { (progress.units) } td.right { (progress.restored) }
            td { progress max="100" value=(progress.percent) {} }
        } } }
    } } }
}

/// What is examined again, what came of it so far, and how to hold it up or let it go on.
fn replays(incidents: &[IncidentRow], may: bool) -> Markup {
    let is_begun = |one: &&IncidentRow| {
        matches!(one.stage.as_str(), "replaying" | "releasing") || one.progress.pending != one.progress.units
    };
    let begun: Vec<&IncidentRow> = incidents.iter().filter(is_begun).collect();
    html! {
        @if !begun.is_empty() { section #replays {
            h2 { "Replays" }
            div.scroll { table {
                thead { tr {
                    th { "Incident" } th.right { "Examined again" } th.right { "Cleared" } th.right { "Upheld" }
                    th.right { "Inconclusive" } th.right { "Settled" } th.right { "Restored" } th.right { "Left" }
                    td {}
                } }
                tbody { @for one in begun { (replay(one, may)) } }
            } }
        } }
    }
}

fn replay(one: &IncidentRow, may: bool) -> Markup {
    let (id, progress) = (&one.id, &one.progress);
    html! { tr {
        td { a href={ "/incidents/" (id) } { (id) } }
        td.right { (progress.units.saturating_sub(progress.pending)) " of " (progress.units) }
        td.right { (progress.cleared) } td.right { (progress.upheld) } td.right { (progress.inconclusive) }
        td.right { (progress.settled) } td.right { (progress.restored) }
        td.right { @match progress.eta_seconds {
            Some(seconds) if progress.over < progress.units => { (seconds) " s" }
            _ => {}
        } }
        td { @if may && one.stage == "replaying" {
            form.inline method="post" action={ "/incidents/" (id) "/act" } { (enter_does_nothing())
                input type="text" name="text" required maxlength="4000" placeholder="Why, for the timeline"
                    aria-label={ "Why " (id) " is held up or goes on, for the timeline" } autocomplete="off";
                @if one.paused { button name="do" value="resume" { "Go on" } }
                @else { button.quiet name="do" value="pause" { "Pause" } }
            }
        } }
    } }
}

/// A number of an incident, by its name.
type Number = (&'static str, fn(&ProgressView) -> u64);

/// The numbers of a page that are kept up to date, by the names that the page has for them.
const LIVE: [Number; 9] = [
    ("units", |progress| progress.units),
    ("pending", |progress| progress.pending),
    ("cleared", |progress| progress.cleared),
    ("upheld", |progress| progress.upheld),
    ("inconclusive", |progress| progress.inconclusive),
    ("settled", |progress| progress.settled),
    ("asked", |progress| progress.asked),
    ("restored", |progress| progress.restored),
    ("over", |progress| progress.over),
];

/// `GET /incidents/{id}`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> PageResult {
    let shown = service::incident::show(&service, &operator, &id).await?;
    let (row, progress) = (&shown.row, &shown.row.progress);
    let body = html! {
        h1 { (id) ": " (row.title) }
        p { span data-live="stage" { (chip(&row.stage)) } @if row.paused { " " (chip("paused")) } }
        section.live data-events={ "/incidents/" (id) "/live" } {
            progress #percent max="100" value=(progress.percent) data-live-value="percent" aria-label="Taken back" {}
            p.dim {
                // With its decimal, as the words of the stream have it.
                span data-live="percent" { (format!("{:?}", progress.percent)) } " % over"
                span data-live="eta" { (eta(progress)) }
            }
            div.numbers { @for (name, of) in LIVE {
                div { span.number data-live=(name) { (of(progress)) } span { (name) } }
            } }
        }
        @if operator.role.may(Permission::Decide) { (actions(&id, &row.stage, row.paused)) }
        section {
            h2 { "Cause" }
            p { (shown.cause) }
            (in_brief(&id, &shown))
        }
        (reach(&id, &shown.blast_radius))
        (residual(&shown.residual))
        (timeline(&shown.timeline))
    };
    Ok(page(&operator, "/incidents", &id, body))
}

fn in_brief(id: &str, shown: &IncidentView) -> Markup {
    let row = &shown.row;
    let when = |at: Option<&String>, otherwise: Markup| at.map_or(otherwise, |at| moment(at));
    let report = format!("/incidents/{id}/report");
    facts(&[
        (
            "Detection",
            html! {
                a href={ "/detections/" (encoded(&row.detection)) } { (row.detection) } " "
                code { (row.detection_version) }
            },
        ),
        ("In force since", when(shown.in_force_since.as_ref(), html! { span.dim { "not known" } })),
        ("Began", when(shown.began.as_ref(), html! { span.dim { "not known yet" } })),
        ("Told the public", html! { (shown.public_text) }),
        ("Ruleset", html! { code { (row.ruleset) } }),
        ("Contained", when(row.contained.as_ref(), html! { "no" })),
        ("Owner", html! { @if row.owner.is_empty() { span.dim { "nobody" } } @else { (row.owner) } }),
        ("Manifest", html! { (shown.waves) " waves, root " code { (shown.manifest_root) } }),
        (
            "Report",
            html! {
                a href={ (report) "?form=html" } { "page" } " "
                a href={ (report) "?form=markdown" } { "Markdown" } " "
                a href={ (report) "?form=json" } { "JSON" }
            },
        ),
        ("Messages", html! { a href=(explorer(&format!("incident:{id}"))) { "in the explorer" } }),
    ])
}

fn eta(progress: &ProgressView) -> String {
    progress.eta_seconds.map_or(String::new(), |seconds| {
        format!(", about {} left", platform::report::span(Duration::from_secs(seconds)))
    })
}

fn actions(id: &str, stage: &str, is_paused: bool) -> Markup {
    html! {
        section.actions {
            h2 { "Act" }
            form method="post" action={ "/incidents/" (id) "/act" } { (enter_does_nothing())
                label { "What goes into the timeline"
                    input type="text" name="text" required maxlength="4000" autocomplete="off";
                }
                label.check { input type="checkbox" name="public" value="1"; " The public sees this line" }
                div.buttons {
                    button.quiet name="do" value="note" { "Add a note" }
                    @if matches!(stage, "investigating" | "contained") {
                        button name="do" value="replay" { "Begin the replay" }
                    }
                    @if stage == "replaying" {
                        @if is_paused { button name="do" value="resume" { "Go on" } }
                        @else { button.quiet name="do" value="pause" { "Pause" } }
                        button.quiet name="do" value="cancel" { "Cancel the replay" }
                    }
                    @if matches!(stage, "replaying" | "releasing") {
                        button.quiet name="do" value="retry" { "Try again what was inconclusive" }
                    }
                    @if stage == "resolved" { button.quiet name="do" value="reopen" { "Reopen" } }
                    @else { button.quiet name="do" value="resolve" { "Resolve" } }
                    button.quiet name="do" value="own" { "It is mine" }
                }
            }
        }
    }
}

fn reach(id: &str, blast: &BlastView) -> Markup {
    let first = |sums: &[(String, u64)]| sums.iter().take(10).cloned().collect::<Vec<_>>();
    let within = |field: &str, value: &str| explorer(&format!("incident:{id} {field}:{}", quoted(value)));
    html! {
        section {
            h2 { "Reach" }
            div.facets {
                (chart::bars("direction", &first(&blast.directions), |value| within("direction", value)))
                (chart::bars("domain", &first(&blast.domains), |value| within("domain", value)))
                (chart::bars("senders", &first(&blast.senders), |value| within("sender", value)))
                (chart::bars("recipients", &first(&blast.recipients), |value| within("recipient", value)))
            }
        }
    }
}

fn residual(left: &[ResidualView]) -> Markup {
    let mail_of = |unit: &str| unit.split(['/', '.', '#']).next().unwrap_or_default().to_owned();
    html! {
        section {
            h2 { "What was not restored" }
            @if left.is_empty() { p.calm { "Nothing is left." } }
            @else { div.scroll { table {
                thead { tr {
                    th { "Recipient" } th { "Sender" } th { "Subject" } th { "Outcome" } th { "State" } th { "Why" }
                } }
                tbody { @for one in left { tr {
                    td.address { (one.recipient) } td.address { (one.sender) }
                    td.subject { a href={ "/messages/" (mail_of(&one.unit)) } {
                        @if one.subject.is_empty() { "(no subject)" } @else { (one.subject) }
                    } }
                    td { (chip(&one.outcome)) } td { (chip(&one.account)) } td { (one.reason) }
                } } }
            } } }
        }
    }
}

fn timeline(notes: &[NoteView]) -> Markup {
    html! {
        section {
            h2 { "Timeline" }
            ol.timeline { @for note in notes {
                li {
                    (moment(&note.at)) " " strong { (spoken(&note.what)) } " " (note.text)
                    span.dim { " by " (note.actor) @if note.public { ", public" } }
                }
            } }
        }
    }
}

/// `GET /incidents/{id}/live`: how far it is, as server-sent events of JSON, each second that something has changed.
///
/// # Errors
/// What the API says.
pub async fn live(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> PageResult {
    // Once before the stream, so that a refusal is one.
    let ask = move |service: Service, operator: Operator, id: String| async move {
        let shown = service::incident::progress(&service, &operator, &id).await?;
        Ok::<_, ServiceError>(word(&shown))
    };
    let first = ask(service.clone(), operator.clone(), id.clone()).await?;
    let stop = service.readiness.stopping.clone();
    let words = stream::unfold((Some(first), String::new(), 0_u32), move |(first, mut last, count)| {
        let (service, operator, id) = (service.clone(), operator.clone(), id.clone());
        async move {
            if let Some(word) = first {
                let event = Event::default().data(word.clone());
                return Some((Ok::<_, Infallible>(event), (None, word, count + 1)));
            }
            for _ in count..WORDS_MAX {
                tokio::time::sleep(EVERY).await;
                let word = ask(service.clone(), operator.clone(), id.clone()).await.ok()?;
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

/// What the page's script is told: a number by each of its names.
fn word(shown: &IncidentRow) -> String {
    let progress = &shown.progress;
    let mut word = json!({ "stage": shown.stage, "percent": progress.percent, "eta": eta(progress) });
    for (name, of) in LIVE {
        word[name] = of(progress).into();
    }
    word.to_string()
}

/// `GET /incidents/{id}/report`.
///
/// # Errors
/// What the API says.
pub async fn report(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> PageResult {
    let mut response = download::whole(service::incident::report(&service, &operator, &id, query).await?);
    // The report has its style in itself, and nothing else.
    let policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    response.headers_mut().insert("content-security-policy", axum::http::HeaderValue::from_static(policy));
    Ok(response)
}

/// `POST /incidents/{id}/act`.
///
/// # Errors
/// What the API says.
pub async fn act(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    form: Form,
) -> PageResult {
    let (action, owner) = match form.one("do") {
        "own" => ("note", Some(operator.name.clone())),
        other => (other, None),
    };
    let ask = ChangeAsk {
        action: action.to_owned(),
        text: form.one("text").to_owned(),
        public: form.one("public") == "1",
        owner,
        ..ChangeAsk::default()
    };
    service::incident::change(&service, &operator, &id, ask).await?;
    Ok(back_to(&format!("/incidents/{id}")))
}

/// `POST /incidents/open`: an incident about a detection.
///
/// # Errors
/// What the API says.
pub async fn open(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let version = Some(form.one("version").to_owned()).filter(|version| !version.is_empty());
    let (detection, reason) = (form.one("detection").to_owned(), form.one("reason").to_owned());
    let ask = OpenAsk { detection, version, reason, ..OpenAsk::default() };
    let opened = service::incident::open(&service, &operator, ask).await?;
    Ok(back_to(&format!("/incidents/{}", opened.row.id)))
}

/// A form that opens an incident about a detection, in this version, or in the one in force without. `mail` is the
/// message on whose page it stands, if it stands on one.
pub fn opening(detection: &str, version: &str, mail: &str) -> Markup {
    html! {
        form.inline method="post" action="/incidents/open" { (enter_does_nothing())
            input type="hidden" name="detection" value=(detection);
            input type="hidden" name="version" value=(version);
            input type="hidden" name="mail" value=(mail);
            (reason(true))
            button.quiet {
                "Open an incident"
                @if !version.is_empty() { " about " (detection) " " (version) }
            }
        }
    }
}
