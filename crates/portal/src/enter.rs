//! Coming in by a link, asking for one, leaving.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use http_listener::{RequestConnection, counted};
use maud::{Markup, html};
use platform::recipient::language::Language;
use platform::recipient::link;
use service::recipient::{Recipient, pass};
use web::form::Form;
use web::own_page::cookie;

use super::Portal;
use super::page::{Wrong, page};

/// Who has come in, if anybody, and in which language they read.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The recipient.
    pub recipient: Option<Recipient>,
    /// Their language.
    pub words: Language,
}

impl Visitor {
    /// Who has come in.
    ///
    /// # Errors
    /// [`Wrong::Link`] when nobody has.
    pub fn recipient(&self) -> Result<&Recipient, Wrong> {
        self.recipient.as_ref().ok_or(Wrong::Link)
    }
}

impl FromRequestParts<Portal> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Response> {
        let accept = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let words = portal.languages.asked(accept).clone();
        let shown = cookie(&parts.headers, link::COOKIE_NAME);
        let recipient =
            pass::recipient(&portal.service, shown).await.map_err(|error| Wrong::from(error).page(&words))?;
        if recipient.is_some() {
            RequestConnection::identified(&parts.extensions);
        }
        pass::one_more_request(&portal.service, recipient.as_ref(), &client(parts))
            .map_err(|error| Wrong::from(error).page(&words))?;
        Ok(Self { recipient, words })
    }
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
    match pass::use_link(&portal.service, form.one("link")).await {
        Ok(Some(session)) => ([(SET_COOKIE, link::begun(&session))], Redirect::to("/")).into_response(),
        Ok(None) => {
            let typed = Typed { link: form.one("link"), ..Typed::default() };
            entrance(&visitor.words, Some(("enter.wrong", true)), typed)
        }
        Err(error) => Wrong::from(error).page(&visitor.words),
    }
}

/// `POST /ask`: a link is mailed. Whether there is such an address is told nobody.
///
/// # Errors
/// As a page.
pub async fn ask(State(portal): State<Portal>, visitor: Visitor, form: Form) -> Response {
    pass::mail_link(&portal.service, form.one("address"), &visitor.words);
    let typed = Typed { address: form.one("address"), ..Typed::default() };
    entrance(&visitor.words, Some(("ask.done", false)), typed)
}

/// `POST /leave`: the session ends; with `everywhere` all of the recipient's, and their links with them.
pub async fn leave(State(portal): State<Portal>, visitor: Visitor, form: Form) -> Response {
    if let (Some(recipient), "yes") = (&visitor.recipient, form.one("everywhere"))
        && let Err(error) = pass::end_all(&portal.service, recipient).await
    {
        return Wrong::from(error).page(&visitor.words);
    }
    ([(SET_COOKIE, link::ended())], Redirect::to("/")).into_response()
}
