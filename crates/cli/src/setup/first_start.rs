//! The service of a configuration, started once to see that it starts, and stopped again. It runs as the user that the
//! data folder belongs to, so that no file in it comes to belong to root.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use super::CliError;

/// A start makes the database, and compiles the rules.
const START_TIME: Duration = Duration::from_secs(120);
/// A stop has ten seconds, and a moment to be seen.
const STOP_TIME: Duration = Duration::from_secs(15);
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// The user and the group that the service has: those of its data folder, where we are root and it is somebody else's.
pub(super) fn owner(data_dir: &Path) -> Option<(u32, u32)> {
    let facts = std::fs::metadata(data_dir).ok()?;
    (geteuid().is_root() && facts.uid() != 0).then(|| (facts.uid(), facts.gid()))
}

/// A service that was started for a moment.
#[derive(Debug)]
pub(super) struct FirstStart(Option<Child>);

impl FirstStart {
    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start; what it has to say about that is on standard error.
    pub(super) async fn of(config: &Path, owner: Option<(u32, u32)>) -> Result<Self, CliError> {
        let failed = |error: std::io::Error| CliError::unreachable(format!("the service cannot be started: {error}"));
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(["serve", "--log", "error", "--config"]).arg(config);
        // systemd, which may have started us, is not to hear of this one.
        command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        if let Some((user, group)) = owner {
            command.uid(user).gid(group);
        }
        let mut child = command.spawn().map_err(failed)?;
        let out = child.stdout.take();
        let started = Self(Some(child));
        let ready = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            out.map_or(Ok(0), |out| BufReader::new(out).read_line(&mut line))
        });
        match tokio::time::timeout(START_TIME, ready).await {
            Ok(Ok(Ok(1..))) => Ok(started),
            Ok(_) => Err(CliError::unreachable("the service does not start; see its error above")),
            Err(_) => Err(CliError::unreachable(format!(
                "the service was not ready after {} s; start it by hand to see why",
                START_TIME.as_secs()
            ))),
        }
    }

    /// Stops it, and waits until it has ended.
    ///
    /// # Errors
    /// When it does not end in its time; it is ended then.
    pub(super) async fn stop(mut self) -> Result<(), CliError> {
        let Some(mut child) = self.0.take() else { return Ok(()) };
        // One that is gone already has ended, which is what is wanted.
        let _ = kill_process(Pid::from_child(&child), Signal::TERM);
        let until = Instant::now() + STOP_TIME;
        while Instant::now() < until {
            if let Ok(Some(_)) = child.try_wait() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(CliError::unreachable("the service did not stop and was killed; nothing is lost"))
    }
}

impl Drop for FirstStart {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
