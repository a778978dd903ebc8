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
use texts::language::Language;
use texts::{Text, reader, say, word as spoken};
use web::download;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::chart;
use crate::explorer::back_to;
use crate::page::{Name, chip, explorer, facts, page, reason, subject_of};

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
        h1 { (say!(nav_incidents)) }
        p.dim { (say!(incident_intro, page = html! { a href="/status/" { (say!(incident_status_page)) } })) }
        @if incidents.is_empty() { p.calm { (say!(incident_none)) } } @else { (table_of(&incidents)) }
        (replays(&incidents, operator.role.may(Permission::Decide)))
    };
    Ok(page(&operator, "/incidents", say!(nav_incidents), body))
}

fn table_of(incidents: &[IncidentRow]) -> Markup {
    html! { div.scroll { table {
        thead { tr {
            th { (say!(incident_incident)) } th { (say!(incident_stage)) } th { (say!(detection)) }
            th { (say!(incident_opened)) } th.right { (say!(incident_deliveries)) }
            th.right { (say!(incident_restored)) } th { (say!(incident_progress)) }
        } }
        tbody { @for one in incidents { @let progress = &one.progress; tr {
            td { a href={ "/incidents/" (one.id) } { (one.id) } br; span.dim { (one.title) } }
            td { (chip(&one.stage)) @if one.paused { " " (chip("paused")) } }
            td {
                a href={ "/detections/" (encoded(&one.detection)) } { (one.detection) } br;
                code { (one.detection_version) }
            }
            td.when { (moment(&one.opened)) }
            td.right { (progress.units) } td.right { (progress.restored) }
            td { progress max="100" value=(progress.percent) aria-label=(say!(incident_progress)) {} }
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
            h2 { (say!(incident_replays)) }
            div.scroll { table {
                thead { tr {
                    th { (say!(incident_incident)) } th.right { (say!(incident_examined)) }
                    th.right { (say!(incident_cleared)) } th.right { (say!(incident_upheld)) }
                    th.right { (say!(incident_inconclusive)) } th.right { (say!(incident_settled)) }
                    th.right { (say!(incident_restored)) } th.right { (say!(incident_left)) } td {}
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
        td.right {
            (say!(count_of, count = progress.units.saturating_sub(progress.pending), all = progress.units))
        }
        td.right { (progress.cleared) } td.right { (progress.upheld) } td.right { (progress.inconclusive) }
        td.right { (progress.settled) } td.right { (progress.restored) }
        td.right { @match progress.eta_seconds {
            Some(seconds) if progress.over < progress.units => { (lasting(seconds)) }
            _ => {}
        } }
        td { @if may && one.stage == "replaying" {
            form.inline method="post" action={ "/incidents/" (id) "/act" } { (enter_does_nothing())
                input type="text" name="text" required maxlength="4000" placeholder=(say!(incident_why))
                    aria-label=(say!(incident_why_of, id = id)) autocomplete="off";
                @if one.paused { button name="do" value="resume" { (say!(incident_resume)) } }
                @else { button.quiet name="do" value="pause" { (say!(incident_pause)) } }
            }
        } }
    } }
}

/// A number of an incident: its name in the page, how it is called, and where it is.
type Number = (&'static str, Name, fn(&ProgressView) -> u64);

/// The numbers of a page that are kept up to date, by the names that the page has for them.
const LIVE: [Number; 9] = [
    ("units", || say!(incident_deliveries), |progress| progress.units),
    ("pending", || say!(incident_pending), |progress| progress.pending),
    ("cleared", || say!(incident_cleared), |progress| progress.cleared),
    ("upheld", || say!(incident_upheld), |progress| progress.upheld),
    ("inconclusive", || say!(incident_inconclusive), |progress| progress.inconclusive),
    ("settled", || say!(incident_settled), |progress| progress.settled),
    ("asked", || say!(incident_asked), |progress| progress.asked),
    ("restored", || say!(incident_restored), |progress| progress.restored),
    ("over", || say!(incident_over), |progress| progress.over),
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
            progress #percent max="100" value=(progress.percent) data-live-value="percent"
                aria-label=(say!(incident_progress)) {}
            p.dim {
                // With its decimal, as the words of the stream have it.
                @let percent = html! { span data-live="percent" { (format!("{:?}", progress.percent)) } };
                (say!(incident_percent, percent = percent)) span data-live="eta" { (eta(progress)) }
            }
            div.numbers { @for (name, called, of) in LIVE {
                div { span.number data-live=(name) { (of(progress)) } span { (called()) } }
            } }
        }
        @if operator.role.may(Permission::Decide) { (actions(&id, &row.stage, row.paused)) }
        section {
            h2 { (say!(incident_cause)) }
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
            say!(detection),
            html! {
                a href={ "/detections/" (encoded(&row.detection)) } { (row.detection) } " "
                code { (row.detection_version) }
            },
        ),
        (
            say!(incident_in_force_since),
            when(shown.in_force_since.as_ref(), html! { span.dim { (say!(incident_unknown)) } }),
        ),
        (say!(incident_began), when(shown.began.as_ref(), html! { span.dim { (say!(incident_unknown_yet)) } })),
        (say!(incident_public_text), html! { (shown.public_text) }),
        (say!(rulesets_ruleset), html! { code { (row.ruleset) } }),
        (say!(incident_contained), when(row.contained.as_ref(), html! { (say!(incident_contained_not)) })),
        (say!(incident_owner), owner_of(row)),
        (say!(incident_manifest), manifest_of(shown)),
        (
            say!(incident_report),
            html! {
                a href={ (report) "?form=html" } { "HTML" } " "
                a href={ (report) "?form=markdown" } { "Markdown" } " "
                a href={ (report) "?form=json" } { "JSON" }
            },
        ),
        (
            say!(incident_messages),
            html! { a href=(explorer(&format!("incident:{id}"))) { (say!(incident_in_explorer)) } },
        ),
    ])
}

fn owner_of(row: &IncidentRow) -> Markup {
    html! { @if row.owner.is_empty() { span.dim { (say!(incident_owner_none)) } } @else { (row.owner) } }
}

fn manifest_of(shown: &IncidentView) -> Markup {
    let root = html! { code { (shown.manifest_root) } };
    html! { (say!(incident_manifest_of, waves = shown.waves, root = root)) }
}

fn eta(progress: &ProgressView) -> String {
    progress.eta_seconds.map_or(String::new(), |seconds| format!(", {}", say!(incident_eta, span = lasting(seconds))))
}

fn lasting(seconds: u64) -> String {
    platform::report::span(Duration::from_secs(seconds))
}

fn actions(id: &str, stage: &str, is_paused: bool) -> Markup {
    html! {
        section.actions {
            h2 { (say!(incident_actions)) }
            form method="post" action={ "/incidents/" (id) "/act" } { (enter_does_nothing())
                label { (say!(incident_line))
                    input type="text" name="text" required maxlength="4000" autocomplete="off";
                }
                label.check { input type="checkbox" name="public" value="1"; " " (say!(incident_line_public)) }
                div.buttons {
                    button.quiet name="do" value="note" { (say!(incident_note)) }
                    @if matches!(stage, "investigating" | "contained") {
                        button name="do" value="replay" { (say!(incident_replay)) }
                    }
                    @if stage == "replaying" {
                        @if is_paused { button name="do" value="resume" { (say!(incident_resume)) } }
                        @else { button.quiet name="do" value="pause" { (say!(incident_pause)) } }
                        button.quiet name="do" value="cancel" { (say!(incident_cancel)) }
                    }
                    @if matches!(stage, "replaying" | "releasing") {
                        button.quiet name="do" value="retry" { (say!(incident_retry)) }
                    }
                    @if stage == "resolved" { button.quiet name="do" value="reopen" { (say!(incident_reopen)) } }
                    @else { button.quiet name="do" value="resolve" { (say!(incident_resolve)) } }
                    button.quiet name="do" value="own" { (say!(incident_own)) }
                }
            }
        }
    }
}

fn reach(id: &str, blast: &BlastView) -> Markup {
    let first = |sums: &[(String, u64)]| sums.iter().take(10).cloned().collect::<Vec<_>>();
    let within = |field: &str, value: &str| explorer(&format!("incident:{id} {field}:{}", quoted(value)));
    let bars =
        |name: Text, field: &str, sums: &[(String, u64)]| chart::bars(name, &first(sums), |value| within(field, value));
    html! {
        section {
            h2 { (say!(incident_reach)) }
            div.facets {
                (bars(say!(incident_directions), "direction", &blast.directions))
                (bars(say!(incident_domains), "domain", &blast.domains))
                (bars(say!(incident_senders), "sender", &blast.senders))
                (bars(say!(incident_recipients), "recipient", &blast.recipients))
            }
        }
    }
}

fn residual(left: &[ResidualView]) -> Markup {
    let mail_of = |unit: &str| unit.split(['/', '.', '#']).next().unwrap_or_default().to_owned();
    html! {
        section {
            h2 { (say!(incident_residual)) }
            @if left.is_empty() { p.calm { (say!(incident_residual_none)) } }
            @else { div.scroll { table {
                thead { tr {
                    th { (say!(incident_recipient)) } th { (say!(incident_sender)) } th { (say!(incident_subject)) }
                    th { (say!(incident_outcome)) } th { (say!(state)) } th { (say!(incident_reason)) }
                } }
                tbody { @for one in left { tr {
                    td.address { (one.recipient) } td.address { (one.sender) }
                    td.subject { a href={ "/messages/" (mail_of(&one.unit)) } {
                        (subject_of(&one.subject))
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
            h2 { (say!(incident_timeline)) }
            ol.timeline { @for note in notes {
                li {
                    (moment(&note.at)) " " strong { (spoken(&note.what)) } " " (note.text)
                    span.dim {
                        " "
                        @if note.public { (say!(incident_by_public, actor = &note.actor)) }
                        @else { (say!(incident_by, actor = &note.actor)) }
                    }
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
    // The stream goes on when this has returned, and the language is the reader's all the same.
    let language = reader::language();
    // Once before the stream, so that a refusal is one.
    let first = asked(&service, &operator, &id, language.as_ref()).await?;
    let stop = service.readiness.stopping.clone();
    let words = stream::unfold((Some(first), String::new(), 0_u32), move |(first, mut last, count)| {
        let (service, operator, id, language) = (service.clone(), operator.clone(), id.clone(), language.clone());
        async move {
            if let Some(word) = first {
                let event = Event::default().data(word.clone());
                return Some((Ok::<_, Infallible>(event), (None, word, count + 1)));
            }
            for _ in count..WORDS_MAX {
                tokio::time::sleep(EVERY).await;
                let word = asked(&service, &operator, &id, language.as_ref()).await.ok()?;
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

/// How far it is now, in the language of who reads the page.
async fn asked(
    service: &Service,
    operator: &Operator,
    id: &str,
    language: Option<&Language>,
) -> Result<String, ServiceError> {
    let shown = service::incident::progress(service, operator, id).await?;
    Ok(match language {
        Some(language) => reader::read_in(language.clone(), || word(&shown)),
        None => word(&shown),
    })
}

/// What the page's script is told: a number by each of its names. The stage is as the page shows it, so that the script
/// sees whether it is another one; the last stage is told apart.
fn word(shown: &IncidentRow) -> String {
    let (progress, is_resolved) = (&shown.progress, shown.stage == "resolved");
    let stage = spoken(&shown.stage);
    let mut word = json!({
        "stage": stage,
        "is_resolved": is_resolved,
        "percent": progress.percent,
        "eta": eta(progress),
    });
    for (name, _, of) in LIVE {
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
                @if version.is_empty() { (say!(incident_open)) }
                @else { (say!(incident_open_about, detection = detection, version = version)) }
            }
        }
    }
}
