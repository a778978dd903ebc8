//! The service: what starts in which order, and how it all stops.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cli::service::{Running, Tasks, Waiting};
use detect::in_force::InForce;
use detect::ruleset::load::from_folder_or_shipped;
use examiner::external_engines::ExternalEngines;
use examiner::{ExaminerPool, Viewer};
use gateway::{Gateway, listener};
use known_good::archive::Importer;
use known_good::first_contact::FirstContacts;
use known_good::recorder::KnownGoodRecorder;
use platform::background::Background;
use platform::clock::Clock;
use platform::config::Config;
use platform::disk::DiskSpace;
use platform::keys::{self, KEY_FILE, KeyRing};
use platform::ledger_check::LedgerCheck;
use platform::panic_switch::PanicSwitch;
use platform::readiness::Readiness;
use platform::reconciler::Rounds;
use platform::removal::Removal;
use platform::shared::Shared;
use platform::task::end;
use platform::{data_folder, descriptors};
use recovery::pacing::Pacing;
use service::Parts;
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::data::open_store;
use crate::http;
use crate::rooms::{Given, parts_of_live_mail};
use crate::settle::Settler;
use crate::start_error::StartError;

/// What a stop may take after the drain: what connections, background tasks, writes and the API's answers have for
/// their end. With the drain it is under 10 s, unless that is set otherwise.
const LAST_WRITES: Duration = Duration::from_millis(1000);
/// See [`LAST_WRITES`]: for what answers an HTTP request.
const LAST_STEPS: Duration = Duration::from_millis(200);

/// Starts everything that a configuration asks for. With the panic switch at `bypass`, mail passes even without a
/// store.
pub(crate) fn start(config: Config, clock: Arc<dyn Clock>, tasks: Tasks) -> Waiting<Result<Running, String>> {
    Box::pin(async move { begin(config, clock, tasks).await.map_err(|error| error.to_string()) })
}

async fn begin(mut config: Config, clock: Arc<dyn Clock>, when: Tasks) -> Result<Running, StartError> {
    descriptors::share_out(&mut config);
    let lock = data_folder::take(&config.data_dir)?;
    let token_key = keys::token_key(&config.data_dir.join(KEY_FILE), clock.as_ref())?;
    let offered = from_folder_or_shipped(config.ruleset.as_deref())?;
    let removal = Removal::new(clock.clone(), config.retention.clock_jump);
    let (store, ruleset) = open_store(&config, offered, &token_key, clock.as_ref(), &removal).await?;
    let ring = KeyRing::find(&config.known_good.key_file);
    let vault = data_folder::open_vault(&config, &ring, clock.as_ref())?;
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let (stop, stopping) = watch::channel(false);
    let examiner = ExaminerPool::start(InForce::only(ruleset), config.examination.clone(), cores);
    let given = Given {
        vault,
        ring,
        removal,
        ledger_check: LedgerCheck::default(),
        panic_switch: PanicSwitch::default(),
        examiner: examiner.map_err(StartError::Examiner)?,
        external_engines: ExternalEngines::new(&config.engines)?,
        cores,
        shared: Shared::new(Arc::new(config), clock, token_key),
    };
    let gateway = Arc::new(given.gateway(store.as_ref(), &stopping));
    gateway.tell_limits();
    if let Some(store) = &store {
        gateway.known.recall(&store.mail).await;
        // Before any mail is taken: what was contained stays so over a restart.
        gateway.contained.put(store.containments.containment(gateway.clock.now()).await?);
    }
    let (mut mail, mut tasks, mut doors) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
    let background = Background::start(cores).map_err(StartError::Threads)?;
    let Shared { config, clock, .. } = &given.shared;
    tokio::spawn(given.panic_switch.clone().watch(config.panic_file.clone(), clock.clone()));
    let listeners = listener::listen(&gateway, &stopping, &mut mail).await?;
    let rounds = Rounds::new(clock.clone());
    let driver = match &store {
        Some(store) if when == Tasks::WhenAsked => {
            gateway.learner.write_when_asked().await;
            given.settler(store, &gateway, &background).start(&stopping, &mut tasks)
        }
        Some(store) => {
            given.start_tasks(store, &rounds, &stopping, &background, &mut tasks)?;
            Router::new()
        }
        None => Router::new(),
    };
    let (close_doors, closing_doors) = watch::channel(false);
    let socket = config.api.socket.clone();
    let service = given.service(store.clone(), &gateway, rounds)?;
    let (api, portal) = http::start(service, driver, &closing_doors, &mut doors).await?;
    let what = Stoppable {
        stop,
        mail,
        tasks,
        doors,
        close_doors,
        gateway,
        store,
        socket: socket.clone(),
        _background: background,
        _lock: lock,
    };
    Ok(Running { listeners, api, socket, portal, stop: Box::pin(what.stop()) })
}

/// What a stop ends, in its order.
struct Stoppable {
    stop: watch::Sender<bool>,
    /// Connections of clients.
    mail: JoinSet<()>,
    /// Background tasks.
    tasks: JoinSet<()>,
    gateway: Arc<Gateway>,
    store: Option<Store>,
    /// The API, the pages, the portal: they answer for as long as mail is under way.
    doors: JoinSet<()>,
    close_doors: watch::Sender<bool>,
    socket: PathBuf,
    _background: Background,
    _lock: File,
}

impl Stoppable {
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
        self.gateway.finish(last).await;
        if let Some(store) = self.store.take()
            && timeout_at(last, store.close()).await.is_err()
        {
            tracing::warn!("the store could not be closed in time; nothing that was answered is lost");
        }
        let _ = self.close_doors.send(true);
        end(&mut self.doors, "HTTP server", Instant::now() + LAST_STEPS).await;
        // It may be gone; the next start removes it as well.
        let _ = fs::remove_file(&self.socket);
    }
}

impl Given {
    /// The gateway; the room on its disk is looked at for as long as the program runs.
    fn gateway(&self, store: Option<&Store>, stopping: &watch::Receiver<bool>) -> Gateway {
        let Shared { config, token_key, .. } = &self.shared;
        let room = DiskSpace::watched(&config.data_dir, config.retention.disk_floor_bytes);
        let met = Arc::new(FirstContacts::default());
        let learner = match (store, &self.vault) {
            (Some(store), Some(vault)) => {
                let (known, settings) = (store.known_good.clone(), config.known_good.clone());
                KnownGoodRecorder::start(known, vault.clone(), settings, token_key.clone(), met.clone())
            }
            _ => KnownGoodRecorder::idle(),
        };
        let readiness = Readiness {
            store: store.map(|store| store.health.clone()),
            room,
            panic_switch: self.panic_switch.clone(),
            stopping: stopping.clone(),
        };
        Gateway::new(gateway::Parts {
            shared: self.shared.clone(),
            store: store.map(parts_of_live_mail),
            examiner: self.examiner.clone(),
            external_engines: self.external_engines.clone(),
            readiness,
            met,
            learner,
        })
    }

    /// What brings the tasks to rest when a drill's driver asks.
    fn settler(&self, store: &Store, gateway: &Arc<Gateway>, background: &Background) -> Settler {
        let pacing = Pacing::of_drill(self.shared.config.release.per_second);
        Settler {
            gateway: gateway.clone(),
            rules: self.rules(store, background.handle()).in_turn(),
            recovery: self.recovery(store, pacing).in_turn(),
        }
    }

    /// Starts every background task of every room.
    fn start_tasks(
        &self,
        store: &Store,
        rounds: &Rounds,
        stopping: &watch::Receiver<bool>,
        background: &Background,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), StartError> {
        let pacing = Pacing::new(self.shared.config.release.per_second);
        let rules = self.rules(store, background.handle()).tasks();
        let recovery = self.recovery(store, pacing).tasks();
        let operations = self.operations(store).tasks()?;
        for task in rules.into_iter().chain(recovery).chain(operations) {
            task.start(rounds, stopping, background.handle(), tasks);
        }
        Ok(())
    }

    /// What people can ask for.
    fn service(self, store: Option<Store>, gateway: &Gateway, rounds: Rounds) -> Result<service::Service, StartError> {
        let Shared { config, clock, token_key, signals, .. } = self.shared;
        let (examiner, learner) = (self.examiner, gateway.learner.clone());
        Ok(service::Service::new(Parts {
            store,
            clock: clock.clone(),
            signals,
            key: &token_key,
            vault: self.vault,
            ring: self.ring,
            importer: Importer { config: config.clone(), examiner, learner, clock },
            ledger_check: self.ledger_check,
            rounds,
            removal: self.removal,
            viewer: Viewer::start(&config.examination).map_err(StartError::Examiner)?,
            readiness: gateway.readiness.clone(),
            config,
        }))
    }
}
