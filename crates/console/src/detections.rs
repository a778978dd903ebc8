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
        h1 { "Detections" }
        p.dim {
            (known.len()) " in force. Hits are messages of the last 7 days that it found something in. It could act on "
            "those on which it was enforced with an effect that holds or blocks: what was held is policy's to say, and "
            "what is held now is " code { "detection:CODE state:held" } " in the explorer. Said to be wrong are those "
            "that somebody called a false positive, or that an incident cleared."
        }
        div.scroll { table {
            thead { tr {
                th { "Detection" } td {} th { "Category" } th { "Effect" } th { "Mode" } th.right { "Hits" }
                th.right { "Could act on" } th.right { "Said to be wrong" }
            } }
            tbody {
                @for one in &all { @let row = &one.detection; tr {
                    td { a href={ "/detections/" (encoded(&row.code)) } { (row.code) } }
                    td { (row.title) }
                    td { (row.category) } td { (chip(&row.effect)) }
                    td { (mode(one)) }
                    (figures.cells(&row.code))
                } }
                @for code in outside { tr {
                    td { a href={ "/detections/" (encoded(code)) } { (code) } }
                    td.dim { "of an engine outside, or not in force any more" } td {} td {} td {}
                    (figures.cells(code))
                } }
            }
        } }
    };
    Ok(page(&operator, "/detections", "Detections", body))
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
            Some(set) => { (chip(&set.mode)) " until " (moment(&set.until)) }
            None => { (one.detection.mode) }
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
            None => p.dim {
                "It is not in the ruleset in force: one of an engine outside, or one that was taken back."
            },
        }
        (what_became_of_it(&service, &units_of_it, &units))
        @if may && sees_all {
            section.actions { h2 { "Act" }
                (modes(&code))
                (trying(&code))
                (sentinel::acting(&code, "contain", "Contain it"))
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
        ("Version", html! { code { (row.version) } }),
        ("Reads", html! { (row.target) ", judges " (row.scope) }),
        ("Category", html! { (row.category) }),
        ("Effect", chip(&row.effect)),
        ("Mode", mode(active)),
        ("Owner", html! { (row.owner) }),
        ("Messages", html! { a href=(explorer(&format!("detection:{}", quoted(code)))) { "in the explorer" } }),
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
                "What became of its hits, last 7 days"
                @if sums.next.is_some() { " (the newest part: there is too much to add up at once)" }
            }
            p {
                a href=(explorer(q)) { (sums.units) " units" } ", "
                a href=(explorer(&format!("{q} state:held"))) { (held) " held" } ". "
                span.dim {
                    "A unit is one message for one recipient. Held is what is in the quarantine now and waits for a "
                    "decision, as " code { "state:held" } " finds it; what was released, denied or deleted since is "
                    "not."
                }
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
                    ", at least " (share(least)) ": " (record.contradicted) " of " (record.acted)
                    " messages that it could act on in " (record.days) " days were called a false positive, or cleared "
                    "by an incident; a release alone says nothing of it"
                }
            }
            _ => span.dim { "there was nothing that it could act on in " (record.days) " days" },
        }
    };
    let good_content = html! {
        @match record.false_positives_most {
            Some(most) => {
                "at most " (share(most))
                span.dim { ": " (record.probe_hits) " of " (record.probe_seen) " when it was last tried" }
            }
            None => span.dim { "not tried on known-good content yet" },
        }
    };
    let cost = html! {
        @match shown.cost_ms {
            Some(ms) => { (format!("{ms:.2}")) " ms for 1 MiB" }
            None => span.dim { "none of its own: one pass over a mail serves all checks" },
        }
    };
    facts(&[("Precision seen", precision), ("Good content that it hits", good_content), ("Cost", cost)])
}

/// Its documentation, its source, what it was tried on, and its versions.
fn how_it_is_made(shown: &DetectionView) -> Markup {
    html! {
        @if !shown.page.is_empty() { section { h2 { "Documentation" } pre.page { (shown.page) } } }
        @if !shown.source.is_empty() { details { summary { "Source" } pre.mail { (shown.source) } } }
        @if let Some(both) = &shown.fixtures { (fixtures(both)) }
        @if !shown.versions.is_empty() { (history(&shown.versions)) }
    }
}

/// What it was tried on when it was built.
fn fixtures(both: &FixturesView) -> Markup {
    html! {
        section {
            h2 { "Fixtures" }
            p.dim { "The ruleset was not built before the detection hit the first and missed the second." }
            details { summary { "A mail that it must hit" } pre.mail { (both.hit) } }
            details { summary { "A mail that it must miss" } pre.mail { (both.miss) } }
        }
    }
}

/// Its versions, and what changed in each.
fn history(versions: &[VersionRow]) -> Markup {
    html! {
        section {
            h2 { "History" }
            ol.timeline reversed { @for one in versions { li {
                a href=(explorer(&format!("version:{}", quoted(&one.version)))) { code { (one.version) } }
                " since " (moment(&one.first_seen))
                @if !one.changes.is_empty() {
                    details { summary { "What changed" } pre.mail { (one.changes) } }
                }
            } } }
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

/// To try it on what is kept of the last days.
fn trying(code: &str) -> Markup {
    html! {
        form.inline method="post" action={ "/detections/" (encoded(code)) "/dry-run" } { (enter_does_nothing())
            label { "Days" input type="number" name="days" value="7" min="1" max="30"; }
            button.quiet name="try" value="yes" { "Try it on what is kept of them" }
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
    let does = if run.would_act { "would have held" } else { "would have found" };
    let body = html! {
        h1 { (run.code) " on the last " (run.days) " days" }
        p.dim {
            "It was tried on what is kept of them, as version " code { (run.version) } ". Of delivered mail only what "
            "is known to be good is kept, and not all of that. Nothing was changed."
            @if !run.would_act { " Its effect holds nothing by itself: what it finds is recorded." }
        }
        (tried("Mails that are or were in the quarantine", does, &run.held, true))
        (tried("Delivered mails that are kept as known to be good", does, &run.delivered, true))
        (tried("Contents of delivered mails that are kept likewise", does, &run.contents, false))
        p { a href={ "/detections/" (encoded(&run.code)) } { "Back to the detection" } }
    };
    Ok(page(&operator, "/detections", &run.code, body))
}

/// What was looked at of one kind.
fn tried(kind: &str, does: &str, tally: &DryRunTally, are_mails: bool) -> Markup {
    html! {
        section {
            h2 { (kind) }
            p {
                "It " (does) " " strong { (tally.hits) } " of " (tally.looked_at)
                @if !tally.is_all { ", the newest ones" } "."
                @if tally.unreadable > 0 { " " (tally.unreadable) " could not be looked at." }
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
                h2 { "What the sentinel has heard" }
                @for one in &heard.versions { p {
                    code { (one.detection_version) } " " (chip(&one.state))
                    " evidence " (format!("{:.2e}", one.evidence)) ": hits " (one.hits) ", witnesses " (one.witnesses)
                    ", probe " (one.probe_hits) " of " (one.probe_seen)
                } }
                ol.timeline { @for line in heard.journal.iter().take(50) {
                    li { (moment(&line.at)) " " strong { (line.event) } " " (line.text) }
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
