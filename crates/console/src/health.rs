//! How it goes: the ledger, what runs in the background, room, engines; and the settings in force.

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
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment, size};

use crate::page::{chip, explorer, page, shown as spoken};

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
        h1 { "Health" }
        @if let (Some(goes), Some(ledger)) = (&whole, ledger) {
            p {
                a href="/settings" { "The settings in force" } " · "
                a href="/bypassed" { "Mail that passed unexamined" }
            }
            (ledger)
            @if let Some(reload) = &goes.reload { (reloaded(reload)) }
            (background(&goes.reconcilers))
            (room(&goes.volume))
            (what_is_kept(goes))
            @if !goes.engines.is_empty() { (engines_now(&goes.engines)) }
        }
        (versions_of(&engines))
        section { h2 { "For machines" } ul {
            li { a href="/metrics" { "Prometheus metrics" } }
            li { a href="/api/v1/openapi.json" { "The document of the API" } }
            li { a href="/readyz" { "Readiness" } }
        } }
    };
    Ok(page(&operator, "/health", "Health", body))
}

/// What came of the last reload: loud where the file and what is in force are not the same.
fn reloaded(reload: &ReloadView) -> Markup {
    let ReloadView { state, by, at, file, changed, fault, .. } = reload;
    html! {
        section {
            h2 { "The configuration" }
            p { "Last reloaded at " (moment(at)) " UTC for " (by) ": " (chip(state)) ", " (changed.len()) " settings." }
            @if let Some(why) = fault { div.wrong role="alert" {
                p { "What " code { (file) } " says is not in force: " (why) }
            } }
        }
    }
}

fn versions_of(engines: &[EngineRow]) -> Markup {
    html! {
        section {
            h2 { "Versions that engines have said they are" }
            div.scroll { table {
                thead { tr { th { "Engine" } th { "Version" } th { "Data" } th { "First seen (UTC)" } } }
                tbody { @for one in engines { tr {
                    td { (one.engine) } td { (one.version) } td { (one.data_version) }
                    td.when { (moment(&one.first_seen)) }
                } } }
            } }
        }
    }
}

/// When something was counted, and how long ago: what is older than a moment is not taken for what is now.
fn counted(at: &str, now: Timestamp) -> Markup {
    let ago = Timestamp::parse(at).map(|at| now.since(at)).unwrap_or_default();
    html! { (moment(at)) " UTC" @if ago >= A_MOMENT { ", " strong { (platform::report::span(ago)) " ago" } } }
}

/// The ledger as it was last checked.
fn checked_before(checked: &CheckedView, now: Timestamp) -> Markup {
    let took = format!("{:.0}", checked.took_ms);
    let when = html! { (counted(&checked.at, now)) ", in " (took) " ms. What came since is not in it." };
    the_ledger(&checked.ledger, &when, "They balanced: ")
}

/// The ledger, checked for this page.
fn checked_now(ledger: &LedgerView, now: Timestamp) -> Markup {
    let when = html! { "just now, at " (moment(&now.to_string())) " UTC." };
    the_ledger(ledger, &when, "They balance: ")
}

fn the_ledger(ledger: &LedgerView, when: &Markup, balance: &str) -> Markup {
    html! {
        section {
            h2 { "The books" }
            p { "Counted " (when) " " a href="/health?check=now" { "Count now" } }
            @if ledger.balanced {
                p.calm { (balance) (ledger.accepted) " units were accepted, and each is in exactly one account." }
            } @else {
                div.wrong role="alert" {
                    p { strong { "They do not balance" } }
                    ul { @for fault in &ledger.faults { li { (fault) } } }
                }
            }
            div.numbers { @for (account, units) in &ledger.accounts {
                a href=(explorer(&format!("state:{account}"))) {
                    span.number { (units) } span { (spoken(account)) }
                }
            } }
            p.dim { (ledger.unconfirmed) " units are unconfirmed: passed on without a recorded answer, or refused." }
        }
    }
}

fn background(reconcilers: &[ReconcilerView]) -> Markup {
    html! {
        section {
            h2 { "In the background" }
            p.dim {
                "Each loop may be killed at any moment and goes on where it was. One that failed is tried again with "
                "its next round."
            }
            div.scroll { table {
                thead { tr {
                    th { "Loop" } th { "State" } th { "Last round (UTC)" } th.right { "Took" }
                    th.right { "At least every" } th { "Last fault" } th.right { "Items that fail" }
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
        td.when { @match &one.last { Some(at) => (moment(at)), None => "not ended yet" } }
        td.right { @if let Some(ms) = one.took_ms { (format!("{ms:.1} ms")) } }
        // With its decimal, as JSON has it.
        td.right { (format!("{:?} s", one.period_s)) }
        td { @if let Some(at) = &one.failed { (moment(at)) ": " (one.fault.as_deref().unwrap_or_default()) } }
        td.right { (one.failing) }
    } }
}

fn failing_of(one: &ReconcilerView) -> Markup {
    html! {
        h3 { "What fails of " (one.name) }
        p.dim { "Each is tried again after a rest of up to ten minutes; nothing else waits for it." }
        div.scroll { table {
            thead { tr { th { "Item" } th.right { "Failures" } th { "Again at (UTC)" } th { "Why" } } }
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
            h2 { "Engines, with the last mails" }
            div.scroll { table {
                thead { tr {
                    th { "Engine" } th { "State" } th.right { "Asked" } th.right { "Failed" } th.right { "Median" }
                    th { "Last fault" }
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

fn room(volume: &VolumeView) -> Markup {
    let is_low = volume.free_bytes.is_some_and(|free| free < volume.floor_bytes);
    html! {
        section {
            h2 { "Room" }
            @if is_low { div.wrong role="alert" {
                p { strong { "Nothing more is taken (452): the volume is full" } }
            } }
            p {
                "Now " (size(volume.free_bytes.unwrap_or(0))) " free on the store's volume; below "
                (size(volume.floor_bytes)) " nothing more is taken. The database has " (size(volume.database_bytes)) "."
            }
        }
    }
}

/// Whether what is over goes, and whether what is kept is whole.
fn what_is_kept(goes: &HealthView) -> Markup {
    html! {
        section {
            h2 { "What is kept" }
            @if let Some(clock) = goes.clock.as_ref().filter(|clock| clock.state == "doubted") {
                div.wrong role="alert" { p {
                    strong { "The clock is not believed" }
                    " It says " (moment(&clock.now)) ", but " (clock.why) "."
                } }
            }
            @if goes.damaged > 0 { div.wrong role="alert" {
                p { strong { (goes.damaged) " stored blobs are damaged" } }
                ul { @for one in &goes.damage { li {
                    "Message " a href={ "/messages/" (one.mail) } { (one.mail) } ": " (one.why)
                } } }
            } }
            @if let Some(scrub) = &goes.scrub { (how_far(scrub)) }
            @if goes.held.holds > 0 { p {
                a href="/holds" { (goes.held.holds) " holds" } " keep " (goes.held.mails) " mails with "
                (size(goes.held.bytes)) " from expiry and deletion"
                @if !goes.held.is_counted { "; the record is still being looked through for them" } "."
            } }
        }
    }
}

/// How far the check of all stored bytes is.
fn how_far(scrub: &ScrubView) -> Markup {
    html! { p {
        @match &scrub.last_ended {
            Some(at) => {
                "All stored bytes were last read and checked by " (moment(at)) ": " (scrub.last_blobs) " blobs, "
                (size(scrub.last_bytes)) ". "
            },
            None => "All stored bytes are being read and checked for the first time. ",
        }
        @if scrub.state != "done" {
            "The pass that began " (moment(&scrub.began)) " has read " (scrub.blobs) " blobs, " (size(scrub.bytes))
            @if scrub.state == "late" { "; it takes longer than it may: raise scrub_kib_per_second" } "."
        }
    } }
}

/// `GET /settings`: the configuration in force.
///
/// # Errors
/// What the API says.
pub async fn settings(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let body = settings_body(&service, &operator, None).await?;
    Ok(page(&operator, "/health", "Settings", body))
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
    Ok(page(&operator, "/health", "Settings", body))
}

/// The ways by which people are told, to be tried; and what came of it.
fn ways(tried: Option<&[TriedView]>) -> Markup {
    html! {
        section.actions {
            h2 { "Test the notices" }
            p.dim {
                "A notice that is marked as a test goes to every webhook and every mailbox of " code { "[notices]" }
                ", and to a recipient of yours if you name one. Nothing else is changed by it."
            }
            form.row method="post" action="/settings/test" { (enter_does_nothing())
                label { "A recipient, too"
                    input type="email" name="recipient" autocomplete="off" placeholder="nobody";
                }
                button { "Send the test" }
            }
            @match tried {
                None => {},
                Some([]) => p.calm { "Nobody is told: there is no webhook and no mailbox." },
                Some(tried) => div.scroll { table {
                    thead { tr {
                        th { "For" } th { "To" } th { "Taken" } th { "By" } th.right { "Took" } th { "Answer" }
                    } }
                    tbody { @for one in tried { tr {
                        td { (one.whom) } td.address { (one.to) }
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
        h1 { "Settings in force" }
        @if operator.role.may(Permission::Rules) { (ways(tried)) }
        p.dim {
            "As the program read its file, defaults included. They are changed there, and "
            code { "reprieve reload" } " puts them in force; `reprieve config check` tells what is wrong with a file. "
            "Policy, rulesets, entries, people and tokens have pages of their own."
        }
        div.settings { @for one in &all {
            section {
                h2 { @if one.section.is_empty() { "General" } @else { code { "[" (one.section) "]" } } }
                table { tbody { @for setting in &one.settings {
                    tr { th scope="row" { (setting.key) } td { (setting.value) } }
                } } }
            }
        } }
    })
}
