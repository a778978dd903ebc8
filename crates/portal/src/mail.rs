//! Own mail: what is held, its text, and a button for each thing that its recipient may do with it.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::MailId;
use maud::{Markup, html};
use platform::recipient::language::Language;
use serde::Deserialize;
use service::recipient::mail::{self as own, OwnMail, REASON_MAX};
use service::recipient::{Recipient, sender};
use web::form::Form;
use web::page::{ENTER, enter_does_nothing, moment, size};

use super::enter::{Typed, Visitor, entrance};
use super::page::{Wrong, page};
use super::{Portal, senders};

/// The name of a message's state among the words.
fn state(mail: &OwnMail) -> &'static str {
    match mail.state() {
        own::State::Held => "state.held",
        own::State::Requested => "state.requested",
        own::State::Denied => "state.denied",
        own::State::Releasing => "state.releasing",
        own::State::Released => "state.released",
        own::State::Failed => "state.error",
    }
}

/// Where to go on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Page {
    after: Option<String>,
}

/// `GET /`: what is held for who has come in.
pub async fn list(State(portal): State<Portal>, visitor: Visitor, Query(asked): Query<Page>) -> Response {
    let Some(recipient) = &visitor.recipient else { return entrance(&visitor.words, None, Typed::default()) };
    listed(&portal, recipient, &visitor.words, asked.after.as_deref())
        .await
        .unwrap_or_else(|wrong| wrong.page(&visitor.words))
}

/// A page of what is held, with the recipient's own entries.
async fn listed(
    portal: &Portal,
    recipient: &Recipient,
    words: &Language,
    after: Option<&str>,
) -> Result<Response, Wrong> {
    let held = own::list(&portal.service, recipient, after).await?;
    let entries = sender::list(&portal.service, recipient).await?;
    let body = html! { (table(words, &held.mails, held.next)) (senders::list(words, &entries)) (everywhere(words)) };
    Ok(page(words, Some(recipient.address()), words.say("title"), body))
}

fn table(words: &Language, rows: &[OwnMail], next: Option<MailId>) -> Markup {
    html! {
        h1 { (words.say("title")) }
        @if rows.is_empty() && next.is_none() { p { (words.say("none")) } }
        ul.held { @for row in rows { li.card { (card(words, row, true)) } } }
        @if let Some(next) = next { p { a href={ "/?after=" (next) } { (words.say("older")) } } }
    }
}

/// Whoever has lost a link or left a session open somewhere ends them all.
fn everywhere(words: &Language) -> Markup {
    html! {
        form.everywhere method="post" action="/leave" {
            p.dim { (words.say("leave.text")) }
            input type="hidden" name="everywhere" value="yes";
            button.quiet { (words.say("leave.everywhere")) }
        }
    }
}

/// One message with what can be done: one of many, with a way to look at it, or what the page is about.
fn card(words: &Language, row: &OwnMail, with_look: bool) -> Markup {
    let subject = if row.subject.is_empty() { words.say("subject.none") } else { row.subject.as_str() };
    html! {
        @if with_look { h2 { (subject) } } @else { h1 { (subject) } }
        dl.facts {
            div { dt { (words.say("sender")) } dd { (row.sender) } }
            div { dt { (words.say("received")) } dd { (moment(&row.received.to_string())) } }
            div { dt { (words.say("reason")) } dd { (words.reason(&row.category)) } }
        }
        p.state data-state=(state(row)) data-refresh=[(state(row) == "state.releasing").then_some("2")] {
            (words.say(state(row))) " · " (size(row.size)) }
        div.acts {
            @if with_look { a.button.quiet href={ "/mail/" (row.mail_id) } { (words.say("look")) } }
            @if row.may_release() {
                form method="post" action="/act" { (enter_does_nothing())
                    (of(row, "release"))
                    button { (words.say("release")) }
                    label.tick { input type="checkbox" name="good" value="yes"; (words.say("release.good")) }
                }
            }
            @if row.may_ask() {
                form method="post" action="/act" { (enter_does_nothing())
                    (of(row, "ask"))
                    label { (words.say("ask.reason")) input type="text" name="reason" maxlength=(REASON_MAX)
                        autocomplete="off"; }
                    button { (words.say("ask")) }
                }
            }
            @if row.may_delete() {
                form method="post" action="/act" { (enter_does_nothing()) (of(row, "delete")) button.quiet {
                    (words.say("delete")) } }
            }
            @if row.may_block() { form method="post" action="/act" { (enter_does_nothing()) (of(row,
                "block")) button.quiet { (words.say("block")) } } }
            @if row.may_allow() { form method="post" action="/act" { (enter_does_nothing()) (of(row,
                "allow")) button.quiet { (words.say("allow")) } } }
        }
    }
}

fn of(row: &OwnMail, verb: &str) -> Markup {
    html! {
        input type="hidden" name="id" value=(row.mail_id);
        input type="hidden" name="verb" value=(verb);
    }
}

/// `GET /mail/{id}`: the plain text of one's own mail. That somebody looked is in the record.
pub async fn show(State(portal): State<Portal>, visitor: Visitor, Path(id): Path<String>) -> Response {
    match text(&portal, &visitor, &id).await {
        Ok(response) => response,
        Err(wrong) => wrong.page(&visitor.words),
    }
}

async fn text(portal: &Portal, visitor: &Visitor, id: &str) -> Result<Response, Wrong> {
    let (recipient, words) = (visitor.recipient()?, &visitor.words);
    let shown = own::read(&portal.service, recipient, id).await?;
    let body = html! {
        p { a href="/" { (words.say("back")) } }
        div.card { (card(words, &shown.mail, false)) }
        @if shown.texts.is_empty() { p.dim { (words.say("text.none")) } }
        @for text in &shown.texts { pre.text { (text) } }
        @if !shown.part_names.is_empty() {
            h2 { (words.say("parts")) }
            ul { @for name in &shown.part_names { li { (name) } } }
        }
    };
    Ok(page(words, Some(recipient.address()), &shown.mail.subject, body))
}

/// `POST /act`: what a recipient wants done with one of their own.
pub async fn act(State(portal): State<Portal>, visitor: Visitor, form: Form) -> Response {
    if !form.one(ENTER).is_empty() {
        return Redirect::to("/").into_response();
    }
    match acted(&portal, &visitor, &form).await {
        Ok(()) => Redirect::to("/").into_response(),
        Err(wrong) => wrong.page(&visitor.words),
    }
}

async fn acted(portal: &Portal, visitor: &Visitor, form: &Form) -> Result<(), Wrong> {
    let (service, recipient) = (&portal.service, visitor.recipient()?);
    let (id, reason) = (form.one("id"), form.one("reason"));
    match form.one("verb") {
        "release" => own::release(service, recipient, id, reason, form.one("good") == "yes").await?,
        "ask" => own::ask(service, recipient, id, reason).await?,
        "delete" => own::delete(service, recipient, id, reason).await?,
        "block" => sender::block(service, recipient, id).await?,
        "allow" => sender::allow(service, recipient, id).await?,
        "forget" => sender::forget(service, recipient, form.one("entry").parse().map_err(|_| Wrong::Gone)?).await?,
        _ => return Err(Wrong::Gone),
    }
    Ok(())
}
