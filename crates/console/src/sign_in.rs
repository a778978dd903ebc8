//! Signing in and out, and the page that an invitation leads to. Looking at any of these pages does nothing: only a
//! form that is sent does.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use http_listener::counted;
use maud::{Markup, html};
use platform::percent::encoded;
use serde::Deserialize;
use serde_json::{Value, json};
use service::Service;
use service::attempt::Client;
use service::error::ServiceError;
use service::invitation::{self, Password, PasswordFault};
use service::person::NAME_MAX;
use service::secret::{PASSWORD_MAX, PASSWORD_MIN};
use service::session::{self, Credentials, Session, SignedIn};
use web::fault::{Fault, PageResult, status};
use web::form::Form;
use web::page::bare;

use crate::door::{begun, ended};
use crate::explorer::refusal;

/// Bytes of a page that is wanted, at most.
const PATH_BYTES_MAX: usize = 2000;

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    to: String,
}

impl Wanted {
    /// The place, as it was asked.
    pub fn to(&self) -> &str {
        &self.to
    }
}

/// `GET /sign-in`.
pub async fn show(State(service): State<Service>, Query(wanted): Query<Wanted>) -> Response {
    let is_empty = service::person::is_nobody_invited(&service).await;
    bare("Sign in", entrance(&service, &wanted.to, "", "", is_empty))
}

/// The form; `name` is what was typed before.
fn entrance(service: &Service, to: &str, name: &str, wrong: &str, is_empty: bool) -> Markup {
    let elsewhere = service.config.oidc.as_ref().map(|oidc| oidc.issuer.trim_start_matches("https://"));
    html! {
        h1 { "Sign in" }
        @if is_empty {
            p.notice.warn { "Nobody may sign in yet. On the gateway's own host, " code { "reprieve person invite \
                --name YOU --role admin" } " prints a link for you." }
        }
        @if !wrong.is_empty() { p.wrong role="alert" { (wrong) } }
        @if let Some(issuer) = elsewhere {
            p { a.button href={ "/sign-in/away?to=" (encoded(to)) } { "Sign in with " (issuer) } }
        }
        form.card method="post" action="/sign-in" {
            input type="hidden" name="to" value=(to);
            label { "Name" input type="text" name="name" value=[Some(name).filter(|name| !name.is_empty())] required
                autofocus[name.is_empty()] autocomplete="username" maxlength="100"; }
            label { "Password" input type="password" name="password" required autofocus[!name.is_empty()]
                autocomplete="current-password" maxlength=(PASSWORD_MAX); }
            label { "One-time code, if you use \
                them" input type="text" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7"; }
            button { "Sign in" }
        }
    }
}

/// A path of this console, so that nobody is led elsewhere.
pub fn own_path(to: &str) -> &str {
    let is_own =
        to.len() <= PATH_BYTES_MAX && to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n']);
    if is_own { to } else { "/" }
}

/// Where somebody who signs in is, and with what.
pub(super) fn client(peer: SocketAddr, headers: &HeaderMap) -> Client {
    let program = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    Client { address: peer.ip(), counted: counted(peer.ip()), program: program.map(str::to_owned) }
}

/// `POST /sign-in`.
///
/// # Errors
/// When somebody tries too often, or the store fails.
pub async fn enter(
    State(service): State<Service>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Form,
) -> PageResult {
    let (name, to) = (form.one("name").trim(), own_path(form.one("to")));
    let typed: String = name.chars().take(NAME_MAX).collect();
    let again = |wrong: &str| bare("Sign in", entrance(&service, to, &typed, wrong, false));
    let shown = Credentials { name, password: form.one("password"), code: form.one("code") };
    match session::by_password(&service, &client(peer, &headers), shown).await? {
        SignedIn::Begun(secret) => Ok(([(SET_COOKIE, begun(&secret))], Redirect::to(to)).into_response()),
        // The same word for each of them: it tells nobody which it was.
        SignedIn::Refused => Ok(again("This name, password and code do not belong together.")),
        SignedIn::TooOften(seconds) => {
            let error = ServiceError::TooMany(seconds);
            Ok((status(&error), again(&refusal(&error))).into_response())
        }
    }
}

/// `POST /sign-out`.
///
/// # Errors
/// When the store fails.
pub async fn out(State(service): State<Service>, Extension(session): Extension<Session>) -> PageResult {
    session::end(&service, &session).await?;
    Ok(([(SET_COOKIE, ended())], Redirect::to("/sign-in")).into_response())
}

/// `GET /welcome`: the secret of the invitation stands behind the `#`, where no server and no log sees it; the page's
/// script puts it into the form.
pub async fn welcome() -> Response {
    bare("Welcome", welcome_form("", None, ""))
}

/// Bytes of an invitation that are kept in its form; a secret of ours has 64.
const INVITATION_MAX: usize = 200;

/// The form, with the invitation and the name that it is for, once both are known.
fn welcome_form(invitation: &str, name: Option<&str>, wrong: &str) -> Markup {
    let invitation = Some(invitation).filter(|text| !text.is_empty() && text.len() <= INVITATION_MAX);
    html! {
        h1 { "Welcome" }
        p { "Choose a password of at least " (PASSWORD_MIN) " characters. A sentence is easier to remember than \
            signs." }
        @if !wrong.is_empty() { p.wrong role="alert" { (wrong) } }
        form.card method="post" action="/welcome" {
            label { "Invitation" input type="text" name="invitation" value=[invitation] required autocomplete="off"
                data-from-fragment="1" data-invitation="/welcome/name" spellcheck="false"; }
            p { "The name that you sign in \
                with: " output.name name="name" data-name="1" { @match name { Some(name) => strong { (name) },
                    None => span.dim { "not known yet" } } } }
            // For password managers, which keep it beside the password.
            input type="text" name="username" value=[name] autocomplete="username" readonly hidden;
            label { "Password" input type="password" name="password" required autocomplete="new-password"
                minlength=(PASSWORD_MIN) maxlength=(PASSWORD_MAX); }
            label { "Once more" input type="password" name="again" required autocomplete="new-password"
                minlength=(PASSWORD_MIN) maxlength=(PASSWORD_MAX); }
            button { "Begin" }
            noscript { button.quiet name="do" value="look" formnovalidate { "Show the name" } }
        }
    }
}

/// `POST /welcome/name`: the name that an invitation is for, for the script of the page.
///
/// # Errors
/// When the invitation does not hold, somebody tries too often, or the store fails.
pub async fn welcome_name(
    State(service): State<Service>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Form,
) -> Result<Json<Value>, Fault> {
    let name = invitation::name(&service, &client(peer, &headers), form.one("invitation")).await?;
    Ok(Json(json!({ "name": name })))
}

/// `POST /welcome`.
///
/// # Errors
/// When somebody tries too often, or the store fails.
pub async fn accept(
    State(service): State<Service>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Form,
) -> PageResult {
    let (secret, client) = (form.one("invitation").trim(), client(peer, &headers));
    let found = match invitation::find(&service, &client, secret).await {
        Err(error @ ServiceError::TooMany(_)) => {
            let page = bare("Welcome", welcome_form(secret, None, &refusal(&error)));
            return Ok((status(&error), page).into_response());
        }
        found => found?,
    };
    let name = found.as_ref().map(|invitation| invitation.name().to_owned());
    let again = |wrong: &str| Ok(bare("Welcome", welcome_form(secret, name.as_deref(), wrong)));
    let Some(invitation) = found else {
        return again("This invitation does not hold: it was used, or its time is over. Ask for another.");
    };
    if form.one("do") == "look" {
        return again("");
    }
    let password = match Password::typed(form.one("password"), form.one("again")) {
        Ok(password) => password,
        Err(PasswordFault::Length) => {
            return again(&format!("The password has {PASSWORD_MIN} to {PASSWORD_MAX} characters."));
        }
        Err(PasswordFault::Differs) => return again("The two passwords differ."),
    };
    let session = invitation.accept(&service, &client, password).await?;
    Ok(([(SET_COOKIE, begun(&session))], Redirect::to("/")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for (to, expected) in [
            ("/explorer?q=a", "/explorer?q=a"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(to), expected);
        }
    }
}
