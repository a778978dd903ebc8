//! In which language a page is made: the one that its reader has chosen, or that the browser asks for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use texts::language::Language;
use texts::languages::Languages;
use texts::reader::{Choice, choosing, reading};

use crate::own_page::cookie;

/// The cookie with the tag of a language that was chosen. It is no secret, and says nothing of a person.
pub const CHOSEN: &str = "language";

/// Makes the answer in the language of its reader, who may choose another.
pub async fn in_the_language_of_the_reader(
    State(languages): State<Arc<Languages>>,
    request: Request,
    next: Next,
) -> Response {
    let language = of(&languages, request.headers()).clone();
    let tag = HeaderValue::from_str(&language.tag);
    let choice = Choice { to: place(&request), languages };
    let mut response = reading(language, choosing(choice, next.run(request))).await;
    if let Ok(tag) = tag {
        response.headers_mut().insert(CONTENT_LANGUAGE, tag);
    }
    response
}

/// Where a reader comes back to: what was asked for, unless a form was sent, whose answer is not shown a second time.
fn place(request: &Request) -> String {
    let is_shown = matches!(*request.method(), Method::GET | Method::HEAD);
    let asked = request.uri().path_and_query().filter(|_| is_shown);
    asked.map_or("/", |asked| asked.as_str()).to_owned()
}

fn of<'l>(languages: &'l Languages, headers: &HeaderMap) -> &'l Language {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    cookie(headers, CHOSEN).and_then(|tag| languages.tagged(tag)).unwrap_or_else(|| languages.asked(accepted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn a_reader_comes_back_to_what_can_be_shown_again() {
        for (method, expected) in [(Method::GET, "/a?b=c"), (Method::HEAD, "/a?b=c"), (Method::POST, "/")] {
            let request = axum::http::Request::builder().method(method).uri("/a?b=c").body(Body::empty());
            assert_eq!(place(&request.expect("a request")), expected);
        }
    }

    #[test]
    fn who_has_chosen_is_not_asked_again() {
        let languages = Languages::shipped();
        let mut headers = HeaderMap::new();
        assert_eq!(&*of(&languages, &headers).tag, "en");
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("de-DE,en;q=0.5"));
        assert_eq!(&*of(&languages, &headers).tag, "de");
        headers.insert("cookie", HeaderValue::from_static("a=b; language=en"));
        assert_eq!(&*of(&languages, &headers).tag, "en");
        headers.insert("cookie", HeaderValue::from_static("language=xx"));
        assert_eq!(&*of(&languages, &headers).tag, "de");
    }
}
