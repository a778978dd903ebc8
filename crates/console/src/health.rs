//! How it goes: the ledger, what runs in the background, disk space, engines; and the settings in force.

use std::time::Duration;

use api_types::detection::EngineRow;
use api_types::health::{CheckedView, EngineHealthView, HealthView, ReconcilerView, ScrubView, VolumeView};
use api_types::ledger::{LedgerQuery, LedgerView};
use api_types::notify::{NotifyAsk, TriedView};
use api_types::reload::ReloadView;
use axum::Extension;
use axum::extract::{Query, State};
use domain::Timestamp;
use maud::{Markup, html};
use service::access::{Operator, Permission};
use service::error::ServiceError;
use service::{Service, detection, health, ledger, notify};
use texts::{Text, say};
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment, size};

use crate::page::{chip, explorer, page};

/// Figures that are younger are as good as new.
const A_MOMENT: Duration = Duration::from_secs(10);

/// What is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct How {
    /// The ledger is checked now, which takes its time over millions of units.
    check: Option<String>,
}

/// `GET /health`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(how): Query<How>,
) -> PageResult {
    let engines = detection::engines(&service, &operator).await?;
    let now = service.clock.now();
    let whole = match operator.must_see_all() {
        Ok(()) => Some(health::show(&service, &operator).await?),
        Err(_) => None,
    };
    let ledger = match &whole {
        Some(HealthView { books: Some(checked), .. }) if how.check.is_none() => Some(checked_before(checked, now)),
        Some(_) => Some(checked_now(&ledger::check(&service, &operator, LedgerQuery::default()).await?, now)),
        None => None,
    };
    let body = html! {
        h1 { (say!(nav_health)) }
        @if let (Some(goes), Some(ledger)) = (&whole, ledger) {
            p {
                a href="/settings" { (say!(settings_title)) } " · " a href="/bypassed" { (say!(bypassed_title)) }
            }
            (ledger)
            @if let Some(reload) = &goes.reload { (reloaded(reload)) }
            (background(&goes.reconcilers))
            (disk(&goes.volume))
            (what_is_kept(goes))
            @if !goes.engines.is_empty() { (engines_now(&goes.engines)) }
        }
        (versions_of(&engines))
        section { h2 { (say!(health_interfaces)) } ul {
            li { a href="/metrics" { (say!(health_metrics)) } }
            li { a href="/api/v1/openapi.json" { (say!(health_api)) } }
            li { a href="/readyz" { (say!(health_readiness)) } }
        } }
    };
    Ok(page(&operator, "/health", say!(nav_health), body))
}

/// What came of the last reload: loud where the file and what is in force are not the same.
fn reloaded(reload: &ReloadView) -> Markup {
    let ReloadView { state, by, at, file, changed, fault, .. } = reload;
    html! {
        section {
            h2 { (say!(health_reload)) }
            p { (say!(health_reload_text, at = moment(at), by = by, count = changed.len())) " " (chip(state)) }
            @if let Some(why) = fault { div.wrong role="alert" {
                p { (say!(health_reload_fault, file = html! { code { (file) } })) " " (why) }
            } }
        }
    }
}

fn versions_of(engines: &[EngineRow]) -> Markup {
    html! {
        section {
            h2 { (say!(health_versions)) }
            div.scroll { table {
                thead { tr {
                    th { (say!(health_engine)) } th { (say!(health_version)) } th { (say!(health_data_version)) }
                    th { (say!(health_first_seen)) }
                } }
                tbody { @for one in engines { tr {
                    td { (one.engine) } td { (one.version) } td { (one.data_version) }
                    td.when { (moment(&one.first_seen)) }
                } } }
            } }
        }
    }
}

/// When something was checked, and how long ago: what is older than a moment is not taken for what is now.
fn checked_at(at: &str, now: Timestamp) -> Markup {
    let ago = Timestamp::parse(at).map(|at| now.since(at)).unwrap_or_default();
    html! {
        (moment(at)) " UTC"
        @if ago >= A_MOMENT { ", " strong { (say!(health_ago, span = platform::report::span(ago))) } }
    }
}

/// The ledger as it was last checked.
fn checked_before(checked: &CheckedView, now: Timestamp) -> Markup {
    let took = format!("{:.0}", checked.took_ms);
    the_ledger(&checked.ledger, &say!(health_ledger_checked, at = checked_at(&checked.at, now), took = took))
}

/// The ledger, checked for this page.
fn checked_now(ledger: &LedgerView, now: Timestamp) -> Markup {
    the_ledger(ledger, &say!(health_ledger_now, at = moment(&now.to_string())))
}

fn the_ledger(ledger: &LedgerView, when: &Text) -> Markup {
    html! {
        section {
            h2 { (say!(health_ledger)) }
            p { (when) " " a href="/health?check=now" { (say!(health_ledger_check)) } }
            @if ledger.balanced {
                p.calm { (say!(health_ledger_good, accepted = ledger.accepted)) }
            } @else {
                div.wrong role="alert" {
                    p { strong { (say!(health_ledger_bad)) } }
                    ul { @for fault in &ledger.faults { li { (fault) } } }
                }
            }
            div.numbers { @for (account, units) in &ledger.accounts {
                a href=(explorer(&format!("state:{account}"))) {
                    span.number { (units) } span { (texts::word(account)) }
                }
            } }
            p.dim { (say!(health_ledger_unconfirmed, count = ledger.unconfirmed)) }
        }
    }
}

fn background(reconcilers: &[ReconcilerView]) -> Markup {
    html! {
        section {
            h2 { (say!(health_tasks)) }
            p.dim { (say!(health_tasks_text)) }
            div.scroll { table {
                thead { tr {
                    th { (say!(health_task)) } th { (say!(state)) } th { (say!(health_last_run)) }
                    th.right { (say!(health_took)) } th.right { (say!(health_period)) }
                    th { (say!(health_last_error)) } th.right { (say!(health_failing)) }
                } }
                tbody { @for one in reconcilers { (reconciler(one)) } }
            } }
            @for one in reconcilers { @if one.failing != 0 { (failing_of(one)) } }
        }
    }
}

fn reconciler(one: &ReconcilerView) -> Markup {
    html! { tr {
        td { (one.name) } td { (chip(&one.state)) }
        td.when { @match &one.last { Some(at) => (moment(at)), None => (say!(health_not_ended)) } }
        td.right { @if let Some(ms) = one.took_ms { (format!("{ms:.1} ms")) } }
        // With its decimal, as JSON has it.
        td.right { (format!("{:?} s", one.period_s)) }
        td { @if let Some(at) = &one.failed { (moment(at)) ": " (one.fault.as_deref().unwrap_or_default()) } }
        td.right { (one.failing) }
    } }
}

fn failing_of(one: &ReconcilerView) -> Markup {
    html! {
        h3 { (say!(health_failing_of, task = &one.name)) }
        p.dim { (say!(health_failing_text)) }
        div.scroll { table {
            thead { tr {
                th { (say!(health_item)) } th.right { (say!(health_failures)) } th { (say!(health_next_try)) }
                th { (say!(health_error)) }
            } }
            tbody { @for item in &one.failing_items { tr {
                td { (item.item) } td.right { (item.failures) } td.when { (moment(&item.next)) } td { (item.fault) }
            } } }
        } }
    }
}

/// How the engines fared with the mails that came last.
fn engines_now(engines: &[EngineHealthView]) -> Markup {
    html! {
        section {
            h2 { (say!(health_engines)) }
            div.scroll { table {
                thead { tr {
                    th { (say!(health_engine)) } th { (say!(state)) } th.right { (say!(health_asked)) }
                    th.right { (say!(health_failed)) } th.right { (say!(health_median)) }
                    th { (say!(health_last_error)) }
                } }
                tbody { @for one in engines { tr {
                    td { (one.engine) } td { (chip(if one.failed == 0 { "ok" } else { "failing" })) }
                    td.right { (one.asked) } td.right { (one.failed) }
                    td.right { (format!("{:.1} ms", one.median_ms)) } td { (one.fault) }
                } } }
            } }
        }
    }
}

fn disk(volume: &VolumeView) -> Markup {
    let is_low = volume.free_bytes.is_some_and(|free| free < volume.floor_bytes);
    html! {
        section {
            h2 { (say!(health_disk)) }
            @if is_low { div.wrong role="alert" { p { strong { (say!(health_disk_full)) } } } }
            p {
                (say!(health_disk_text, free = size(volume.free_bytes.unwrap_or(0)), floor = size(volume.floor_bytes),
                    database = size(volume.database_bytes)))
            }
        }
    }
}

/// Whether what is over goes, and whether what is kept is whole.
fn what_is_kept(goes: &HealthView) -> Markup {
    html! {
        section {
            h2 { (say!(health_stored)) }
            @if let Some(clock) = goes.clock.as_ref().filter(|clock| clock.state == "doubted") {
                div.wrong role="alert" { p {
                    strong { (say!(health_clock)) } " "
                    (say!(health_clock_text, now = moment(&clock.now), why = &clock.why))
                } }
            }
            @if goes.damaged > 0 { div.wrong role="alert" {
                p { strong { (say!(health_damaged, count = goes.damaged)) } }
                ul { @for one in &goes.damage { li {
                    (say!(health_damage, message = html! { a href={ "/messages/" (one.mail) } { (one.mail) } },
                        why = &one.why))
                } } }
            } }
            @if let Some(scrub) = &goes.scrub { (how_far(scrub)) }
            @if goes.held.holds > 0 { p {
                (say!(health_holds, count = goes.held.holds, messages = goes.held.mails,
                    size = size(goes.held.bytes)))
                " " @if !goes.held.is_counted { (say!(health_holds_counting)) " " }
                a href="/holds" { (say!(nav_holds)) }
            } }
        }
    }
}

/// How far the check of all stored bytes is.
fn how_far(scrub: &ScrubView) -> Markup {
    html! { p {
        @match &scrub.last_ended {
            Some(at) => (say!(health_scrub_last, at = moment(at), blobs = scrub.last_blobs,
                size = size(scrub.last_bytes))),
            None => (say!(health_scrub_first)),
        }
        @if scrub.state != "done" {
            " " (say!(health_scrub_now, began = moment(&scrub.began), blobs = scrub.blobs, size = size(scrub.bytes)))
        }
        @if scrub.state == "late" {
            " " (say!(health_scrub_late, setting = html! { code { "scrub_kib_per_second" } }))
        }
    } }
}

/// `GET /settings`: the configuration in force.
///
/// # Errors
/// What the API says.
pub async fn settings(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let body = settings_body(&service, &operator, None).await?;
    Ok(page(&operator, "/health", say!(settings_title), body))
}

/// `POST /settings/test`: a test notice through each way by which people are told.
///
/// # Errors
/// What the API says.
pub async fn test_notices(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    form: Form,
) -> PageResult {
    let ask = NotifyAsk { recipient: Some(form.one("recipient").to_owned()), ..NotifyAsk::default() };
    let tried = notify::test(&service, &operator, ask).await?;
    let body = settings_body(&service, &operator, Some(&tried)).await?;
    Ok(page(&operator, "/health", say!(settings_title), body))
}

/// Whom a way is for.
fn audience(whom: &str) -> String {
    match whom {
        "operators" => say!(settings_operators).into(),
        "the public" => say!(settings_public).into(),
        "a recipient" => say!(settings_recipient).into(),
        other => other.to_owned(),
    }
}

/// The ways by which people are told, to be tried; and what came of it.
fn ways(tried: Option<&[TriedView]>) -> Markup {
    html! {
        section.actions {
            h2 { (say!(settings_test)) }
            p.dim { (say!(settings_test_text, section = html! { code { "[notices]" } })) }
            form.row method="post" action="/settings/test" { (enter_does_nothing())
                label { (say!(settings_test_recipient))
                    input type="email" name="recipient" autocomplete="off" placeholder=(say!(settings_test_nobody));
                }
                button { (say!(settings_test_send)) }
            }
            @match tried {
                None => {},
                Some([]) => p.calm { (say!(settings_test_none)) },
                Some(tried) => div.scroll { table {
                    thead { tr {
                        th { (say!(settings_for)) } th { (say!(settings_to)) } th { (say!(settings_accepted)) }
                        th { (say!(settings_by)) } th.right { (say!(health_took)) } th { (say!(settings_answer)) }
                    } }
                    tbody { @for one in tried { tr {
                        td { (audience(&one.whom)) } td.address { (one.to) }
                        td { (chip(if one.is_taken { "ok" } else { "failed" })) }
                        td { (one.by) } td.right { (format!("{:.0} ms", one.took_ms)) } td { (one.answer) }
                    } } }
                } },
            }
        }
    }
}

async fn settings_body(
    service: &Service,
    operator: &Operator,
    tried: Option<&[TriedView]>,
) -> Result<Markup, ServiceError> {
    let all = health::settings(service, operator).await?;
    Ok(html! {
        h1 { (say!(settings_title)) }
        @if operator.role.may(Permission::Rules) { (ways(tried)) }
        p.dim { (say!(settings_text, check = html! { code { "reprieve config check" } },
                reload = html! { code { "reprieve reload" } })) }
        div.settings { @for one in &all {
            section {
                h2 { @if one.section.is_empty() { (say!(settings_general)) } @else { code { "[" (one.section) "]" } } }
                table { tbody { @for setting in &one.settings {
                    tr { th scope="row" { (setting.key) } td { (setting.value) } }
                } } }
            }
        } }
    })
}
