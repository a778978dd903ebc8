//! Whose session it is. A session is a random secret in a cookie that no script sees; we keep its digest. An act is
//! done only for a form of ours.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::{Digest, Timestamp};
use maud::html;
use store::person::{Person, Session};

use super::fault::{self, FaultText};
use super::form::Form;
use super::{page, typed};
use crate::Console;
use crate::access::{Operator, Role};
use crate::api::error::ApiError;
use crate::listener::Known;

/// The cookie: for this host alone, and only over a connection that nobody reads.
pub const COOKIE_NAME: &str = "__Host-reprieve";
/// How long a session lasts, used or not.
pub const SESSION: Duration = Duration::from_secs(12 * 3600);
/// How long an unused one lasts.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// Bytes of a form of who has signed in: what the framework takes by default.
const FORM_BYTES_MAX: usize = 2 << 20;
/// Bytes of a form that are read of who has not, to show them their words again.
const STRANGERS_BYTES_MAX: usize = 64 << 10;
/// Bytes of a page of ours.
const PAGE_BYTES_MAX: usize = 16 << 20;
/// How exactly it is known when a session was last used.
const SEEN_EVERY: Duration = Duration::from_secs(60);

/// Lets in who has a session; sends everybody else to the page where one begins.
pub async fn signed_in(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    match whose(&console, request.headers()).await {
        Ok(Some((session, operator))) => {
            Known::mark(request.extensions());
            request.extensions_mut().insert(operator.clone());
            request.extensions_mut().insert(session);
            answered(request, next, &operator).await
        }
        Ok(None) if !super::has_pages(request.uri().path()) => fault::page(unknown(request.uri().path())),
        Ok(None) if request.method() == Method::GET => {
            let wanted = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::to(&format!("/sign-in?to={}", platform::percent::encoded(wanted))).into_response()
        }
        Ok(None) => session_over(request).await,
        Err(error) => fault::page(error),
    }
}

/// What there is no page for.
pub fn unknown(path: &str) -> ApiError {
    ApiError::NotFound(format!("there is no page {path}"))
}

/// An act that comes after the end of its session is not done; what was typed for it is shown, to take along.
async fn session_over(request: Request) -> Response {
    let told = FaultText {
        title: "Sign in first",
        text: "Your session is over: nothing was done. Sign in again.".into(),
        hint: "",
    };
    let typed = to_bytes(request.into_body(), STRANGERS_BYTES_MAX).await.map(|bytes| Form::read(&bytes));
    let body = html! {
        h1 { (told.title) }
        p { (told.text) }
        p { a.button href="/sign-in" { "Sign in" } }
        @if let Ok(typed) = typed { (fault::what_was_typed(typed.fields())) }
    };
    (StatusCode::UNAUTHORIZED, page::bare(told.title, body)).into_response()
}

/// Answers who has signed in: an error has the navigation around it, and a form that could not be taken comes back with
/// what was typed.
async fn answered(request: Request, next: Next, operator: &Operator) -> Response {
    if *request.method() != Method::POST {
        return as_page(next.run(request).await, operator).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, FORM_BYTES_MAX).await else {
        let error = ApiError::Bad(format!("a form has {FORM_BYTES_MAX} bytes at most"));
        return as_page(fault::page(error), operator).await;
    };
    let typed = Form::read(&bytes);
    let again = next.clone();
    let response = match typed.one(page::ENTER) {
        "" => next.run(Request::from_parts(parts.clone(), Body::from(bytes))).await,
        _ => fault::page(ApiError::Bad("Enter does nothing here: press the button of what is to be done".into())),
    };
    let Some(told) = response.extensions().get::<FaultText>().cloned() else {
        return as_page(response, operator).await;
    };
    let status = response.status();
    match form_again(parts, again, &typed, status, &told).await {
        Some(page) => (status, Html(page)).into_response(),
        None => fault::with_navigation(operator, status, &told, typed.fields()),
    }
}

/// The page of a form with what was typed; none where it would not help.
async fn form_again(
    mut parts: Parts,
    page: Next,
    typed: &Form,
    status: StatusCode,
    told: &FaultText,
) -> Option<String> {
    let may_be_changed = matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::CONFLICT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
    );
    let path = parts.uri.path().to_owned();
    let place = typed::place_of(&path, typed).filter(|_| may_be_changed)?;
    parts.method = Method::GET;
    parts.uri = place.parse().ok()?;
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(CONTENT_TYPE);
    let shown = page.run(Request::from_parts(parts, Body::empty())).await;
    if shown.status() != StatusCode::OK {
        return None;
    }
    let bytes = to_bytes(shown.into_body(), PAGE_BYTES_MAX).await.ok()?;
    typed::again(
        std::str::from_utf8(&bytes).ok()?,
        &path,
        typed,
        &format!("{}: {}.", told.title, told.text.trim_end_matches('.')),
    )
}

/// An error as a page with the navigation; what the framework says in a bare line as well, such as of a number that is
/// none.
async fn as_page(response: Response, operator: &Operator) -> Response {
    let status = response.status();
    if let Some(told) = response.extensions().get::<FaultText>() {
        return fault::with_navigation(operator, status, told, &[]);
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !status.is_client_error() || !kind.starts_with("text/plain") {
        return response;
    }
    let text = to_bytes(response.into_body(), PAGE_BYTES_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    // A number in an address that is none is an address that there is not.
    let error = if text.starts_with("Invalid URL") { ApiError::NotFound(text) } else { ApiError::Bad(text) };
    let shown = fault::page(error);
    let (status, told) = (shown.status(), shown.extensions().get::<FaultText>().cloned());
    told.map_or(shown, |told| fault::with_navigation(operator, status, &told, &[]))
}

/// The session that a request shows, and who acts in it.
async fn whose(console: &Console, headers: &HeaderMap) -> Result<Option<(Session, Operator)>, ApiError> {
    let Some(secret) = cookie(headers, COOKIE_NAME) else { return Ok(None) };
    let now = console.clock.now();
    let store = console.store()?;
    let Some((session, person)) = store.session(Digest::of(secret.as_bytes()), now).await? else { return Ok(None) };
    if now.since(session.seen) >= IDLE {
        store.end_session(&session.id).await?;
        return Ok(None);
    }
    if now.since(session.seen) >= SEEN_EVERY {
        store.session_seen(&session.id, now).await?;
    }
    if let Err(wait) = console.rates.take(&session.id, now) {
        return Err(ApiError::TooMany(wait.as_secs().max(1)));
    }
    Ok(operator(&person).map(|operator| (session, operator)))
}

/// Who acts: none when the role is not known to this program.
fn operator(person: &Person) -> Option<Operator> {
    let role = Role::parse(&person.role)?;
    Some(Operator { name: person.name.clone(), role, scope: person.scope.clone(), is_local: false })
}

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted).map(|(_, secret)| secret)
}

/// The header that begins a session.
pub fn begun(secret: &str) -> String {
    format!("{COOKIE_NAME}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}", SESSION.as_secs())
}

/// The header that ends one.
pub fn ended() -> String {
    format!("{COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// A session of somebody that begins now.
pub fn session(secret: &str, person: &str, client: String, now: Timestamp) -> Session {
    Session {
        id: Digest::of(secret.as_bytes()).hex(),
        person: person.to_owned(),
        began: now,
        seen: now,
        until: now.after(SESSION),
        client,
    }
}

/// No act but from a page of ours: browsers say where a request comes from (Fetch Metadata), older ones at least the
/// origin.
pub async fn from_our_own_page(request: Request, next: Next) -> Response {
    let is_act = !matches!(*request.method(), Method::GET | Method::HEAD);
    if is_act && !is_ours(request.headers()) {
        let error = ApiError::Forbidden("this did not come from a page of this console".into());
        return (StatusCode::FORBIDDEN, fault::page(error)).into_response();
    }
    next.run(request).await
}

fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text(HOST.as_str());
    let origin = text(ORIGIN.as_str()).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn acts_come_from_our_own_pages() {
        for (given, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://h"), ("host", "h")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://h:8025"), ("host", "h:8025")], true),
            (&[("origin", "http://evil"), ("host", "h:8025")], false),
            (&[("origin", "null"), ("host", "h")], false),
            (&[("host", "h")], false),
            (&[], false),
        ] {
            assert_eq!(is_ours(&headers(given)), expected, "{given:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        assert_eq!(cookie(&headers(&[("cookie", "a=b; __Host-reprieve=s3; c=d")]), COOKIE_NAME), Some("s3"));
        assert_eq!(cookie(&headers(&[("cookie", "x__Host-reprieve=s3")]), COOKIE_NAME), None);
        assert!(
            begun("s").contains("HttpOnly") && begun("s").contains("Secure") && begun("s").contains("SameSite=Strict")
        );
    }
}
