//! Legal holds: what neither expires nor is deleted until a person lifts it.

use api_types::hold::{HoldAsk, HoldQuery, HoldView, LiftAsk, OnHoldView};
use axum::Extension;
use axum::extract::{Query, State};
use domain::hold::Kind;
use maud::{Markup, html};
use service::Service;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::explorer::back_to;
use crate::page::{explorer, page, reason};

/// `GET /holds`.
///
/// # Errors
/// What the API says.
pub async fn list_all(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<HoldQuery>,
) -> PageResult {
    let with_lifted = query.lifted;
    let holds = service::hold::list(&service, &operator, query).await?;
    let may = operator.role.may(Permission::Hold);
    let body = html! {
        h1 { "Legal holds" }
        p.dim {
            "Mail on legal hold does not expire, and nobody can delete it, until the hold is lifted; its record and "
            "audit entries stay as well. New mail that matches is covered too. It can still be released."
        }
        @if may { (hold_form()) }
        @if holds.is_empty() { p.calm { "No mail is on legal hold." } }
        @else { div.scroll { table {
            thead { tr {
                th { "No." } th { "Covers" } th.right { "Messages" } th { "Reason" } th { "By" } th { "Since (UTC)" }
                td {}
            } }
            tbody { @for one in &holds { (hold_row(one, may)) } }
        } } }
        @if with_lifted { p { a href="/holds" { "Open holds only" } } }
        @else { p { a href="/holds?lifted=true" { "Show lifted holds" } } }
    };
    Ok(page(&operator, "/holds", "Holds", body))
}

fn hold_form() -> Markup {
    html! {
        section.actions {
            h2 { "New legal hold" }
            form.row method="post" action="/holds/act" { (enter_does_nothing())
                label { "Covers" select name="kind" {
                    @for kind in [Kind::Person, Kind::Query, Kind::Mail] {
                        option value=(kind.as_str()) { (kind.as_str()) }
                    }
                } }
                label { "Address, query or message ID"
                    input type="text" name="what" required maxlength="1000" autocomplete="off"
                        placeholder="anna@example.com";
                }
                (reason(true))
                button { "Place hold" }
            }
        }
    }
}

fn hold_row(one: &HoldView, may: bool) -> Markup {
    let query = match one.kind.as_str() {
        "mail" => format!("id:{}", one.what),
        "person" => format!("sender:{0} OR recipient:{0}", domain::query::quoted(&one.what)),
        _ => one.what.clone(),
    };
    html! { tr {
        td { (one.number) }
        td.address { (one.kind) " " a href=(explorer(&query)) { code { (one.what) } } }
        td.right { (one.mails) } td { (one.reason) } td { (one.by) } td.when { (moment(&one.made)) }
        td { @match &one.lifted {
            Some(at) => span.dim { "lifted " (moment(at)) " by " (one.lifted_by) ": " (one.lifted_reason) },
            None => { @if may { (lift(one.number, "/holds")) } },
        } }
    } }
}

/// The form that lifts a hold, and comes back to a page.
fn lift(number: u64, back: &str) -> Markup {
    html! {
        form.inline method="post" action="/holds/act" { (enter_does_nothing())
            input type="hidden" name="lift" value=(number);
            input type="hidden" name="back" value=(back);
            (reason(true))
            button.quiet { "Lift hold" }
        }
    }
}

/// What a message's page says of holds: those that it is on, and for who may the way to hold it.
pub(crate) fn of_mail(id: &str, holds: &[OnHoldView], may: bool) -> Markup {
    let back = format!("/messages/{id}");
    html! {
        @if !holds.is_empty() {
            section {
                h2 { "On legal hold" }
                p { "It does not expire and cannot be deleted until these are lifted; it can still be released." }
                ul { @for one in holds { li {
                    "Hold " (one.number) " on a " (one.kind) ", by " (one.by) " at " (moment(&one.made)) ": "
                    (one.reason) " " @if may { (lift(one.number, &back)) }
                } } }
            }
        }
        @if may && !holds.iter().any(|one| one.kind == "mail") {
            details {
                summary { "Place on legal hold" }
                form.inline method="post" action="/holds/act" { (enter_does_nothing())
                    input type="hidden" name="kind" value="mail";
                    input type="hidden" name="what" value=(id);
                    input type="hidden" name="back" value=(back);
                    (reason(true))
                    button.quiet { "Place hold" }
                }
            }
        }
    }
}

/// `POST /holds/act`: makes a hold, or lifts one.
///
/// # Errors
/// What the API says.
pub async fn act(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let reason = form.one("reason").to_owned();
    if form.one("lift").is_empty() {
        let (kind, what) = (form.one("kind").to_owned(), form.one("what").to_owned());
        service::hold::add(&service, &operator, HoldAsk { kind, what, reason, ..HoldAsk::default() }).await?;
    } else {
        let number = form.one("lift").parse().map_err(|_| ServiceError::Bad("which hold?".into()))?;
        service::hold::lift(&service, &operator, number, LiftAsk { reason, ..LiftAsk::default() }).await?;
    }
    // A page of ours, and no other.
    let back = form.one("back").strip_prefix("/messages/").filter(|id| crate::message::is_id(id).is_ok());
    Ok(back_to(&back.map_or_else(|| "/holds".to_owned(), |id| format!("/messages/{id}"))))
}
