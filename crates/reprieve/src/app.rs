//! Wiring: what is opened in which order, and how it all stops.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use detect::auth::NoResolver;
use detect::in_force::InForce;
use detect::limits::Limits;
use detect::ruleset::{LoadErrors, Ruleset, load};
use domain::Timestamp;
use domain::detection::RulesetId;
use domain::token::TokenKey;
use rustls::ServerConfig;
use store::rollout::Plan;
use store::vault::Vault;
use store::{Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use wire::smtp::client::Timeouts;
use wire::tls::{self, TlsError};

use crate::background::Background;
use crate::books::Books;
use crate::clock::Clock;
use crate::config::{Config, ListenerConfig, Role};
use crate::console::portal::{self, Portal};
use crate::console::rate::Rates;
use crate::console::{Console, Costs, serve};
use crate::contact::Met;
use crate::contained::Contained;
use crate::descriptors;
use crate::disk::Room;
use crate::entries::Entries;
use crate::examiner::{ExaminerPool, Viewer};
use crate::gateway::Gateway;
use crate::gateway::behind::Behind;
use crate::gateway::engines::Engines;
use crate::gateway::known::Known;
use crate::gateway::listener::Listener;
use crate::gateway::memory::Memory;
use crate::gateway::place::Places;
use crate::gateway::repeat::Repeats;
use crate::hop::Hops;
use crate::import::Importer;
use crate::items::Items;
use crate::keep::keep;
use crate::keys::{self, KEY_FILE, Ring};
use crate::learn::Learner;
use crate::measure;
use crate::neighbours::Neighbours;
use crate::notary::Notary;
use crate::panic_switch::{PanicSwitch, Stance, read as read_panic_file};
use crate::postman;
use crate::readiness::Readiness;
use crate::recipient;
use crate::removal::Removal;
use crate::right_of_way::RightOfWay;
use crate::rounds::Rounds;
use crate::sentinel::acknowledge::Acknowledger;
use crate::sentinel::announce::Announcer;
use crate::sentinel::books::Bookkeeper;
use crate::sentinel::bulk::BulkWorker;
use crate::sentinel::call::{self, Caller};
use crate::sentinel::clock::ClockWatcher;
use crate::sentinel::contain::Container;
use crate::sentinel::digest::Digester;
use crate::sentinel::entries::EntryKeeper;
use crate::sentinel::flow::FlowRoller;
use crate::sentinel::fold::Folder;
use crate::sentinel::held_notice::HeldNotifier;
use crate::sentinel::incident::Steward;
use crate::sentinel::integrity::Inspector;
use crate::sentinel::notice::Notifier;
use crate::sentinel::pacing::Pacing;
use crate::sentinel::plan::{self, Planner};
use crate::sentinel::rate::RateWatcher;
use crate::sentinel::reexamine::Reexaminer;
use crate::sentinel::release::Releaser;
use crate::sentinel::replay::Replayer;
use crate::sentinel::retention::{Keeper, Quotas};
use crate::sentinel::retrial::Retrial;
use crate::sentinel::rollout::Roller;
use crate::sentinel::scrub::Scrubber;
use crate::sentinel::settle::{Reconcilers, Resting};
use crate::sentinel::stance::StanceWatcher;
use crate::sentinel::status::{self, Publisher};
use crate::sentinel::watch::Watcher;
use crate::signals::Signals;

/// Connections for notices of one kind, so that one channel's slow mail host keeps no other waiting.
const NOTICE_CONNECTIONS: usize = 4;
/// The folder of known-good content, in the data folder.
const KNOWN_GOOD: &str = "known-good";
/// What a stop may take after the drain: what connections, reconcilers, writes and the API's answers have for their end. With the drain it is
/// under 10 s, unless that is set otherwise.
const LAST_WRITES: Duration = Duration::from_millis(1000);
/// See [`LAST_WRITES`]: for what has been cut, or answers an HTTP request.
const LAST_STEPS: Duration = Duration::from_millis(200);

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("cannot use the data folder {path}: {source}")]
    DataDir {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has it.
    #[error("another reprieve is running on {0}; stop it first")]
    Locked(PathBuf),
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ruleset does not load.
    #[error(transparent)]
    Ruleset(#[from] LoadErrors),
    /// DNS is to be asked, and cannot be.
    #[error("{0}; name one with name_server in [engine.auth], or switch it off with on = false")]
    Resolver(#[from] NoResolver),
    /// No threads to work with.
    #[error("cannot start a thread: {0}")]
    Threads(io::Error),
    /// No process to examine mail with.
    #[error("{0}")]
    Examiner(String),
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address or socket.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// A running installation.
#[derive(Debug)]
pub struct Running {
    /// Where mail comes in, in the order of the configuration.
    pub listeners: Vec<(Role, SocketAddr)>,
    /// Where the REST API is.
    pub api: SocketAddr,
    /// The unix socket of the API.
    pub socket: PathBuf,
    /// Where recipients come to, if they may.
    pub portal: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    /// Connections of clients.
    mail: JoinSet<()>,
    /// Reconcilers.
    tasks: JoinSet<()>,
    /// The API, the pages, the portal: they answer for as long as mail is under way.
    doors: JoinSet<()>,
    close_doors: watch::Sender<bool>,
    store: Option<Store>,
    gateway: Arc<Gateway>,
    _background: Background,
    _lock: File,
}

impl Running {
    /// Stops accepting, lets messages and rounds finish for as long as the drain allows, cuts what is left, writes what is to be written, and closes.
    /// What is cut is as what a kill cuts: mail that the next hop has not answered is in doubt, a release likewise, a round begins anew.
    pub async fn stop(mut self) {
        let until = Instant::now() + self.gateway.config.limits.drain;
        // Nobody listening means that everything has stopped already.
        let _ = self.stop.send(true);
        // Each connection knows the drain, and ends by itself a moment after it.
        while self.mail.join_next().await.is_some() {}
        end(&mut self.tasks, "reconciler", until).await;
        // Where mail and rounds were quick, what is left of the drain is for the writes.
        let last = until.max(Instant::now()) + LAST_WRITES;
        if timeout_at(last, self.gateway.behind.finish()).await.is_err() {
            tracing::warn!("outcomes of messages could not be written in time; the next start doubts them");
        }
        if let Some(store) = self.store {
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

/// Doubts what was passed on and not answered, so that the books say so at once, and closes.
async fn close_store(store: Store, now: Timestamp, last: Instant) {
    match timeout_at(last, store.doubt_forwarding(now)).await {
        Ok(Ok(0)) => {}
        Ok(Ok(doubted)) => tracing::warn!(doubted, "the next hop had not answered: units in doubt"),
        Ok(Err(error)) => {
            tracing::error!(%error, "what the next hop has not answered could not be doubted; the next start does it")
        }
        Err(_) => {
            tracing::warn!("what the next hop has not answered could not be doubted in time; the next start does it")
        }
    }
    if timeout_at(last, store.close()).await.is_err() {
        tracing::warn!("the store could not be closed in time; nothing that was answered is lost");
    }
}

/// Starts everything that a configuration asks for.
///
/// # Errors
/// When something cannot be opened. With the panic switch at `bypass`, mail passes even without a store.
pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    start_as(config, clock, false).await
}

/// Starts everything for a drill: no reconciler runs by itself, all of them run when the driver asks for it over the unix socket.
///
/// # Errors
/// As [`start`].
pub async fn start_driven(config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    start_as(config, clock, true).await
}

async fn start_as(mut config: Config, clock: Arc<dyn Clock>, is_driven: bool) -> Result<Running, StartError> {
    descriptors::share_out(&mut config);
    let lock = prepare_data_dir(&config.data_dir)?;
    let token_key = keys::token_key(&config.data_dir.join(KEY_FILE), clock.as_ref())?;
    let offered = load_ruleset(config.ruleset.as_deref())?;
    let removal = Removal::new(clock.clone(), config.retention.clock_jump);
    let (store, ruleset) = open_store(&config, offered, &token_key, clock.as_ref(), &removal).await?;
    let ring = Ring::find(&config.known_good.key_file);
    let vault = open_vault(&config, &ring, clock.as_ref())?;
    let known = Plan { live: ruleset.id.clone(), candidate: None, modes: BTreeMap::new() };
    let neighbours = Neighbours::new(&config.engines)?;
    let config = Arc::new(config);
    let limits = Limits { time_max: config.limits.examine_deadline, ..Limits::default() };
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let panic_switch = PanicSwitch::default();
    let room = Room::default();
    room.look(&config.data_dir, config.retention.disk_floor_bytes);
    tokio::spawn(room.clone().watch(config.data_dir.clone(), config.retention.disk_floor_bytes));
    let signals = Signals::default();
    let contained = Contained::default();
    let rounds = Rounds::new(clock.clone());
    let books = Books::default();
    let met = Arc::new(Met::default());
    let learner = match (&store, &vault) {
        (Some(store), Some(vault)) => {
            Learner::start(store.clone(), vault.clone(), config.known_good.clone(), token_key.clone(), met.clone())
        }
        _ => Learner::idle(),
    };
    let (stop, stopping) = watch::channel(false);
    let readiness = Readiness {
        store: store.clone(),
        room: room.clone(),
        panic_switch: panic_switch.clone(),
        stopping: stopping.clone(),
    };
    let gateway = Arc::new(Gateway {
        config: config.clone(),
        store: store.clone(),
        examiner: ExaminerPool::start(InForce::only(ruleset), limits, cores).map_err(StartError::Examiner)?,
        neighbours,
        hops: Hops::for_live_mail(&config, &live_timeouts(&config)),
        clock: clock.clone(),
        token_key: token_key.clone(),
        room,
        readiness: readiness.clone(),
        panic_switch: panic_switch.clone(),
        contained: contained.clone(),
        signals: signals.clone(),
        entries: Entries::default(),
        engines: Engines::default(),
        learner: learner.clone(),
        met,
        behind: Behind::default(),
        way: RightOfWay::default(),
        memory: Memory::new(&config.limits),
        places: Places::new(config.limits.connections(), config.limits.stress_percent),
        known: Known::new(config.limits.known),
        repeats: Repeats::new(config.limits.repeats_max),
    });
    if let Some(store) = &store {
        gateway.known.recall(store).await;
        // Before any mail is taken: what was contained stays so over a restart.
        contained.put(store.containment(clock.now()).await?);
    }
    let mut tasks = JoinSet::new();
    let mut mail = JoinSet::new();
    let mut doors = JoinSet::new();
    let (close_doors, closing_doors) = watch::channel(false);
    let background = Background::start(cores).map_err(StartError::Threads)?;
    tokio::spawn(panic_switch.watch(config.panic_file.clone(), clock.clone()));
    let listeners = listen(&gateway, &stopping, &mut mail).await?;
    let mut settle = None;
    if let Some(store) = store.clone() {
        let owner = format!("{}/{}", store.node(), clock.mail_id());
        let retrial = Retrial {
            config: config.clone(),
            store: store.clone(),
            examiner: gateway.examiner.clone(),
            neighbours: gateway.neighbours.clone(),
            entries: gateway.entries.clone(),
            contained: contained.clone(),
            key: token_key.clone(),
            way: gateway.way.clone(),
        };
        let reconcilers = Reconcilers {
            entries: EntryKeeper {
                store: store.clone(),
                entries: gateway.entries.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
            },
            roller: Roller {
                config: config.clone(),
                store: store.clone(),
                vault: vault.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
                items: Items::default(),
            },
            planner: Planner {
                store: store.clone(),
                examiner: gateway.examiner.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
                key: token_key.for_purpose("canary"),
                background: background.handle().clone(),
            },
            container: Container {
                store: store.clone(),
                contained: contained.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
            },
            watcher: Watcher {
                config: config.clone(),
                store: store.clone(),
                vault: vault.clone(),
                neighbours: gateway.neighbours.clone(),
                clock: clock.clone(),
                key: token_key.clone(),
                signals: signals.clone(),
                items: Items::default(),
            },
            steward: Steward {
                config: config.clone(),
                store: store.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
                items: Items::default(),
            },
            replayer: Replayer {
                retrial: retrial.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
                at_once: cores * 8,
                items: Items::default(),
            },
            reexaminer: Reexaminer { retrial, clock: clock.clone(), signals: signals.clone(), items: Items::default() },
            releaser: Releaser {
                config: config.clone(),
                store: store.clone(),
                hops: Hops::new(&config, config.release_connections, &Timeouts::default()),
                pacing: Arc::new(if is_driven {
                    Pacing::of_drill(config.release_per_second)
                } else {
                    Pacing::new(config.release_per_second)
                }),
                clock: clock.clone(),
                token_key: token_key.clone(),
                signals: signals.clone(),
                way: gateway.way.clone(),
                owner,
                items: Items::default(),
            },
            publisher: Publisher {
                store: store.clone(),
                folder: config.data_dir.join(status::FOLDER),
                hostname: config.hostname.clone(),
                notary: Notary::new(&token_key, &config.hostname),
                clock: clock.clone(),
                signals: signals.clone(),
                items: Items::default(),
            },
        };
        if is_driven {
            settle =
                Some(settle_when_asked(reconcilers, known, gateway.clone(), learner.clone(), &stopping, &mut tasks));
        } else {
            reconcilers.start(known, &rounds, &stopping, &mut tasks, background.handle());
            let keeper = Keeper {
                config: config.clone(),
                store: store.clone(),
                vault: vault.clone(),
                ring: ring.clone(),
                removal: removal.clone(),
                signals: signals.clone(),
                quotas: Quotas::default(),
                items: Items::default(),
            };
            tasks.spawn(keeper.run(rounds.clone(), stopping.clone()));
            let watcher = ClockWatcher { store: store.clone(), removal: removal.clone(), signals: signals.clone() };
            tasks.spawn(watcher.run(rounds.clone(), stopping.clone()));
            let scrubber = Scrubber {
                config: config.clone(),
                store: store.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
                way: gateway.way.clone(),
                items: Items::default(),
            };
            tasks.spawn_on(scrubber.run(rounds.clone(), stopping.clone()), background.handle());
            let rates = RateWatcher {
                store: store.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
                items: Items::default(),
            };
            tasks.spawn_on(rates.run(rounds.clone(), stopping.clone()), background.handle());
            let bookkeeper = Bookkeeper {
                store: store.clone(),
                books: books.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
                way: gateway.way.clone(),
            };
            tasks.spawn_on(bookkeeper.run(rounds.clone(), stopping.clone()), background.handle());
            let stance = StanceWatcher {
                store: store.clone(),
                switch: gateway.panic_switch.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
            };
            tasks.spawn(stance.run(rounds.clone(), stopping.clone()));
            let flow = FlowRoller { store: store.clone(), clock: clock.clone(), way: gateway.way.clone() };
            tasks.spawn_on(flow.run(rounds.clone(), stopping.clone()), background.handle());
            let folder = Folder { store: store.clone(), way: gateway.way.clone() };
            tasks.spawn_on(folder.run(rounds.clone(), stopping.clone()), background.handle());
            let bulk = BulkWorker {
                store: store.clone(),
                clock: clock.clone(),
                signals: signals.clone(),
                way: gateway.way.clone(),
                items: Items::default(),
            };
            tasks.spawn_on(bulk.run(rounds.clone(), stopping.clone()), background.handle());
            let acknowledger = Acknowledger {
                config: config.clone(),
                store: store.clone(),
                hops: Hops::new(&config, 1, &postman::timeouts()),
                clock: clock.clone(),
                items: Items::default(),
            };
            tasks.spawn(acknowledger.run(rounds.clone(), stopping.clone()));
            let notifier = Notifier {
                config: config.clone(),
                store: store.clone(),
                hops: Hops::new(&config, 1, &postman::timeouts()),
                clock: clock.clone(),
                items: Items::default(),
            };
            let own = config.announcements.webhook_ca.as_deref().map(tls::certificates).transpose()?;
            let announcer = Announcer {
                tls: tls::client_config_trusting(own.unwrap_or_default())?,
                config: config.clone(),
                store: store.clone(),
                hops: Hops::new(&config, NOTICE_CONNECTIONS, &postman::timeouts()),
                clock: clock.clone(),
                signals: signals.clone(),
                items: Items::default(),
            };
            let caller = Caller {
                tls: announcer.tls.clone(),
                config: config.clone(),
                store: store.clone(),
                hops: Hops::new(&config, NOTICE_CONNECTIONS, &call::timeouts()),
                clock: clock.clone(),
                signals: signals.clone(),
                items: Items::default(),
            };
            tasks.spawn(caller.run(rounds.clone(), stopping.clone()));
            tasks.spawn(announcer.run(rounds.clone(), stopping.clone()));
            let inspector = Inspector { store: store.clone() };
            tasks.spawn_on(inspector.run(rounds.clone(), stopping.clone()), background.handle());
            let digester = Digester {
                config: config.clone(),
                store: store.clone(),
                hops: Hops::new(&config, 1, &postman::timeouts()),
                clock: clock.clone(),
                items: Items::default(),
            };
            let held = HeldNotifier {
                config: config.clone(),
                store: store.clone(),
                hops: Arc::new(Hops::new(&config, 1, &postman::timeouts())),
                clock: clock.clone(),
                key: token_key.for_purpose(recipient::PURPOSE),
                languages: Arc::new(config.portal.languages.clone()),
                items: Items::default(),
            };
            tasks.spawn(held.run(rounds.clone(), stopping.clone()));
            if config.tells_affected {
                tasks.spawn(digester.run(rounds.clone(), stopping.clone()));
            }
            if config.tells_senders {
                tasks.spawn(notifier.run(rounds.clone(), stopping.clone()));
            }
        }
    }
    let rates = Rates::new(config.api_requests_per_second);
    let attempts = Rates::new(1);
    let data_dir = config.data_dir.clone();
    let notary = Notary::new(&token_key, &config.hostname);
    let importer =
        Importer { config: config.clone(), examiner: gateway.examiner.clone(), learner, clock: clock.clone() };
    let console = Console {
        store: store.clone(),
        clock,
        signals,
        rates,
        attempts,
        data_dir,
        vault,
        ring,
        config: config.clone(),
        notary,
        importer,
        costs: Costs::default(),
        books,
        rounds,
        removal,
        viewer: Viewer::start().map_err(StartError::Examiner)?,
        hops: Arc::new(Hops::new(&config, 1, &postman::timeouts())),
        readiness,
        listens_at: Arc::default(),
    };
    let listens_at = console.listens_at.clone();
    let portal = Portal {
        console: console.clone(),
        key: token_key.for_purpose(recipient::PURPOSE),
        languages: Arc::new(config.portal.languages.clone()),
        rates: Rates::new(config.api_requests_per_second),
        links: Rates::slow(portal::LINK_EVERY, portal::LINKS_AT_ONCE),
    };
    let portal = portal::serve(portal, closing_doors.clone(), &mut doors).await?;
    let api = serve::tcp(&config, console.clone(), closing_doors.clone(), &mut doors).await?;
    // It is set once, here.
    let _ = listens_at.set(api);
    serve::unix(&config, console, settle, closing_doors, &mut doors)?;
    Ok(Running {
        listeners,
        api,
        portal,
        socket: config.api_socket.clone(),
        stop,
        mail,
        tasks,
        doors,
        close_doors,
        store,
        gateway,
        _background: background,
        _lock: lock,
    })
}

/// Brings everything to rest whenever somebody asks: outcomes are written, what was learned is written, and every reconciler has nothing left
/// to do.
fn settle_when_asked(
    reconcilers: Reconcilers,
    known: Plan,
    gateway: Arc<Gateway>,
    learner: Learner,
    stopping: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> serve::Settle {
    let (asks, mut asked) = mpsc::channel::<oneshot::Sender<()>>(1);
    let mut stop = stopping.clone();
    tasks.spawn(async move {
        let mut resting = Resting::new(known);
        loop {
            let answer = tokio::select! {
                _ = stop.changed() => return,
                answer = asked.recv() => answer,
            };
            let Some(answer) = answer else { return };
            gateway.behind.finish().await;
            learner.written().await;
            reconcilers.settle(&mut resting, &stop).await;
            // Who asked may have gone.
            let _ = answer.send(());
        }
    });
    asks
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

/// A ruleset from a folder, or the shipped one.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_ruleset(folder: Option<&Path>) -> Result<Ruleset, LoadErrors> {
    folder.map_or_else(Ruleset::shipped, load::from_folder)
}

/// Opens the store, and loads what is in force. The ruleset that the configuration names, or the program brings, is in force until a
/// version is published; from then on a change of it is a change like any other, and goes through the gates.
async fn open_store(
    config: &Config,
    offered: Ruleset,
    key: &TokenKey,
    clock: &dyn Clock,
    removal: &Removal,
) -> Result<(Option<Store>, Ruleset), StartError> {
    let now = clock.now();
    let opened = async {
        let store = Store::open_embedded(&config.data_dir, &config.hostname, key, now).await?;
        // Before this run writes anything: what was recorded last says how late it certainly is.
        removal.look(&store).await?;
        let published = store.was_ever_published().await?;
        keep(&store, &offered, Vec::new(), !published, now).await?;
        store.remember_policy(&config.policy, now).await?;
        let live = in_force(&store, &offered.id).await?;
        let doubted = store.doubt_forwarding(now).await?;
        let ended = store.end_leases(Some(&format!("{}/", config.hostname)), now).await?;
        store.end_claims(&format!("{}/", config.hostname), now).await?;
        if doubted > 0 || ended > 0 {
            tracing::warn!(doubted, ended, "the last run was interrupted: units in doubt and leases ended");
        }
        Ok::<_, StoreError>((store, live))
    };
    match opened.await {
        Ok((store, live)) => {
            let mut live = live.unwrap_or(offered);
            for fault in live.remember_previous(store.ruleset_before(&live.id).await?) {
                tracing::warn!(fault, "the earlier form of a changed detection cannot be run beside it");
            }
            Ok((Some(store), live))
        }
        Err(error) if read_panic_file(&config.panic_file, now) == Ok(Stance::Bypass) => {
            tracing::error!(%error, "the store does not open; the panic switch says bypass, so mail passes unexamined");
            Ok((None, offered))
        }
        Err(error) => Err(error.into()),
    }
}

/// The ruleset that the store says is in force; none when it is the one that is offered.
async fn in_force(store: &Store, offered: &RulesetId) -> Result<Option<Ruleset>, StoreError> {
    let Some(live) = store.ruleset_in_force().await?.filter(|live| live != offered) else { return Ok(None) };
    tracing::info!(%live, %offered, "a published ruleset is in force; `reprieve ruleset publish` offers the other one to the gates");
    plan::load_kept(store, &live, &Handle::current()).await.map(Some)
}

/// The bytes of known-good content, encrypted; none if it is not to be kept.
fn open_vault(config: &Config, ring: &Ring, clock: &dyn Clock) -> Result<Option<Vault>, StartError> {
    if !config.known_good.is_on {
        return Ok(None);
    }
    let failed = |source| StartError::DataDir { path: config.known_good.key_file.clone(), source };
    let keys = ring.load(clock).map_err(failed)?;
    Vault::open(&config.data_dir.join(KNOWN_GOOD), keys).map(Some).map_err(failed)
}

async fn listen(
    gateway: &Arc<Gateway>,
    stopping: &watch::Receiver<bool>,
    mail: &mut JoinSet<()>,
) -> Result<Vec<(Role, SocketAddr)>, StartError> {
    let mut addresses = Vec::new();
    for config in &gateway.config.listeners {
        let failed = |source| StartError::Bind { address: config.address.to_string(), source };
        let listener = Listener::bind(config.clone(), tls_of(config)?, gateway.clone()).await.map_err(failed)?;
        addresses.push((config.role, listener.address().map_err(failed)?));
        mail.spawn(listener.run(stopping.clone(), gateway.config.limits.drain));
    }
    Ok(addresses)
}

fn tls_of(config: &ListenerConfig) -> Result<Option<Arc<ServerConfig>>, TlsError> {
    config.tls.as_ref().map(|(certificate, key)| tls::server_config(certificate, key)).transpose()
}

/// Makes the data folder, private to its user, and takes its lock.
fn prepare_data_dir(path: &Path) -> Result<File, StartError> {
    let failed = |source| StartError::DataDir { path: path.to_owned(), source };
    if !path.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        // A folder that a power cut takes back takes with it whatever was answered for meanwhile.
        let parent = path.canonicalize().map_err(failed)?.parent().map(Path::to_owned).unwrap_or_default();
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(StartError::Locked(path.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}
