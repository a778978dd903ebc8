//! What recipients ask for: each with its release and its denial, for that recipient alone.

use api_types::quarantine::{CloseAsk, DecideAsk, ReleaseAsk, RequestView};
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};
use service::Service;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use service::quarantine::{close, release, request, settle};
use texts::say;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::confirm::{self, Wanted};
use crate::page::{chip, page, reason, sender_of, subject_of};

/// `GET /requests`.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let has_portal = service.config.portal.address.is_some();
    let waiting = request::list(&service, &operator).await?;
    let may = operator.role.may(Permission::Decide);
    let body = html! {
        h1 { (say!(nav_requests)) }
        p.dim { (say!(requests_text)) }
        @if waiting.is_empty() { p.calm { (say!(requests_none)) } }
        @for one in &waiting { (card(one, may)) }
        @if may && has_portal { details { summary { (say!(requests_revoke)) }
            p.dim { (say!(requests_revoke_text)) }
            form.inline method="post" action="/requests/close" { (enter_does_nothing())
                label { (say!(requests_recipient)) input type="email" name="address" required autocomplete="off"; }
                (reason(true))
                button { (say!(requests_revoke_button)) }
            }
        } }
    };
    Ok(page(&operator, "/requests", say!(nav_requests), body))
}

fn card(one: &RequestView, may: bool) -> Markup {
    let (recipient, sender) = (html! { strong { (one.recipient) } }, sender_of(&one.sender));
    html! {
        article.card {
            h2 { a href={ "/messages/" (one.mail_id) } { (subject_of(&one.subject)) } " " (chip(&one.category)) }
            p { (say!(requests_asked, recipient = recipient, at = moment(&one.asked), sender = sender)) }
            @if !one.reason.is_empty() { blockquote { (one.reason) } }
            @if may {
                form.inline method="post" action="/requests/act" { (enter_does_nothing())
                    input type="hidden" name="id" value=(one.mail_id);
                    input type="hidden" name="recipient" value=(one.recipient);
                    (reason(false))
                    button name="verb" value="approve" { (say!(requests_approve)) }
                    button.quiet name="verb" value="deny" { (say!(requests_deny)) }
                }
            }
        }
    }
}

/// `POST /requests/act`: approves or denies one.
///
/// # Errors
/// What the API says.
pub async fn act(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    if form.one("verb") == "approve" {
        let wanted = Wanted { action: "/requests/act", form: &form, back: "/requests" };
        let units = [(form.one("id"), form.one("recipient"))];
        if let Some(page) = confirm::asks(&service, &operator, wanted, &units).await? {
            return Ok(page);
        }
    }
    let (recipients, reason) = (vec![form.one("recipient").to_owned()], form.one("reason").to_owned());
    let id = form.one("id");
    match form.one("verb") {
        "approve" => {
            let ask = ReleaseAsk { recipients, reason, ..ReleaseAsk::default() };
            release::release(&service, &operator, id, ask).await?
        }
        "deny" => {
            let ask = DecideAsk { recipients, reason, ..DecideAsk::default() };
            settle::deny(&service, &operator, id, ask).await?
        }
        other => return Err(ServiceError::Bad(format!("'{other}' is none of approve, deny")).into()),
    };
    Ok(Redirect::to("/requests").into_response())
}

/// `POST /requests/close`: the portal is closed to what a recipient has now.
///
/// # Errors
/// What the API says.
pub async fn close(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let (address, reason) = (form.one("address").to_owned(), form.one("reason").to_owned());
    let ask = CloseAsk { address, reason, ..CloseAsk::default() };
    close::close(&service, &operator, ask).await?;
    Ok(Redirect::to("/requests").into_response())
}
