//! Legal holds: what neither expires nor is deleted until a person lifts it.

use api_types::hold::{HoldAsk, HoldQuery, HoldView, LiftAsk, OnHoldView};
use axum::Extension;
use axum::extract::{Query, State};
use domain::hold::Kind;
use maud::{Markup, html};
use service::Service;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use texts::{say, word};
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
        h1 { (say!(nav_holds)) }
        p.dim { (say!(hold_text)) }
        @if may { (hold_form()) }
        @if holds.is_empty() { p.calm { (say!(hold_none)) } }
        @else { div.scroll { table {
            thead { tr {
                th { (say!(hold_number)) } th { (say!(hold_scope)) } th.right { (say!(hold_messages)) }
                th { (say!(hold_reason)) } th { (say!(hold_by)) } th { (say!(hold_since)) } td {}
            } }
            tbody { @for one in &holds { (hold_row(one, may)) } }
        } } }
        @if with_lifted { p { a href="/holds" { (say!(hold_show_active)) } } }
        @else { p { a href="/holds?lifted=true" { (say!(hold_show_lifted)) } } }
    };
    Ok(page(&operator, "/holds", say!(nav_holds), body))
}

fn hold_form() -> Markup {
    html! {
        section.actions {
            h2 { (say!(hold_new)) }
            form.row method="post" action="/holds/act" { (enter_does_nothing())
                label { (say!(hold_scope)) select name="kind" {
                    @for kind in [Kind::Person, Kind::Query, Kind::Mail] {
                        option value=(kind.as_str()) { (kind_name(kind.as_str())) }
                    }
                } }
                label { (say!(hold_what))
                    input type="text" name="what" required maxlength="1000" autocomplete="off"
                        placeholder="anna@example.com";
                }
                (reason(true))
                button { (say!(hold_place)) }
            }
        }
    }
}

/// A kind of hold as people read it.
fn kind_name(kind: &str) -> String {
    match kind {
        "mail" => say!(hold_kind_mail).into(),
        "query" => say!(hold_kind_query).into(),
        "person" => say!(hold_kind_person).into(),
        other => word(other),
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
        td.address { (kind_name(&one.kind)) " " a href=(explorer(&query)) { code { (one.what) } } }
        td.right { (one.mails) } td { (one.reason) } td { (one.by) } td.when { (moment(&one.made)) }
        td { @match &one.lifted {
            Some(at) => span.dim {
                (say!(hold_lifted, at = moment(at), by = &one.lifted_by, reason = &one.lifted_reason))
            },
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
            button.quiet { (say!(hold_lift)) }
        }
    }
}

/// What a message's page says of holds: those that it is on, and for who may the way to hold it.
pub(crate) fn of_mail(id: &str, holds: &[OnHoldView], may: bool) -> Markup {
    let back = format!("/messages/{id}");
    html! {
        @if !holds.is_empty() {
            section {
                h2 { (say!(hold_of_mail)) }
                p { (say!(hold_of_mail_text)) }
                ul { @for one in holds { li {
                    (say!(hold_of_mail_one, number = one.number, kind = kind_name(&one.kind), by = &one.by,
                        made = moment(&one.made), reason = &one.reason))
                    " " @if may { (lift(one.number, &back)) }
                } } }
            }
        }
        @if may && !holds.iter().any(|one| one.kind == "mail") {
            details {
                summary { (say!(hold_place_on)) }
                form.inline method="post" action="/holds/act" { (enter_does_nothing())
                    input type="hidden" name="kind" value="mail";
                    input type="hidden" name="what" value=(id);
                    input type="hidden" name="back" value=(back);
                    (reason(true))
                    button.quiet { (say!(hold_place)) }
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
