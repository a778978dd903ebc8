//! What a process keeps while services come and go in it: at a reload one ends, and the next begins with it.

use crate::data_folder::HeldFolder;
use crate::ports::Ports;
use crate::reload::Reloads;

/// What a process keeps. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The sockets that it listens on.
    pub ports: Ports,
    /// The data folder: between two services no other process can take it.
    pub folder: HeldFolder,
    /// What is asked for of its configuration, and what came of it.
    pub reloads: Reloads,
}
