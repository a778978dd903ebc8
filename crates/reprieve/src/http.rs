//! The HTTP servers: the API and the pages over TCP, the API over the unix socket, the portal.

use std::net::SocketAddr;
use std::sync::Arc;

use api::token_check::by_token;
use axum::{Router, middleware};
use http_listener::{Caller, Door};
use platform::start_error::BindError;
use portal::Portal;
use service::Service;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Starts all of them; returns where the API and the portal are. `driver` is what the unix socket serves beside the
/// API.
pub(crate) async fn start(
    service: Service,
    driver: Router,
    stopping: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<(SocketAddr, Option<SocketAddr>), BindError> {
    http_listener::tell_limits(&service.config.http);
    let languages = Arc::new(service.config.portal.languages.clone());
    let portal = portal::serve(Portal { languages, service: service.clone() }, stopping.clone(), tasks).await?;
    let api = on_network(service.clone(), stopping.clone(), tasks).await?;
    // It is set once, here.
    let _ = service.listens_at.set(api);
    api::socket::serve(service, driver, stopping.clone(), tasks)?;
    Ok((api, portal))
}

/// API and pages over TCP, to who shows a token or has a session; the probes to all.
async fn on_network(
    service: Service,
    stop: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, BindError> {
    let config = service.config.clone();
    let failed = |source| BindError { address: config.api.address.to_string(), source };
    let listener = TcpListener::bind(config.api.address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let guarded = api::router(service.clone())
        .merge(exchange::router(service.clone()))
        .layer(middleware::from_fn_with_state(service.clone(), by_token));
    let router = guarded.merge(api::probes(service.clone())).merge(console::router(service));
    let door = Door::on_network("api", router, &config);
    tasks.spawn(door.serve(listener, |_, peer| Caller::Network(*peer), stop));
    Ok(address)
}
