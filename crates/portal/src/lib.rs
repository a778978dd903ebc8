//! What recipients see: their own held mail, on an address of its own that is off unless it is configured. They come by
//! a link in a mail. A link is inert: looking at a page does nothing, whoever looks; only a button that is pressed
//! does.
//!
//! | module | what it has |
//! |---|---|
//! | [`enter`] | coming in, asking for a link, leaving |
//! | [`mail`] | own mail: list, text, and what its recipient may do |
//! | [`senders`] | senders that they block or allow for themselves |
//! | [`page`] | the frame |
//!
//! What recipients may do, and how it is done, is in [`service::recipient`]. Links and words, which notices need as
//! well, are in [`platform::recipient`].

pub mod enter;
pub mod mail;
pub mod page;
pub mod senders;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use http_listener::{Caller, Door, Doors};
use platform::ports::{Port, Ports};
use platform::recipient::language::Languages;
use platform::start_error::BindError;
use service::Service;
use web::assets::with_policy;
use web::form::FORM_BYTES_MAX;
use web::own_page::from_our_own_page;

/// What every request shares.
#[derive(Clone, Debug)]
pub struct Portal {
    /// What recipients can ask for.
    pub service: Service,
    /// The words.
    pub languages: Arc<Languages>,
}

/// Serves the portal, where it is configured.
///
/// # Errors
/// When the address cannot be listened on.
pub fn serve(service: Service, ports: &Ports, doors: &mut Doors) -> Result<Option<SocketAddr>, BindError> {
    let config = service.config.clone();
    let Some(port) = Port::portal(&config) else { return Ok(None) };
    let failed = |source| BindError { address: port.address.to_string(), source };
    let listener = ports.listen(&port)?;
    let bound = listener.local_addr().map_err(failed)?;
    let portal = Portal { languages: Arc::new(config.portal.languages.clone()), service };
    let door = Door::on_network("portal", router(portal), &config);
    doors.open(door, listener, |_, peer| Caller::Network(*peer));
    Ok(Some(bound))
}

fn router(portal: Portal) -> Router {
    Router::new()
        .route("/", get(mail::list))
        .route("/enter", post(enter::enter))
        .route("/ask", post(enter::ask))
        .route("/leave", post(enter::leave))
        .route("/mail/{id}", get(mail::show))
        .route("/act", post(mail::act))
        .merge(web::assets::assets())
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn(from_our_own_page))
        .layer(middleware::map_response(with_policy))
        .with_state(portal)
}
