//! What the sentinel knows against detections, what it holds back, and what people tell it.

use api_types::memory::MemoryView;
use api_types::sentinel::{ContainAsk, ContainmentView, PinView, ProbationView, SuspicionView};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use platform::percent::encoded;
use service::Service;
use service::access::{Operator, Permission};
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
        h1 { "Sentinel" }
        p {
            @if shown.acts {
                "A detection that known-good mail convicts is contained by itself, its incident opened and what it "
                "held replayed."
            } @else if shown.containment == "automatic" {
                "The memory is not strong enough yet: people are called, and nothing is contained by itself."
            } @else { "People are called, and nothing is contained by itself." }
        }
        (memory(&shown.memory))
        (contained(&shown.contained, may))
        (probations(&shown.probations))
        (suspects(&shown.suspects))
        @if !shown.pinned.is_empty() { (pinned(&shown.pinned)) }
    };
    Ok(page(&operator, "/sentinel", "Sentinel", body))
}

fn memory(memory: &MemoryView) -> Markup {
    facts(&[
        ("Memory", html! { (memory.strength) }),
        (
            "Contents that may testify",
            html! { (memory.eligible) " of " (memory.strong_contents) " that make it strong" },
        ),
        (
            "Senders known",
            html! {
                (memory.established) " established of " (memory.identities) ", " (memory.internal) " of our own"
            },
        ),
    ])
}

fn contained(held: &[ContainmentView], may: bool) -> Markup {
    html! {
        section {
            h2 { "Held back" }
            @if held.is_empty() { p.calm { "Nothing is held back." } }
            @for one in held { article.notice.warn {
                p {
                    a href={ "/detections/" (encoded(&one.detection)) } { strong { (one.detection) } } " "
                    code { (one.detection_version) } " " (chip(one.level.as_deref().unwrap_or_default()))
                    " since " (moment(&one.since)) " by " (one.by)
                }
                p { (one.reason) }
                @if may { (acting(&one.detection, "release", "Give it back")) }
            } }
        }
    }
}

/// What became of mail that versions on probation delay; nothing where none does or did.
pub fn probations(all: &[ProbationView]) -> Markup {
    html! {
        @if !all.is_empty() { section {
            h2 { "Probation" }
            p.dim {
                "A version that was forced past a gate and hits what was known to be good delays mail of known "
                "senders. What is let out may be a catch that was lost."
            }
            ul { @for one in all { li {
                a href={ "/detections/" (encoded(&one.detection)) } { (one.detection) } " "
                code { (one.detection_version) } " "
                @match &one.since {
                    Some(since) => { "is on probation since " (moment(since)) },
                    None => { "is on probation no more" },
                }
                ": " (one.delayed) " mails delayed, " (one.waiting) " of them wait, " (one.kept) " stay, "
                (one.let_out) " let out (" (one.let_out_most) " at most), " (one.settled) " decided by others"
            } } }
        } }
    }
}

fn pinned(pins: &[PinView]) -> Markup {
    html! {
        section {
            h2 { "Pinned" }
            p.dim { "Nothing contains these by itself; the same evidence calls people." }
            ul { @for pin in pins { li {
                a href={ "/detections/" (encoded(&pin.detection)) } { (pin.detection) }
                " since " (moment(&pin.since)) " by " (pin.by) ": " (pin.reason)
            } } }
        }
    }
}

/// A form that contains a detection, or gives it back.
pub fn acting(detection: &str, verb: &str, name: &str) -> Markup {
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
            h2 { "What is known against detections" }
            p.dim {
                "Evidence is compared with 10,000, or 1,000 in the first day of a version. Only content that known "
                "senders carried before it came testifies."
            }
            @if all.is_empty() { p.calm { "Nothing is held against any detection." } }
            @else { div.scroll { table {
                thead { tr {
                    th { "Detection" } th { "State" } th.right { "Evidence" } th.right { "Live" } th { "Probe" }
                    th.right { "Hits" } th.right { "Known senders" } th.right { "Witnesses" }
                } }
                tbody { @for one in all { tr {
                    td {
                        a href={ "/detections/" (encoded(&one.detection)) } { (one.detection) } br;
                        code { (one.detection_version) }
                    }
                    td { (chip(&one.state)) }
                    td.right { (weight(one.evidence)) } td.right { (weight(one.live_evidence)) }
                    td { (one.probe_hits) " of " (one.probe_seen) }
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
