//! The HTML of a held mail, made harmless: only tags that shape text are kept, without any attribute; everything else
//! is text or nothing.
//!
//! It is written anew from the tokens of an HTML parser, so nothing of the mail's own markup is passed on: no
//! attribute, no address, no style.
//! Pictures of the mail itself are drawn anew and stand in the document; none is loaded. Elements whose content is not
//! text (scripts, styles, vector pictures, frames) are left out with all that is in them. And it is shown in a frame
//! that may do nothing: an opaque origin without scripts, forms or requests.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use maud::{DOCTYPE, PreEscaped, html};
use service::Service;
use service::access::Operator;
use service::quarantine::read;
use texts::say;
use web::fault::PageResult;

use crate::message;

/// What the document may do: nothing at all, but to have pictures in it. Only a page of ours may show it.
const POLICY: &str =
    "sandbox; default-src 'none'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

/// `GET /messages/{id}/html`: the document for the frame.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> PageResult {
    message::is_id(&id)?;
    let shown = read::pages(&service, &operator, &id).await?;
    let document = html! {
        (DOCTYPE)
        html {
            head { meta charset="utf-8"; title { (say!(letter_title)) } }
            body {
                @if shown.pages.is_empty() { p { (say!(letter_no_html)) } }
                @for page in &shown.pages { (PreEscaped(page)) }
            }
        }
    };
    let fields = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    Ok((fields, document.into_string()).into_response())
}
