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
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::confirm::{self, Wanted};
use crate::page::{chip, page, reason};

/// `GET /requests`.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let has_portal = service.config.portal.address.is_some();
    let waiting = request::list(&service, &operator).await?;
    let may = operator.role.may(Permission::Decide);
    let body = html! {
        h1 { "Requests" }
        p.dim {
            "Recipients ask for mail that their quarantine policy does not let them release. The longest waiting come "
            "first."
        }
        @if waiting.is_empty() { p.calm { "Nobody waits for an answer." } }
        @for one in &waiting { (card(one, may)) }
        @if may && has_portal { details { summary { "A link or a visit is in the wrong hands" }
            p.dim {
                "What a recipient got or began before now opens the portal no longer. They can ask for a new link."
            }
            form.inline method="post" action="/requests/close" { (enter_does_nothing())
                label { "Recipient" input type="email" name="address" required autocomplete="off"; }
                (reason(true))
                button { "Close the portal to them" }
            }
        } }
    };
    Ok(page(&operator, "/requests", "Requests", body))
}

fn card(one: &RequestView, may: bool) -> Markup {
    let subject = if one.subject.is_empty() { "(no subject)" } else { &one.subject };
    html! {
        article.card {
            h2 { a href={ "/messages/" (one.mail_id) } { (subject) } " " (chip(&one.category)) }
            p { strong { (one.recipient) } " asked " (moment(&one.asked)) " for mail from " (one.sender) }
            @if !one.reason.is_empty() { blockquote { (one.reason) } }
            @if may {
                form.inline method="post" action="/requests/act" { (enter_does_nothing())
                    input type="hidden" name="id" value=(one.mail_id);
                    input type="hidden" name="recipient" value=(one.recipient);
                    (reason(false))
                    button name="verb" value="approve" { "Approve" }
                    button.quiet name="verb" value="deny" { "Deny" }
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
