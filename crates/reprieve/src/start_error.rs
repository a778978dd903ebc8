//! Why the program does not start.

use std::io;

use detect::auth::NoResolver;
use detect::ruleset::LoadErrors;
use gateway::listener::ListenError;
use platform::data_folder::DataFolderError;
use platform::start_error::{BindError, DataDirError};
use store::StoreError;
use wire::tls::TlsError;

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    #[error(transparent)]
    DataFile(#[from] DataDirError),
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
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// What webhooks are trusted by cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Bind(#[from] BindError),
}
