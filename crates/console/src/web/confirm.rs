//! What is asked before mail that harms is released: which messages, to whom, and why they were held. Nothing of this category reaches anybody by
//! one press of a button.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::form::Form;
use super::page::{answer, chip, enter_does_nothing, list, moment, page, text};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api::error::ApiError;
use crate::api::quarantine::{release, show};

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

/// The page that asks, when something harmful is among `units` (message and recipient; all its recipients where that is empty) and it was not
/// confirmed with a reason. Where it takes two persons anyway, the API says how.
///
/// # Errors
/// What the API says.
pub async fn asks(
    console: &Console,
    operator: &Operator,
    wanted: Wanted<'_>,
    units: &[(&str, &str)],
) -> Result<Option<Response>, ApiError> {
    let is_confirmed = wanted.form.one(CONFIRMED) == "yes";
    if operator.may(Permission::Decide).is_err() {
        return Ok(None);
    }
    if (is_confirmed && !wanted.form.one("reason").trim().is_empty()) || console.config.two_persons_above.is_some() {
        return Ok(None);
    }
    let harmful = harmful(console, operator, units).await?;
    if harmful.is_empty() {
        return Ok(None);
    }
    let letters: usize = harmful.iter().map(|(_, recipients)| recipients.len()).sum();
    let others = units.len().saturating_sub(letters);
    let body = html! {
        h1 { "Release what may do harm?" }
        p { "This was held because it carries malware, or is phishing for certain. What was delivered cannot be taken back." }
        @if is_confirmed { p.wrong role="alert" { "Say why: it goes into the record." } }
        @for (shown, recipients) in &harmful { (one(shown, recipients)) }
        @if others > 0 { p { "With it go " (others) " others that were chosen and are not of this kind." } }
        form.inline method="post" action=(wanted.action) { (enter_does_nothing())
            @for (name, value) in wanted.form.fields().iter().filter(|(name, _)| !matches!(name.as_str(), "reason" | CONFIRMED)) {
                input type="hidden" name=(name) value=(value);
            }
            input type="hidden" name=(CONFIRMED) value="yes";
            label { "Reason, for the record" input type="text" name="reason" maxlength="1000" required autocomplete="off" value=(wanted.form.one("reason")); }
            button.danger { "Release to " (letters + others) @if letters + others == 1 { " recipient" } @else { " recipients" } }
            a.button href=(wanted.back) { "Rather not" }
        }
    };
    Ok(Some(page(operator, "/explorer", "Release what may do harm?", body)))
}

/// The harmful messages, each with the recipients that are meant. What is not held is left to the act itself, which says so.
async fn harmful(
    console: &Console,
    operator: &Operator,
    units: &[(&str, &str)],
) -> Result<Vec<(Value, Vec<String>)>, ApiError> {
    let mut found: Vec<(Value, Vec<String>)> = Vec::new();
    for (id, recipient) in units {
        let known = found.iter().position(|(shown, _)| text(shown, "id") == *id);
        let at = match known {
            Some(at) => at,
            None => {
                let ask = show::show(State(console.clone()), Extension(operator.clone()), Path((*id).to_owned()));
                match answer(ask.await) {
                    Err(ApiError::NotFound(_)) => continue,
                    shown => found.push((shown?, Vec::new())),
                }
                found.len() - 1
            }
        };
        let (shown, recipients) = &mut found[at];
        if recipient.is_empty() {
            recipients.extend(list(shown, "units").map(|unit| text(unit, "recipient").to_owned()));
        } else {
            recipients.push((*recipient).to_owned());
        }
    }
    found.retain(|(shown, _)| release::is_harmful(text(shown, "category")));
    Ok(found)
}

fn one(shown: &Value, recipients: &[String]) -> Markup {
    let subject = if text(shown, "subject").is_empty() { "(no subject)" } else { text(shown, "subject") };
    let mut reasons: Vec<&Value> = Vec::new();
    for reason in list(shown, "units").flat_map(|unit| list(unit, "reasons")) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    html! {
        article.notice.bad {
            h2 { a href={ "/messages/" (text(shown, "id")) } { (subject) } " " (chip(text(shown, "category"))) }
            p { "From " @if text(shown, "sender").is_empty() { "the null sender" } @else { (text(shown, "sender")) } ", received " (moment(text(shown, "received"))) }
            p { "To " strong { (recipients.join(", ")) } }
            ul { @for reason in reasons { li { code { (text(reason, "code")) } " " (text(reason, "text")) } } }
        }
    }
}
