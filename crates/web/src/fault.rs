//! What is shown when something is wrong: what, and where to go from there.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use service::error::ServiceError;
use texts::{Text, say};

use crate::page;

/// Fields that somebody writes in words of their own, and none of which is a secret.
const WORDS: [&str; 7] = ["reason", "text", "comment", "name", "value", "address", "to"];

/// An answer that is a page, or what is wrong.
pub type PageResult = Result<Response, Fault>;

/// Something that was wrong, as a page.
#[derive(Debug)]
pub struct Fault(ServiceError);

impl<E: Into<ServiceError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        page(self.0)
    }
}

/// What was wrong, in the words of a page: it travels with the answer, so that the page can be drawn again for who has
/// signed in.
#[derive(Clone, Debug)]
pub struct FaultText {
    /// In a line.
    pub title: Text,
    /// What exactly.
    pub text: String,
    /// What to do.
    pub hint: Option<Text>,
}

/// What a page says of an error.
fn told(error: &ServiceError) -> FaultText {
    let (title, text, hint) = match error {
        ServiceError::Bad(text) => (say!(fault_bad), text.clone(), Some(say!(fault_bad_hint))),
        ServiceError::Query(error) => (say!(fault_query), error.what.clone(), Some(say!(fault_bad_hint))),
        ServiceError::Unauthorized(text) => (say!(fault_unauthorized), text.clone(), None),
        ServiceError::Forbidden(text) => (say!(fault_forbidden), text.clone(), Some(say!(fault_forbidden_hint))),
        ServiceError::NotFound(text) => (say!(fault_not_found), text.clone(), Some(say!(fault_not_found_hint))),
        ServiceError::Conflict(text) => (say!(fault_conflict), text.clone(), Some(say!(fault_conflict_hint))),
        ServiceError::TooMany(seconds) => {
            (say!(fault_too_many), say!(fault_too_many_text, seconds = *seconds).to_string(), None)
        }
        ServiceError::Unavailable(text) => (say!(fault_unavailable), text.clone(), Some(say!(fault_unavailable_hint))),
        ServiceError::Internal(_) => (say!(fault_internal), say!(fault_internal_text).to_string(), None),
    };
    FaultText { title, text, hint }
}

/// The status of an error.
pub fn status(error: &ServiceError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The page of an error, with its status, for who has not signed in or may not have.
pub fn page(error: ServiceError) -> Response {
    let told = told(&error);
    let status = status(&error);
    error.log();
    let body = html! {
        (said(&told, &[]))
        p {
            a href="/" { (say!(nav_overview)) } " · " a href="/explorer" { (say!(nav_explorer)) } " · "
            a href="/sign-in" { (say!(fault_sign_in)) }
        }
    };
    let mut response = (status, page::bare(&told.title, body)).into_response();
    response.extensions_mut().insert(told);
    response
}

/// What was wrong, what to do, and what was typed.
pub fn said(told: &FaultText, typed: &[(String, String)]) -> Markup {
    html! {
        h1 { (told.title) }
        p { (told.text) }
        @if let Some(hint) = &told.hint { p.dim { (hint) } }
        (what_was_typed(typed))
    }
}

/// The words that somebody had typed, to take along.
pub fn what_was_typed(typed: &[(String, String)]) -> Markup {
    let words: Vec<&(String, String)> =
        typed.iter().filter(|(name, text)| WORDS.contains(&name.as_str()) && !text.trim().is_empty()).collect();
    html! {
        @if !words.is_empty() {
            h2 { (say!(fault_typed)) }
            dl.facts { @for (name, text) in words { div { dt { (name) } dd { (text) } } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_again_and_secrets_are_not() {
        let typed = [("reason", "it <is> good"), ("password", "a secret"), ("invitation", "another"), ("text", " ")];
        let shown = what_was_typed(&typed.map(|(name, text)| (name.to_owned(), text.to_owned()))).into_string();
        assert!(
            shown.contains("it &lt;is&gt; good") && !shown.contains("secret") && !shown.contains("another"),
            "{shown}"
        );
        assert!(!shown.contains("<dt>text"), "{shown}");
    }
}
