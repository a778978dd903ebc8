//! Postfix's `smtp-sink`: the next hop of every system.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::process::Process;
use crate::{free_address, wait_for};

/// A running sink.
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    counts: PathBuf,
    process: Process,
}

impl Sink {
    /// Starts one.
    pub fn start(folder: &Path) -> Result<Self> {
        let (address, counts) = (free_address()?, folder.join("sink.out"));
        let mut command = Command::new("smtp-sink");
        command.args(["-c", "-u", "postfix", &address.to_string(), "512"]);
        let process = Process::start(&mut command, &counts)?;
        wait_for(address, "smtp-sink")?;
        Ok(Self { address, counts, process })
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Mails that it has taken so far.
    pub fn taken(&self) -> usize {
        let text = fs::read_to_string(&self.counts).unwrap_or_default();
        let last = text.rsplit("mesg=").next().unwrap_or_default();
        last.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// Waits until it has taken `count` mails; returns how long that took.
    pub fn wait_for(&self, count: usize) -> Result<Duration> {
        let began = Instant::now();
        while self.taken() < count {
            ensure!(began.elapsed() < Duration::from_secs(120), "the sink has {} of {count} mails", self.taken());
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(began.elapsed())
    }
}
