//! `reprieve serve`: runs until it is told to stop, then drains; in between it takes new settings.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

use super::change_over::{ChangedOver, Process};
use super::service::{Running, Start, Tasks};
use super::{CliError, supervisor, terminal};
use platform::clock::{Clock, DrivenClock, SystemClock};
use platform::config::Config;
use platform::kept::Kept;
use platform::measure;
use platform::reload::{Plan, Reloads};

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
/// SIGHUP puts in force what the configuration says by then.
///
/// # Errors
/// When something cannot be opened.
pub async fn run(args: ServeArgs, start: Start) -> Result<(), CliError> {
    start_log(&args.log, args.log_json)?;
    measure::start();
    let config = Config::load(&args.config).map_err(CliError::unreachable)?;
    let (clock, tasks): (Arc<dyn Clock>, Tasks) = match &args.clock {
        Some(file) => {
            let clock = DrivenClock::open(file)
                .map_err(|error| CliError::unreachable(format!("{}: {error}", file.display())))?;
            (Arc::new(clock), if args.with_reconcilers { Tasks::ByThemselves } else { Tasks::WhenAsked })
        }
        None => (Arc::new(SystemClock), Tasks::ByThemselves),
    };
    // Before anything starts: one that comes meanwhile is obeyed once it runs, and does not end it.
    let signals = Signals::listen()?;
    let (reloads, plans) = Reloads::of(&args.config);
    let kept = Kept { reloads, ..Kept::default() };
    let process = Process { start, kept: kept.clone(), clock, tasks };
    let running = process.start(config).await.map_err(CliError::Unreachable)?;
    let ended = serve(&process, running, signals, plans).await;
    kept.ports.close();
    ended
}

/// Serves until it is told to end; at a reload the service gives way to the next.
async fn serve(
    process: &Process,
    mut running: Running,
    mut signals: Signals,
    mut plans: mpsc::Receiver<Plan>,
) -> Result<(), CliError> {
    loop {
        supervisor::ready();
        terminal::line(&ready_line(&running));
        let watchdog = supervisor::feed_watchdog(running.loops.clone());
        let next = signals.next(&running, &process.kept.reloads, &mut plans).await;
        drop(watchdog);
        let Some(plan) = next else { break };
        running = match process.change_over(running, plan, async || signals.end_has_come().await).await? {
            ChangedOver::To(running) => running,
            ChangedOver::Stopped => {
                supervisor::stopping();
                return Ok(());
            }
        };
    }
    tracing::info!("draining");
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

/// The signals that are listened for.
struct Signals {
    hangup: Signal,
    term: Signal,
    int: Signal,
    /// SIGHUP has come, and another reload has the turn.
    is_reload_wanted: bool,
}

impl Signals {
    fn listen() -> Result<Self, CliError> {
        let on = |kind| {
            signal(kind).map_err(|error| CliError::unreachable(format!("signals cannot be listened for: {error}")))
        };
        Ok(Self {
            hangup: on(SignalKind::hangup())?,
            term: on(SignalKind::terminate())?,
            int: on(SignalKind::interrupt())?,
            is_reload_wanted: false,
        })
    }

    /// Waits for a reload to carry out, or for the end: none. SIGHUP asks the service for a reload, once nobody else
    /// does.
    async fn next(&mut self, running: &Running, reloads: &Reloads, plans: &mut mpsc::Receiver<Plan>) -> Option<Plan> {
        loop {
            tokio::select! {
                biased;
                _ = self.term.recv() => return None,
                _ = self.int.recv() => return None,
                plan = plans.recv() => return plan,
                _ = self.hangup.recv() => self.is_reload_wanted = true,
                turn = reloads.turn(), if self.is_reload_wanted => {
                    self.is_reload_wanted = false;
                    tokio::spawn((running.reload)(turn));
                }
            }
        }
    }

    /// Whether SIGTERM or SIGINT has come by now.
    async fn end_has_come(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.term.recv() => true,
            _ = self.int.recv() => true,
            () = std::future::ready(()) => false,
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
