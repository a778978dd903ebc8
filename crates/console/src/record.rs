//! What is on record: entries, alerts, the audit log.

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
use texts::say;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::explorer::back_to;
use crate::page::{class_of, page, reason};

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
        h1 { (say!(entries_title)) }
        @if may { (entry_form(&operator)) }
        @if entries.is_empty() { p.calm { (say!(entries_none)) } }
        @else { div.scroll { table {
            thead { tr {
                th { (say!(entries_action)) } th { (say!(entries_value)) } th { (say!(entries_reach)) }
                th { (say!(entries_reason)) } th { (say!(entries_owner)) } th { (say!(entries_until)) }
                th { (say!(entries_last_used)) } td {}
            } }
            tbody { @for one in &entries { (entry_row(one, may)) } }
        } } }
    };
    Ok(page(&operator, "/entries", say!(entries_title), body))
}

/// What an entry does, as people read it.
fn action(action: &str) -> String {
    match action {
        "allow" => say!(entries_allow).into(),
        "block" => say!(entries_block).into(),
        other => other.to_owned(),
    }
}

/// What an entry is about, as people read it.
fn kind(kind: &str) -> String {
    match kind {
        "sender" => say!(entries_sender).into(),
        "domain" => say!(entries_domain).into(),
        "url" => say!(entries_url).into(),
        "file" => say!(entries_file).into(),
        "ip" => say!(entries_ip).into(),
        "picture" => say!(entries_picture).into(),
        "text" => say!(entries_text).into(),
        "layout" => say!(entries_layout).into(),
        other => other.to_owned(),
    }
}

/// For whom an entry counts, as people read it.
fn reach(one: &EntryView) -> String {
    match one.reach.as_str() {
        "everyone" => say!(entries_everyone).into(),
        "domain" => say!(entries_for_domain, domain = &one.whom).into(),
        "recipient" => say!(entries_for_recipient, recipient = &one.whom).into(),
        other => format!("{other} {}", one.whom),
    }
}

fn entry_row(one: &EntryView, may: bool) -> Markup {
    html! { tr {
        td {
            span.chip.(class_of(&one.action)) { (action(&one.action)) }
            @if one.clears_malware { " " (say!(entries_malware)) }
        }
        td.address { (kind(&one.kind)) " " (value(one)) }
        td { (reach(one)) }
        td {
            (one.reason)
            @if let Some(mail) = &one.caused_by { " " a href={ "/messages/" (mail) } { (say!(entries_cause)) } }
        }
        td { (one.owner) } td.when { (moment(&one.expires)) }
        td.when { @match &one.last_used { Some(used) => (moment(used)), None => span.dim { (say!(entries_never)) } } }
        td { @if may {
            form.inline method="post" action="/entries/act" { (enter_does_nothing())
                input type="hidden" name="remove" value=(one.id); button.quiet { (say!(entries_remove)) }
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
            h2 { (say!(entries_add)) }
            form.row method="post" action="/entries/act" { (enter_does_nothing())
                label { (say!(entries_action))
                    select name="action" { @for one in ["block", "allow"] { option value=(one) { (action(one)) } } }
                }
                label { (say!(entries_kind))
                    select name="kind" { @for one in KINDS { option value=(one) { (kind(one)) } } }
                }
                label { (say!(entries_value))
                    input type="text" name="value" required maxlength="1000" placeholder="spam@x.example"
                        autocomplete="off";
                }
                @if operator.must_see_all().is_err() {
                    label { (say!(entries_our_domain)) input type="text" name="domain" required; }
                } @else {
                    label { (say!(entries_only_domain))
                        input type="text" name="domain" placeholder=(say!(entries_all_domains));
                    }
                }
                label { (say!(entries_hours)) input type="number" name="hours" value="24" min="1" max="8760"; }
                (reason(true))
                button { (say!(entries_add)) }
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

/// `POST /alerts/act`: somebody has seen an alert, or does at once what it asks for.
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
        h1 { (say!(nav_audit)) }
        p {
            a href="/audit?verify=true" { (say!(audit_verify)) } " · "
            a href="/status/checkpoint" { (say!(audit_checkpoint)) }
        }
        @if let Some(found) = &found { (verified(found)) }
        div.scroll { table {
            thead { tr {
                th { (say!(audit_number)) } th { (say!(audit_time)) } th { (say!(audit_actor)) }
                th { (say!(audit_action)) } th { (say!(audit_object)) } th { (say!(audit_reason)) }
            } }
            // What an entry says beside its reason is whatever the act had to say, as text: it is shown as it is.
            tbody { @for one in &rows { tr {
                td { (one.seq) } td.when { (moment(&one.at)) } td { (one.actor) } td { code { (one.action) } }
                td.address { (one.object) }
                td { (one.reason) @if !one.detail.is_empty() { " " span.dim { (one.detail) } } }
            } } }
        } }
        p.pages {
            @if query.before.is_some() { a href="/audit" { (say!(audit_newest)) } " " }
            @if let Some(last) = last { a href={ "/audit?before=" (last.seq) } { (say!(audit_older)) } }
        }
    };
    Ok(page(&operator, "/audit", say!(nav_audit), body))
}

/// Whether the log is as it was written.
fn verified(found: &VerifiedView) -> Markup {
    html! {
        @if found.intact {
            p.calm {
                (say!(audit_intact, entries = found.size, commits = found.batches, verdicts = found.verdicts,
                    root = html! { code { (found.root) } }))
            }
        } @else {
            div.wrong role="alert" {
                p { strong { (say!(audit_broken)) } }
                ul { @for fault in &found.faults { li { (fault) } } }
            }
        }
    }
}
