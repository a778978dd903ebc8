//! The API over TCP, with the pages beside it: to who shows a token or has a session; the probes to all.

use std::net::SocketAddr;

use axum::{Router, middleware};
use http_listener::{Caller, Door, Doors};
use platform::ports::{Port, Ports};
use platform::start_error::BindError;
use service::Service;

use crate::token_check::by_token;
use crate::{probes, router};

/// Serves the API and `verbs` to who shows a token, and `pages`, which let people in themselves. Returns where.
///
/// # Errors
/// When the address cannot be listened on.
pub fn serve(
    service: Service,
    verbs: Router,
    pages: Router,
    ports: &Ports,
    doors: &mut Doors,
) -> Result<SocketAddr, BindError> {
    let config = service.config.clone();
    let failed = |source| BindError { address: config.api.address.to_string(), source };
    let listener = ports.listen(&Port::api(&config))?;
    let address = listener.local_addr().map_err(failed)?;
    // It is set once, here.
    let _ = service.listens_at.set(address);
    let guarded = router(service.clone()).merge(verbs).layer(middleware::from_fn_with_state(service.clone(), by_token));
    let door = Door::on_network("api", guarded.merge(probes(service)).merge(pages), &config);
    doors.open(door, listener, |_, peer| Caller::Network(*peer));
    Ok(address)
}
