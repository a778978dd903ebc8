//! What keeps a service from starting, where more than one room may meet it.

use std::io;
use std::path::PathBuf;

/// An address or socket cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address, or the path of the socket.
    pub address: String,
    /// Why.
    pub source: io::Error,
}

/// A file or folder of the service's data cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the data folder {path}: {source}")]
pub struct DataDirError {
    /// The folder or file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}
