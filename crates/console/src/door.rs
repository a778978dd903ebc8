//! Whose session it is. Its secret is in a cookie that no script sees. An act is done only for a form of ours.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http_listener::RequestConnection;
use maud::html;
use service::Service;
use service::access::Operator;
use service::error::ServiceError;
use service::session::{self, Session};
use texts::say;
use web::fault::{self, FaultText};
use web::form::Form;
use web::own_page::cookie;

use crate::{page, typed};

/// The cookie: for this host alone, and only over a connection that nobody reads.
pub const COOKIE_NAME: &str = "__Host-reprieve";
/// Bytes of a form of who has signed in: what the framework takes by default.
const FORM_BYTES_MAX: usize = 2 << 20;
/// Bytes of a form that are read of who has not, to show them their words again.
const STRANGERS_BYTES_MAX: usize = 64 << 10;
/// Bytes of a page of ours.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// Lets in who has a session; sends everybody else to the page where one begins.
pub async fn signed_in(State(service): State<Service>, mut request: Request, next: Next) -> Response {
    match whose(&service, request.headers()).await {
        Ok(Some((session, operator))) => {
            RequestConnection::identified(request.extensions());
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
pub fn unknown(path: &str) -> ServiceError {
    ServiceError::NotFound(format!("there is no page {path}"))
}

/// An act that comes after the end of its session is not done; what was typed for it is shown, to take along.
async fn session_over(request: Request) -> Response {
    let typed = to_bytes(request.into_body(), STRANGERS_BYTES_MAX).await.map(|bytes| Form::read(&bytes));
    let body = html! {
        h1 { (say!(fault_unauthorized)) }
        p { (say!(sign_in_over)) }
        p { a.button href="/sign-in" { (say!(fault_sign_in)) } }
        @if let Ok(typed) = typed { (fault::what_was_typed(typed.fields())) }
    };
    (StatusCode::UNAUTHORIZED, web::page::bare(say!(fault_unauthorized), body)).into_response()
}

/// Answers who has signed in: an error has the navigation around it, and a form that could not be taken comes back with
/// what was typed.
async fn answered(request: Request, next: Next, operator: &Operator) -> Response {
    if *request.method() != Method::POST {
        return as_page(next.run(request).await, operator).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, FORM_BYTES_MAX).await else {
        let error = ServiceError::Bad(format!("a form has {FORM_BYTES_MAX} bytes at most"));
        return as_page(fault::page(error), operator).await;
    };
    let typed = Form::read(&bytes);
    let again = next.clone();
    let response = match typed.one(web::page::ENTER) {
        "" => next.run(Request::from_parts(parts.clone(), Body::from(bytes))).await,
        _ => fault::page(ServiceError::Bad("Enter does nothing here: press the button of what is to be done".into())),
    };
    let Some(told) = response.extensions().get::<FaultText>().cloned() else {
        return as_page(response, operator).await;
    };
    let status = response.status();
    match form_again(parts, again, &typed, status, &told).await {
        Some(page) => (status, Html(page)).into_response(),
        None => page::with_navigation(operator, status, &told, typed.fields()),
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
    let wrong = say!(typed_wrong, what = told.title.to_string(), why = told.text.trim_end_matches('.'));
    typed::again(std::str::from_utf8(&bytes).ok()?, &path, typed, &wrong.to_string())
}

/// An error as a page with the navigation; what the framework says in a bare line as well, such as of a number that is
/// none.
async fn as_page(response: Response, operator: &Operator) -> Response {
    let status = response.status();
    if let Some(told) = response.extensions().get::<FaultText>() {
        return page::with_navigation(operator, status, told, &[]);
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !status.is_client_error() || !kind.starts_with("text/plain") {
        return response;
    }
    let text = to_bytes(response.into_body(), PAGE_BYTES_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    // A number in an address that is none is an address that there is not.
    let error = if text.starts_with("Invalid URL") { ServiceError::NotFound(text) } else { ServiceError::Bad(text) };
    let shown = fault::page(error);
    let (status, told) = (shown.status(), shown.extensions().get::<FaultText>().cloned());
    told.map_or(shown, |told| page::with_navigation(operator, status, &told, &[]))
}

/// The session that a request shows, and who acts in it.
async fn whose(service: &Service, headers: &HeaderMap) -> Result<Option<(Session, Operator)>, ServiceError> {
    let Some(secret) = cookie(headers, COOKIE_NAME) else { return Ok(None) };
    session::find(service, secret).await
}

/// The header that begins a session.
pub fn begun(secret: &str) -> String {
    format!("{COOKIE_NAME}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}", session::LASTS.as_secs())
}

/// The header that ends one.
pub fn ended() -> String {
    format!("{COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_script_sees_a_session() {
        assert!(
            begun("s").contains("HttpOnly") && begun("s").contains("Secure") && begun("s").contains("SameSite=Strict")
        );
    }
}
