//! What the sentinel knows against detections, what it holds back, and what people tell it.

use api_types::memory::MemoryView;
use api_types::sentinel::{ContainAsk, ContainmentView, PinView, ProbationView, SuspicionView};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, Render, html};
use platform::percent::encoded;
use service::Service;
use service::access::{Operator, Permission};
use texts::{Text, say};
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::explorer::back_to;
use crate::page::{chip, facts, page, reason};

/// `GET /sentinel`.
///
/// # Errors
/// What the API says.
pub async fn show(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let shown = service::sentinel::status(&service, &operator).await?;
    let may = operator.role.may(Permission::Rules);
    let body = html! {
        h1 { (say!(nav_sentinel)) }
        p {
            @if shown.acts {
                (say!(sentinel_acts))
            } @else if shown.containment == "automatic" {
                (say!(sentinel_weak))
            } @else { (say!(overview_sentinel_calls)) }
        }
        (memory(&shown.memory))
        (contained(&shown.contained, may))
        (probations(&shown.probations))
        (suspects(&shown.suspects))
        @if !shown.pinned.is_empty() { (pinned(&shown.pinned)) }
    };
    Ok(page(&operator, "/sentinel", say!(nav_sentinel), body))
}

fn memory(memory: &MemoryView) -> Markup {
    facts(&[
        (say!(sentinel_memory), html! { (texts::word(&memory.strength)) }),
        (
            say!(sentinel_samples),
            say!(sentinel_samples_of, eligible = memory.eligible, strong = memory.strong_contents).render(),
        ),
        (
            say!(sentinel_senders),
            say!(
                sentinel_senders_of,
                established = memory.established,
                known = memory.identities,
                internal = memory.internal
            )
            .render(),
        ),
    ])
}

fn contained(held: &[ContainmentView], may: bool) -> Markup {
    html! {
        section {
            h2 { (say!(sentinel_contained)) }
            @if held.is_empty() { p.calm { (say!(sentinel_contained_none)) } }
            @for one in held { article.notice.warn {
                p {
                    a href={ "/detections/" (encoded(&one.detection)) } { strong { (one.detection) } } " "
                    code { (one.detection_version) } " " (chip(one.level.as_deref().unwrap_or_default()))
                    " " (say!(since_by, since = moment(&one.since), by = &one.by))
                }
                p { (one.reason) }
                @if may { (acting(&one.detection, "release", &say!(sentinel_release))) }
            } }
        }
    }
}

/// What became of mail that versions on probation delay; nothing where none does or did.
pub fn probations(all: &[ProbationView]) -> Markup {
    html! {
        @if !all.is_empty() { section {
            h2 { (say!(sentinel_probation)) }
            p.dim {
                (say!(sentinel_probation_text))
            }
            ul { @for one in all { li {
                a href={ "/detections/" (encoded(&one.detection)) } { (one.detection) } " "
                code { (one.detection_version) } " "
                @match &one.since {
                    Some(since) => { (say!(sentinel_probation_since, since = moment(since))) },
                    None => { (say!(sentinel_probation_over)) },
                }
                ": " (say!(sentinel_probation_counts, delayed = one.delayed, waiting = one.waiting, kept = one.kept,
                    let_out = one.let_out, most = one.let_out_most, settled = one.settled))
            } } }
        } }
    }
}

fn pinned(pins: &[PinView]) -> Markup {
    html! {
        section {
            h2 { (say!(sentinel_pinned)) }
            p.dim { (say!(sentinel_pinned_text)) }
            ul { @for pin in pins { li {
                a href={ "/detections/" (encoded(&pin.detection)) } { (pin.detection) }
                " " (say!(since_by, since = moment(&pin.since), by = &pin.by)) ": " (pin.reason)
            } } }
        }
    }
}

/// A form that contains a detection, or gives it back.
pub fn acting(detection: &str, verb: &str, name: &Text) -> Markup {
    html! {
        form.inline method="post" action="/sentinel/act" { (enter_does_nothing())
            input type="hidden" name="detection" value=(detection);
            input type="hidden" name="do" value=(verb);
            (reason(true))
            button.quiet { (name) }
        }
    }
}

fn suspects(all: &[SuspicionView]) -> Markup {
    html! {
        section {
            h2 { (say!(sentinel_suspects)) }
            p.dim {
                (say!(sentinel_suspects_text))
            }
            @if all.is_empty() { p.calm { (say!(sentinel_suspects_none)) } }
            @else { div.scroll { table {
                thead { tr {
                    th { (say!(detection)) } th { (say!(state)) } th.right { (say!(sentinel_evidence)) }
                    th.right { (say!(sentinel_live)) } th { (say!(sentinel_probe)) }
                    th.right { (say!(sentinel_hits)) } th.right { (say!(sentinel_known_senders)) }
                    th.right { (say!(sentinel_sources)) }
                } }
                tbody { @for one in all { tr {
                    td {
                        a href={ "/detections/" (encoded(&one.detection)) } { (one.detection) } br;
                        code { (one.detection_version) }
                    }
                    td { (chip(&one.state)) }
                    td.right { (weight(one.evidence)) } td.right { (weight(one.live_evidence)) }
                    td { (say!(count_of, count = one.probe_hits, all = one.probe_seen)) }
                    td.right { (one.hits) } td.right { (one.senders) } td.right { (one.witnesses) }
                } } }
            } } }
        }
    }
}

fn weight(weight: f64) -> String {
    if weight < 1000.0 { format!("{weight:.2}") } else { format!("{weight:.1e}") }
}

/// `POST /sentinel/act`: contains a detection, or gives it back.
///
/// # Errors
/// What the API says.
pub async fn act(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let ask = ContainAsk {
        detection: form.one("detection").to_owned(),
        reason: form.one("reason").to_owned(),
        release: form.one("do") == "release",
        ..ContainAsk::default()
    };
    service::sentinel::contain(&service, &operator, ask).await?;
    Ok(back_to("/sentinel"))
}
