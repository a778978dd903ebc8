//! The service as the commands see it. They do not know what it is made of: the program gives them what starts it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use platform::clock::Clock;
use platform::config::{Config, Role};
use platform::kept::Kept;
use platform::loops::Loops;
use platform::reload::Turn;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What a start or a stop is waited for with.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Starts the service of a configuration, with what the process keeps, or says why not: then nothing of it is left.
pub type Start = fn(Config, Kept, Arc<dyn Clock>, Tasks) -> Waiting<Result<Running, String>>;

/// When the background tasks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tasks {
    /// By themselves.
    ByThemselves,
    /// When a drill's driver asks for it over the unix socket, and at no other time.
    WhenAsked,
}

/// A running service.
pub struct Running {
    /// Where mail comes in, in the order of the configuration.
    pub listeners: Vec<(Role, SocketAddr)>,
    /// Where the REST API is.
    pub api: SocketAddr,
    /// The unix socket of the API.
    pub socket: PathBuf,
    /// Where recipients come to, if they may.
    pub portal: Option<SocketAddr>,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// Has it ask for a reload, as who has sent a signal.
    pub reload: Box<dyn Fn(Turn) -> Waiting<()> + Send + Sync>,
    /// What has to go on for as long as it runs.
    pub loops: Loops,
    /// Stops it, once it is waited for.
    pub stop: Waiting<Stopped>,
}

/// What is left of a service that has stopped: a store that is still being closed, or nothing.
#[derive(Debug, Default)]
pub struct Stopped(pub Option<JoinHandle<()>>);

impl Stopped {
    /// Whether its store is closed within this time.
    pub async fn is_closed(self, limit: Duration) -> bool {
        match self.0 {
            // A panic of it has closed it as well.
            Some(closing) => timeout(limit, closing).await.is_ok(),
            None => true,
        }
    }
}

impl Running {
    /// Stops accepting, lets messages finish for as long as the drain allows, writes what is to be written, and closes.
    pub async fn stop(self) -> Stopped {
        let Self { stop, reload, .. } = self;
        drop(reload);
        stop.await
    }
}
