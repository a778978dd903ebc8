//! The first page: whether mail flows, what was held, what goes wrong, and what needs a person.

use api_types::agreement::WishView;
use api_types::alert::{AlertQuery, AlertView};
use api_types::explore::{SummaryQuery, SummaryView};
use api_types::health::HealthView;
use api_types::incident::IncidentRow;
use api_types::sentinel::SentinelView;
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use service::Service;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use web::fault::PageResult;
use web::page::{enter_does_nothing, moment};

use crate::chart;
use crate::page::{chip, explorer, page, reason};

/// Milliseconds for which the last day is added up: half a million messages, about.
const PATIENCE: u64 = 800;
/// Queries that are tracked on it at most, and milliseconds for each.
const TRACKED_MAX: usize = 12;
/// See [`TRACKED_MAX`].
const TRACKED_PATIENCE: u64 = 100;
/// States that have a card: name, state, and the class of its colour.
const STATES: [(&str, &str, &str); 3] =
    [("Delivered", "delivered", "good"), ("Held", "held", "bad"), ("Released", "released", "good")];
/// The last day.
const DAY: &str = "received:>=-24h";

/// What only those see who see all domains.
struct Whole {
    /// Incidents that are not resolved.
    open: Vec<IncidentRow>,
    alerts: Vec<AlertView>,
    sentinel: SentinelView,
    wishes: Vec<WishView>,
    health: HealthView,
}

impl Whole {
    async fn of(service: &Service, operator: &Operator) -> Result<Self, ServiceError> {
        let mut open = service::incident::list(service, operator).await?;
        open.retain(|one| one.stage != "resolved");
        Ok(Self {
            open,
            alerts: service::alert::list(service, operator, AlertQuery::default()).await?,
            sentinel: service::sentinel::status(service, operator).await?,
            wishes: service::agreement::list(service, operator).await?,
            health: service::health::show(service, operator).await?,
        })
    }
}

/// `GET /`.
///
/// # Errors
/// What the API says.
pub async fn show(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let ask = SummaryQuery { q: DAY.into(), patience: Some(PATIENCE), ..SummaryQuery::default() };
    let flow = service::explore::summary(&service, &operator, ask).await?;
    let whole = match operator.must_see_all() {
        Ok(()) => Some(Whole::of(&service, &operator).await?),
        Err(_) => None,
    };
    let requests = service::quarantine::request::list(&service, &operator).await?.len();
    let jobs = service::bulk::list(&service, &operator).await?;
    let waiting = jobs.iter().filter(|one| one.stage == "waiting").count();
    let tracked = tracked(&service, &operator).await?;
    let body = html! {
        h1 { "Overview" }
        (needs_a_person(&operator, whole.as_ref(), requests, waiting))
        section.cards {
            (card("Messages, 24 h", flow.units, &explorer(DAY), "plain"))
            @for (name, state, class) in STATES {
                (card(name, of_state(&flow, state), &explorer(&format!("{DAY} state:{state}")), class))
            }
            @if let Some(whole) = &whole {
                @let open = whole.open.len() as u64;
                (card("Open incidents", open, "/incidents", if open == 0 { "good" } else { "bad" }))
                @let contained = whole.sentinel.contained.len() as u64;
                (card("Contained detections", contained, "/sentinel", if contained == 0 { "good" } else { "warn" }))
            }
        }
        @if !tracked.is_empty() { section { h2 { "Tracked queries, 24 h" } div.numbers {
            @for (name, q, units, is_whole) in &tracked {
                a href=(explorer(q)) { span.number { (units) @if !is_whole { "+" } } span { (name) } }
            }
        } } }
        section {
            h2 {
                "Mail flow, last 24 hours"
                @if flow.next.is_some() { " (the newest part: there is too much to add up at once)" }
            }
            (chart::over_time(&flow, service.clock.now(), 24, ""))
        }
        section.facets {
            @for pivot in &flow.by {
                @let field = pivot.field.as_str();
                (chart::bars(field, &chart::numbers(&pivot.values), |value| {
                    explorer(&format!("{DAY} {field}:{value}"))
                }))
            }
        }
        @if let Some(whole) = &whole { (memory(&whole.sentinel)) (all_is_well(&whole.health)) }
    };
    Ok(page(&operator, "/", "Overview", body))
}

/// Queries that somebody wants to see here: name, query within the last day, how much fits, and whether that is all.
async fn tracked(service: &Service, operator: &Operator) -> Result<Vec<(String, String, u64, bool)>, ServiceError> {
    let saved = service::saved::list(service, operator).await?;
    let mut tracked = Vec::new();
    for one in saved.into_iter().filter(|one| one.tracked).take(TRACKED_MAX) {
        let q = format!("({}) {DAY}", one.q);
        let ask = SummaryQuery { q: q.clone(), patience: Some(TRACKED_PATIENCE), ..SummaryQuery::default() };
        let sums = service::explore::summary(service, operator, ask).await?;
        tracked.push((one.name, q, sums.units, sums.next.is_none()));
    }
    Ok(tracked)
}

fn of_state(flow: &SummaryView, state: &str) -> u64 {
    let states = flow.by.iter().find(|pivot| pivot.field == "state");
    let sum = states.and_then(|pivot| pivot.values.iter().find(|sum| sum.value == state));
    sum.map_or(0, |sum| sum.units)
}

fn card(name: &str, number: u64, href: &str, class: &str) -> Markup {
    html! {
        a.card.(if number == 0 && class == "bad" { "good" } else { class }) href=(href) {
            span.number { (number) } span { (name) }
        }
    }
}

/// What waits for somebody: open incidents, what takes a second person, calls, and what recipients ask for.
fn needs_a_person(operator: &Operator, whole: Option<&Whole>, requests: usize, waiting: usize) -> Markup {
    let is_calm = whole.is_none_or(|whole| whole.alerts.is_empty() && whole.wishes.is_empty() && whole.open.is_empty());
    html! {
        section.needs aria-label="What needs a person" {
            @if is_calm && requests == 0 && waiting == 0 { p.calm { "Nothing needs a person." } }
            @for incident in whole.iter().flat_map(|whole| &whole.open) { (going_on(incident)) }
            @if requests > 0 {
                article.notice.warn { p {
                    strong {
                        (requests) @if requests == 1 { " recipient asks" } @else { " recipients ask" } " for held mail"
                    } " "
                    a href="/requests" { "Decide" }
                } }
            }
            @if waiting > 0 {
                article.notice.warn { p {
                    strong { (waiting) @if waiting == 1 { " job waits" } @else { " jobs wait" } }
                    " until a second person agrees " a href="/bulk" { "Jobs" }
                } }
            }
            @for wish in whole.iter().flat_map(|whole| &whole.wishes) {
                article.notice.warn { p {
                    strong { (wish.actor) " wants " code { (wish.what) } " of " code { (wish.object) } } ": "
                    (wish.reason)
                    ". It is done when somebody else asks for the same before " (moment(&wish.until)) "."
                } }
            }
            @for alert in whole.iter().flat_map(|whole| &whole.alerts) {
                article.notice.warn {
                    p { strong { (alert.subject) } " " (chip(&alert.kind)) " " (moment(&alert.at)) }
                    p { (alert.text) }
                    @if operator.role.may(Permission::Rules) {
                        form.inline method="post" action="/alerts/act" { (enter_does_nothing())
                            input type="hidden" name="number" value=(alert.number);
                            (reason(false))
                            button name="do" value="seen" { "I have seen it" }
                            @for choice in &alert.choices {
                                " " button name="do" value=(choice) { (said(choice)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a choice about the detection of an alert does, on its button.
fn said(choice: &str) -> &str {
    match choice {
        "contain" => "Contain it for 24 h",
        "off" => "Switch it off for 24 h",
        "confirm" => "It is right: pin it",
        other => other,
    }
}

/// An open incident, and how far it is.
fn going_on(incident: &IncidentRow) -> Markup {
    let progress = &incident.progress;
    html! {
        article.notice.bad {
            p {
                a href={ "/incidents/" (incident.id) } { (incident.id) } " " (chip(&incident.stage)) " "
                (incident.title)
            }
            progress max="100" value=(progress.percent) aria-label="Taken back" {}
            p.dim { (progress.over) " of " (progress.units) " units are over; " (progress.restored) " restored" }
        }
    }
}

/// LedgerCheck, engines, what runs in the background: in a line each, with the page that has more.
fn all_is_well(health: &HealthView) -> Markup {
    let engines = health.engines.iter().filter(|one| one.failed != 0).map(|one| one.engine.as_str());
    let loops = health.reconcilers.iter().filter(|one| !matches!(one.state.as_str(), "ok" | "running"));
    let engines: Vec<&str> = engines.collect();
    let loops: Vec<&str> = loops.map(|one| one.name.as_str()).collect();
    html! {
        section {
            h2 { "Gateway" }
            ul.plain {
                li { @match &health.books {
                    Some(checked) if checked.ledger.balanced => {
                        (chip("ok")) " The books balance: " (checked.ledger.accepted)
                        " units, each in exactly one account; checked " (moment(&checked.at))
                    }
                    Some(checked) => {
                        (chip("failing")) " The books do not balance; checked " (moment(&checked.at))
                    }
                    None => { (chip("waiting")) " The books have not been checked yet" }
                } }
                li {
                    @if engines.is_empty() { (chip("ok")) " Engines answer" }
                    @else { (chip("failing")) " With the last mails failed: " (engines.join(", ")) }
                }
                li {
                    @if loops.is_empty() { (chip("ok")) " All loops in the background run" }
                    @else { (chip("failing")) " In trouble: " (loops.join(", ")) }
                }
            }
            p { a href="/health" { "Health" } }
        }
    }
}

fn memory(sentinel: &SentinelView) -> Markup {
    html! {
        section {
            h2 { "Sentinel" }
            p {
                @if sentinel.acts { (chip("live")) " A detection that the past convicts is contained by itself." }
                @else { (chip("recommend")) " People are called; nothing is contained by itself." }
                " " a href="/sentinel" { "What it knows" }
            }
        }
    }
}
