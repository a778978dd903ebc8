//! Accepting connections: permits, a limit for each address, and a drain that lets messages finish.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{Gateway, connection};
use crate::config::ListenerConfig;
use crate::measure;

/// Pause after a failed accept, so that a lack of descriptors does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What connections have after the drain to say their last words.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A bound listener with what its connections need.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    config: Arc<ListenerConfig>,
    tls: Option<Arc<ServerConfig>>,
    gateway: Arc<Gateway>,
    permits: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Listener {
    /// Binds the address of a listener.
    ///
    /// # Errors
    /// When the address is in use or not ours.
    pub async fn bind(
        config: ListenerConfig,
        tls: Option<Arc<ServerConfig>>,
        gateway: Arc<Gateway>,
        permits: Arc<Semaphore>,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(config.address).await?;
        Ok(Self { socket, config: Arc::new(config), tls, gateway, permits, by_address: Arc::default() })
    }

    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<std::net::SocketAddr> {
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
                    Ok((socket, peer)) => self.admit(socket, peer.ip().to_canonical(), &mut connections, &stop).await,
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

    async fn admit(
        &self,
        socket: TcpStream,
        peer: IpAddr,
        connections: &mut JoinSet<()>,
        stop: &watch::Receiver<bool>,
    ) {
        let place = Place::take(&self.by_address, peer, self.gateway.config.limits.connections_per_ip_max);
        let permit = self.permits.clone().try_acquire_owned();
        let (Some(place), Ok(permit)) = (place, permit) else {
            return refuse(socket, "421 4.7.0 Too many connections, try again later\r\n").await;
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let (config, tls, gateway, stop) = (self.config.clone(), self.tls.clone(), self.gateway.clone(), stop.clone());
        connections.spawn(async move {
            connection::serve(socket, peer, &config, tls, gateway, stop).await;
            drop((place, permit));
        });
    }
}

async fn refuse(mut socket: TcpStream, line: &str) {
    // Politeness only; the client may be gone.
    let _ = tokio::time::timeout(Duration::from_secs(1), socket.write_all(line.as_bytes())).await;
}

/// One of an address's connections.
struct Place {
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    ip: IpAddr,
}

impl Place {
    fn take(by_address: &Arc<Mutex<HashMap<IpAddr, usize>>>, ip: IpAddr, most: usize) -> Option<Self> {
        let mut counts = by_address.lock().expect("nobody panics while counting connections");
        let count = counts.entry(ip).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Self { by_address: by_address.clone(), ip })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.by_address.lock().expect("nobody panics while counting connections");
        if let Some(count) = counts.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.ip);
            }
        }
    }
}
