//! Accepting connections: a place for each, and a drain that lets messages finish.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::share::Over;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use wire::tls::TlsError;

use super::{Gateway, connection};
use platform::config::{ListenerConfig, Role};
use platform::loops::Loops;
use platform::measure;
use platform::ports::{Port, Ports};
use platform::start_error::BindError;

/// Pause after a failed accept, so that a lack of descriptors does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What connections have after the drain to say their last words.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A listener cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Its address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Its certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Has all listeners of the configuration accept on their ports, until `stopping` says so. Returns where they are, in
/// the order of the configuration.
///
/// # Errors
/// When one of them cannot be started.
pub fn listen(
    gateway: &Arc<Gateway>,
    ports: &Ports,
    stopping: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
    loops: &mut Loops,
) -> Result<Vec<(Role, SocketAddr)>, ListenError> {
    let mut addresses = Vec::new();
    for (config, port) in gateway.config.listeners.iter().zip(Port::listeners(&gateway.config)) {
        let failed = |source| BindError { address: config.address.to_string(), source };
        let tls = config.tls.as_ref().map(|files| gateway.certificates.of(files)).transpose()?;
        let socket = ports.listen(&port)?;
        let listener = Listener { socket, config: Arc::new(config.clone()), tls, gateway: gateway.clone() };
        addresses.push((config.role, listener.address().map_err(failed)?));
        let running = connections.spawn(listener.run(stopping.clone(), gateway.config.limits.drain));
        loops.add(format!("the listener at {}", config.address), running);
    }
    Ok(addresses)
}

/// A listener with what its connections need.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    config: Arc<ListenerConfig>,
    tls: Option<Arc<ServerConfig>>,
    gateway: Arc<Gateway>,
}

impl Listener {
    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Its configuration.
    pub fn config(&self) -> &ListenerConfig {
        &self.config
    }

    /// Accepts until `stop` says so, then lets what is in progress finish, for `drain` at most.
    pub async fn run(self, mut stop: watch::Receiver<bool>, drain: Duration) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                _ = stop.changed() => break,
                Some(_) = connections.join_next() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((socket, peer)) => self.admit(socket, peer.ip().to_canonical(), &mut connections, &stop),
                    Err(error) => {
                        tracing::error!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        let finish = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(drain + LAST_WORDS, finish).await.is_err() {
            measure::cut("connection", connections.len());
            tracing::warn!(connections = connections.len(), "the drain took too long; connections were cut");
        }
    }

    fn admit(&self, socket: TcpStream, peer: IpAddr, connections: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let place = match self.gateway.places.enter(self.gateway.peer(&self.config, peer)) {
            Ok(place) => place,
            Err(over) => return refuse(&socket, over),
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let (config, tls, gateway, stop) = (self.config.clone(), self.tls.clone(), self.gateway.clone(), stop.clone());
        connections.spawn(connection::serve(socket, peer, place, config, tls, gateway, stop));
    }
}

/// Says why and closes. Nobody waits for a client that is refused: the line fits into the empty buffer of its socket,
/// or it goes without.
fn refuse(socket: &TcpStream, over: Over) {
    measure::refused("connection", over);
    let _ = socket.try_write(too_many(over).as_bytes());
}

/// The line for a client that finds no place.
pub(super) fn too_many(over: Over) -> String {
    format!("421 4.7.0 Too many connections of {}, try again later\r\n", over.who())
}
