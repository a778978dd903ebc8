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
use texts::{Text, say};
use web::fault::PageResult;
use web::page::{enter_does_nothing, moment};

use crate::chart;
use crate::page::{Name, chip, explorer, page, reason};

/// Milliseconds for which the last day is added up: half a million messages, about.
const PATIENCE: u64 = 800;
/// Queries that are tracked on it at most, and milliseconds for each.
const TRACKED_MAX: usize = 12;
/// See [`TRACKED_MAX`].
const TRACKED_PATIENCE: u64 = 100;
/// States that have a card: name, state, and the class of its colour.
const STATES: [(Name, &str, &str); 3] = [
    (|| say!(overview_delivered), "delivered", "good"),
    (|| say!(overview_held), "held", "bad"),
    (|| say!(overview_released), "released", "good"),
];
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
        h1 { (say!(nav_overview)) }
        (needs_a_person(&operator, whole.as_ref(), requests, waiting))
        section.cards {
            (card(say!(overview_deliveries), flow.units, &explorer(DAY), "plain"))
            @for (name, state, class) in STATES {
                (card(name(), of_state(&flow, state), &explorer(&format!("{DAY} state:{state}")), class))
            }
            @if let Some(whole) = &whole {
                @let open = whole.open.len() as u64;
                (card(say!(overview_incidents), open, "/incidents", if open == 0 { "good" } else { "bad" }))
                @let contained = whole.sentinel.contained.len() as u64;
                @let class = if contained == 0 { "good" } else { "warn" };
                (card(say!(overview_contained), contained, "/sentinel", class))
            }
        }
        @if !tracked.is_empty() { section { h2 { (say!(overview_tracked)) } div.numbers {
            @for (name, q, units, is_whole) in &tracked {
                a href=(explorer(q)) { span.number { (units) @if !is_whole { "+" } } span { (name) } }
            }
        } } }
        section {
            h2 {
                (say!(overview_flow))
                @if flow.next.is_some() { " " (say!(newest_part)) }
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
    Ok(page(&operator, "/", say!(nav_overview), body))
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

fn card(name: Text, number: u64, href: &str, class: &str) -> Markup {
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
        section.needs aria-label=(say!(overview_actions)) {
            @if is_calm && requests == 0 && waiting == 0 { p.calm { (say!(overview_calm)) } }
            @for incident in whole.iter().flat_map(|whole| &whole.open) { (going_on(incident)) }
            @if requests > 0 {
                article.notice.warn { p {
                    strong { (say!(overview_requests, count = requests)) } " "
                    a href="/requests" { (say!(overview_requests_open)) }
                } }
            }
            @if waiting > 0 {
                article.notice.warn { p {
                    strong { (say!(overview_jobs, count = waiting)) } " "
                    a href="/bulk" { (say!(overview_jobs_open)) }
                } }
            }
            @for wish in whole.iter().flat_map(|whole| &whole.wishes) {
                article.notice.warn { p {
                    strong { (say!(overview_wish, actor = &wish.actor, what = html! { code { (wish.what) } },
                        object = html! { code { (wish.object) } })) } ": " (wish.reason) ". "
                    (say!(overview_wish_until, until = moment(&wish.until)))
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
                            button name="do" value="seen" { (say!(overview_alert_seen)) }
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
fn said(choice: &str) -> String {
    match choice {
        "contain" => say!(overview_alert_contain).into(),
        "off" => say!(overview_alert_off).into(),
        "confirm" => say!(overview_alert_confirm).into(),
        other => other.to_owned(),
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
            progress max="100" value=(progress.percent) aria-label=(say!(overview_progress)) {}
            p.dim {
                (say!(overview_progress_of, over = progress.over, units = progress.units,
                    restored = progress.restored))
            }
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
            h2 { (say!(overview_gateway)) }
            ul.plain {
                li { @match &health.books {
                    Some(checked) if checked.ledger.balanced => {
                        (chip("ok")) " "
                        (say!(overview_ledger_good, accepted = checked.ledger.accepted, at = moment(&checked.at)))
                    }
                    Some(checked) => {
                        (chip("failing")) " " (say!(overview_ledger_bad, at = moment(&checked.at)))
                    }
                    None => { (chip("waiting")) " " (say!(overview_ledger_none)) }
                } }
                li {
                    @if engines.is_empty() { (chip("ok")) " " (say!(overview_engines_good)) }
                    @else { (chip("failing")) " " (say!(overview_engines_bad, names = engines.join(", "))) }
                }
                li {
                    @if loops.is_empty() { (chip("ok")) " " (say!(overview_tasks_good)) }
                    @else { (chip("failing")) " " (say!(overview_tasks_bad, names = loops.join(", "))) }
                }
            }
            p { a href="/health" { (say!(nav_health)) } }
        }
    }
}

fn memory(sentinel: &SentinelView) -> Markup {
    html! {
        section {
            h2 { (say!(nav_sentinel)) }
            p {
                @if sentinel.acts { (chip("live")) " " (say!(overview_sentinel_acts)) }
                @else { (chip("recommend")) " " (say!(overview_sentinel_calls)) }
                " " a href="/sentinel" { (say!(overview_sentinel_more)) }
            }
        }
    }
}
