//! Detections: what is in force, how often each hits, what people say of it, and what they do about it.

use std::collections::BTreeMap;

use api_types::detection::{
    ActiveDetection, DetectionDryRunAsk, DetectionView, DryRunTally, FixturesView, ModeAsk, VersionRow,
};
use api_types::explore::{SummaryQuery, SummaryView};
use api_types::hits::{HitsQuery, HitsView};
use api_types::sentinel::ExplanationView;
use axum::Extension;
use axum::extract::{Path, State};
use domain::query::quoted;
use maud::{Markup, html};
use platform::percent::encoded;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use service::{Service, detection};
use texts::{Text, say, word as spoken};
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::explorer::back_to;
use crate::page::{chip, explorer, facts, page, reason};
use crate::{chart, incident, sentinel};

/// Seconds of a column of the chart of a detection, and columns: 7 days.
const COLUMN_SECONDS: u64 = 7200;
/// See [`COLUMN_SECONDS`].
const COLUMNS: usize = 84;
/// Milliseconds that the sums of a page may take.
const SUMMED_UP_MS: u64 = 1000;

/// `GET /detections`.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let all = detection::list(&service, &operator).await?;
    let mut figures = Figures::default();
    if operator.must_see_all().is_ok() {
        let ask = HitsQuery { days: Some(7), ..HitsQuery::default() };
        figures = Figures::of(service::hits::hits(&service, &operator, ask).await?);
    }
    let known: Vec<&str> = all.iter().map(|one| one.detection.code.as_str()).collect();
    let outside = figures.hits.keys().filter(|code| !known.contains(&code.as_str()));
    let body = html! {
        h1 { (say!(nav_detections)) }
        p.dim {
            (say!(detections_in_force, count = known.len())) " "
            (say!(detections_legend, query = html! { code { "detection:CODE state:held" } }))
        }
        div.scroll { table {
            thead { tr {
                th { (say!(detection)) } td {} th { (say!(detections_category)) } th { (say!(detections_effect)) }
                th { (say!(detections_mode)) } th.right { (say!(detections_hits)) }
                th.right { (say!(detections_acted)) } th.right { (say!(detections_wrong)) }
            } }
            tbody {
                @for one in &all { @let row = &one.detection; tr {
                    td { a href={ "/detections/" (encoded(&row.code)) } { (row.code) } }
                    td { (row.title) }
                    td { (spoken(&row.category)) } td { (chip(&row.effect)) }
                    td { (mode(one)) }
                    (figures.cells(&row.code))
                } }
                @for code in outside { tr {
                    td { a href={ "/detections/" (encoded(code)) } { (code) } }
                    td.dim { (say!(detections_outside)) } td {} td {} td {}
                    (figures.cells(code))
                } }
            }
        } }
    };
    Ok(page(&operator, "/detections", say!(nav_detections), body))
}

/// What the last 7 days say of all detections; nothing for somebody of some domains.
#[derive(Default)]
struct Figures {
    /// By detection: messages that it hit, and those of them that it could act on.
    hits: BTreeMap<String, (u64, u64)>,
    /// By detection: messages about which it is said to be wrong.
    wrong: BTreeMap<String, u64>,
}

impl Figures {
    fn of(said: HitsView) -> Self {
        let mut hits: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for hour in said.hours {
            let sum = hits.entry(hour.detection).or_default();
            sum.0 += hour.hits;
            sum.1 += hour.acted;
        }
        let wrong = said.contradictions.into_iter().map(|one| (one.detection, one.messages)).collect();
        Self { hits, wrong }
    }

    /// The cells of a detection's row.
    fn cells(&self, code: &str) -> Markup {
        let (hits, acted) = self.hits.get(code).copied().unwrap_or_default();
        let wrong = self.wrong.get(code).copied().unwrap_or_default();
        let query = format!("detection:{} received:>=-7d", quoted(code));
        html! {
            td.right {
                @if hits > 0 { a href=(explorer(&query)) { (hits) } } @else { span.dim { "0" } }
            }
            td.right { (acted) } td.right { (wrong) }
        }
    }
}

fn mode(one: &ActiveDetection) -> Markup {
    html! {
        @match &one.set {
            Some(set) => (say!(detections_mode_until, mode = chip(&set.mode), until = moment(&set.until))),
            None => (spoken(&one.detection.mode)),
        }
    }
}

/// `GET /detections/{code}`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
) -> PageResult {
    let code = detection::code(&service, &operator, &code).await?.to_string();
    // One of an engine outside is known by what it hits alone.
    let shown = match detection::show(&service, &operator, &code).await {
        Err(ServiceError::NotFound(_)) => None,
        other => Some(other?),
    };
    let may = operator.role.may(Permission::Rules);
    let sees_all = operator.must_see_all().is_ok();
    let mut heard = None;
    if sees_all {
        heard = Some(service::sentinel::explain(&service, &operator, &code).await?);
    }
    let (units_of_it, units) = units_of(&service, &operator, &code).await?;
    let body = html! {
        h1 { (code) @if let Some(shown) = &shown { ": " (shown.active.detection.title) } }
        @match &shown {
            Some(shown) => { (in_brief(&code, &shown.active)) (track_record(shown)) }
            None => p.dim { (say!(detections_not_in_force)) },
        }
        (what_became_of_it(&service, &units_of_it, &units))
        @if may && sees_all {
            section.actions { h2 { (say!(incident_actions)) }
                (modes(&code))
                (trying(&code))
                (sentinel::acting(&code, "contain", &say!(detections_contain)))
                (incident::opening(&code, "", ""))
            }
        }
        @if let Some(heard) = &heard { (sentinel::probations(&heard.probations)) (evidence(heard)) }
        @if let Some(shown) = &shown { (how_it_is_made(shown)) }
    };
    Ok(page(&operator, "/detections", &code, body))
}

fn in_brief(code: &str, active: &ActiveDetection) -> Markup {
    let row = &active.detection;
    facts(&[
        (say!(detections_version), html! { code { (row.version) } }),
        (say!(detections_target), html! { code { (row.target) } }),
        (say!(detections_scope), html! { (spoken(&row.scope)) }),
        (say!(detections_category), html! { (spoken(&row.category)) }),
        (say!(detections_effect), chip(&row.effect)),
        (say!(detections_mode), mode(active)),
        (say!(detections_owner), html! { (row.owner) }),
        (
            say!(incident_messages),
            html! { a href=(explorer(&format!("detection:{}", quoted(code)))) { (say!(incident_in_explorer)) } },
        ),
    ])
}

/// The units of the last 7 days that it found something in, as the explorer finds and counts them: the query, and its
/// sums.
async fn units_of(service: &Service, operator: &Operator, code: &str) -> Result<(String, SummaryView), ServiceError> {
    let q = format!("detection:{} received:>=-7d", quoted(code));
    let ask = SummaryQuery {
        q: q.clone(),
        interval: Some(COLUMN_SECONDS),
        patience: Some(SUMMED_UP_MS),
        ..SummaryQuery::default()
    };
    let sums = service::explore::summary(service, operator, ask).await?;
    Ok((q, sums))
}

/// What has become of the units that it found something in. One definition and one query for what is called held, here
/// and in the explorer.
fn what_became_of_it(service: &Service, q: &str, sums: &SummaryView) -> Markup {
    let states = sums.by.iter().find(|pivot| pivot.field == "state").into_iter().flat_map(|pivot| &pivot.values);
    let held: u64 = states.filter(|sum| sum.value == "held").map(|sum| sum.units).sum();
    html! {
        section {
            h2 {
                (say!(detections_outcome))
                @if sums.next.is_some() { " " (say!(newest_part)) }
            }
            p {
                a href=(explorer(q)) { (say!(deliveries, count = sums.units)) } ", "
                a href=(explorer(&format!("{q} state:held"))) { (say!(detections_held, count = held)) } ". "
                span.dim { (say!(detections_held_means, query = html! { code { "state:held" } })) }
            }
            (chart::over_time(sums, service.clock.now(), COLUMNS, q))
        }
    }
}

/// How right it has been, and what it costs; nothing for somebody of some domains.
fn track_record(shown: &DetectionView) -> Markup {
    let Some(record) = &shown.record else { return html! {} };
    let share = |share: f64| format!("{:.2} %", share * 100.0);
    let precision = html! {
        @match (record.precision, record.precision_least) {
            (Some(seen), Some(least)) => {
                (share(seen))
                span.dim {
                    ", " (say!(detections_precision_of, least = share(least), wrong = record.contradicted,
                        acted = record.acted, days = record.days))
                }
            }
            _ => span.dim { (say!(detections_precision_none, days = record.days)) },
        }
    };
    let good_content = html! {
        @match record.false_positives_most {
            Some(most) => {
                (say!(detections_good_most, most = share(most)))
                span.dim { ": " (say!(detections_good_of, hits = record.probe_hits, seen = record.probe_seen)) }
            }
            None => span.dim { (say!(detections_good_none)) },
        }
    };
    let cost = html! {
        @match shown.cost_ms {
            Some(ms) => (say!(detections_cost_of, ms = format!("{ms:.2}"))),
            None => span.dim { (say!(detections_cost_none)) },
        }
    };
    facts(&[
        (say!(detections_precision), precision),
        (say!(detections_good), good_content),
        (say!(detections_cost), cost),
    ])
}

/// Its documentation, its source, what it was tried on, and its versions.
fn how_it_is_made(shown: &DetectionView) -> Markup {
    html! {
        @if !shown.page.is_empty() { section { h2 { (say!(detections_documentation)) } pre.page { (shown.page) } } }
        @if !shown.source.is_empty() { details { summary { (say!(detections_source)) } pre.mail { (shown.source) } } }
        @if let Some(both) = &shown.fixtures { (fixtures(both)) }
        @if !shown.versions.is_empty() { (history(&shown.versions)) }
    }
}

/// What it was tried on when it was built.
fn fixtures(both: &FixturesView) -> Markup {
    html! {
        section {
            h2 { (say!(detections_fixtures)) }
            p.dim { (say!(detections_fixtures_text)) }
            details { summary { (say!(detections_fixtures_hit)) } pre.mail { (both.hit) } }
            details { summary { (say!(detections_fixtures_miss)) } pre.mail { (both.miss) } }
        }
    }
}

/// Its versions, and what changed in each.
fn history(versions: &[VersionRow]) -> Markup {
    html! {
        section {
            h2 { (say!(detections_history)) }
            ol.timeline reversed { @for one in versions { li {
                a href=(explorer(&format!("version:{}", quoted(&one.version)))) { code { (one.version) } }
                " " (say!(detections_since, since = moment(&one.first_seen)))
                @if !one.changes.is_empty() {
                    details { summary { (say!(detections_changes)) } pre.mail { (one.changes) } }
                }
            } } }
        }
    }
}

fn modes(code: &str) -> Markup {
    html! {
        form.inline method="post" action={ "/detections/" (encoded(code)) "/act" } { (enter_does_nothing())
            (reason(true))
            label { (say!(detections_hours)) input type="number" name="hours" value="24" min="1" max="8760"; }
            button.quiet name="mode" value="shadow" { (say!(detections_watch)) }
            button.quiet name="mode" value="off" { (say!(detections_disable)) }
            button.quiet name="mode" value="enforce" { (say!(detections_enforce)) }
        }
    }
}

/// To try it on what is kept of the last days.
fn trying(code: &str) -> Markup {
    html! {
        form.inline method="post" action={ "/detections/" (encoded(code)) "/dry-run" } { (enter_does_nothing())
            label { (say!(detections_days)) input type="number" name="days" value="7" min="1" max="30"; }
            button.quiet name="try" value="yes" { (say!(detections_try)) }
        }
    }
}

/// `POST /detections/{code}/dry-run`: what it would have held of what is kept of the last days. Nothing is changed.
///
/// # Errors
/// What the API says.
pub async fn dry_run(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
    form: Form,
) -> PageResult {
    let days: u64 = form.one("days").parse().map_err(|_| ServiceError::Bad("days is a number".into()))?;
    let ask = DetectionDryRunAsk { days: Some(days), ..DetectionDryRunAsk::default() };
    let run = service::dry_run::dry_run(&service, &operator, &code, ask).await?;
    let does: Does = if run.would_act { would_hold } else { would_find };
    let body = html! {
        h1 { (say!(detections_tried, code = &run.code, days = run.days)) }
        p.dim {
            (say!(detections_tried_text, version = html! { code { (run.version) } }))
            @if !run.would_act { " " (say!(detections_tried_no_act)) }
        }
        (tried(&say!(detections_tried_held), does, &run.held, true))
        (tried(&say!(detections_tried_delivered), does, &run.delivered, true))
        (tried(&say!(detections_tried_contents), does, &run.contents, false))
        p { a href={ "/detections/" (encoded(&run.code)) } { (say!(detections_tried_back)) } }
    };
    Ok(page(&operator, "/detections", &run.code, body))
}

/// Says of how many of those that were looked at it would have done what it does.
type Does = fn(&DryRunTally) -> Text;

fn would_hold(tally: &DryRunTally) -> Text {
    say!(detections_would_hold, hits = html! { strong { (tally.hits) } }, all = tally.looked_at)
}

fn would_find(tally: &DryRunTally) -> Text {
    say!(detections_would_find, hits = html! { strong { (tally.hits) } }, all = tally.looked_at)
}

/// What was looked at of one kind.
fn tried(kind: &Text, does: Does, tally: &DryRunTally, are_mails: bool) -> Markup {
    html! {
        section {
            h2 { (kind) }
            p {
                (does(tally))
                @if !tally.is_all { " " (say!(detections_tried_newest)) }
                @if tally.unreadable > 0 { " " (say!(detections_tried_unreadable, count = tally.unreadable)) }
            }
            @if !tally.named.is_empty() { ul { @for name in &tally.named { li {
                @if are_mails { a href={ "/messages/" (encoded(name)) } { (name) } } @else { (name) }
            } } } }
        }
    }
}

fn evidence(heard: &ExplanationView) -> Markup {
    html! {
        @if !heard.journal.is_empty() {
            section {
                h2 { (say!(detections_heard)) }
                @for one in &heard.versions { p {
                    code { (one.detection_version) } " " (chip(&one.state))
                    " " (say!(detections_heard_of, evidence = format!("{:.2e}", one.evidence), hits = one.hits,
                        sources = one.witnesses, probe_hits = one.probe_hits, probe_seen = one.probe_seen))
                } }
                ol.timeline { @for line in heard.journal.iter().take(50) {
                    li { (moment(&line.at)) " " strong { (spoken(&line.event)) } " " (line.text) }
                } }
            }
        }
    }
}

/// `POST /detections/{code}/act`: sets its mode for a time.
///
/// # Errors
/// What the API says.
pub async fn act(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(code): Path<String>,
    form: Form,
) -> PageResult {
    let hours: u64 = form.one("hours").parse().map_err(|_| ServiceError::Bad("hours is a number".into()))?;
    let (mode, reason) = (form.one("mode").to_owned(), form.one("reason").to_owned());
    let ask = ModeAsk { mode, reason, hours, actor: String::new(), what_if: false };
    detection::mode(&service, &operator, &code, ask).await?;
    Ok(back_to(&format!("/detections/{}", encoded(&code))))
}
