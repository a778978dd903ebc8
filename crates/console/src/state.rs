//! How far the releases are that a page shows: what is on its way is asked about again by the page's script, until it
//! has arrived.

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use maud::{Markup, html};
use serde::Serialize;
use service::Service;
use service::access::Operator;
use service::error::ServiceError;
use service::quarantine::show;
use texts::say;
use web::fault::Fault;

use crate::page::{chip, class_of};

/// Messages of one request at most.
const MAILS_MAX: usize = 50;

/// Whether something in this state goes on by itself.
fn moves(state: &str) -> bool {
    matches!(state, "releasing" | "in_doubt" | "in_doubt_live")
}

/// The state of a recipient's copy of a message, with the colour of its meaning. While it moves, the script of the page
/// keeps it up to date.
pub fn state(id: &str, recipient: &str, state: &str) -> Markup {
    html! {
        @if moves(state) {
            span.chip.(class_of(state)) data-unit={ (id) " " (recipient) } aria-live="polite" { (texts::word(state)) }
            noscript { " " span.dim { (say!(state_reload)) } }
        } @else { (chip(state)) }
    }
}

/// A state, for the script.
#[derive(Debug, Serialize)]
pub struct StateView {
    mail: String,
    recipient: String,
    /// As it is shown, and the class of its colour.
    shown: String,
    class: &'static str,
    /// Whether it is to be asked about again.
    moves: bool,
}

/// `GET /states?mail=ID&mail=ID`: the states of some messages, 50 at most. One that is not known, or not to be seen, is
/// left out.
///
/// # Errors
/// What the API says.
pub async fn of(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<StateView>>, Fault> {
    let query = query.unwrap_or_default();
    let mails = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "mail").take(MAILS_MAX);
    let mut states = Vec::new();
    for (_, mail) in mails {
        let held = match show::show(&service, &operator, &mail).await {
            Err(ServiceError::NotFound(_) | ServiceError::Bad(_)) => continue,
            held => held?,
        };
        states.extend(held.units.into_iter().map(|unit| StateView {
            mail: mail.to_string(),
            recipient: unit.recipient,
            shown: texts::word(&unit.state),
            class: class_of(&unit.state),
            moves: moves(&unit.state),
        }));
    }
    Ok(Json(states))
}
