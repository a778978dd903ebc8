//! Whose session it is. A session is a random secret in a cookie that no script sees; we keep its digest. An act is done only for a form of ours.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use domain::{Digest, Timestamp};
use store::person::{Person, Session};

use super::fault;
use crate::console::Console;
use crate::console::access::{Operator, Role};
use crate::console::api::error::ApiError;
use crate::console::listener::Known;

/// The cookie: for this host alone, and only over a connection that nobody reads.
pub const COOKIE_NAME: &str = "__Host-reprieve";
/// How long a session lasts, used or not.
pub const SESSION: Duration = Duration::from_secs(12 * 3600);
/// How long an unused one lasts.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// How exactly it is known when a session was last used.
const SEEN_EVERY: Duration = Duration::from_secs(60);

/// Lets in who has a session; sends everybody else to the page where one begins.
pub async fn signed_in(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    match whose(&console, request.headers()).await {
        Ok(Some((session, operator))) => {
            Known::mark(request.extensions());
            request.extensions_mut().insert(operator);
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Ok(None) if request.method() == Method::GET => {
            let wanted = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::to(&format!("/sign-in?to={}", crate::percent::encoded(wanted))).into_response()
        }
        Ok(None) => fault::page(ApiError::Unauthorized("your session is over: sign in again".into())),
        Err(error) => fault::page(error),
    }
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

/// No act but from a page of ours: browsers say where a request comes from (Fetch Metadata), older ones at least the origin.
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
