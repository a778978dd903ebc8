//! What is asked before mail that harms is released: which messages, to whom, and why they were held. Nothing of this
//! category reaches anybody by one press of a button.

use api_types::explain::ReasonView;
use api_types::quarantine::ShownView;
use axum::response::Response;
use maud::{Markup, html};
use service::Service;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use service::quarantine::{release, show};
use texts::say;
use web::form::Form;
use web::page::{enter_does_nothing, moment};

use crate::page::{chip, page, sender_of, subject_of};

/// The field by which a form says that its sender has seen what is asked here.
const CONFIRMED: &str = "confirmed";

/// What somebody wants released.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'f> {
    /// Where the form is sent.
    pub action: &'f str,
    /// What it says.
    pub form: &'f Form,
    /// Where to go instead.
    pub back: &'f str,
}

/// The page that asks, when something harmful is among `units` (message and recipient; all its recipients where that is
/// empty) and it was not confirmed with a reason. Where it takes two persons anyway, the API says how.
///
/// # Errors
/// What the API says.
pub async fn asks(
    service: &Service,
    operator: &Operator,
    wanted: Wanted<'_>,
    units: &[(&str, &str)],
) -> Result<Option<Response>, ServiceError> {
    let is_confirmed = wanted.form.one(CONFIRMED) == "yes";
    if operator.may(Permission::Decide).is_err() {
        return Ok(None);
    }
    if (is_confirmed && !wanted.form.one("reason").trim().is_empty()) || service.config.api.two_persons_above.is_some()
    {
        return Ok(None);
    }
    let harmful = harmful(service, operator, units).await?;
    if harmful.is_empty() {
        return Ok(None);
    }
    let letters: usize = harmful.iter().map(|(_, recipients)| recipients.len()).sum();
    let others = units.len().saturating_sub(letters);
    let body = html! {
        h1 { (say!(confirm_title)) }
        p { (say!(confirm_why)) " " (say!(confirm_no_recall)) }
        @if is_confirmed { p.wrong role="alert" { (say!(confirm_reason_missing)) } }
        @for (shown, recipients) in &harmful { (one(shown, recipients)) }
        @if others > 0 { p { (say!(confirm_others, count = others)) } }
        form.inline method="post" action=(wanted.action) { (enter_does_nothing())
            @for (name, value) in wanted.form.fields().iter().filter(|(name, _)| !is_asked_anew(name)) {
                input type="hidden" name=(name) value=(value);
            }
            input type="hidden" name=(CONFIRMED) value="yes";
            label {
                (say!(reason_for_record))
                input type="text" name="reason" maxlength="1000" required autocomplete="off"
                    value=(wanted.form.one("reason"));
            }
            button.danger { (say!(confirm_release, count = letters + others)) }
            a.button href=(wanted.back) { (say!(explorer_cancel)) }
        }
    };
    Ok(Some(page(operator, "/explorer", say!(confirm_title), body)))
}

/// Whether this page asks for a field itself.
fn is_asked_anew(name: &str) -> bool {
    matches!(name, "reason" | CONFIRMED)
}

/// The harmful messages, each with the recipients that are meant. What is not held is left to the act itself, which
/// says so.
async fn harmful(
    service: &Service,
    operator: &Operator,
    units: &[(&str, &str)],
) -> Result<Vec<(ShownView, Vec<String>)>, ServiceError> {
    let mut found: Vec<(ShownView, Vec<String>)> = Vec::new();
    for (id, recipient) in units {
        let known = found.iter().position(|(shown, _)| shown.held.id == *id);
        let at = match known {
            Some(at) => at,
            None => {
                match show::show(service, operator, id).await {
                    Err(ServiceError::NotFound(_)) => continue,
                    shown => found.push((shown?, Vec::new())),
                }
                found.len() - 1
            }
        };
        let (shown, recipients) = &mut found[at];
        if recipient.is_empty() {
            recipients.extend(shown.units.iter().map(|unit| unit.recipient.clone()));
        } else {
            recipients.push((*recipient).to_owned());
        }
    }
    found.retain(|(shown, _)| release::is_harmful(&shown.held.category));
    Ok(found)
}

fn one(shown: &ShownView, recipients: &[String]) -> Markup {
    let held = &shown.held;
    let subject = subject_of(&held.subject);
    let sender = sender_of(&held.sender);
    let mut reasons: Vec<&ReasonView> = Vec::new();
    for reason in shown.units.iter().flat_map(|unit| &unit.reasons) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    html! {
        article.notice.bad {
            h2 { a href={ "/messages/" (held.id) } { (subject) } " " (chip(&held.category)) }
            p { (say!(confirm_from, sender = sender, received = moment(&held.received))) }
            p { (say!(confirm_to, recipients = html! { strong { (recipients.join(", ")) } })) }
            ul { @for reason in reasons { li { code { (reason.code) } " " (reason.text) } } }
        }
    }
}
