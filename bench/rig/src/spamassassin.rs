//! Debian's SpamAssassin as `spamd`: the rules of the package, local tests only (`-L`), nothing learned.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::{Process, own};
use crate::{free_address, wait_for};

/// A running spamd.
pub struct SpamAssassin {
    /// Where it answers (the protocol SPAMC/1.5).
    pub address: SocketAddr,
    _process: Process,
}

impl SpamAssassin {
    /// Starts one with this many workers.
    pub fn start(folder: &Path, workers: usize) -> Result<Self> {
        let address = free_address()?;
        let home = folder.join("home");
        own(&home, "debian-spamd")?;
        let mut command = Command::new("spamd");
        command.args(["-L", "-x", "-i", &address.ip().to_string(), "-p", &address.port().to_string()]);
        command
            .args(["-u", "debian-spamd", "-s", "stderr", "--max-children", &workers.to_string()])
            .arg("-H")
            .arg(&home);
        let process = Process::start(&mut command, &folder.join("spamd.log"))?;
        wait_for(address, "spamd")?;
        Ok(Self { address, _process: process })
    }
}
