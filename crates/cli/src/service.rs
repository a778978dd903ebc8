//! The service as the commands see it. They do not know what it is made of: the program gives them what starts it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use platform::clock::Clock;
use platform::config::{Config, Role};
use platform::loops::Loops;
use tokio::sync::Notify;

/// What a start or a stop is waited for with.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Starts the service of a configuration, or says why not.
pub type Start = fn(Config, Arc<dyn Clock>, Tasks) -> Waiting<Result<Running, String>>;

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
    /// Has it look at the files of its certificates now.
    pub certificates: Arc<Notify>,
    /// What has to go on for as long as it runs.
    pub loops: Loops,
    /// Stops it, once it is waited for.
    pub stop: Waiting<()>,
}

impl Running {
    /// Stops accepting, lets messages finish for as long as the drain allows, writes what is to be written, and closes.
    pub async fn stop(self) {
        self.stop.await;
    }
}
