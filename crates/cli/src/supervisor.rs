//! What systemd is told by a service that it has started (sd_notify(3)): that mail is taken, that it reloads or
//! stops, and, as often as its watchdog asks, that its loops go on. Where nobody asks to be told (NOTIFY_SOCKET),
//! nothing is said.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;
use std::{env, io, process};

use platform::loops::Loops;
use tokio::task::AbortHandle;

/// The watchdog is fed for as long as this is kept.
#[derive(Debug)]
pub(super) struct Fed(AbortHandle);

impl Drop for Fed {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Mail is taken.
pub(super) fn ready() {
    tell("READY=1");
}

/// Mail waits: the service ends, and begins again with new settings.
pub(super) fn reloading() {
    // Without MONOTONIC_USEC: that is for units of Type=notify-reload, which ours is not.
    tell("RELOADING=1");
}

/// A loop that goes on for so long: what may take no longer feeds the watchdog by it.
pub(super) fn no_longer_than(limit: Duration) -> Loops {
    let mut loops = Loops::default();
    loops.add("a reload", tokio::spawn(tokio::time::sleep(limit)).abort_handle());
    loops
}

/// Nothing more is taken; what is under way ends.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

/// Feeds the watchdog twice in its time, if there is one, for as long as every loop goes on. It runs on the threads
/// that live mail runs on: where they are stuck it is not fed either.
pub(super) fn feed_watchdog(loops: Loops) -> Option<Fed> {
    let variable = |name: &str| env::var(name).ok();
    let time = watchdog_time(variable("WATCHDOG_USEC").as_deref(), variable("WATCHDOG_PID").as_deref())?;
    let feeding = tokio::spawn(async move {
        while loops.ended().is_none() {
            tell("WATCHDOG=1");
            tokio::time::sleep(time / 2).await;
        }
        let ended = loops.ended().unwrap_or_default();
        tracing::error!(
            ended,
            "a loop has ended; the watchdog is fed no more, so that systemd starts the service anew"
        );
    });
    Some(Fed(feeding.abort_handle()))
}

/// How long the watchdog waits (sd_watchdog_enabled(3)); none where there is none, or where it watches another process.
fn watchdog_time(microseconds: Option<&str>, process: Option<&str>) -> Option<Duration> {
    let is_ours = process.is_none_or(|id| id == process::id().to_string());
    let time = microseconds?.parse().ok().filter(|time| is_ours && *time > 0)?;
    Some(Duration::from_micros(time))
}

fn tell(what: &str) {
    let Some(place) = env::var_os("NOTIFY_SOCKET").filter(|place| !place.is_empty()) else { return };
    // Who does not hear that it is ready gives it up after its time; there is nothing else to be done about it here.
    if let Err(error) = send(&place, what) {
        tracing::warn!(%error, what, "systemd could not be told how the service is");
    }
}

/// Sends a datagram to a socket in the file system, or, with `@` at its beginning, to one that has a name alone.
fn send(place: &OsStr, what: &str) -> io::Result<()> {
    let address = match place.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(place)?,
    };
    UnixDatagram::unbound()?.send_to_addr(what.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_is_fed_in_its_time_and_by_the_process_that_it_watches() {
        let own = process::id().to_string();
        assert_eq!(watchdog_time(Some("120000000"), None), Some(Duration::from_secs(120)));
        assert_eq!(watchdog_time(Some("1"), Some(&own)), Some(Duration::from_micros(1)));
        for (time, id) in [(None, None), (Some("0"), None), (Some("soon"), None), (Some("1"), Some("0"))] {
            assert_eq!(watchdog_time(time, id), None, "{time:?} {id:?}");
        }
    }
}
