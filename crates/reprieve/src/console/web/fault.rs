//! What is shown when something is wrong: what, and where to go from there.

use axum::response::{IntoResponse, Response};
use maud::html;

use super::page;
use crate::console::api::error::ApiError;

/// An answer that is a page, or what is wrong.
pub type PageResult = Result<Response, Fault>;

/// Something that was wrong, as a page.
#[derive(Debug)]
pub struct Fault(ApiError);

impl<E: Into<ApiError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        page(self.0)
    }
}

/// The page of an error, with its status.
pub fn page(error: ApiError) -> Response {
    let (title, text, hint) = match &error {
        ApiError::Bad(text) => ("This cannot be asked for", text.clone(), "Go back and change it."),
        ApiError::Query(error) => ("This query cannot be read", error.what.clone(), "Go back and change it."),
        ApiError::Unauthorized(text) => ("Sign in first", text.clone(), ""),
        ApiError::Forbidden(text) => {
            ("You may not do this", text.clone(), "An administrator can, or can change your role.")
        }
        ApiError::NotFound(text) => {
            ("There is no such thing", text.clone(), "It may have been removed when its time was over.")
        }
        ApiError::Conflict(text) => {
            ("It cannot be done now", text.clone(), "Somebody else may have been quicker: look at it again.")
        }
        ApiError::TooMany(seconds) => ("Too many requests", format!("Try again in {seconds} s."), ""),
        ApiError::Unavailable(text) => {
            ("The store is not there", text.clone(), "Mail is treated as the configuration says; see the log.")
        }
        ApiError::Internal(_) => ("Something failed here", "The log of the program says what.".to_owned(), ""),
    };
    let status = error.into_response().status();
    let body = html! {
        h1 { (title) }
        p { (text) }
        @if !hint.is_empty() { p.dim { (hint) } }
        p { a href="/" { "Overview" } " · " a href="/explorer" { "Explorer" } " · " a href="/sign-in" { "Sign in" } }
    };
    (status, page::bare(title, body)).into_response()
}
