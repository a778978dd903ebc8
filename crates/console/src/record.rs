//! What is on record: entries, calls, the audit log.

use api_types::alert::{ChooseAsk, SeenAsk};
use api_types::audit::{AuditQuery, VerifiedView, VerifyQuery};
use api_types::entry::{EntryAsk, EntryView, RemoveAsk};
use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use service::Service;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::explorer::back_to;
use crate::page::{chip, page, reason};

/// What an entry can be about.
const KINDS: [&str; 7] = ["sender", "domain", "url", "file", "ip", "picture", "text"];
/// Entries of the audit log on one page.
const PAGE: usize = 100;

/// `GET /entries`: what is allowed and blocked.
///
/// # Errors
/// What the API says.
pub async fn entries(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let entries = service::entry::list(&service, &operator).await?;
    let may = operator.role.may(Permission::Rules);
    let body = html! {
        h1 { "Allow and block" }
        @if may { (entry_form(&operator)) }
        @if entries.is_empty() { p.calm { "There is no entry." } }
        @else { div.scroll { table {
            thead { tr {
                td {} th { "What" } th { "For" } th { "Reason" } th { "Owner" } th { "Until (UTC)" }
                th { "Last used" } td {}
            } }
            tbody { @for one in &entries { (entry_row(one, may)) } }
        } } }
    };
    Ok(page(&operator, "/entries", "Allow and block", body))
}

fn entry_row(one: &EntryView, may: bool) -> Markup {
    html! { tr {
        td { (chip(&one.action)) @if one.clears_malware { " malware as well" } }
        td.address { (one.kind) " " (value(one)) }
        td { (one.reach) " " (one.whom) }
        td {
            (one.reason)
            @if let Some(mail) = &one.caused_by { " " a href={ "/messages/" (mail) } { "because of a message" } }
        }
        td { (one.owner) } td.when { (moment(&one.expires)) }
        td.when { @match &one.last_used { Some(used) => (moment(used)), None => span.dim { "never" } } }
        td { @if may {
            form.inline method="post" action="/entries/act" { (enter_does_nothing())
                input type="hidden" name="remove" value=(one.id); button.quiet { "End" }
            }
        } }
    } }
}

/// What an entry is about; of a fingerprint the beginning.
fn value(one: &EntryView) -> Markup {
    let is_print = matches!(one.kind.as_str(), "picture" | "text");
    html! {
        @if is_print { code title=(one.value) { (one.value.get(..8).unwrap_or_default()) "…" } }
        @else { code { (one.value) } }
    }
}

fn entry_form(operator: &Operator) -> Markup {
    html! {
        section.actions {
            h2 { "New entry" }
            form.row method="post" action="/entries/act" { (enter_does_nothing())
                label { "Do"
                    select name="action" { option value="block" { "Block" } option value="allow" { "Allow" } }
                }
                label { "What"
                    select name="kind" {
                        @for kind in KINDS { option value=(kind) { (kind) } }
                    }
                }
                label { "Value"
                    input type="text" name="value" required maxlength="1000" placeholder="spam@x.example"
                        autocomplete="off";
                }
                @if operator.must_see_all().is_err() {
                    label { "For our domain" input type="text" name="domain" required; }
                } @else {
                    label { "Only for our domain" input type="text" name="domain" placeholder="everyone"; }
                }
                label { "Hours" input type="number" name="hours" value="24" min="1" max="8760"; }
                (reason(true))
                button { "Make it" }
            }
        }
    }
}

/// `POST /entries/act`: makes an entry, or ends one.
///
/// # Errors
/// What the API says.
pub async fn entries_act(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    form: Form,
) -> PageResult {
    let reason = form.one("reason").to_owned();
    if let Ok(number) = form.one("remove").parse::<u64>() {
        let ask = RemoveAsk { reason, ..RemoveAsk::default() };
        service::entry::remove(&service, &operator, number, ask).await?;
    } else {
        let domain = form.one("domain").trim();
        let ask = EntryAsk {
            action: form.one("action").to_owned(),
            kind: form.one("kind").to_owned(),
            value: form.one("value").to_owned(),
            reason,
            domain: (!domain.is_empty()).then(|| domain.to_owned()),
            hours: form.one("hours").parse().ok(),
            ..EntryAsk::default()
        };
        service::entry::add(&service, &operator, ask).await?;
    }
    Ok(back_to("/entries"))
}

/// `POST /alerts/act`: somebody has seen a call, or does at once what it asks for.
///
/// # Errors
/// What the API says.
pub async fn alert_act(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    form: Form,
) -> PageResult {
    let number = form.one("number").parse().map_err(|_| ServiceError::Bad("which alert?".into()))?;
    let (choice, reason) = (form.one("do").to_owned(), form.one("reason").to_owned());
    if matches!(choice.as_str(), "" | "seen") {
        service::alert::seen(&service, &operator, number, SeenAsk { reason, ..SeenAsk::default() }).await?;
    } else {
        let ask = ChooseAsk { choice, reason, ..ChooseAsk::default() };
        service::alert::choose(&service, &operator, number, ask).await?;
    }
    Ok(back_to("/"))
}

/// Before which entry a page begins, and whether the log is to be checked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    before: Option<u64>,
    verify: bool,
}

/// `GET /audit`: who did what, newest first.
///
/// # Errors
/// What the API says.
pub async fn audit(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<LogQuery>,
) -> PageResult {
    let ask = AuditQuery { before: Some(query.before.unwrap_or(u64::MAX)), ..AuditQuery::default() };
    let mut rows = service::audit::list(&service, &operator, ask).await?;
    rows.truncate(PAGE);
    let found = match query.verify {
        true => Some(service::audit::verify(&service, &operator, VerifyQuery::default()).await?),
        false => None,
    };
    let last = rows.last().filter(|_| rows.len() == PAGE);
    let body = html! {
        h1 { "Audit log" }
        p {
            a href="/audit?verify=true" { "Check that it is intact" } " · "
            a href="/status/checkpoint" { "signed checkpoint" }
        }
        @if let Some(found) = &found { (verified(found)) }
        div.scroll { table {
            thead { tr {
                th { "No." } th { "When (UTC)" } th { "Who" } th { "What" } th { "To which" } th { "Why" }
            } }
            // What an entry says beside its reason is whatever the act had to say, as text: it is shown as it is.
            tbody { @for one in &rows { tr {
                td { (one.seq) } td.when { (moment(&one.at)) } td { (one.actor) } td { code { (one.action) } }
                td.address { (one.object) }
                td { (one.reason) @if !one.detail.is_empty() { " " span.dim { (one.detail) } } }
            } } }
        } }
        p.pages {
            @if query.before.is_some() { a href="/audit" { "Newest" } " " }
            @if let Some(last) = last { a href={ "/audit?before=" (last.seq) } { "Older" } }
        }
    };
    Ok(page(&operator, "/audit", "Audit log", body))
}

/// Whether the log is as it was written.
fn verified(found: &VerifiedView) -> Markup {
    html! {
        @if found.intact {
            p.calm {
                "Intact: " (found.size) " entries, " (found.batches) " group commits and " (found.verdicts)
                " verdicts are as they were written. Root " code { (found.root) }
            }
        } @else {
            div.wrong role="alert" {
                p { strong { "Not intact" } }
                ul { @for fault in &found.faults { li { (fault) } } }
            }
        }
    }
}
