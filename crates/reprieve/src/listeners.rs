//! The API's two doors. The unix socket is for root and for the user that runs the program, known by its
//! peer credentials. Over TCP a token opens it; the probes need none.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use api::error::ApiError;
use api::token_check::by_token;
use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_listener::{Caller, Door, Peer, RequestConnection};
use platform::config::Config;
use platform::start_error::BindError;
use service::Service;
use service::access::Operator;
use service::error::ServiceError;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// Serves the API over TCP to who shows a token, and the probes to all.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) async fn tcp(
    config: &Config,
    service: Service,
    stop: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, BindError> {
    let failed = |source| BindError { address: config.api.address.to_string(), source };
    let listener = TcpListener::bind(config.api.address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let guarded = api::router(service.clone())
        .merge(exchange::router(service.clone()))
        .layer(middleware::from_fn_with_state(service.clone(), by_token));
    let router: Router = guarded.merge(api::probes(service.clone())).merge(console::router(service));
    let door = Door::on_network("api", router, config);
    tasks.spawn(door.serve(listener, |_, peer| Caller::Network(*peer), stop));
    Ok(address)
}

/// Asks all reconcilers to come to rest; answered when they have. Only where a drill's driver owns the clock.
pub(crate) type Settle = mpsc::Sender<oneshot::Sender<()>>;

/// `POST /settle`, for the driver of a drill alone.
fn settling(settle: Settle) -> Router {
    let handler = move || async move {
        let (answer, answered) = oneshot::channel();
        let asked = settle.send(answer).await.is_ok() && answered.await.is_ok();
        if asked { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    };
    Router::new().route("/settle", post(handler))
}

/// Serves the whole API over the unix socket.
///
/// # Errors
/// When the socket cannot be made.
pub(crate) fn unix(
    config: &Config,
    service: Service,
    settle: Option<Settle>,
    stop: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<(), BindError> {
    let path = &config.api.socket;
    let failed = |source| BindError { address: path.display().to_string(), source };
    if path.exists() {
        // The data folder's lock is ours, so nobody else serves it.
        fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let driver = settle.map(settling).unwrap_or_default();
    let router = api::router(service.clone()).merge(api::probes(service)).merge(driver);
    let router = router.layer(middleware::from_fn(local_only));
    let door = Door::on_host("socket", router, config);
    tasks.spawn(door.serve(listener, |socket, _| Caller::Host(Peer::of(socket)), stop));
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
