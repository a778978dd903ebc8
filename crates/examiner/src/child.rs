//! A process that examines, as the gateway sees it: started over what is in force, asked, and ended.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use detect::in_force::InForce;
use detect::limits::Limits;

use super::fault;
use super::frame::{self, Said, Task};
use super::sandbox;

/// Time that an examination may exceed its budget by before the watchdog gives it up.
pub(super) const GRACE: Duration = Duration::from_secs(3);
/// Time to start in: a machine that is busy with a hundred of them has time for one.
const START_TIME: Duration = Duration::from_secs(60);
/// Bytes that are written together: the envelope and a small mail.
const WRITE_BYTES: usize = 8 << 10;
/// Mails that one process examines at most: whatever has happened to it, ends with it.
const MAILS_MAX: u32 = 20_000;
/// The verb of the program that this is.
pub const VERB: &str = "examine-worker";

/// A process that is ready to examine.
#[derive(Debug)]
pub(super) struct Worker {
    process: Child,
    socket: UnixStream,
    in_force: Arc<InForce>,
    mails: u32,
    /// What the kernel could not do to shut it in.
    pub(super) missing: Vec<String>,
}

/// Why there is no process.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotStarted {
    /// It cannot be started or shut in on this machine, whatever it is to examine.
    #[error("{0}")]
    Unable(String),
    /// It ended when it examined for the first time: with another ruleset it may not.
    #[error("{0}")]
    Ended(String),
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// It panicked over the mail; the process goes on.
    Panicked(String),
    /// The process is gone, and how it went.
    Died(String),
    /// It was given up, and ended.
    OverTime,
}

impl Worker {
    /// Starts a process over what is in force, of which `packed` are the bytes.
    ///
    /// # Errors
    /// When it cannot be started, or cannot be shut in; for people.
    pub(super) fn start(
        in_force: &Arc<InForce>,
        packed: &[u8],
        limits: &Limits,
        nice: i32,
    ) -> Result<Self, NotStarted> {
        let failed =
            |error: io::Error| NotStarted::Unable(format!("a process that examines cannot be started: {error}"));
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        sandbox::keep_descriptors();
        // The program that runs, even when another has been installed in its place meanwhile.
        let process = Command::new("/proc/self/exe")
            .arg0("reprieve")
            .args([VERB, "--nice", &nice.to_string()])
            .env_clear()
            .envs(fault::environment())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let mut worker = Self { process, socket: ours, in_force: in_force.clone(), mails: 0, missing: Vec::new() };
        let until = Instant::now() + START_TIME;
        let unable = |why: String| NotStarted::Unable(format!("a process that examines cannot be shut in: {why}"));
        match worker.introduce(packed, limits, until) {
            Ok(Some(Said::Ready(missing))) => worker.missing = missing,
            Ok(Some(Said::Unable(why))) => return Err(unable(why)),
            Ok(_) => return Err(unable(worker.end())),
            Err(error) => return Err(unable(format!("{error}; it {}", worker.end()))),
        }
        match frame::read_json(&mut Until { socket: &worker.socket, until }) {
            Ok(Some(Said::Tried)) => Ok(worker),
            _ => Err(NotStarted::Ended(format!("a process that examines {} over its first mail", worker.end()))),
        }
    }

    /// Whether it examines with what is in force now, and may go on.
    pub(super) fn serves(&self, in_force: &Arc<InForce>) -> bool {
        self.mails < MAILS_MAX && Arc::ptr_eq(&self.in_force, in_force)
    }

    /// Has one mail examined or shown: what it says to that.
    ///
    /// # Errors
    /// When there is no answer. After a death or when it was given up, the process is of no more use.
    pub(super) fn work(&mut self, task: &Task, raw: &[u8]) -> Result<Said, Failed> {
        self.mails += 1;
        let until = Instant::now() + task.time + GRACE;
        match self.ask(task, raw, until) {
            Ok(Some(said @ (Said::Found(_) | Said::Shown(_)))) => Ok(said),
            Ok(Some(Said::Panicked(why))) => Err(Failed::Panicked(why)),
            Ok(Some(other)) => Err(Failed::Died(format!("it said {other:?} instead of an answer"))),
            Ok(None) => Err(Failed::Died(self.end())),
            Err(_) if Instant::now() >= until => Err(Failed::OverTime),
            Err(_) => Err(Failed::Died(self.end())),
        }
    }

    fn introduce(&mut self, packed: &[u8], limits: &Limits, until: Instant) -> io::Result<Option<Said>> {
        self.socket.set_write_timeout(Some(START_TIME))?;
        frame::write_json(&mut self.socket, limits)?;
        frame::write(&mut self.socket, packed)?;
        frame::read_json(&mut Until { socket: &self.socket, until })
    }

    fn ask(&mut self, task: &Task, raw: &[u8], until: Instant) -> io::Result<Option<Said>> {
        self.socket.set_write_timeout(Some(task.time + GRACE))?;
        let mut outgoing = BufWriter::with_capacity(WRITE_BYTES, &self.socket);
        frame::write_json(&mut outgoing, task)?;
        frame::write(&mut outgoing, raw)?;
        outgoing.flush()?;
        frame::read_json(&mut BufReader::new(Until { socket: &self.socket, until }))
    }

    /// Ends it, and says how it had ended before that, if it had.
    fn end(&mut self) -> String {
        // It has a moment to be seen as ended: the socket ends before the process does.
        let until = Instant::now() + Duration::from_millis(200);
        while Instant::now() < until {
            match self.process.try_wait() {
                Ok(Some(status)) => {
                    return match status.signal() {
                        Some(signal) => format!("died of signal {signal}"),
                        None => format!("ended with {status}"),
                    };
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return format!("cannot be asked how it ended: {error}"),
            }
        }
        "does not answer".into()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A socket that is read until a point in time.
struct Until<'s> {
    socket: &'s UnixStream,
    until: Instant,
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(Some(left))?;
        let mut socket = self.socket;
        socket.read(buffer)
    }
}
