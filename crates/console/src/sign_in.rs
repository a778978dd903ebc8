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
use texts::say;
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
    bare(say!(fault_sign_in), entrance(&service, &wanted.to, "", "", is_empty))
}

/// The form; `name` is what was typed before.
fn entrance(service: &Service, to: &str, name: &str, wrong: &str, is_empty: bool) -> Markup {
    let elsewhere = service.config.oidc.as_ref().map(|oidc| oidc.issuer.trim_start_matches("https://"));
    html! {
        h1 { (say!(fault_sign_in)) }
        @if is_empty {
            p.notice.warn {
                (say!(sign_in_nobody, command = html! { code { "reprieve person invite --name NAME --role admin" } }))
            }
        }
        @if !wrong.is_empty() { p.wrong role="alert" { (wrong) } }
        @if let Some(issuer) = elsewhere {
            p { a.button href={ "/sign-in/away?to=" (encoded(to)) } { (say!(sign_in_elsewhere, issuer = issuer)) } }
        }
        form.card method="post" action="/sign-in" {
            input type="hidden" name="to" value=(to);
            label { (say!(sign_in_name))
                input type="text" name="name" value=[Some(name).filter(|name| !name.is_empty())] required
                    autofocus[name.is_empty()] autocomplete="username" maxlength="100";
            }
            label { (say!(sign_in_password))
                input type="password" name="password" required autofocus[!name.is_empty()]
                    autocomplete="current-password" maxlength=(PASSWORD_MAX);
            }
            label { (say!(sign_in_code))
                input type="text" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7";
            }
            button { (say!(fault_sign_in)) }
        }
    }
}

/// A path of this console, so that nobody is led elsewhere.
pub fn own_path(to: &str) -> &str {
    let leads_on = |letter: char| letter == '\\' || letter.is_control();
    let is_own = to.len() <= PATH_BYTES_MAX && to.starts_with('/') && !to.starts_with("//") && !to.contains(leads_on);
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
    let again = |wrong: &str| bare(say!(fault_sign_in), entrance(&service, to, &typed, wrong, false));
    let shown = Credentials { name, password: form.one("password"), code: form.one("code") };
    match session::by_password(&service, &client(peer, &headers), shown).await? {
        SignedIn::Begun(secret) => Ok(([(SET_COOKIE, begun(&secret))], Redirect::to(to)).into_response()),
        // The same word for each of them: it tells nobody which it was.
        SignedIn::Refused => Ok(again(&say!(sign_in_refused).to_string())),
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
    bare(say!(welcome_title), welcome_form("", None, ""))
}

/// Bytes of an invitation that are kept in its form; a secret of ours has 64.
const INVITATION_MAX: usize = 200;

/// The form, with the invitation and the name that it is for, once both are known.
fn welcome_form(invitation: &str, name: Option<&str>, wrong: &str) -> Markup {
    let invitation = Some(invitation).filter(|text| !text.is_empty() && text.len() <= INVITATION_MAX);
    html! {
        h1 { (say!(welcome_title)) }
        p { (say!(welcome_text, min = PASSWORD_MIN)) }
        @if !wrong.is_empty() { p.wrong role="alert" { (wrong) } }
        form.card method="post" action="/welcome" {
            label { (say!(welcome_invitation))
                input type="text" name="invitation" value=[invitation] required autocomplete="off"
                    data-from-fragment="1" data-invitation="/welcome/name" data-unknown=(say!(welcome_name_none))
                    spellcheck="false";
            }
            p { (say!(welcome_name, name = name_shown(name))) }
            // For password managers, which keep it beside the password.
            input type="text" name="username" value=[name] autocomplete="username" readonly hidden;
            label { (say!(sign_in_password))
                input type="password" name="password" required autocomplete="new-password"
                    minlength=(PASSWORD_MIN) maxlength=(PASSWORD_MAX);
            }
            label { (say!(welcome_again))
                input type="password" name="again" required autocomplete="new-password"
                    minlength=(PASSWORD_MIN) maxlength=(PASSWORD_MAX);
            }
            button { (say!(welcome_set)) }
            noscript { button.quiet name="do" value="look" formnovalidate { (say!(welcome_show_name)) } }
        }
    }
}

/// Where the name stands that an invitation is for; the script of the page puts it there.
fn name_shown(name: Option<&str>) -> Markup {
    html! {
        output.name name="name" data-name="1" {
            @match name { Some(name) => strong { (name) }, None => span.dim { (say!(welcome_name_unknown)) } }
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
            let page = bare(say!(welcome_title), welcome_form(secret, None, &refusal(&error)));
            return Ok((status(&error), page).into_response());
        }
        found => found?,
    };
    let name = found.as_ref().map(|invitation| invitation.name().to_owned());
    let again = |wrong: &str| Ok(bare(say!(welcome_title), welcome_form(secret, name.as_deref(), wrong)));
    let Some(invitation) = found else {
        return again(&say!(welcome_refused).to_string());
    };
    if form.one("do") == "look" {
        return again("");
    }
    let password = match Password::typed(form.one("password"), form.one("again")) {
        Ok(password) => password,
        Err(PasswordFault::Length) => {
            return again(&say!(welcome_length, min = PASSWORD_MIN, max = PASSWORD_MAX).to_string());
        }
        Err(PasswordFault::Differs) => return again(&say!(welcome_differs).to_string()),
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
            ("/a\r\nb", "/"),
            ("/a\u{7f}", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(to), expected);
        }
    }
}
