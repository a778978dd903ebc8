//! The service: what starts in which order.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use cli::service::{Running, Tasks, Waiting};
use detect::in_force::InForce;
use detect::ruleset::Ruleset;
use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use gateway::{Gateway, listener};
use http_listener::Doors;
use platform::background::Background;
use platform::clock::Clock;
use platform::config::Config;
use platform::kept::Kept;
use platform::keys::{self, KEY_FILE, KeyRing};
use platform::loops::Loops;
use platform::panic_switch::{SwitchPosition, read as read_panic_file};
use platform::ports::Ports;
use platform::reconciler::Rounds;
use platform::reload::Turn;
use platform::shared::Shared;
use platform::start_error::BindError;
use platform::traces::Telling;
use platform::{data_folder, descriptors, traces};
use rules::start::with_earlier_forms;
use service::Service;
use store::{Store, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::rooms::Given;
use crate::settle::Settler;
use crate::stop::Stoppable;

/// Why the program does not start, for people.
type StartError = Box<dyn Error + Send + Sync>;

/// Starts everything that a configuration asks for. With the panic switch at `bypass`, mail passes even without a
/// store.
pub(crate) fn start(
    config: Config,
    kept: Kept,
    clock: Arc<dyn Clock>,
    tasks: Tasks,
) -> Waiting<Result<Running, String>> {
    Box::pin(async move { begin(config, kept, clock, tasks).await.map_err(|error| error.to_string()) })
}

async fn begin(mut config: Config, kept: Kept, clock: Arc<dyn Clock>, when: Tasks) -> Result<Running, StartError> {
    descriptors::share_out(&mut config);
    kept.folder.hold(&config.data_dir)?;
    let token_key = keys::token_key(&config.data_dir.join(KEY_FILE), clock.as_ref())?;
    let offered = kept.ruleset.load(config.ruleset.as_deref(), kept.is_way_back)?;
    let mut shared = Shared::new(Arc::new(config), clock, token_key);
    shared.kept = kept;
    let telling = traces::start(&shared.config).map(|(traces, telling)| {
        shared.traces = traces;
        telling
    });
    let (store, ruleset) = open_store(&shared, offered).await?;
    match begin_over(&store, Given::new(shared, ruleset), telling, when).await {
        Ok(running) => Ok(running),
        Err(why) => {
            // The next start in this process opens it again.
            if let Some(store) = store {
                store.close().await;
            }
            Err(why)
        }
    }
}

/// Starts everything over an open store. Where that fails, whatever was begun ends with what it was begun in.
async fn begin_over(
    store: &Option<Store>,
    given: Result<Given, StartError>,
    telling: Option<Telling>,
    when: Tasks,
) -> Result<Running, StartError> {
    let given = given?;
    let ports = given.shared.kept.ports.clone();
    let (stop, stopping) = watch::channel(false);
    let gateway = Arc::new(given.clone().gateway(store.as_ref(), stopping.clone()).start().await);
    let (mut mail, mut tasks, mut doors) = (JoinSet::new(), JoinSet::new(), Doors::new(&gateway.config.http));
    let background = Background::start(given.examiner.processes())?;
    let mut loops = Loops::default();
    let listeners = listener::listen(&gateway, &ports, &stopping, &mut mail, &mut loops)?;
    let rounds = Rounds::new(given.shared.clock.clone());
    let driver = match store {
        Some(store) if when == Tasks::WhenAsked => {
            gateway.learner.write_when_asked().await;
            given.settler(store, &gateway, &background).start(&stopping, &mut tasks)
        }
        Some(store) => {
            for task in given.tasks(store, background.handle()) {
                let name = task.name();
                loops.add(name, task.start(&rounds, &stopping, background.handle(), &mut tasks));
            }
            Router::new()
        }
        None => Router::new(),
    };
    let config = gateway.config.clone();
    let service = Service::start(given.service(store.clone(), &gateway, rounds))?;
    let reload = by_signal(service.clone());
    let (api, portal) = open_doors(service, driver, &ports, &mut doors)?;
    let store = store.clone();
    let what = Stoppable { stop, mail, tasks, doors, gateway, store, telling, _background: background };
    let socket = config.api.socket.clone();
    Ok(Running { listeners, api, socket, portal, config, reload, loops, stop: Box::pin(what.stop()) })
}

/// Has a service ask for a reload, as who has sent a signal.
fn by_signal(service: Service) -> Box<dyn Fn(Turn) -> Waiting<()> + Send + Sync> {
    Box::new(move |turn| {
        let service = service.clone();
        Box::pin(async move { service::reload::by_signal(&service, turn).await })
    })
}

/// Opens the store, and says which ruleset is in force in it. With the panic switch at `bypass` a store that does not
/// open is done without.
async fn open_store(shared: &Shared, offered: Ruleset) -> Result<(Option<Store>, Ruleset), StoreError> {
    let Shared { config, token_key, removal, .. } = shared;
    let now = shared.clock.now();
    let opened = async {
        let store = Store::open_embedded(&config.data_dir, &config.hostname, token_key, now).await?;
        // Before this run writes anything: what was recorded last says how late it certainly is.
        let read = async {
            removal.look(&store.upkeep).await?;
            let published = rules::start::in_force(&(&store).into(), shared, &offered).await?;
            store.take_over(now).await?;
            Ok::<_, StoreError>(published)
        };
        match read.await {
            Ok(published) => Ok((store, published)),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    };
    match opened.await {
        Ok((store, published)) => match with_earlier_forms(&store.rules, published.unwrap_or(offered)).await {
            Ok(live) => Ok((Some(store), live)),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        },
        Err(error) if read_panic_file(&config.panic_file, now) == Ok(SwitchPosition::Bypass) => {
            tracing::error!(%error, "the store does not open; the panic switch says bypass, so mail passes unexamined");
            Ok((None, offered))
        }
        Err(error) => Err(error),
    }
}

/// Opens the doors that people and their programs come in by; returns where the API and the portal are. `driver` is
/// what the unix socket serves beside the API.
fn open_doors(
    service: Service,
    driver: Router,
    ports: &Ports,
    doors: &mut Doors,
) -> Result<(SocketAddr, Option<SocketAddr>), BindError> {
    let portal = portal::serve(service.clone(), ports, doors)?;
    let (verbs, pages) = (exchange::router(service.clone()), console::router(service.clone()));
    let api = api::network::serve(service.clone(), verbs, pages, ports, doors)?;
    api::socket::serve(service, driver, ports, doors)?;
    Ok((api, portal))
}

impl Given {
    /// With processes that examine by a ruleset, one a core.
    fn new(shared: Shared, ruleset: Ruleset) -> Result<Self, StartError> {
        let config = &shared.config;
        let ring = KeyRing::find(&config.known_good.key_file);
        Ok(Self {
            vault: data_folder::open_vault(config, &ring, shared.clock.as_ref())?,
            ring,
            examiner: ExaminerPool::on_every_core(InForce::only(ruleset), config.examination.clone())?,
            external_engines: ExternalEngines::new(&config.engines)?,
            shared,
        })
    }

    /// What brings the tasks to rest when a drill's driver asks.
    fn settler(&self, store: &Store, gateway: &Arc<Gateway>, background: &Background) -> Settler {
        Settler {
            gateway: gateway.clone(),
            rules: self.clone().rules(store, background.handle()).in_turn(),
            recovery: self.clone().recovery(store).in_turn(),
        }
    }
}
