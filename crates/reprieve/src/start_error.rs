//! Why the program does not start.

use std::io;
use std::path::PathBuf;

use detect::auth::NoResolver;
use detect::ruleset::LoadErrors;
use platform::start_error::{BindError, DataDirError};
use store::StoreError;
use wire::tls::TlsError;

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("another reprieve is running on {0}; stop it first")]
    Locked(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ruleset(#[from] LoadErrors),
    #[error("{0}; name one with name_server in [engine.auth], or switch it off with on = false")]
    Resolver(#[from] NoResolver),
    #[error("cannot start a thread: {0}")]
    Threads(io::Error),
    /// No process to examine mail with.
    #[error("{0}")]
    Examiner(String),
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Bind(#[from] BindError),
}
