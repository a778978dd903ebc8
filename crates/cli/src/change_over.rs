//! A reload inside a running process: the service ends as at a stop while its sockets stay open, and begins again on
//! them with the new settings; where it does not, with the old ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use platform::clock::Clock;
use platform::config::Config;
use platform::kept::Kept;
use platform::reload::{Plan, Stage};

use super::service::{Running, Start, Tasks};
use super::{CliError, supervisor};

/// What a store has for its end, beside what a stop gives it: the disk may be slow, and nobody is refused meanwhile.
const CLOSE: Duration = Duration::from_secs(30);
/// How long the watchdog is fed during a change-over, beside the drain: as long as systemd lets a start take.
const FED: Duration = Duration::from_secs(600);

/// Where services come and go.
pub(super) struct Process {
    pub(super) start: Start,
    pub(super) kept: Kept,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tasks: Tasks,
}

/// How a change-over ended.
pub(super) enum ChangedOver {
    /// A service runs.
    To(Running),
    /// The process was told to end meanwhile, and no service runs.
    Stopped,
}

impl Process {
    /// Starts a service.
    ///
    /// # Errors
    /// Why it does not start, for people.
    pub(super) async fn start(&self, config: Config) -> Result<Running, String> {
        (self.start)(config, self.kept.clone(), self.clock.clone(), self.tasks).await
    }

    /// Ends a service and starts the next one by a plan. `is_to_end` is asked when the one has ended.
    ///
    /// # Errors
    /// When the store stays open, or neither the new settings nor the old ones start a service: the process has to end.
    pub(super) async fn change_over(
        &self,
        running: Running,
        plan: Plan,
        is_to_end: impl AsyncFnOnce() -> bool,
    ) -> Result<ChangedOver, CliError> {
        let began = Instant::now();
        let before = running.config.clone();
        let (config, turn) = plan.begin();
        tracing::warn!("draining: the service begins again with new settings; new connections wait");
        supervisor::reloading();
        let _fed = supervisor::feed_watchdog(supervisor::no_longer_than(before.limits.drain + FED));
        if !running.stop().await.is_closed(CLOSE).await {
            // A second one beside it in one process could take for ended what still writes; the end of a process ends
            // all of it.
            return Err(CliError::unreachable("the store could not be closed: the service has to be started anew"));
        }
        if is_to_end().await {
            return Ok(ChangedOver::Stopped);
        }
        let wanted = config.clone();
        let running = match self.start(config).await {
            Ok(running) => {
                self.kept.ports.keep(&wanted);
                let waited = began.elapsed();
                tracing::info!(waited_ms = waited.as_millis(), "the new settings are in force");
                self.kept.reloads.ended(Stage::InForce, None, Some(waited));
                running
            }
            Err(why) => self.roll_back(&before, why, began).await?,
        };
        drop(turn);
        Ok(ChangedOver::To(running))
    }

    /// Starts a service with the settings of before; what went wrong stands before it starts, so that it calls
    /// operators for it.
    async fn roll_back(&self, before: &Config, why: String, began: Instant) -> Result<Running, CliError> {
        tracing::error!(why, "the service does not start with the new settings: the old ones are put in force again");
        self.kept.reloads.ended(Stage::RolledBack, Some(why.clone()), None);
        let kept = Kept { is_way_back: true, ..self.kept.clone() };
        let started = (self.start)(before.clone(), kept, self.clock.clone(), self.tasks).await;
        let running = started.map_err(|again| {
            CliError::unreachable(format!("with the new settings: {why}; with the old ones again: {again}"))
        })?;
        self.kept.ports.keep(before);
        self.kept.reloads.ended(Stage::RolledBack, Some(why), Some(began.elapsed()));
        Ok(running)
    }
}
