//! An act is done only for a form of our own pages; and what a browser sends along of itself.

use axum::extract::Request;
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use service::error::ServiceError;

use crate::fault;

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted).map(|(_, secret)| secret)
}

/// No act but from a page of ours: browsers say where a request comes from (Fetch Metadata), older ones at least the
/// origin.
pub async fn from_our_own_page(request: Request, next: Next) -> Response {
    let is_act = !matches!(*request.method(), Method::GET | Method::HEAD);
    if is_act && !is_ours(request.headers()) {
        let error = ServiceError::Forbidden("this did not come from a page of this console".into());
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
        assert_eq!(cookie(&headers(&[("cookie", "a=b; __Host-x=s3; c=d")]), "__Host-x"), Some("s3"));
        assert_eq!(cookie(&headers(&[("cookie", "x__Host-x=s3")]), "__Host-x"), None);
    }
}
