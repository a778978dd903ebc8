//! The service: what starts in which order, and how it all stops.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cli::service::{Running, Tasks, Waiting};
use detect::in_force::InForce;
use detect::ruleset::Ruleset;
use detect::ruleset::load::from_folder_or_shipped;
use domain::token::TokenKey;
use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use gateway::engines::Engines;
use gateway::known::KnownNetworks;
use gateway::listener::Listener;
use gateway::memory::Memory;
use gateway::place::Places;
use gateway::post_reply::PostReply;
use gateway::repeat::Repeats;
use gateway::{Gateway, StoreParts};
use known_good::first_contact::FirstContacts;
use known_good::recorder::KnownGoodRecorder;
use platform::background::Background;
use platform::clock::Clock;
use platform::config::{Config, ListenerConfig, Role};
use platform::containment::ContainmentInForce;
use platform::descriptors;
use platform::disk::DiskSpace;
use platform::entries::Entries;
use platform::hop::Hops;
use platform::keys::{self, KEY_FILE, KeyRing};
use platform::ledger_check::LedgerCheck;
use platform::measure::{self, Scarce};
use platform::panic_switch::PanicSwitch;
use platform::priority::Priority;
use platform::readiness::Readiness;
use platform::reconciler::Rounds;
use platform::removal::Removal;
use platform::signals::Signals;
use platform::start_error::BindError;
use recovery::pacing::Pacing;
use rustls::ServerConfig;
use store::Store;
use store::known_good::vault::Vault;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use wire::smtp::client::Timeouts;
use wire::tls::{self, TlsError};

use crate::data::{close_store, open_store, open_vault, prepare_data_dir};
use crate::http::{self, Seen};
use crate::settle::settle_when_asked;
use crate::start_error::StartError;
use crate::tasks::{Parts, Starter};

/// What a stop may take after the drain: what connections, background tasks, writes and the API's answers have for
/// their end. With the drain it is under 10 s, unless that is set otherwise.
const LAST_WRITES: Duration = Duration::from_millis(1000);
/// See [`LAST_WRITES`]: for what has been cut, or answers an HTTP request.
const LAST_STEPS: Duration = Duration::from_millis(200);

/// Starts everything that a configuration asks for. With the panic switch at `bypass`, mail passes even without a
/// store.
pub(crate) fn start(config: Config, clock: Arc<dyn Clock>, tasks: Tasks) -> Waiting<Result<Running, String>> {
    Box::pin(async move {
        let service = Service::start(config, clock, tasks).await.map_err(|error| error.to_string())?;
        Ok(Running {
            listeners: service.listeners.clone(),
            api: service.api,
            socket: service.socket.clone(),
            portal: service.portal,
            stop: Box::pin(service.stop()),
        })
    })
}

/// A running installation.
struct Service {
    listeners: Vec<(Role, SocketAddr)>,
    api: SocketAddr,
    socket: PathBuf,
    portal: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    /// Connections of clients.
    mail: JoinSet<()>,
    /// Background tasks.
    tasks: JoinSet<()>,
    /// The API, the pages, the portal: they answer for as long as mail is under way.
    doors: JoinSet<()>,
    close_doors: watch::Sender<bool>,
    gateway: Arc<Gateway>,
    store: Option<Store>,
    _background: Background,
    _lock: File,
}

impl Service {
    async fn start(mut config: Config, clock: Arc<dyn Clock>, when: Tasks) -> Result<Self, StartError> {
        descriptors::share_out(&mut config);
        let lock = prepare_data_dir(&config.data_dir)?;
        let token_key = keys::token_key(&config.data_dir.join(KEY_FILE), clock.as_ref())?;
        let offered = from_folder_or_shipped(config.ruleset.as_deref())?;
        let removal = Removal::new(clock.clone(), config.retention.clock_jump);
        let (store, ruleset) = open_store(&config, offered, &token_key, clock.as_ref(), &removal).await?;
        let ring = KeyRing::find(&config.known_good.key_file);
        let vault = open_vault(&config, &ring, clock.as_ref())?;
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let rounds = Rounds::new(clock.clone());
        let ledger_check = LedgerCheck::default();
        let (stop, stopping) = watch::channel(false);
        let opened = Opened { store: store.clone(), vault: vault.clone(), ruleset, token_key, cores };
        let gateway = Arc::new(opened.gateway(Arc::new(config), clock.clone(), &stopping)?);
        tell_limits(&gateway);
        if let Some(store) = &store {
            gateway.known.recall(&store.mail).await;
            // Before any mail is taken: what was contained stays so over a restart.
            gateway.contained.put(store.containments.containment(clock.now()).await?);
        }
        let (mut mail, mut tasks, mut doors) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
        let background = Background::start(cores).map_err(StartError::Threads)?;
        tokio::spawn(gateway.panic_switch.clone().watch(gateway.config.panic_file.clone(), clock.clone()));
        let listeners = listen(&gateway, &stopping, &mut mail).await?;
        let mut settle = None;
        if let Some(store) = store.clone() {
            let parts = Parts {
                config: gateway.config.clone(),
                store,
                vault: vault.clone(),
                ring: ring.clone(),
                clock,
                signals: gateway.signals.clone(),
                gateway: gateway.clone(),
                removal: removal.clone(),
                ledger_check: ledger_check.clone(),
                cores,
            };
            let per_second = gateway.config.release.per_second;
            if when == Tasks::WhenAsked {
                let reconcilers = parts.reconcilers(Pacing::of_drill(per_second), background.handle());
                settle = Some(settle_when_asked(reconcilers, gateway.clone(), &stopping, &mut tasks));
            } else {
                let reconcilers = parts.reconcilers(Pacing::new(per_second), background.handle());
                let mut starter = Starter {
                    rounds: &rounds,
                    stopping: &stopping,
                    tasks: &mut tasks,
                    background: background.handle(),
                };
                reconcilers.start(&mut starter);
                parts.start(starter)?;
            }
        }
        let (close_doors, closing_doors) = watch::channel(false);
        let seen = Seen { store: store.clone(), vault, ring, removal, ledger_check, rounds };
        let (api, portal) = http::start(&gateway, seen, settle, &closing_doors, &mut doors).await?;
        Ok(Self {
            listeners,
            api,
            portal,
            socket: gateway.config.api.socket.clone(),
            stop,
            mail,
            tasks,
            doors,
            close_doors,
            gateway,
            store,
            _background: background,
            _lock: lock,
        })
    }

    /// Stops accepting, lets messages and rounds finish for as long as the drain allows, cuts what is left, writes what
    /// is to be written, and closes. What is cut is as what a kill cuts: mail that the next hop has not answered is in
    /// doubt, a release likewise, a round begins anew.
    async fn stop(mut self) {
        let until = Instant::now() + self.gateway.config.limits.drain;
        // Nobody listening means that everything has stopped already.
        let _ = self.stop.send(true);
        // Each connection knows the drain, and ends by itself a moment after it.
        while self.mail.join_next().await.is_some() {}
        end(&mut self.tasks, "reconciler", until).await;
        // Where mail and rounds were quick, what is left of the drain is for the writes.
        let last = until.max(Instant::now()) + LAST_WRITES;
        if timeout_at(last, self.gateway.post_reply.finish()).await.is_err() {
            tracing::warn!("outcomes of messages could not be written in time; the next start doubts them");
        }
        if let Some(store) = self.store.take() {
            close_store(store, self.gateway.clock.now(), last).await;
        }
        let _ = self.close_doors.send(true);
        end(&mut self.doors, "HTTP server", Instant::now() + LAST_STEPS).await;
        // It may be gone; the next start removes it as well.
        let _ = fs::remove_file(&self.socket);
    }
}

/// Waits for tasks until then, and cuts those that are left.
async fn end(tasks: &mut JoinSet<()>, what: &'static str, until: Instant) {
    if timeout_at(until, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        measure::cut(what, tasks.len());
        tracing::warn!(what, left = tasks.len(), "what had not ended in time was cut");
        // One that computes without a pause is left behind: the process ends without it.
        let _ = timeout(LAST_STEPS, tasks.shutdown()).await;
    }
}

/// What live mail needs of the store.
fn parts_of_live_mail(store: &Store) -> StoreParts {
    StoreParts {
        mail: store.mail.clone(),
        blobs: store.blobs().clone(),
        rules: store.rules.clone(),
        known_good: store.known_good.clone(),
    }
}

/// What is open before the gateway is made.
struct Opened {
    store: Option<Store>,
    vault: Option<Vault>,
    ruleset: Ruleset,
    token_key: TokenKey,
    cores: usize,
}

impl Opened {
    fn gateway(
        self,
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Gateway, StartError> {
        let examiner = ExaminerPool::start(InForce::only(self.ruleset), config.examination.clone(), self.cores);
        let panic_switch = PanicSwitch::default();
        let room = DiskSpace::default();
        room.look(&config.data_dir, config.retention.disk_floor_bytes);
        tokio::spawn(room.clone().watch(config.data_dir.clone(), config.retention.disk_floor_bytes));
        let met = Arc::new(FirstContacts::default());
        let learner = match (&self.store, self.vault) {
            (Some(store), Some(vault)) => {
                let (settings, key) = (config.known_good.clone(), self.token_key.clone());
                KnownGoodRecorder::start(store.known_good.clone(), vault, settings, key, met.clone())
            }
            _ => KnownGoodRecorder::idle(),
        };
        let readiness = Readiness {
            store: self.store.as_ref().map(|store| store.health.clone()),
            room: room.clone(),
            panic_switch: panic_switch.clone(),
            stopping: stopping.clone(),
        };
        Ok(Gateway {
            store: self.store.as_ref().map(parts_of_live_mail),
            examiner: examiner.map_err(StartError::Examiner)?,
            external_engines: ExternalEngines::new(&config.engines)?,
            hops: Hops::for_live_mail(&config, &live_timeouts(&config)),
            clock,
            token_key: self.token_key,
            room,
            readiness,
            panic_switch,
            contained: ContainmentInForce::default(),
            signals: Signals::default(),
            entries: Entries::default(),
            engines: Engines::default(),
            learner,
            met,
            post_reply: PostReply::default(),
            priority: Priority::default(),
            memory: Memory::new(&config.limits),
            places: Places::new(config.limits.connections(), config.limits.stress_percent),
            known: KnownNetworks::new(config.limits.known),
            repeats: Repeats::new(config.limits.repeats_max),
            config,
        })
    }
}

async fn listen(
    gateway: &Arc<Gateway>,
    stopping: &watch::Receiver<bool>,
    mail: &mut JoinSet<()>,
) -> Result<Vec<(Role, SocketAddr)>, StartError> {
    let mut addresses = Vec::new();
    for config in &gateway.config.listeners {
        let failed = |source| BindError { address: config.address.to_string(), source };
        let listener = Listener::bind(config.clone(), tls_of(config)?, gateway.clone()).await.map_err(failed)?;
        addresses.push((config.role, listener.address().map_err(failed)?));
        mail.spawn(listener.run(stopping.clone(), gateway.config.limits.drain));
    }
    Ok(addresses)
}

fn tls_of(config: &ListenerConfig) -> Result<Option<Arc<ServerConfig>>, TlsError> {
    config.tls.as_ref().map(|(certificate, key)| tls::server_config(certificate, key)).transpose()
}

/// Live mail must be answered within the reply deadline; each step of the hop gets no more than that.
fn live_timeouts(config: &Config) -> Timeouts {
    let most = config.limits.reply_deadline;
    let full = Timeouts::default();
    Timeouts {
        connect: full.connect.min(most),
        greeting: full.greeting.min(most),
        command: full.command.min(most),
        data: full.data.min(most),
        block: full.block.min(most),
        dot: full.dot.min(most),
    }
}

/// The limits that are in force, beside what is used of them.
fn tell_limits(gateway: &Gateway) {
    let (limits, http) = (&gateway.config.limits, &gateway.config.http);
    for (what, most) in [
        (Scarce::Connections, limits.connections_max as u64),
        (Scarce::HopConnections, limits.hop_connections_max as u64),
        (Scarce::Memory, gateway.memory.coming_max()),
        (Scarce::Recipients, limits.recipients_max as u64),
        (Scarce::Examinations, gateway.examiner.live_max()),
        (Scarce::Http, http.connections_max as u64),
        (Scarce::Streams, http.streams_max as u64),
    ] {
        measure::limit(what, most);
    }
}
