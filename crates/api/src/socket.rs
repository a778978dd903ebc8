//! The API over a unix socket: for root and for the user that runs the program, known by its peer credentials, without
//! a token.

use std::fs;
use std::os::unix::fs::MetadataExt;

use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http_listener::{Caller, Door, Doors, Peer, RequestConnection};
use platform::ports::Ports;
use platform::start_error::BindError;
use service::Service;
use service::access::Operator;
use service::error::ServiceError;

use crate::error::ApiError;
use crate::{probes, router};

/// Serves the whole API over the unix socket of the configuration, and `beside` it.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve(service: Service, beside: Router, ports: &Ports, doors: &mut Doors) -> Result<(), BindError> {
    let config = service.config.clone();
    let listener = ports.listen_at(&config.api.socket)?;
    let router = router(service.clone()).merge(probes(service)).merge(beside);
    let router = router.layer(middleware::from_fn(local_only));
    let door = Door::on_host("socket", router, &config);
    doors.open(door, listener, |socket, _| Caller::Host(Peer::of(socket)));
    Ok(())
}

async fn local_only(ConnectInfo(peer): ConnectInfo<Peer>, mut request: Request, next: Next) -> Response {
    let own = fs::metadata("/proc/self").map_or(0, |own| own.uid());
    match peer.uid() {
        Some(uid) if uid == 0 || uid == own => {
            RequestConnection::identified(request.extensions());
            request.extensions_mut().insert(Operator::local());
            next.run(request).await
        }
        _ => {
            let error = ServiceError::Forbidden("this socket is for root and the user that runs reprieve".into());
            ApiError(error).into_response()
        }
    }
}
