//! `reprieve serve`: runs until it is told to stop, then drains.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tracing_subscriber::EnvFilter;

use super::service::{Running, Start, Tasks};
use super::{CliError, supervisor, terminal};
use platform::clock::{Clock, DrivenClock, SystemClock};
use platform::config::Config;
use platform::config::shown::{Difference, Values, differences, values};
use platform::measure;

/// How to run.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The configuration; `reprieve config example` prints one.
    #[arg(long, value_name = "FILE", env = "REPRIEVE_CONFIG", default_value = super::INSTALLED_CONFIG)]
    config: PathBuf,
    /// The log level, such as `info` or `info,gateway=debug`.
    #[arg(long, default_value = "info", env = "REPRIEVE_LOG")]
    log: String,
    /// Log as JSON lines.
    #[arg(long)]
    log_json: bool,
    /// The clock file of a drill's driver: reconcilers run when the driver says so, and at no other time.
    #[arg(long, hide = true, value_name = "FILE")]
    clock: Option<PathBuf>,
    /// With a clock file: reconcilers run by themselves all the same.
    #[arg(long, hide = true, requires = "clock")]
    with_reconcilers: bool,
}

/// Starts everything, says so in one line of JSON on standard output and to systemd, and drains on SIGTERM or SIGINT.
/// SIGHUP reads certificates anew and tells what in the configuration has changed.
///
/// # Errors
/// When something cannot be opened.
pub async fn run(args: ServeArgs, start: Start) -> Result<(), CliError> {
    start_log(&args.log, args.log_json)?;
    measure::start();
    let config = Config::load(&args.config).map_err(CliError::unreachable)?;
    let in_force = values(&config);
    let (clock, tasks): (Arc<dyn Clock>, Tasks) = match &args.clock {
        Some(file) => {
            let clock = DrivenClock::open(file)
                .map_err(|error| CliError::unreachable(format!("{}: {error}", file.display())))?;
            (Arc::new(clock), if args.with_reconcilers { Tasks::ByThemselves } else { Tasks::WhenAsked })
        }
        None => (Arc::new(SystemClock), Tasks::ByThemselves),
    };
    // Before anything starts: one that comes meanwhile is obeyed once it runs, and does not end it.
    let hangup = signal(SignalKind::hangup())
        .map_err(|error| CliError::unreachable(format!("signals cannot be listened for: {error}")))?;
    let running = start(config, clock, tasks).await.map_err(CliError::Unreachable)?;
    supervisor::ready();
    terminal::line(&ready_line(&running));
    let watchdog = supervisor::feed_watchdog(running.loops.clone());
    let reloads = Reloads { file: args.config, certificates: running.certificates.clone(), in_force };
    wait_for_the_end(hangup, &reloads).await;
    tracing::info!("draining");
    drop(watchdog);
    supervisor::stopping();
    running.stop().await;
    Ok(())
}

/// Where everything is, as scripts read it.
pub fn ready_line(running: &Running) -> String {
    let listeners: Vec<_> =
        running.listeners.iter().map(|(role, address)| json!({ "role": role.as_str(), "address": address })).collect();
    json!({
        "ready": true,
        "listeners": listeners,
        "api": format!("http://{}", running.api),
        "socket": running.socket,
        "portal": running.portal.map(|address| format!("http://{address}")),
    })
    .to_string()
}

/// What SIGHUP asks for: the certificates of the listeners are read anew, and it is said what in the configuration has
/// changed since the start.
struct Reloads {
    file: PathBuf,
    certificates: Arc<Notify>,
    in_force: Values,
}

impl Reloads {
    fn reload(&self) {
        self.certificates.notify_one();
        match Config::load(&self.file) {
            Ok(config) => self.tell(&differences(&self.in_force, &values(&config))),
            Err(error) => tracing::error!("the configuration is not usable, and the next start would fail: {error}"),
        }
    }

    fn tell(&self, found: &[Difference]) {
        for Difference { section, key, before, after } in found {
            let (before, after) = (before.as_deref().unwrap_or("-"), after.as_deref().unwrap_or("-"));
            tracing::warn!(
                section,
                key,
                before,
                after,
                "this setting has changed; it comes into force at the next start"
            );
        }
        tracing::info!(changed = found.len(), "the configuration was read again, and the certificates are");
    }
}

/// Waits for SIGTERM or SIGINT.
async fn wait_for_the_end(mut hangup: Signal, reloads: &Reloads) {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("cannot listen for signals; only SIGKILL ends this process");
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            _ = term.recv() => return,
            _ = int.recv() => return,
            _ = hangup.recv() => reloads.reload(),
        }
    }
}

/// Logs to standard error. Message content never reaches a log line.
///
/// # Errors
/// When the filter makes no sense.
pub fn start_log(filter: &str, json: bool) -> Result<(), CliError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| CliError::Usage(format!("--log: {error}")))?;
    // Where standard error has lost its reader, a line is lost with it; to complain of that there would end the thread
    // that has logged.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    // A second start in one process (tests) keeps the first.
    let _ = if json { log.json().try_init() } else { log.with_ansi(false).try_init() };
    Ok(())
}
