//! Own mail: what is held, its text, and what the quarantine policy lets its recipient do with it. Everything is read
//! within the recipient's own scope; whatever is not theirs is not there.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::entry::Entry;
use domain::ledger::{Account, Move};
use domain::policy::QuarantinePolicy;
use domain::{MailId, UnitId};
use maud::{Markup, html};
use platform::recipient::language::Language;
use platform::recipient::may;
use serde::Deserialize;
use store::Scope;
use store::moves::UnitMove;
use store::quarantine::{Filter, HeldMessage, HeldUnit};
use store::submission::{NewSubmission, SubmissionKind};
use web::form::Form;
use web::page::{ENTER, enter_does_nothing, moment, size};

use super::enter::{Typed, Visitor, actor, entrance};
use super::page::{Wrong, page};
use super::{Portal, senders};

/// Messages of one page.
const ROWS: u32 = 50;
/// Letters of a reason.
const REASON_MAX: usize = 500;
/// What recipients see: what is held, and what became of it.
const SEEN: [Account; 6] =
    [Account::Held, Account::Denied, Account::Releasing, Account::InDoubt, Account::Released, Account::Failed];

/// One message of a recipient, with what they may do.
struct Own {
    message: HeldMessage,
    unit: HeldUnit,
    policy: QuarantinePolicy,
    is_asked_for: bool,
}

impl Own {
    fn id(&self) -> UnitId {
        UnitId { mail: self.message.mail_id, number: self.unit.number }
    }

    fn is_held(&self) -> bool {
        self.unit.account == Account::Held
    }

    /// May have it delivered at once.
    fn may_release(&self) -> bool {
        self.is_held() && self.policy == QuarantinePolicy::FullAccess
    }

    /// May ask for its delivery.
    fn may_ask(&self) -> bool {
        self.is_held() && self.policy == QuarantinePolicy::LimitedAccess && !self.is_asked_for
    }

    /// May keep its sender away.
    fn may_block(&self) -> bool {
        self.is_held() && !self.message.sender.is_empty()
    }

    /// May let its sender in: where they may have such mail delivered anyway.
    fn may_allow(&self) -> bool {
        self.policy == QuarantinePolicy::FullAccess && !self.message.sender.is_empty()
    }

    /// The name of its state among the words.
    fn state(&self) -> &'static str {
        match self.unit.account {
            Account::Held if self.is_asked_for => "state.requested",
            Account::Denied => "state.denied",
            Account::Releasing | Account::InDoubt => "state.releasing",
            Account::Released => "state.released",
            Account::Failed => "state.error",
            _ => "state.held",
        }
    }
}

async fn own(portal: &Portal, held: Vec<HeldMessage>) -> Result<Vec<Own>, Wrong> {
    let store = portal.service.store()?;
    let mails: Vec<MailId> = held.iter().map(|message| message.mail_id).collect();
    let asked_for = store.asked_for(&mails).await?;
    let mut all = Vec::new();
    for mut message in held {
        for unit in std::mem::take(&mut message.units) {
            let policy = may(&portal.service.config.policy, &message.category, &unit);
            if policy == QuarantinePolicy::AdminOnlyAccess || unit.direction == domain::Direction::Outbound {
                continue;
            }
            let is_asked_for = asked_for.contains(&UnitId { mail: message.mail_id, number: unit.number });
            all.push(Own { message: message.clone(), unit, policy, is_asked_for });
        }
    }
    Ok(all)
}

/// The one that a recipient names.
async fn one(portal: &Portal, address: &str, id: &str) -> Result<Own, Wrong> {
    let mail: MailId = id.parse().map_err(|_| Wrong::Gone)?;
    let held = portal.service.store()?.held_one(mail, &Scope::Recipient(address.to_owned())).await?;
    own(portal, held.into_iter().collect()).await?.pop().ok_or(Wrong::Gone)
}

/// Where to go on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Page {
    after: Option<String>,
}

/// `GET /`: what is held for who has come in.
pub async fn list(State(portal): State<Portal>, visitor: Visitor, Query(asked): Query<Page>) -> Response {
    let Some(address) = visitor.address.clone() else { return entrance(&visitor.words, None, Typed::default()) };
    match listed(&portal, &address, asked.after.as_deref()).await {
        Ok((rows, next, entries)) => {
            let words = &visitor.words;
            let body = html! { (table(words, &rows, next)) (senders::list(words, &entries)) (everywhere(words)) };
            page(words, Some(&address), words.say("title"), body)
        }
        Err(wrong) => wrong.page(&visitor.words),
    }
}

/// A page of what is held, where the next begins, and the recipient's own entries.
type Listed = (Vec<Own>, Option<MailId>, Vec<Entry>);

async fn listed(portal: &Portal, address: &str, after: Option<&str>) -> Result<Listed, Wrong> {
    let after = after.map(str::parse).transpose().map_err(|_| Wrong::Gone)?;
    let filter = Filter { accounts: SEEN.to_vec(), limit: ROWS, after, ..Filter::default() };
    let held = portal.service.store()?.held(&filter, &Scope::Recipient(address.to_owned())).await?;
    let next = held.last().filter(|_| held.len() as u32 == ROWS).map(|last| last.mail_id);
    Ok((own(portal, held).await?, next, senders::of(portal, address).await?))
}

fn table(words: &Language, rows: &[Own], next: Option<MailId>) -> Markup {
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
fn card(words: &Language, row: &Own, with_look: bool) -> Markup {
    let subject = if row.message.subject.is_empty() { words.say("subject.none") } else { row.message.subject.as_str() };
    html! {
        @if with_look { h2 { (subject) } } @else { h1 { (subject) } }
        dl.facts {
            div { dt { (words.say("sender")) } dd { (row.message.sender) } }
            div { dt { (words.say("received")) } dd { (moment(&row.message.received.to_string())) } }
            div { dt { (words.say("reason")) } dd { (words.reason(&row.message.category)) } }
        }
        p.state data-state=(row.state()) data-refresh=[(row.state() == "state.releasing").then_some("2")] {
            (words.say(row.state())) " · " (size(row.message.size)) }
        div.acts {
            @if with_look { a.button.quiet href={ "/mail/" (row.message.mail_id) } { (words.say("look")) } }
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
            @if row.is_held() {
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

fn of(row: &Own, verb: &str) -> Markup {
    html! {
        input type="hidden" name="id" value=(row.message.mail_id);
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
    let (address, words) = (visitor.recipient()?, &visitor.words);
    let row = one(portal, address, id).await?;
    let service = &portal.service;
    service.record(actor(address), "portal.preview", id, "").await?;
    let store = service.store()?;
    let record = store.record(row.message.mail_id).await?;
    let bytes = match record.blob {
        Some(blob) => store.blobs().get(blob).await?,
        None => return Err(Wrong::Gone),
    };
    let texts = service.viewer.texts(bytes).await.unwrap_or_else(|why| {
        tracing::warn!(mail = id, why, "a recipient's mail cannot be shown");
        Vec::new()
    });
    let names: Vec<&str> = record
        .examination
        .message
        .parts
        .iter()
        .map(|part| part.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    let body = html! {
        p { a href="/" { (words.say("back")) } }
        div.card { (card(words, &row, false)) }
        @if texts.is_empty() { p.dim { (words.say("text.none")) } }
        @for text in &texts { pre.text { (text) } }
        @if !names.is_empty() {
            h2 { (words.say("parts")) }
            ul { @for name in names { li { (name) } } }
        }
    };
    Ok(page(words, Some(address), &row.message.subject, body))
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
    let address = visitor.recipient()?;
    if form.one("verb") == "forget" {
        return senders::forget(portal, address, form.one("entry")).await;
    }
    let row = one(portal, address, form.one("id")).await?;
    let service = &portal.service;
    let store = service.store()?;
    let (now, who, id) = (service.clock.now(), actor(address), form.one("id"));
    let reason: String = form.one("reason").chars().take(REASON_MAX).collect();
    match form.one("verb") {
        "release" if row.may_release() => {
            service.record(who.clone(), "portal.release", id, &reason).await?;
            store.request_releases(&[row.id()], &who, &reason, now).await?;
            service.signals.release.notify_one();
            if form.one("good") == "yes" {
                report(portal, address, &row).await?;
            }
            Ok(())
        }
        "ask" if row.may_ask() => {
            service.record(who, "portal.ask", id, &reason).await?;
            store.ask_release(row.id(), address, &reason, now).await?;
            Ok(())
        }
        "delete" if row.is_held() => {
            service.record(who.clone(), "portal.delete", id, &reason).await?;
            let delete =
                UnitMove { unit: row.id(), from: Account::Held, by: Move::Deleted, at: now, actor: who, reason };
            Ok(store.move_units(vec![delete]).await?)
        }
        "block" if row.may_block() => {
            senders::keep(portal, address, &row.message.sender, false, row.message.mail_id).await
        }
        "allow" if row.may_allow() => {
            senders::keep(portal, address, &row.message.sender, true, row.message.mail_id).await
        }
        "release" | "ask" | "delete" | "block" | "allow" => Err(Wrong::Policy),
        _ => Err(Wrong::Gone),
    }
}

/// A recipient says that it was held wrongly: one voice.
async fn report(portal: &Portal, address: &str, row: &Own) -> Result<(), Wrong> {
    let service = &portal.service;
    let (store, mail_id) = (service.store()?, row.message.mail_id);
    let about = NewSubmission::about(&store.record(mail_id).await?.examination.findings);
    let (at, kind, reporter) = (service.clock.now(), SubmissionKind::FalsePositive, address.to_owned());
    store.submit(vec![NewSubmission { at, mail_id, kind, reporter, comment: String::new(), about }]).await?;
    service.signals.sentinel.notify_one();
    Ok(())
}
