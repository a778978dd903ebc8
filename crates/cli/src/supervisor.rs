//! What systemd is told by a service that it has started (sd_notify(3)): that mail is taken, that it stops, and, as often
//! as its watchdog asks, that its loops go on. Where nobody asks to be told (NOTIFY_SOCKET), nothing is said.

use platform::loops::Loops;
use sd_notify::NotifyState;
use tokio::task::{AbortHandle, JoinHandle};

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
    tell(&[NotifyState::Ready]);
}

/// Nothing more is taken; what is under way ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Feeds the watchdog twice in its time, if there is one, for as long as every loop goes on. It runs on the threads that
/// live mail runs on: where they are stuck it is not fed either.
pub(super) fn feed_watchdog(loops: Loops) -> Option<Fed> {
    let time = sd_notify::watchdog_enabled()?;
    let feeding: JoinHandle<()> = tokio::spawn(async move {
        while loops.ended().is_none() {
            tell(&[NotifyState::Watchdog]);
            tokio::time::sleep(time / 2).await;
        }
        let ended = loops.ended().unwrap_or_default();
        tracing::error!(
            ended,
            "a loop of the service has ended; systemd starts it anew, as its watchdog is fed no more"
        );
    });
    Some(Fed(feeding.abort_handle()))
}

fn tell(what: &[NotifyState<'_>]) {
    // Who does not hear that it is ready gives it up after its time; there is nothing else to be done about it here.
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!(%error, "systemd could not be told how the service is");
    }
}
