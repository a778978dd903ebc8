//! The sockets that a process listens on. They outlive the service that serves them: while one service ends and the
//! next one begins on the same sockets, the kernel keeps who connects, and refuses nobody.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::net::TcpSocket;

use crate::config::Config;
use crate::start_error::BindError;

/// Connections that the kernel keeps at most for one socket until they are accepted; more of them come again by
/// themselves.
const WAITING_MAX: u32 = 4096;

/// An address to listen on. Where the system chooses the port, it is told from others of the same address by who
/// listens there, and by its place among those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The address, as the configuration has it.
    pub address: SocketAddr,
    whose: Option<(&'static str, usize)>,
}

impl Port {
    fn new(address: SocketAddr, who: &'static str, place: usize) -> Self {
        Self { address, whose: (address.port() == 0).then_some((who, place)) }
    }

    /// Those of the listeners for mail, in the order of the configuration.
    pub fn listeners(config: &Config) -> Vec<Self> {
        let addresses: Vec<SocketAddr> = config.listeners.iter().map(|one| one.address).collect();
        let place = |at: usize| addresses[..at].iter().filter(|one| **one == addresses[at]).count();
        (0..addresses.len()).map(|at| Self::new(addresses[at], "listener", place(at))).collect()
    }

    /// That of the API.
    pub fn api(config: &Config) -> Self {
        Self::new(config.api.address, "api", 0)
    }

    /// That of the recipients' portal, where there is one.
    pub fn portal(config: &Config) -> Option<Self> {
        config.portal.address.map(|address| Self::new(address, "portal", 0))
    }

    /// All that a configuration asks for.
    pub fn all(config: &Config) -> Vec<Self> {
        Self::listeners(config).into_iter().chain([Self::api(config)]).chain(Self::portal(config)).collect()
    }

    fn failed(&self, source: io::Error) -> BindError {
        BindError { address: self.address.to_string(), source }
    }
}

/// The sockets, until they are closed. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Ports(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    network: Vec<(Port, TcpListener)>,
    host: Option<(PathBuf, UnixListener)>,
}

impl Ports {
    /// A socket that listens at a port: a duplicate of the one that is held, which is made where there is none.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn listen(&self, port: &Port) -> Result<tokio::net::TcpListener, BindError> {
        let failed = |source| port.failed(source);
        let mut held = self.held();
        let known = held.network.iter().position(|(one, _)| one == port);
        let at = match known {
            Some(at) => at,
            None => {
                held.network.push((*port, bound(port.address).map_err(failed)?));
                held.network.len() - 1
            }
        };
        held.network[at].1.try_clone().and_then(tokio::net::TcpListener::from_std).map_err(failed)
    }

    /// A unix socket that listens at a path, for our own user alone: a duplicate of the one that is held, which is made
    /// where there is none.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn listen_at(&self, path: &Path) -> Result<tokio::net::UnixListener, BindError> {
        let failed = |source| BindError { address: path.display().to_string(), source };
        let mut held = self.held();
        let is_there = held.host.as_ref().is_some_and(|(one, _)| one == path) && path.exists();
        if !is_there {
            held.host = Some((path.to_owned(), bound_at(path).map_err(failed)?));
        }
        let (_, socket) = held.host.as_ref().expect("it has just been put there");
        socket.try_clone().and_then(tokio::net::UnixListener::from_std).map_err(failed)
    }

    /// A held address and another of the same port that a configuration asks for, one of which stands for all addresses
    /// of the host: the system gives them to nobody at the same time.
    pub fn overlap(&self, config: &Config) -> Option<(SocketAddr, SocketAddr)> {
        let held = self.held();
        let is_same_port = |one: &SocketAddr, other: &SocketAddr| one.port() == other.port() && one.port() != 0;
        let overlaps = |one: &SocketAddr, other: &SocketAddr| {
            one != other && is_same_port(one, other) && (one.ip().is_unspecified() || other.ip().is_unspecified())
        };
        let wanted = Port::all(config);
        let pairs =
            held.network.iter().flat_map(|(one, _)| wanted.iter().map(move |other| (one.address, other.address)));
        pairs.into_iter().find(|(one, other)| overlaps(one, other))
    }

    /// Binds what a configuration asks for and is not held yet: all of it, or nothing.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub fn open(&self, config: &Config) -> Result<(), BindError> {
        let mut held = self.held();
        let before = held.network.len();
        for port in Port::all(config) {
            if held.network.iter().any(|(one, _)| *one == port) {
                continue;
            }
            match bound(port.address) {
                Ok(socket) => held.network.push((port, socket)),
                Err(source) => {
                    held.network.truncate(before);
                    return Err(port.failed(source));
                }
            }
        }
        Ok(())
    }

    /// Closes what a configuration does not ask for.
    pub fn keep(&self, config: &Config) {
        let wanted = Port::all(config);
        self.held().network.retain(|(port, _)| wanted.contains(port));
    }

    /// Closes all of them.
    pub fn close(&self) {
        let Held { host, .. } = std::mem::take(&mut *self.held());
        if let Some((path, _)) = host {
            // It may be gone; the next start removes it as well.
            let _ = fs::remove_file(path);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().expect("nobody panics while holding this")
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)?.into_std()
}

fn bound_at(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        // The data folder's lock is ours, so nobody else serves it.
        fs::remove_file(path)?;
    }
    let socket = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EXAMPLE;
    use std::net::TcpStream;

    fn config(listeners: &[SocketAddr], api: SocketAddr) -> Config {
        let mut config = Config::parse(EXAMPLE, Path::new("/etc/reprieve")).expect("a right one");
        let one = config.listeners[0].clone();
        config.listeners = listeners
            .iter()
            .map(|address| crate::config::ListenerConfig { address: *address, ..one.clone() })
            .collect();
        config.api.address = api;
        config
    }

    fn any() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    #[tokio::test]
    async fn a_socket_goes_on_when_who_accepts_there_has_gone_and_nobody_is_refused() {
        let (ports, config) = (Ports::default(), config(&[any(), any()], any()));
        ports.open(&config).expect("binds");
        let at = |port: &Port| ports.listen(port).expect("listens").local_addr().expect("an address");
        let first: Vec<SocketAddr> = Port::all(&config).iter().map(at).collect();
        assert!(first.iter().collect::<std::collections::BTreeSet<_>>().len() == 3, "each its own: {first:?}");
        let waiting = TcpStream::connect(first[0]).expect("nobody accepts, and it is taken");
        let listener = ports.listen(&Port::listeners(&config)[0]).expect("listens");
        let (_, who) = listener.accept().await.expect("it is there");
        assert_eq!(who, waiting.local_addr().expect("an address"));
        assert_eq!(Port::all(&config).iter().map(at).collect::<Vec<_>>(), first, "the ports stay");
        let fewer = self::config(&[any()], any());
        ports.keep(&fewer);
        assert!(TcpStream::connect(first[1]).is_err(), "nobody wants it any more");
        assert!(TcpStream::connect(first[2]).is_ok());
    }

    #[tokio::test]
    async fn where_one_address_cannot_be_had_none_is_opened() {
        let (taken, ports) = (TcpListener::bind(any()).expect("binds"), Ports::default());
        let free = TcpListener::bind(any()).expect("binds");
        let [taken_at, free_at] = [&taken, &free].map(|one| one.local_addr().expect("an address"));
        drop(free);
        let error = ports.open(&config(&[free_at, taken_at], any())).expect_err("it is taken");
        assert!(error.to_string().contains(&taken_at.to_string()), "{error}");
        assert!(TcpStream::connect(free_at).is_err(), "it is not held");
    }

    #[tokio::test]
    async fn the_socket_of_the_host_is_ours_alone_and_goes_with_the_ports() {
        let folder = tempfile::tempdir().expect("folder");
        let (path, ports) = (folder.path().join("api.sock"), Ports::default());
        fs::write(&path, "left by a crash").expect("writes");
        drop(ports.listen_at(&path).expect("listens"));
        std::os::unix::net::UnixStream::connect(&path).expect("nobody accepts, and it is taken");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        ports.listen_at(&path).expect("it is the same");
        ports.close();
        assert!(!path.exists());
    }
}
