//! Signing in and out, and the page that an invitation leads to. Looking at any of these pages does nothing: only a
//! form that is sent does.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use domain::Digest;
use http_listener::counted;
use maud::{Markup, html};
use platform::percent::encoded;
use serde::Deserialize;
use serde_json::{Value, json};
use service::Service;
use service::error::ServiceError;
use service::secret::{self, PASSWORD_MAX, PASSWORD_MIN};
use store::person::{Person, Session};
use web::fault::{Fault, PageResult, status};
use web::form::Form;
use web::page::bare;

use crate::door::{begun, ended, session};
use crate::explorer::refusal;

/// Characters that are kept of what a browser says it is.
const CLIENT_MAX: usize = 200;
/// Bytes of a name that somebody signs in with, of a one-time code with its blanks, and of a page that is wanted, at
/// most.
const NAME_BYTES_MAX: usize = 400;
const CODE_BYTES_MAX: usize = 32;
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
    let is_empty = match &service.store {
        Some(store) => store.people().await.is_ok_and(|people| people.is_empty()),
        None => false,
    };
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

/// Counts one more try at a secret, by whoever `bucket` names.
///
/// # Errors
/// [`ApiError::TooMany`] with the seconds to wait, when there were too many.
pub(super) fn one_more_try(service: &Service, bucket: &str) -> Result<(), ServiceError> {
    let taken = service.attempts.take(bucket, service.clock.now());
    taken.map_err(|wait| ServiceError::TooMany(wait.as_secs().max(1)))
}

/// Whose tries those of an address are.
pub(super) fn from(peer: SocketAddr) -> String {
    format!("from {}", counted(peer.ip()))
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
    let now = service.clock.now();
    let (name, to) = (form.one("name").trim().to_owned(), own_path(form.one("to")).to_owned());
    let typed: String = name.chars().take(100).collect();
    let again = |wrong: &str| bare("Sign in", entrance(&service, &to, &typed, wrong, false));
    let too_often = |error: ServiceError| {
        let page = again(&refusal(&error));
        (status(&error), page).into_response()
    };
    if let Err(error) = one_more_try(&service, &from(peer)) {
        return Ok(too_often(error));
    }
    if name.len() > NAME_BYTES_MAX || form.one("code").len() > CODE_BYTES_MAX {
        return Err(ServiceError::Bad("no name and no code is that long".into()).into());
    }
    if let Err(error) = one_more_try(&service, &format!("name {name}")) {
        return Ok(too_often(error));
    }
    let store = service.store()?;
    let person = store.person(&name).await?.filter(|person| person.disabled.is_none());
    let known = person.as_ref().and_then(|person| person.password.clone());
    let is_password = service.passwords.checked(form.one("password"), known).await?;
    let codes = person.as_ref().and_then(|person| person.totp.clone());
    let is_code = codes.is_none_or(|codes| secret::is_code(&codes, form.one("code"), now));
    if !(is_password && is_code) {
        // The same word for each of them: it tells nobody which it was.
        // And what was typed as a name is private: now and then it is a password.
        service.record("nobody".into(), "sign_in.refused", "console", &typed).await?;
        return Ok(again("This name, password and code do not belong together."));
    }
    begin(&service, &name, &headers, peer, &to).await
}

/// Begins a session and leads to a page.
async fn begin(service: &Service, name: &str, headers: &HeaderMap, peer: SocketAddr, to: &str) -> PageResult {
    let session = session_of(service, name, headers, peer, "").await?;
    Ok(([(SET_COOKIE, session)], Redirect::to(to)).into_response())
}

/// Begins a session; the header that tells the browser. `by` is who vouches for them, if not we.
///
/// # Errors
/// When it cannot be recorded.
pub async fn session_of(
    service: &Service,
    name: &str,
    headers: &HeaderMap,
    peer: SocketAddr,
    by: &str,
) -> Result<String, ServiceError> {
    let program = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("an unknown program");
    let client: String = format!("{} with {program}", peer.ip()).chars().take(CLIENT_MAX).collect();
    let (secret, now) = (secret::new(service.clock.as_ref()), service.clock.now());
    service.record(name.to_owned(), "sign_in", "console", by).await?;
    let store = service.store()?;
    store.sweep_sessions(now).await?;
    store.begin_session(session(&secret, name, client, now)).await?;
    Ok(begun(&secret))
}

/// `POST /sign-out`.
///
/// # Errors
/// When the store fails.
pub async fn out(State(service): State<Service>, Extension(session): Extension<Session>) -> PageResult {
    service.store()?.end_session(&session.id).await?;
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
    form: Form,
) -> Result<Json<Value>, Fault> {
    one_more_try(&service, &format!("invitation {}", from(peer)))?;
    let person = invited(&service, form.one("invitation")).await?;
    let person = person.ok_or_else(|| ServiceError::NotFound("this invitation".into()))?;
    Ok(Json(json!({ "name": person.name })))
}

/// Whom an invitation is for, if it holds.
async fn invited(service: &Service, invitation: &str) -> Result<Option<Person>, ServiceError> {
    let invitation = Digest::of(invitation.trim().as_bytes());
    Ok(service.store()?.invited(invitation, service.clock.now()).await?)
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
    let (invitation, password, again) =
        (form.one("invitation").trim(), form.one("password").to_owned(), form.one("again"));
    if let Err(error) = one_more_try(&service, &from(peer)) {
        let page = bare("Welcome", welcome_form(invitation, None, &refusal(&error)));
        return Ok((status(&error), page).into_response());
    }
    let person = invited(&service, invitation).await?;
    let name = person.as_ref().map(|person| person.name.clone());
    let again_wrong = |wrong: &str| Ok(bare("Welcome", welcome_form(invitation, name.as_deref(), wrong)));
    let Some(person) = person else {
        return again_wrong("This invitation does not hold: it was used, or its time is over. Ask for another.");
    };
    if form.one("do") == "look" {
        return again_wrong("");
    }
    if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&password.chars().count()) {
        return again_wrong(&format!("The password has {PASSWORD_MIN} to {PASSWORD_MAX} characters."));
    }
    if password != again {
        return again_wrong("The two passwords differ.");
    }
    let hashed = service.passwords.hashed(password).await?;
    service.record(person.name.clone(), "person.accept", &person.name, "").await?;
    service.store()?.accept_invitation(&person.name, hashed).await?;
    begin(&service, &person.name, &headers, peer, "/").await
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
