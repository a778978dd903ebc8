//! Coming in by a link, asking for one, leaving.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use domain::{Address, Digest};
use http_listener::{Known, counted};
use maud::{Markup, html};
use platform::recipient::language::Language;
use platform::recipient::link::{self, Kind, Pass};
use platform::system_mail::{self, Letter};
use tokio::sync::Semaphore;
use web::form::Form;
use web::own_page::cookie;

use super::Portal;
use super::page::{Wrong, page};

/// Letters with links that are on their way at once. Who is not sent one asks again.
static LETTERS: Semaphore = Semaphore::const_new(32);

/// Who has come in, if anybody, and in which language they read.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The recipient, lower case.
    pub address: Option<String>,
    /// Their language.
    pub words: Language,
}

impl Visitor {
    /// Who has come in.
    ///
    /// # Errors
    /// [`Wrong::Link`] when nobody has.
    pub fn recipient(&self) -> Result<&str, Wrong> {
        self.address.as_deref().ok_or(Wrong::Link)
    }
}

impl FromRequestParts<Portal> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Response> {
        let accept = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let words = portal.languages.asked(accept).clone();
        let now = portal.service.clock.now();
        let shown = cookie(&parts.headers, link::COOKIE_NAME);
        let pass = shown.and_then(|text| link::read(&portal.key, Kind::Session, text, now));
        let address = holds(portal, Kind::Session, pass).await.map_err(|wrong| wrong.page(&words))?;
        if address.is_some() {
            Known::mark(&parts.extensions);
        }
        let bucket = address.clone().unwrap_or_else(|| client(parts));
        if portal.rates.take(&bucket, now).is_err() {
            return Err(Wrong::Often.page(&words));
        }
        Ok(Self { address, words })
    }
}

/// Whom a pass lets in: nobody, once the portal was closed to what its recipient had by then.
async fn holds(portal: &Portal, kind: Kind, pass: Option<Pass>) -> Result<Option<String>, Wrong> {
    let Some(pass) = pass else { return Ok(None) };
    let closed = portal.service.store()?.portal_closed(&pass.address).await?;
    Ok(closed.is_none_or(|at| !pass.is_from_before(kind, at)).then_some(pass.address))
}

fn client(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(|| "somebody".into(), |ConnectInfo(peer)| format!("from {}", counted(peer.ip())))
}

/// What somebody had typed on the page for who has not come in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'t> {
    link: &'t str,
    address: &'t str,
}

/// The page for who has not come in, with what they had typed.
pub fn entrance(words: &Language, note: Option<(&str, bool)>, typed: Typed<'_>) -> Response {
    let [link, address] = [(typed.link, 800), (typed.address, 320)]
        .map(|(text, most)| Some(text).filter(|text| !text.is_empty() && text.len() <= most));
    let body: Markup = html! {
        h1 { (words.say("enter.title")) }
        @if let Some((text, is_wrong)) = note {
            p.wrong[is_wrong].notice[!is_wrong] role="alert" { (words.say(text)) }
        }
        form.card method="post" action="/enter" {
            p { (words.say("enter.text")) }
            label { (words.say("enter.code")) input type="text" name="link" value=[link] required autocomplete="off"
                spellcheck="false" maxlength="800" data-from-fragment="1"; }
            button { (words.say("enter.button")) }
        }
        form.card method="post" action="/ask" {
            h2 { (words.say("ask.title")) }
            p { (words.say("ask.text")) }
            label { (words.say("ask.address")) input type="email" name="address" value=[address] required
                autocomplete="email" maxlength="320"; }
            button.quiet { (words.say("ask.button")) }
        }
    };
    page(words, None, words.say("enter.title"), body)
}

/// `POST /enter`: a link is used, and a session begins.
///
/// # Errors
/// As a page.
pub async fn enter(State(portal): State<Portal>, visitor: Visitor, form: Form) -> Response {
    match begin(&portal, form.one("link")).await {
        Ok(Some(session)) => ([(SET_COOKIE, link::begun(&session))], Redirect::to("/")).into_response(),
        Ok(None) => {
            let typed = Typed { link: form.one("link"), ..Typed::default() };
            entrance(&visitor.words, Some(("enter.wrong", true)), typed)
        }
        Err(wrong) => wrong.page(&visitor.words),
    }
}

/// The session that a link begins; none when it does not hold.
async fn begin(portal: &Portal, text: &str) -> Result<Option<String>, Wrong> {
    let service = &portal.service;
    let now = service.clock.now();
    // People copy the whole address as well.
    let text = text.rsplit('#').next().unwrap_or_default().trim();
    let Some(pass) = link::read(&portal.key, Kind::Link, text, now) else { return Ok(None) };
    let Some(address) = ours(portal, &pass.address) else { return Ok(None) };
    if holds(portal, Kind::Link, Some(pass.clone())).await?.is_none() {
        return Ok(None);
    }
    let store = service.store()?;
    if !store.use_link(Digest::of(text.as_bytes()), pass.until).await? {
        return Ok(None);
    }
    service.record(actor(&pass.address), "portal.enter", "portal", "").await?;
    let until = now.after(link::SESSION);
    Ok(Some(link::make(&portal.key, Kind::Session, &address, until, service.clock.as_ref())))
}

/// An address of one of our domains.
fn ours(portal: &Portal, text: &str) -> Option<Address> {
    let address = Address::parse(text.trim()).ok()?;
    portal.service.config.border.accepts(&address.domain()).then_some(address)
}

/// How a recipient is called in the record.
pub fn actor(address: &str) -> String {
    format!("recipient {address}")
}

/// `POST /ask`: a link is mailed. Whether there is such an address is told nobody.
///
/// # Errors
/// As a page.
pub async fn ask(State(portal): State<Portal>, visitor: Visitor, form: Form) -> Response {
    let now = portal.service.clock.now();
    let typed = Typed { address: form.one("address"), ..Typed::default() };
    let done = || entrance(&visitor.words, Some(("ask.done", false)), typed);
    let Some(address) = ours(&portal, form.one("address")) else { return done() };
    // Nobody's mailbox is filled by others, and nobody is told who was just sent one.
    if portal.links.take(&address.normal(), now).is_err() {
        return done();
    }
    // Letters that are on their way have an end as well.
    let Ok(under_way) = LETTERS.try_acquire() else { return done() };
    let words = visitor.words.clone();
    tokio::spawn(async move {
        let _under_way = under_way;
        if let Err(why) = send(&portal, &address, &words).await {
            tracing::warn!(why, "a link to held mail could not be mailed");
        }
    });
    done()
}

async fn send(portal: &Portal, to: &Address, words: &Language) -> Result<String, String> {
    let service = &portal.service;
    let now = service.clock.now();
    let pass = link::make(&portal.key, Kind::Link, to, now.after(link::LINK), service.clock.as_ref());
    let url = format!("{}/#{pass}", service.config.portal.url);
    let text = format!("{}\n\n{url}\n\n{}\n", words.say("link.intro"), words.say("link.end"));
    let letter = Letter {
        host: &service.config.hostname,
        to,
        subject: words.say("link.subject").to_owned(),
        at: now,
        name: format!("{}.link", Digest::of(pass.as_bytes()).hex().get(..16).unwrap_or_default()),
        text,
    };
    system_mail::deliver(&service.hops, to, &letter.compose()).await
}

/// `POST /leave`: the session ends; with `everywhere` all of the recipient's, and their links with them.
pub async fn leave(State(portal): State<Portal>, visitor: Visitor, form: Form) -> Response {
    if let (Some(address), "yes") = (&visitor.address, form.one("everywhere"))
        && let Err(wrong) = close(&portal, address).await
    {
        return wrong.page(&visitor.words);
    }
    ([(SET_COOKIE, link::ended())], Redirect::to("/")).into_response()
}

async fn close(portal: &Portal, address: &str) -> Result<(), Wrong> {
    let service = &portal.service;
    service.record(actor(address), "portal.close", address, "").await?;
    Ok(service.store()?.close_portal(address, service.clock.now()).await?)
}
