//! A neighbour as a process of our own: started, and stopped by its pid.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// A process that ends with this value.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts; what it says goes to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn();
        Ok(Self(child.with_context(|| format!("{command:?}"))?))
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // TERM first, so that it may end its own children; it is gone when it was waited for.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        for _ in 0..50 {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Gives a folder to a user, so that a neighbour that drops its rights may write there.
pub fn own(folder: &Path, user: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let status = Command::new("chown").arg("-R").arg(user).arg(folder).status()?;
    anyhow::ensure!(status.success(), "chown {user} {}", folder.display());
    Ok(())
}
