//! The frame of the portal's pages, and what is shown when something is wrong.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use platform::recipient::language::Language;
use service::error::ServiceError;
use web::page::{head, mark};

/// A page. Who has come in is named, and can leave.
pub fn page(words: &Language, who: Option<&str>, title: &str, body: Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang=(words.tag) {
            (head(title))
            body.portal {
                header.top {
                    a.brand href="/" { (mark()) (words.say("title")) }
                    @if let Some(address) = who {
                        div.me { span.dim { (address) } form method="post" action="/leave" { button.quiet {
                            (words.say("leave")) } } }
                    }
                }
                main #main { (body) }
                script src="/assets/console.js" defer {}
            }
        }
    };
    Html(markup.into_string()).into_response()
}

/// Why something cannot be done, in the reader's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The message is not there, or not theirs.
    Gone,
    /// Quarantine policy does not let them.
    Policy,
    /// Too often.
    Often,
    /// Nobody has come in.
    Link,
    /// The store is not there, or failed.
    Store,
}

impl Wrong {
    fn said(self) -> (StatusCode, &'static str) {
        match self {
            Self::Gone => (StatusCode::NOT_FOUND, "wrong.gone"),
            Self::Policy => (StatusCode::FORBIDDEN, "wrong.policy"),
            Self::Often => (StatusCode::TOO_MANY_REQUESTS, "wrong.often"),
            Self::Link => (StatusCode::UNAUTHORIZED, "wrong.link"),
            Self::Store => (StatusCode::SERVICE_UNAVAILABLE, "wrong.store"),
        }
    }

    /// As a page.
    pub fn page(self, words: &Language) -> Response {
        let (status, text) = self.said();
        let body = html! {
            h1 { (words.say("wrong.title")) }
            p.wrong role="alert" { (words.say(text)) }
            p { a href="/" { (words.say("back")) } }
        };
        (status, page(words, None, words.say("wrong.title"), body)).into_response()
    }
}

impl From<ServiceError> for Wrong {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Bad(_) | ServiceError::Query(_) | ServiceError::NotFound(_) | ServiceError::Conflict(_) => {
                Self::Gone
            }
            ServiceError::Unauthorized(_) => Self::Link,
            ServiceError::Forbidden(_) => Self::Policy,
            ServiceError::TooMany(_) => Self::Often,
            ServiceError::Unavailable(why) | ServiceError::Internal(why) => {
                tracing::error!(why, "a recipient's page failed");
                Self::Store
            }
        }
    }
}
